"""Encodes one picture again and again by ONNX Runtime: float32, and int8 as its static quantisation (QDQ) makes it.

    int8_onnx.py NETWORK ENCODERS THREADS

NETWORK is efficientnet_lite0 or efficientnet_lite2, of which the folder ENCODERS has weights and reference.safetensors,
or one of encoders_nets.py, whose weights are then random. First it prints how far both are from the reference features
or, without such, how far int8 is from float32: the cosine. Then, for every line "float32" or "int8" it reads, it prints
the milliseconds of the median of 20 runs.
"""
import pathlib, statistics, sys, tempfile, time
import numpy as np, onnxruntime as ort
from encoders_nets import NETS
from encoders_onnx import onnx_model, random_weights
from lite import build
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
from safetensors.numpy import load_file

class Pictures(CalibrationDataReader):
    def __init__(self, pictures):
        self.left = iter(pictures)

    def get_next(self):
        x = next(self.left, None)
        return None if x is None else x


def published(name, encoders):
    """The network with its weights, four pictures, and its features of them."""
    reference = load_file(encoders / name / "reference.safetensors")
    pictures = [{"pixels": ((reference[f"{i}.pixels"].astype(np.float32) - 127) / 128)[None]} for i in range(4)]
    features = [reference[f"{i}.features"].astype(np.float32) for i in range(4)]
    return build(name, load_file(encoders / name / "model.safetensors")).SerializeToString(), pictures, features


def made_up(name):
    """The network with random weights, and four pictures of waves and noise."""
    rng, net = np.random.default_rng(1), NETS[name]()
    size = net.nodes[0]["h"]
    y, x = np.mgrid[:size, :size].astype(np.float32) / 15
    pictures = []
    for _ in range(4):
        a, b = rng.uniform(0.2, 2, (2, 3, 1, 1))
        waves = np.sin(a * x + b * y) + 0.3 * rng.standard_normal((3, size, size))
        pictures.append({"x0": waves.astype(np.float32)[None]})
    return onnx_model(net, random_weights(net, rng)), pictures, None


def main():
    name, encoders, threads = sys.argv[1], pathlib.Path(sys.argv[2]), int(sys.argv[3])
    model, pictures, features = made_up(name) if name in NETS and "lite" not in name else published(name, encoders)
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    options.add_session_config_entry("session.force_spinning_stop", "1")  # between runs, when it is our turn
    with tempfile.TemporaryDirectory() as dir:
        files = {"float32": dir + "/m.onnx", "int8": dir + "/m8.onnx"}
        pathlib.Path(files["float32"]).write_bytes(model)
        quantize_static(files["float32"], files["int8"], Pictures(pictures), quant_format=QuantFormat.QDQ, per_channel=True, activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8)
        sessions = {kind: ort.InferenceSession(f, options, providers=["CPUExecutionProvider"]) for kind, f in files.items()}
    features = features or [sessions["float32"].run(None, x)[0] for x in pictures]
    for kind, s in sessions.items():
        cosines = []
        for x, want in zip(pictures, features):
            got, want = s.run(None, x)[0].ravel(), want.ravel()
            cosines.append(got @ want / np.linalg.norm(got) / np.linalg.norm(want))
        print(f"{kind}: cosine to the reference {min(cosines):.4f}", file=sys.stderr)
    for line in sys.stdin:
        times = []
        for _ in range(20):
            began = time.perf_counter()
            sessions[line.strip()].run(None, pictures[0])
            times.append(time.perf_counter() - began)
        print(1000 * statistics.median(times), flush=True)


main()
