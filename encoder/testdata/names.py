"""Writes names_NAME.safetensors beside this script: narrow networks of random weights
by transformers and timm, with the names and layouts that their files have, and what
they make of a picture: "input" (h, w, 3) and "features" (h, w, channels), for VGG "fc2".

    python encoder/testdata/names.py hf_resnet50 hf_resnet18 hf_mobilenet_v2_tf timm_mobilenet_v2 timm_vgg16

timm_resnet18 and timm_inception_v3, whose names are torchvision's, are made without a name.
Weights are exact in float16 and stored so, the results are computed in float64.
"""
import sys
from pathlib import Path

import numpy as np
import timm
import torch
import transformers
from safetensors.numpy import save_file
from torch import nn

from torch_nets import randomise, settle

THIN = 32


def thin(net):
    """Divides the channels of every layer in place: batch norms of timm hold the activation."""
    def less(n):
        return n if n == 3 else max(1, n // THIN)

    for m in net.modules():
        if isinstance(m, nn.Conv2d):
            new = nn.Conv2d(less(m.in_channels), less(m.out_channels), m.kernel_size, groups=less(m.groups) if m.groups > 1 else 1)
            m.in_channels, m.out_channels, m.groups, m.weight = new.in_channels, new.out_channels, new.groups, new.weight
            m.bias = None if m.bias is None else new.bias
        elif isinstance(m, nn.BatchNorm2d):
            m.num_features = less(m.num_features)
            for k in ("weight", "bias", "running_mean", "running_var"):
                getattr(m, k).data = getattr(m, k).data[:m.num_features].clone()


def hf_resnet(kind, depths):
    widths = [8, 8, 12, 16] if kind == "bottleneck" else [4, 4, 6, 8]
    config = transformers.ResNetConfig(embedding_size=4, hidden_sizes=widths, depths=depths, layer_type=kind, num_labels=5)
    net = transformers.ResNetForImageClassification(config).eval()
    return net, lambda x: (net.resnet(x).last_hidden_state, None)


def hf_mobilenet():
    config = transformers.MobileNetV2Config(depth_multiplier=0.04, depth_divisible_by=4, min_depth=4, num_labels=5,
                                            finegrained_output=False, tf_padding=True, layer_norm_eps=0.001, expand_ratio=6)
    net = transformers.MobileNetV2ForImageClassification(config).eval()
    return net, lambda x: (net.mobilenet_v2(x).last_hidden_state, None)


def of_timm(name, **more):
    net = timm.create_model(name, num_classes=0, **more).eval()
    thin(net)
    return net, lambda x: (net.forward_features(x), None)


def vgg():
    net, _ = of_timm("vgg16")
    net.pre_logits.fc1 = nn.Conv2d(16, 24, 2)  # pictures of 64 pixels end in 2 x 2
    net.pre_logits.fc2 = nn.Conv2d(24, 20, 1)

    def ends(x):
        y = net.features(x)
        return y, nn.functional.relu(net.pre_logits.fc2(nn.functional.relu(net.pre_logits.fc1(y))))[:, :, 0, 0]
    return net, ends


nets = {
    "hf_resnet50": (lambda: hf_resnet("bottleneck", [3, 4, 6, 3]), 64),
    "hf_resnet18": (lambda: hf_resnet("basic", [2, 2, 2, 2]), 64),
    "hf_mobilenet_v2_tf": (hf_mobilenet, 64),
    "timm_mobilenet_v2": (lambda: of_timm("mobilenetv2_100"), 64),
    "timm_resnet18": (lambda: of_timm("resnet18"), 64),
    "timm_inception_v3": (lambda: of_timm("inception_v3", aux_logits=False), 107),
    "timm_vgg16": (vgg, 64),
}
for name in sys.argv[1:] or nets:
    torch.manual_seed(1)
    make, size = nets[name]
    net, ends = make()
    rng = np.random.RandomState(1)
    randomise(net, rng, ("bn3", "reduce_1x1.normalization", "layer.2.normalization"))
    rough = torch.tensor(rng.randn(32, 3, 12, 12), dtype=torch.float32)
    x = nn.functional.interpolate(rough, size=(size, size), mode="bicubic")
    x = (x + 0.3 * torch.randn(x.shape)).half().float()
    if "vgg" not in name:
        settle(net, x)
    with torch.no_grad():
        y, fc2 = (net.double(), ends(x[:1].double()))[1]
    out = {k: v.numpy().astype(np.float16) if v.dtype.is_floating_point else v.numpy() for k, v in net.state_dict().items()}
    out = {k: np.ascontiguousarray(v) for k, v in out.items() if "num_batches" not in k}
    out["input"] = x[0].permute(1, 2, 0).contiguous().numpy().astype(np.float16)
    out["features"] = y[0].permute(1, 2, 0).contiguous().float().numpy()
    if fc2 is not None:
        out["fc2"] = fc2[0].float().numpy()
    save_file(out, Path(__file__).resolve().parent / f"names_{name}.safetensors")
    print(name, size, tuple(y.shape), float(y.abs().max()), flush=True)
