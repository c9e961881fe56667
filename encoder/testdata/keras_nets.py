"""Writes keras_NET.safetensors into FOLDER: full-size networks of random weights, in
the order of a Keras file as LAYER-NUMBER/LAYER-NAME/WEIGHT-NUMBER, and what
Keras 3 makes of them in float64 on PyTorch: "input" (h, w, 3) and "features" (h, w, channels), for VGG also "fc2".

    KERAS_BACKEND=torch python encoder/testdata/keras_nets.py FOLDER ResNet50 EfficientNetB0 ...

Without arguments it writes beside itself what Keras makes of a thin EfficientNetB0
that is loaded as the published one is: the weights in both forms of .h5, "pixels" (h, w, 3) of a picture,
"input" after the layers that normalise it, and "features".
"""
import gzip
import tempfile
import sys
from pathlib import Path

import h5py
import keras
import numpy as np
from keras.src.applications import efficientnet
from keras.src.legacy.saving import legacy_h5_format
from safetensors.numpy import save_file

keras.config.set_floatx("float64")
MEAN, DEVIATION = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])


def half(v):
    return np.asarray(v).astype(np.float16).astype(np.float64)


def randomise(net, rng):
    """Batch norms that end residual branches are small and biases positive, as in
    trained networks; else rounding errors grow from layer to layer."""
    for layer in net.layers:
        if isinstance(layer, keras.layers.Normalization):
            layer.set_weights([MEAN, DEVIATION ** 2, np.array(0)])
            layer.finalize_state()
            continue
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
    for m in net.layers:
        if isinstance(m, keras.layers.Dropout):
            m.rate = 0.0
    for m in norms:
        m.momentum = 0.0
    net(x, training=True)
    for m in norms:
        *rest, mean, var = m.get_weights()
        m.set_weights(rest + [half(mean), half(np.maximum(var, 0.05))])


def noise(rng, size):
    rough = rng.randn(3, size // 16 + 1, size // 16 + 1, 3)
    return half(rough.repeat(16, 1).repeat(16, 2)[:, :size, :size] + 0.3 * rng.randn(3, size, size, 3))


def full(folder, name):
    top = name.startswith("VGG")
    keras.backend.clear_session()
    net = getattr(keras.applications, name)(weights=None, include_top=top)
    size = {"InceptionV3": 299, "EfficientNetB1": 240, "EfficientNetB2": 260, "EfficientNetB3": 300}.get(name, 224)
    if not top:
        net = getattr(keras.applications, name)(weights=None, include_top=False, input_shape=(size, size, 3))
    rng = np.random.RandomState(1)
    randomise(net, rng)
    x = noise(rng, size)
    seen = (x * DEVIATION + MEAN) * 255 if name.startswith("Efficient") else x
    settle(net, seen)
    out = {}
    for i, layer in enumerate(m for m in net.layers if m.get_weights()):
        for k, w in enumerate(layer.get_weights()):
            out[f"{i:03}/{layer.name}/{k}"] = w.astype(np.float32 if layer.name == "normalization" else np.float16)
    ends = {"features": net.layers[-1].output}
    if top:
        ends = {"features": net.get_layer("block5_pool").output, "fc2": net.get_layer("fc2").output}
    out["input"] = x[0].astype(np.float16)
    for end, y in keras.Model(net.input, ends).predict(seen[:1], verbose=0).items():
        out[end] = y[0].astype(np.float32)
        print(name, end, y.shape, np.abs(y).max(), flush=True)
    save_file({k: np.ascontiguousarray(v) for k, v in out.items()}, folder / f"keras_{name}.safetensors")


def thin_efficientnet(folder):
    size = 43

    def build(weights):
        keras.backend.clear_session()
        return efficientnet.EfficientNet(1 / 32, 1.0, size, depth_divisor=1, include_top=False, input_shape=(size, size, 3),
                                         name="efficientnetb0", weights=weights, weights_name="b0")

    net, rng = build(None), np.random.RandomState(1)
    randomise(net, rng)
    pixels = np.clip((noise(rng, size) * DEVIATION + MEAN) * 255, 0, 255).round()
    settle(net, pixels)
    weights = net.get_weights()
    weights[1] = DEVIATION  # as it is published
    keras.config.set_floatx("float32")
    narrow = build(None)
    narrow.set_weights(weights)
    path = Path(tempfile.mkdtemp()) / "net.h5"
    with h5py.File(path, "w") as f:
        legacy_h5_format.save_weights_to_hdf5_group(f, narrow)
    narrow.save_weights(path.with_suffix(".weights.h5"))
    keras.config.set_floatx("float64")
    efficientnet.file_utils.get_file = lambda *a, **k: str(path)
    net = build("imagenet")
    ends = {"input": net.get_layer("stem_conv_pad").input, "features": net.output}
    out = {k: v[0].astype(np.float32) for k, v in keras.Model(net.input, ends).predict(pixels[:1], verbose=0).items()}
    out["pixels"] = pixels[0].astype(np.uint8)
    for suffix in ".h5", ".weights.h5":
        with open(folder / f"keras_efficientnet_b0{suffix}.gz", "wb") as f:
            f.write(gzip.compress(path.with_suffix(suffix).read_bytes(), mtime=0))
    save_file(out, folder / "keras_efficientnet_b0.safetensors")


if len(sys.argv) == 1:
    thin_efficientnet(Path(__file__).resolve().parent)
for name in sys.argv[2:]:
    full(Path(sys.argv[1]), name)
