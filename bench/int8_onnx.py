"""Encodes one picture again and again by ONNX Runtime: float32, and int8 as its static quantisation (QDQ) makes it.

    int8_onnx.py NETWORK ENCODERS THREADS

NETWORK is efficientnet_lite0 or efficientnet_lite2, ENCODERS the folder with their weights and reference.safetensors.
First it prints how far both are from the reference features: the cosine. Then, for every line "float32" or "int8" it
reads, it prints the milliseconds of the median of 20 runs.
"""
import pathlib, statistics, sys, tempfile, time
import numpy as np, onnx, onnxruntime as ort
from lite import build
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
from safetensors.numpy import load_file

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
