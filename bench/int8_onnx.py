"""Encodes one picture again and again by ONNX Runtime: float32, and int8 as its static quantisation (QDQ) makes it.

    int8_onnx.py NETWORK ENCODERS THREADS

NETWORK is efficientnet_lite0 or efficientnet_lite2, ENCODERS the folder with their weights and reference.safetensors.
First it prints how far both are from the reference features: the cosine. Then, for every line "float32" or "int8" it
reads, it prints the milliseconds of the median of 20 runs.
"""
import pathlib, statistics, sys, tempfile, time
import numpy as np, onnx, onnxruntime as ort
from onnx import helper, numpy_helper, TensorProto
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
from safetensors.numpy import load_file

SIZES = {
    "efficientnet_lite0": (224, [16, 24, 40, 80, 112, 192, 320], [1, 2, 2, 3, 3, 4, 1]),
    "efficientnet_lite2": (260, [16, 24, 48, 88, 120, 208, 352], [1, 3, 3, 4, 4, 5, 1]),
}
STAGES = [(3, 1, 1), (3, 2, 6), (5, 2, 6), (3, 2, 6), (5, 1, 6), (5, 2, 6), (3, 1, 6)]


class Builder:
    def __init__(self, weights):
        self.weights, self.nodes, self.initializers = weights, [], []

    def constant(self, name, value):
        self.initializers.append(numpy_helper.from_array(value, name))
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
        self.nodes.append(helper.make_node("Conv", [x, self.constant(name + ".w", w), self.constant(name + ".b", b)], [y], pads=pads, strides=[stride] * 2, group=groups))
        if clip:
            self.nodes.append(helper.make_node("Clip", [y, "zero", "six"], [y + ".clip"]))
            y += ".clip"
        if add:
            self.nodes.append(helper.make_node("Add", [y, add], [y + ".sum"]))
            y += ".sum"
        return y, out, w.shape[0]


def build(name, weights):
    size, widths, repeats = SIZES[name]
    b = Builder(weights)
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
    io = [helper.make_tensor_value_info(n, TensorProto.FLOAT, shape) for n, shape in (("pixels", [1, 3, size, size]), (x, [1, channels, side, side]))]
    graph = helper.make_graph(b.nodes, name, io[:1], io[1:], b.initializers)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


class Pictures(CalibrationDataReader):
    def __init__(self, pictures):
        self.left = iter(pictures)

    def get_next(self):
        x = next(self.left, None)
        return None if x is None else {"pixels": x}


def main():
    name, encoders, threads = sys.argv[1], pathlib.Path(sys.argv[2]), int(sys.argv[3])
    reference = load_file(encoders / name / "reference.safetensors")
    pictures = [((reference[f"{i}.pixels"].astype(np.float32) - 127) / 128)[None] for i in range(4)]
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    with tempfile.TemporaryDirectory() as dir:
        files = {"float32": dir + "/m.onnx", "int8": dir + "/m8.onnx"}
        onnx.save(build(name, load_file(encoders / name / "model.safetensors")), files["float32"])
        quantize_static(files["float32"], files["int8"], Pictures(pictures), quant_format=QuantFormat.QDQ, per_channel=True, activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8)
        sessions = {kind: ort.InferenceSession(f, options, providers=["CPUExecutionProvider"]) for kind, f in files.items()}
    for kind, s in sessions.items():
        cosines = []
        for i, x in enumerate(pictures):
            got, want = s.run(None, {"pixels": x})[0].ravel(), reference[f"{i}.features"].astype(np.float32).ravel()
            cosines.append(got @ want / np.linalg.norm(got) / np.linalg.norm(want))
        print(f"{kind}: cosine to the reference {min(cosines):.4f}", file=sys.stderr)
    for line in sys.stdin:
        times = []
        for _ in range(20):
            began = time.perf_counter()
            sessions[line.strip()].run(None, {"pixels": pictures[0]})
            times.append(time.perf_counter() - began)
        print(1000 * statistics.median(times), flush=True)


main()
