"""The half of bench/jpeg that is Pillow's."""
import collections
import statistics
import sys
import time

import numpy as np
from PIL import Image


def photo(to, source):
    """A photograph of 4000x3000 pixels with the grain of a camera's."""
    img = Image.open(source).convert("RGB")
    if img.size != (4000, 3000):
        pixels = np.asarray(img.resize((4000, 3000), Image.BICUBIC), np.float32)
        grain = np.random.default_rng(1).standard_normal(pixels.shape, np.float32) * 2
        img = Image.fromarray((pixels + grain).clip(0, 255).astype(np.uint8))
    img.save(to, quality=90)


def decode(path, least):
    img = Image.open(path)
    if least:
        img.draft("RGB", least)
    return img.convert("RGB")


def resized(path, least):
    return np.asarray(decode(path, least).resize((224, 224), Image.BICUBIC), np.float32)


def clock(name, f, *args):
    f(*args)
    start = time.perf_counter()
    for _ in range(3):
        f(*args)
    print("pillow", name, (time.perf_counter() - start) / 3 * 1e3)


def times(path):
    for n in 1, 2, 4, 8:
        clock(f"Decode{n}", decode, path, (4000 // n, 3000 // n))
    clock("Path", resized, path, (448, 448))
    clock("PathInFull", resized, path, None)


def table():
    runs = collections.defaultdict(list)
    for line in sys.stdin:
        who, name, ms = line.split()
        runs[name, who].append(float(ms))
    print("| work | ours, ms | Pillow, ms | Pillow / ours |\n|---|---|---|---|")
    for name in dict.fromkeys(name for name, _ in runs):
        ours, pillow = (statistics.median(runs[name, who] or [float("nan")]) for who in ("ours", "pillow"))
        theirs, ratio = (f"{pillow:.1f}", f"{pillow / ours:.2f}") if pillow == pillow else ("", "")
        print(f"| {name} | {ours:.1f} | {theirs} | {ratio} |")


{"photo": photo, "time": times, "table": table}[sys.argv[1]](*sys.argv[2:])
