"""Compares a step of fine-tuning EfficientNet-Lite0 with PyTorch's: first the gradients, then the time.

finetune.py DIR ROUNDS PAGE, by way of bench/finetune.
"""
import datetime
import os
import statistics
import subprocess
import sys
import time

import torch
from safetensors.torch import load_file
from torch import nn
from torch.nn import functional as F

DIR, ROUNDS, PAGE = sys.argv[1], int(sys.argv[2]), sys.argv[3]
THREADS = (1, 2)
# kernel, stride, expansion, channels, repeats: encoder/efficientnetlite.go has the same.
STAGES = [(3, 1, 1, 16, 1), (3, 2, 6, 24, 2), (5, 2, 6, 40, 2), (3, 2, 6, 80, 3), (5, 1, 6, 112, 3), (5, 2, 6, 192, 4), (3, 1, 6, 320, 1)]


class Layer(nn.Module):
    """A convolution padded as TensorFlow does, and its frozen batch norm."""

    def __init__(self, c, out, kernel=1, stride=1, groups=1, act=True):
        super().__init__()
        self.kernel, self.stride, self.act = kernel, stride, act
        self.conv = nn.Conv2d(c, out, kernel, stride, kernel // 2 if stride == 1 else 0, groups=groups, bias=False)
        self.bn = nn.BatchNorm2d(out, eps=1e-3).requires_grad_(False)

    def forward(self, x):
        if self.stride > 1:
            total = self.kernel - self.stride  # of sizes that the stride divides
            x = F.pad(x, (total // 2, total - total // 2) * 2)
        x = self.bn(self.conv(x))
        return F.relu6(x, inplace=True) if self.act else x


class Block(nn.Module):
    def __init__(self, c, out, kernel, stride, expand):
        super().__init__()
        wide, self.same = c * expand, stride == 1 and c == out
        if expand > 1:
            self.expand = Layer(c, wide)
        self.depthwise = Layer(wide, wide, kernel, stride, wide)
        self.project = Layer(wide, out, act=False)

    def forward(self, x):
        y = self.expand(x) if hasattr(self, "expand") else x
        y = self.project(self.depthwise(y))
        return x + y if self.same else y


class Lite0(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem, c = Layer(3, 32, 3, 2), 32
        self.stages = nn.ModuleList()
        for kernel, stride, expand, out, repeats in STAGES:
            blocks = nn.ModuleList()
            for i in range(repeats):
                blocks.append(Block(c, out, kernel, stride if i == 0 else 1, expand))
                c = out
            self.stages.append(blocks)
        self.head = Layer(c, 1280)

    def forward(self, x):
        x = self.stem(x)
        for blocks in self.stages:
            for block in blocks:
                x = block(x)
        return self.head(x)


class Theirs:
    def __init__(self, tensors, learned, layout):
        self.model = Lite0().eval()
        state = {k: v for k, v in tensors.items() if ".conv." in k and not k.startswith("grad.") or ".bn." in k}
        self.model.load_state_dict(state, strict=False)
        missing = set(dict(self.model.named_parameters())) - set(state)
        if missing:
            sys.exit(f"no weights for {missing}")
        self.model.to(memory_format=layout)
        weights = [(k, p) for k, p in self.model.named_parameters() if p.dim() == 4]
        for i, (_, p) in enumerate(weights):
            p.requires_grad_(i >= len(weights) - learned)
        self.weights = {k: p for k, p in weights if p.requires_grad}
        self.x = tensors["x"].permute(0, 3, 1, 2).contiguous(memory_format=layout)
        self.target = tensors["target"].permute(0, 3, 1, 2).contiguous(memory_format=layout)
        self.optimizer = torch.optim.AdamW(self.weights.values(), 1e-5, weight_decay=0.01, fused=True)

    def gradients(self):
        self.optimizer.zero_grad(set_to_none=True)
        F.mse_loss(self.model(self.x), self.target).backward()

    def time(self, threads, steps):
        torch.set_num_threads(threads)
        times = []
        for _ in range(steps):
            begin = time.perf_counter()
            self.gradients()
            self.optimizer.step()
            times.append(1e3 * (time.perf_counter() - begin))
        return times


class Ours:
    def __init__(self):
        self.process = subprocess.Popen([f"{DIR}/finetune"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, *words):
        print(*words, file=self.process.stdin, flush=True)
        answer = self.process.stdout.readline()
        if not answer:
            sys.exit("the Go program stopped")
        return answer

    def time(self, threads, steps):
        return [float(x) for x in self.ask("time", threads, steps).split()]


def difference(tensors, theirs):
    """The largest, over the weights, of the distance of the gradients in parts of their norm."""
    theirs.gradients()
    worst = 0
    for name, p in theirs.weights.items():
        want, got = p.grad, tensors["grad." + name]
        worst = max(worst, ((got - want).norm() / want.norm()).item())
    if not worst < 1e-3:
        sys.exit(f"gradients differ by {worst:.1e} of their size")
    return worst


def compare(what, parts):
    """Rows of the table, the difference of the gradients, and a remark on memory."""
    ours, file = Ours(), f"{DIR}/step.safetensors"
    ours.ask("learn", parts)
    ours.ask("save", file)
    tensors = load_file(file)
    learned = sum(k.startswith("grad.") for k in tensors)
    peers = {k: Theirs(tensors, learned, f) for k, f in (("channels_last", torch.channels_last), ("contiguous", torch.contiguous_format))}
    error = max(difference(tensors, p) for p in peers.values())
    rows = []
    for t in THREADS:
        mine, others = [], {k: [] for k in peers}
        for i in range(ROUNDS + 1):  # the first warms up
            for p, times in ((ours, mine), *((peers[k], others[k]) for k in peers)):
                times += p.time(t, 1)[:i]
        layout = min(others, key=lambda k: statistics.median(others[k]))
        a, b = statistics.median(mine), statistics.median(others[layout])
        rows.append(f"| {what} | {t} | {a:.0f} | {b:.0f} | {layout} | **{b / a:.2f}** | {min(mine):.0f} | {min(others[layout]):.0f} |")
        print(rows[-1], f"difference {error:.1e}", file=sys.stderr)
    size, garbage = ours.ask("memory").split()
    ours.process.stdin.close()
    return rows, error, f"{what}: the process holds {size} MB, a step allocates {garbage} MB anew"


def main():
    torch.manual_seed(1)
    before = os.getloadavg()[0]
    rows, errors, memory = [], [], []
    for what, parts in (("all layers", 1), ("last third of the layers", 3)):
        r, e, m = compare(what, parts)
        rows, errors, memory = rows + r, errors + [e], memory + [m]
    processor = next(l.split(":")[1].strip() for l in open("/proc/cpuinfo") if l.startswith("model name"))
    go = subprocess.check_output(["go", "version"], text=True).split()[2]
    text = f"""# Fine-tuning an encoder: showtell against PyTorch

A step: EfficientNet-Lite0, 16 pictures of 224x224, float32; forward, mean square of the grid's distance from a target,
backward, AdamW (PyTorch's fused). Batch norms are frozen on both sides (`eval()` there), the weights of the
convolutions learn. PyTorch has the layout that is faster for it, and OMP_WAIT_POLICY=passive. Ratio: PyTorch's time over ours; above 1,
ours is faster.

| what learns | threads | ours, ms | PyTorch, ms | its layout | ratio | our least | its least |
|---|---:|---:|---:|---|---:|---:|---:|
""" + "\n".join(rows) + f"""

Gradients of the weights were compared first: they differ by at most {max(errors):.1e} of their norm.
Memory: {"; ".join(memory)}.

{processor}, {os.cpu_count()} processors (load average {before:.1f} before, {os.getloadavg()[0]:.1f} after), {go}, kernels
{os.environ.get("SHOWTELL_CPU", "of the processor")}, PyTorch {torch.__version__}, {datetime.date.today()}; medians of {ROUNDS} steps, taken in
turn in one run. Made by `bench/finetune`.
"""
    with open(PAGE, "w") as f:
        f.write(text)


main()
