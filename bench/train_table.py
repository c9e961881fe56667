"""Medians of `name threads milliseconds` lines as a Markdown page."""
import datetime
import platform
import statistics
import subprocess
import sys

import torch

times = {}
for line in sys.stdin:
    name, threads, ms = line.split()
    times.setdefault((name, int(threads)), []).append(float(ms))


def median(name, threads):
    return statistics.median(times[name, threads])


processor = next((l.split(":")[1].strip() for l in open("/proc/cpuinfo") if l.startswith("model name")), platform.processor())
rounds = len(next(iter(times.values())))
print(f"""# Training step: showtell against PyTorch

One step of training a captioner: forward, backward, gradient clipping, AdamW and the average of weights, for
12 pictures with five captions each (lengths as in Flickr8k), 2,539 words, float32. `torch` is the network of the
default recipe in PyTorch {torch.__version__} (batches padded, as is usual; fused AdamW and attention).

{processor}, {subprocess.check_output(["go", "version"], text=True).split()[2]}, {datetime.date.today()}; medians of {rounds} rounds,
interleaved in one run. Made by `bench/train`.

| network | 1 thread, ms | 2 threads, ms | PyTorch's time / ours, 1 thread | 2 threads |
|---|---|---|---|---|""")
for name in ["torch", "default", "seed", "merge", "attend"]:
    ratio = [f"{median('torch', t) / median(name, t):.2f}" if name == "default" else "" for t in (1, 2)]
    print(f"| {name} | {median(name, 1):.0f} | {median(name, 2):.0f} | {ratio[0]} | {ratio[1]} |")
