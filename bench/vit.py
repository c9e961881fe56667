"""Compares our vision transformers with PyTorch and ONNX Runtime: first what they give, then how long they take.

vit.py DIR ROUNDS PAGE, by way of bench/vit.
"""
import datetime
import os
import statistics
import subprocess
import sys
import time

import numpy as np
import onnxruntime as ort
import torch
from safetensors.torch import load_file

DIR, ROUNDS, PAGE = sys.argv[1], int(sys.argv[2]), sys.argv[3]
ONLY = os.environ.get("VIT_ONLY", "vit_s16_timm vit_b32_timm vit_b16_timm clip_vit_b32").split()
THREADS = [int(t) for t in os.environ.get("VIT_THREADS", "1 2").split()]
SIZES = {"s16": (16, 384, 6), "b16": (16, 768, 12), "b32": (32, 768, 12)}
ort.set_default_logger_severity(3)
torch.set_grad_enabled(False)


class Ours:
    """The Go program with some threads."""

    def __init__(self, threads):
        self.process = subprocess.Popen([f"{DIR}/encoders"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                        env=dict(os.environ, GOMAXPROCS=str(threads)))

    def ask(self, *words):
        print(*words, file=self.process.stdin, flush=True)
        answer = self.process.stdout.readline()
        if not answer:
            sys.exit("the Go program stopped")
        return answer

    def once(self):
        return float(self.ask("time", 0).split()[0])


class Grid(torch.nn.Module):
    """Tokens after the last norm, without the class token: (n, cells, width)."""

    def __init__(self, name):
        super().__init__()
        words = name.split("_")
        patch, width, heads = SIZES[words[2] if words[0] == "clip" else words[1]]
        if words[0] == "clip":
            from transformers import CLIPVisionConfig, CLIPVisionModel
            self.net = CLIPVisionModel(CLIPVisionConfig(hidden_size=width, intermediate_size=4 * width, num_attention_heads=heads, patch_size=patch))
            weights = {k.removeprefix("vision_model."): v for k, v in load_file(f"{DIR}/model.safetensors").items()}
            wanted = self.net.state_dict()
            prefix = "vision_model." if next(iter(wanted)).startswith("vision_model.") else ""
            self.net.load_state_dict({prefix + k: v for k, v in weights.items()}, strict=False)
        else:
            from timm.models.vision_transformer import VisionTransformer
            self.net = VisionTransformer(patch_size=patch, embed_dim=width, num_heads=heads, num_classes=0)
            self.net.load_state_dict(load_file(f"{DIR}/model.safetensors"))

    def forward(self, x):
        if hasattr(self.net, "forward_features"):
            return self.net.forward_features(x)[:, 1:]
        tower = getattr(self.net, "vision_model", self.net)
        return tower.post_layernorm(tower(x).last_hidden_state)[:, 1:]


def compare(what, got, want):
    off = np.abs(got - want).max() / np.abs(want).max()
    print(f"{what}: off by {off:.1e} of the largest feature", file=sys.stderr)
    if off > 1e-4:
        sys.exit(1)


def timed(run):
    start = time.perf_counter()
    run()
    return (time.perf_counter() - start) * 1e3


def measure(name, ours):
    """Medians in milliseconds, by threads and by engine, over rounds taken in turn."""
    x = np.random.default_rng(1).standard_normal((224, 224, 3), dtype=np.float32)
    x.tofile(f"{DIR}/input.bin")
    for o in ours.values():
        o.ask("plan", name, DIR)
    net = Grid(name).eval()
    picture = torch.from_numpy(x.transpose(2, 0, 1)[None].copy())
    want = net(picture).numpy().ravel()
    compare(f"{name} against torch", np.fromfile(f"{DIR}/output.bin", np.float32), want)
    torch.onnx.export(net, picture, f"{DIR}/net.onnx", dynamo=False, opset_version=20, input_names=["x"])
    result = {}
    for t in THREADS:
        torch.set_num_threads(t)
        options = ort.SessionOptions()
        options.intra_op_num_threads = t
        session = ort.InferenceSession(f"{DIR}/net.onnx", options, providers=["CPUExecutionProvider"])
        compare(f"{name}, ONNX Runtime against torch", session.run(None, {"x": picture.numpy()})[0].ravel(), want)
        engines = dict(ours=ours[t].once, torch=lambda: timed(lambda: net(picture)), ort=lambda: timed(lambda: session.run(None, {"x": picture.numpy()})))
        times = {e: [] for e in engines}
        for _ in range(ROUNDS):
            for e, run in engines.items():
                times[e].append(run())
        result[t] = {e: (statistics.median(v), min(v)) for e, v in times.items()}
        print(name, t, result[t], file=sys.stderr)
    return result


def main():
    before = os.getloadavg()[0]
    ours = {t: Ours(t) for t in THREADS}
    lines = []
    for name in ONLY:
        for t, r in measure(name, ours).items():
            lines.append(f"| {name} | {t} | " + " | ".join(f"{r[e][0]:.1f}" for e in ("ours", "torch", "ort")) + " | " +
                         " | ".join(f"**{r[e][0] / r['ours'][0]:.2f}**" for e in ("torch", "ort")) + " | " +
                         " | ".join(f"{r[e][1] / r['ours'][1]:.2f}" for e in ("torch", "ort")) + " |")
    processor = next(l.split(":")[1].strip() for l in open("/proc/cpuinfo") if l.startswith("model name"))
    go = subprocess.check_output(["go", "version"], text=True).split()[2]
    text = "\n".join(lines)
    with open(PAGE, "w") as f:
        f.write(f"""# Vision transformers: showtell against PyTorch and ONNX Runtime

float32, one picture of 224x224, random weights. PyTorch runs timm's and transformers' networks, ONNX Runtime what
PyTorch exports of them; OMP_WAIT_POLICY=passive. Ratios: its time over ours, of the medians and of the least times; above 1, ours is faster.
Every output is compared first; a difference of 1e-4 of the largest feature ends the run.

| network | threads | ours, ms | PyTorch, ms | ONNX Runtime, ms | PyTorch / ours | ONNX Runtime / ours | least, PyTorch | least, ONNX Runtime |
|---|---:|---:|---:|---:|---:|---:|---:|---:|
{text}

{processor}, {os.cpu_count()} processors (load average {before:.1f} before, {os.getloadavg()[0]:.1f} after), {go}, kernels
{os.environ.get("SHOWTELL_CPU", "of the processor")}, PyTorch {torch.__version__}, ONNX Runtime {ort.__version__},
{datetime.date.today()}; medians of {ROUNDS} runs, taken in turn. Made by `bench/vit`.
""")


main()
