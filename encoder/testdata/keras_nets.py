"""Writes keras_NET.safetensors into FOLDER: full-size networks of random weights, in
the order of a Keras file as LAYER-NUMBER/LAYER-NAME/WEIGHT-NUMBER, and what
Keras 3 makes of them in float64 on PyTorch: "input" (h, w, 3) and "features" (h, w, channels), for VGG also "fc2".

    KERAS_BACKEND=torch python encoder/testdata/keras_nets.py FOLDER ResNet50 ...
"""
import sys
from pathlib import Path

import keras
import numpy as np
from safetensors.numpy import save_file

keras.config.set_floatx("float64")


def half(v):
    return np.asarray(v).astype(np.float16).astype(np.float64)


def randomise(net, rng):
    """Batch norms that end residual branches are small and biases positive, as in
    trained networks; else rounding errors grow from layer to layer."""
    for layer in net.layers:
        new = []
        for w, old in zip(layer.weights, layer.get_weights()):
            kind = w.name.split("/")[-1]
            if "kernel" in kind:
                fan = np.prod(old.shape[:2]) if "depthwise" in w.path else np.prod(old.shape[:-1])
                v = rng.randn(*old.shape) * np.sqrt(2 / fan)
            elif kind == "gamma":
                v = rng.uniform(0.5, 1.5, old.shape) * (0.3 if "_3_bn" in layer.name or "project" in layer.name else 1)
            elif kind == "beta":
                v = 0.5 + rng.randn(*old.shape) * 0.2
            elif kind == "moving_variance":
                v = rng.uniform(0.5, 1.5, old.shape)
            else:
                v = rng.randn(*old.shape) * 0.2
            new.append(half(v))
        layer.set_weights(new)


def settle(net, x):
    """Sets the statistics of batch norms to those of x."""
    norms = [m for m in net.layers if isinstance(m, keras.layers.BatchNormalization)]
    for m in norms:
        m.momentum = 0.0
    net(x, training=True)
    for m in norms:
        *rest, mean, var = m.get_weights()
        m.set_weights(rest + [half(mean), half(np.maximum(var, 0.05))])


folder = Path(sys.argv[1])
for name in sys.argv[2:]:
    top = name.startswith("VGG")
    keras.backend.clear_session()
    net = getattr(keras.applications, name)(weights=None, include_top=top)
    size = 299 if name == "InceptionV3" else 224
    if not top:
        net = getattr(keras.applications, name)(weights=None, include_top=False, input_shape=(size, size, 3))
    rng = np.random.RandomState(1)
    randomise(net, rng)
    rough = rng.randn(3, size // 16 + 1, size // 16 + 1, 3)
    x = half(rough.repeat(16, 1).repeat(16, 2)[:, :size, :size] + 0.3 * rng.randn(3, size, size, 3))
    settle(net, x)
    out = {}
    for i, layer in enumerate(m for m in net.layers if m.get_weights()):
        for k, w in enumerate(layer.get_weights()):
            out[f"{i:03}/{layer.name}/{k}"] = w.astype(np.float16)
    ends = {"features": net.layers[-1].output}
    if top:
        ends = {"features": net.get_layer("block5_pool").output, "fc2": net.get_layer("fc2").output}
    out["input"] = x[0].astype(np.float16)
    for end, y in keras.Model(net.input, ends).predict(x[:1], verbose=0).items():
        out[end] = y[0].astype(np.float32)
        print(name, end, y.shape, np.abs(y).max(), flush=True)
    save_file({k: np.ascontiguousarray(v) for k, v in out.items()}, folder / f"keras_{name}.safetensors")
