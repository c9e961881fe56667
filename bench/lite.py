"""EfficientNet-Lite as an ONNX graph, from the weights of a model file."""
import numpy as np

SIZES = {
    "efficientnet_lite0": (224, [16, 24, 40, 80, 112, 192, 320], [1, 2, 2, 3, 3, 4, 1]),
    "efficientnet_lite2": (260, [16, 24, 48, 88, 120, 208, 352], [1, 3, 3, 4, 4, 5, 1]),
}
STAGES = [(3, 1, 1), (3, 2, 6), (5, 2, 6), (3, 2, 6), (5, 1, 6), (5, 2, 6), (3, 1, 6)]

FLOAT = 1  # in ONNX


class Builder:
    def __init__(self, weights):
        import onnx  # not by those who want the tables alone: it takes a second
        self.helper, self.array = onnx.helper, onnx.numpy_helper.from_array
        self.weights, self.nodes, self.initializers = weights, [], []

    def constant(self, name, value):
        self.initializers.append(self.array(value, name))
        return name

    def conv(self, x, size, name, stride, groups=1, clip=True, add=None):
        w = self.weights[name + ".conv.weight"].astype(np.float32)
        gain, bias, mean, var = (self.weights[f"{name}.bn.{k}"].astype(np.float64) for k in ("weight", "bias", "running_mean", "running_var"))
        scale = gain / np.sqrt(var + 1e-3)
        w = (w * scale[:, None, None, None]).astype(np.float32)
        b = (bias - mean * scale).astype(np.float32)
        out = -(-size // stride)
        total = max((out - 1) * stride + w.shape[2] - size, 0)
        pads = [total // 2] * 2 + [total - total // 2] * 2
        y = name + ".out"
        self.nodes.append(self.helper.make_node("Conv", [x, self.constant(name + ".w", w), self.constant(name + ".b", b)], [y], pads=pads, strides=[stride] * 2, group=groups))
        if clip:
            self.nodes.append(self.helper.make_node("Clip", [y, "zero", "six"], [y + ".clip"]))
            y += ".clip"
        if add:
            self.nodes.append(self.helper.make_node("Add", [y, add], [y + ".sum"]))
            y += ".sum"
        return y, out, w.shape[0]


def build(name, weights):
    size, widths, repeats = SIZES[name]
    b = Builder(weights)
    helper = b.helper
    b.constant("zero", np.array(0, np.float32))
    b.constant("six", np.array(6, np.float32))
    x, side, channels = b.conv("pixels", size, "stem", 2)
    for s, (_, stride, expand) in enumerate(STAGES):
        for r in range(repeats[s]):
            block, begin, before, st = f"stages.{s}.{r}.", x, channels, stride if r == 0 else 1
            if expand > 1:
                x, side, channels = b.conv(x, side, block + "expand", 1)
            x, side, channels = b.conv(x, side, block + "depthwise", st, groups=channels)
            x, side, channels = b.conv(x, side, block + "project", 1, clip=False, add=begin if st == 1 and before == widths[s] else None)
    x, side, channels = b.conv(x, side, "head", 1)
    io = [helper.make_tensor_value_info(n, FLOAT, shape) for n, shape in (("pixels", [1, 3, size, size]), (x, [1, channels, side, side]))]
    graph = helper.make_graph(b.nodes, name, io[:1], io[1:], b.initializers)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
