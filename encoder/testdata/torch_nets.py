"""Writes what torchvision's networks make of random weights: as
torch_NET.safetensors beside this script for small nets, with a fraction of the
channels and pictures of 64 (Inception 107, timm 75) pixels, or full-size ones into FOLDER.

    python encoder/testdata/torch_nets.py resnet18 resnet50 vgg16 inception_v3 mobilenet_v2 efficientnet_b0 tf_efficientnet_b0
    python encoder/testdata/torch_nets.py --full FOLDER resnet50 efficientnet_lite1 tf_efficientnet_b2 ...

EfficientNet-Lite is timm's, and in full alone; so are those whose names begin with tf_ or timm_.
Those that begin with hub_ are of transformers.

Weights are exact in float16 and stored so, the results are computed in float64; "input" is (h, w, 3), "features"
(h, w, channels), for VGG also "fc2".
"""
import sys
from pathlib import Path

import numpy as np
import torch
import torchvision
from safetensors.numpy import save_file
from torch import nn

THIN = 32
SIZES = {"inception_v3": 299, "efficientnet_lite1": 240, "efficientnet_lite3": 280, "efficientnet_lite4": 300, "efficientnet_b1": 240,
         "efficientnet_b2": 288, "efficientnet_b3": 300, "tf_efficientnet_b1": 240, "tf_efficientnet_b2": 260, "tf_efficientnet_b3": 300}


