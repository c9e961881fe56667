"""Makes a Markdown page of `name work seconds kilobytes captions` lines. Refuses
captions that differ: of a folder, one in twenty may."""
import datetime
import statistics
import subprocess
import sys

WORKS = {"one": "one picture", "folder": "folder", "large": "16 photographs of 12 megapixels"}
NAMES = {"torch": "Python with PyTorch", "onnx": "Python with ONNX Runtime"}
seconds, memory, captions = {}, {}, {}
for line in sys.stdin:
    name, work, s, kb, file = line.split()
    seconds.setdefault((work, name), []).append(float(s))
    memory.setdefault((work, name), []).append(int(kb) / 1024)
    words = [l.rstrip("\n").split("\t")[-1].lower().rstrip(".").replace(",", "").split() for l in open(file)]
    captions[work, name] = words
for (work, name), theirs in captions.items():
    ours = captions[work, "showtell"]
    differ = sum(a != b for a, b in zip(theirs, ours, strict=True))
    if differ > len(ours) // 20:
        sys.exit(f"{work}: {differ} of {len(ours)} captions of {name} differ from ours")
    print(f"{work} {name}: {differ} of {len(ours)} captions differ", file=sys.stderr)

processor = next(l.split(":")[1].strip() for l in open("/proc/cpuinfo") if l.startswith("model name"))
go = subprocess.check_output(["go", "version"], text=True).split()[2]
print(f"""# Captioning: showtell against Python

The model inside, five beams, from start to end of the process: Pillow, the same encoder, a NumPy loop for the words.
Captions are the same. Made by `bench/caption PHOTOS` on {datetime.date.today()}: {processor}, two cores, {go}; medians, in turn.

| work | peer | peer, s | showtell, s | times as fast | peer, MB | showtell, MB |
|---|---|---|---|---|---|---|""")
for (work, name), s in seconds.items():
    if name == "showtell":
        continue
    theirs, ours = statistics.median(s), statistics.median(seconds[work, "showtell"])
    title = f"{WORKS[work]} of {len(captions[work, name])}" if work == "folder" else WORKS[work]
    mb = [statistics.median(memory[work, n]) for n in (name, "showtell")]
    print(f"| {title} | {NAMES[name]} | {theirs:.2f} | {ours:.2f} | {theirs / ours:.1f} | {mb[0]:.0f} | {mb[1]:.0f} |")