def thin(net):
    """Divides the channels of every layer, except the picture's."""
    def less(n):
        return n if n == 3 else max(1, n // THIN)

    for name, m in list(net.named_modules()):
        if not isinstance(m, (nn.Conv2d, nn.BatchNorm2d, nn.Linear)):
            continue
        if type(m).__module__.startswith("timm"):
            thin_timm(m, less)
            continue
        parent = net.get_submodule(name.rpartition(".")[0])
        if isinstance(m, nn.Conv2d):
            groups = less(m.groups) if m.groups > 1 else 1
            new = nn.Conv2d(less(m.in_channels), less(m.out_channels), m.kernel_size, m.stride, m.padding, groups=groups, bias=m.bias is not None)
        elif isinstance(m, nn.BatchNorm2d):
            new = nn.BatchNorm2d(less(m.num_features), m.eps)
        else:
            cells = 49 if m.in_features % 49 == 0 and m.in_features > 4096 else 1
            new = nn.Linear(less(m.in_features // cells) * (4 if cells > 1 else 1), less(m.out_features))
        setattr(parent, name.rpartition(".")[2], new)


def thin_timm(m, less):
    """timm's convolutions and batch norms do more than torch's, so they stay and lose channels."""
    if isinstance(m, nn.Conv2d):
        m.groups = less(m.groups) if m.groups > 1 else 1
        m.in_channels, m.out_channels = less(m.in_channels), less(m.out_channels)
        m.weight.data = m.weight.data[:m.out_channels, :m.in_channels // m.groups].clone()
        if m.bias is not None:
            m.bias.data = m.bias.data[:m.out_channels].clone()
    else:
        m.num_features = less(m.num_features)
        for p in m.weight, m.bias, m.running_mean, m.running_var:
            p.data = p.data[:m.num_features].clone()


def randomise(net, rng, last):
    """Batch norms that end residual branches are small and biases positive, as in
    trained networks; else rounding errors grow from layer to layer."""
    for path, m in net.named_modules():
        for name, p in list(m.named_parameters(recurse=False)) + list(m.named_buffers(recurse=False)):
            if name == "num_batches_tracked":
                continue
            if p.ndim > 1:
                v = rng.randn(*p.shape) * np.sqrt(2 / np.prod(p.shape[1:]))
            elif isinstance(m, nn.BatchNorm2d) and name == "weight":
                v = rng.uniform(0.5, 1.5, p.shape) * (0.3 if path.endswith(last) else 1)
            elif isinstance(m, nn.BatchNorm2d) and name == "bias":
                v = 0.5 + rng.randn(*p.shape) * 0.2
            else:
                v = rng.randn(*p.shape) * 0.2
            p.data = torch.tensor(v.astype(np.float16).astype(np.float32))


def settle(net, x):
    """Sets the statistics of batch norms to those of x, so that deep networks
    neither die out nor blow up."""
    norms = [m for m in net.modules() if isinstance(m, nn.BatchNorm2d)]
    for m in norms:
        m.momentum = 1.0
    net.train()
    for m in net.modules():
        if isinstance(m, (nn.Dropout, torchvision.ops.StochasticDepth)):
            m.p = 0
    with torch.no_grad():
        net(x)
    net.eval()
    for m in norms:
        m.running_mean = m.running_mean.half().float()
        m.running_var = m.running_var.clamp(min=0.05).half().float()


def of_hub(size, name):
    """google/efficientnet-b0, and so on, which are Keras's."""
    from transformers import EfficientNetConfig, EfficientNetForImageClassification
    width, depth, padding, hidden = {"b0": (1.0, 1.0, [], 1280), "b1": (1.0, 1.1, [16], 1280), "b2": (1.1, 1.2, [5, 8, 16], 1408), "b3": (1.2, 1.4, [5, 18], 1536)}[name[-2:]]
    return EfficientNetForImageClassification(EfficientNetConfig(width_coefficient=width, depth_coefficient=depth, image_size=size, hidden_dim=hidden, dropout_rate=0.0, drop_connect_rate=0.0, depthwise_padding=padding))


def features(net, x):
    if hasattr(net, "efficientnet"):
        return net.efficientnet(x).last_hidden_state, None
    if hasattr(net, "forward_features"):
        return net.forward_features(x), None
    if hasattr(net, "features"):
        y = net.features(x)
        if isinstance(net, torchvision.models.VGG):
            flat = torch.flatten(y, 1)
            return y, net.classifier[:5](flat)
        return y, None
    last = {}
    top = net.Mixed_7c if hasattr(net, "Mixed_7c") else net.layer4
    top.register_forward_hook(lambda m, i, o: last.update(y=o))
    net(x)
    return last["y"], None


def main(args):
    full = args[:1] == ["--full"]
    folder = Path(args[1]) if full else Path(__file__).resolve().parent
    for name in args[2 if full else 0:]:
        torch.manual_seed(1)
        more = dict(aux_logits=False, transform_input=False, init_weights=False) if name == "inception_v3" else {}
        size = SIZES.get(name.removeprefix("timm_").replace("hub_", "tf_"), 224)
        hub = name.startswith("hub_")
        of_timm = "_lite" in name or name.startswith(("tf_", "timm_"))
        if of_timm:
            import timm
            net = timm.create_model("tf_" + name if "_lite" in name else name.removeprefix("timm_"))
        elif hub:
            net = of_hub(size, name)
        else:
            net = torchvision.models.get_model(name, weights=None, **more)
        if not full:
            thin(net)
            size = 107 if name == "inception_v3" else 75 if of_timm else 64
            if name.startswith("vgg"):
                net.avgpool = nn.Identity()
        rng = np.random.RandomState(1)
        last = "project_bn" if hub else ".3.1" if name.startswith("efficientnet_b") else "bn3" if any(n.endswith("bn3") for n, _ in net.named_modules()) else "bn2"
        randomise(net, rng, last)
        rough = torch.tensor(rng.randn(4 if full else 32, 3, 12, 12), dtype=torch.float32)
        x = nn.functional.interpolate(rough, size=(size, size), mode="bicubic")
        x = (x + 0.3 * torch.randn(x.shape)).half().float()
        settle(net, x)
        with torch.no_grad():
            plain, _ = features(net, x[:1])
            y, fc2 = features(net.double(), x[:1].double())
        out = {k: v.numpy().astype(np.float16) for k, v in net.state_dict().items()
               if not k.startswith(("fc.", "classifier.6", "classifier.weight", "classifier.bias")) and not k.endswith("tracked") and not (name.startswith(("mobilenet", "efficientnet")) and k.startswith("classifier"))}
        out["input"] = x[0].permute(1, 2, 0).contiguous().numpy().astype(np.float16)
        out["features"] = y[0].permute(1, 2, 0).contiguous().float().numpy()
        if fc2 is not None:
            out["fc2"] = fc2[0].float().numpy()
        save_file(out, folder / f"torch_{name}.safetensors")
        print(name, size, tuple(y.shape), float(y.abs().max()), "in float32 off by", float((plain - y).abs().max() / y.abs().max()))


if __name__ == "__main__":
    main(sys.argv[1:])
