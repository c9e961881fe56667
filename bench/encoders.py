"""Compares our convolutions with ONNX Runtime's: first what they give, then how long they take.

encoders.py DIR nets|layers|all ROUNDS PAGE, by way of bench/encoders.
"""
import datetime
import json
import os
import statistics
import subprocess
import sys
import time

import numpy as np
import onnx
import onnxruntime as ort

from encoders_nets import NETS, alone, layers, multiplications
from encoders_onnx import onnx_model, random_weights

ort.set_default_logger_severity(3)
DIR, WHAT, ROUNDS, PAGE = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]
ONLY = os.environ.get("ENCODERS_ONLY", "")  # a part of the names to time
THREADS = [int(t) for t in os.environ.get("ENCODERS_THREADS", "1 2").split()]


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

    def time(self, seconds):
        return [float(x) for x in self.ask("time", seconds).split()]


def plan_weights(net, path):
    """Those of a Go network, its batch norms folded as ONNX Runtime would."""
    with open(path, "rb") as f:
        header = json.loads(f.read(int.from_bytes(f.read(8), "little")))
        data = f.read()

    def get(name):
        at = header[name]
        a, b = at["data_offsets"]
        return np.frombuffer(data[a:b], np.float32).reshape(at["shape"])

    weights = {}
    for i, n in enumerate(net.nodes):
        if "name" in n:
            gain, bias, mean, var = (get(f"{n['name']}.bn.{k}") for k in ("weight", "bias", "running_mean", "running_var"))
            scale = gain / np.sqrt(var + np.float32(1e-3))
            weights[i] = get(n["name"] + ".conv.weight").transpose(2, 3, 1, 0) * scale, bias - mean * scale
    return weights


def session(model, threads, profile=None):
    o = ort.SessionOptions()
    o.log_severity_level = 3
    o.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_ALL
    o.intra_op_num_threads, o.inter_op_num_threads = threads, 1
    o.add_session_config_entry("session.force_spinning_stop", "1")  # between runs, when it is our turn
    if profile:
        o.enable_profiling, o.profile_file_prefix = True, profile
    return ort.InferenceSession(model, o, providers=["CPUExecutionProvider"])


def exchange(net, weights, pictures, folder=DIR):
    with open(f"{folder}/graph.json", "w") as f:
        json.dump(net.nodes, f)
    with open(f"{folder}/weights.bin", "wb") as f:
        for i in sorted(weights):
            for x in weights[i]:
                f.write(np.ascontiguousarray(x).tobytes())
    with open(f"{folder}/input.bin", "wb") as f:
        for x in pictures:
            f.write(x.tobytes())


def difference(name, theirs, folder=DIR):
    """The largest, relative to the largest value; 1e-3 is refused."""
    ours = np.fromfile(f"{folder}/output.bin", np.float32)
    theirs = theirs[0].transpose(1, 2, 0).ravel()
    error = float(np.abs(ours - theirs).max() / np.abs(theirs).max())
    if not error < 1e-3:
        sys.exit(f"{name}: outputs differ by {error}")
    return error


def pictures_of(net, rng):
    return [rng.standard_normal((n["h"], n["w"], n["c"]), np.float32) for n in net.nodes if n["op"] == "input"]


def feed(net, pictures):
    names = [f"x{i}" for i, n in enumerate(net.nodes) if n["op"] == "input"]
    return {k: np.ascontiguousarray(x.transpose(2, 0, 1))[None] for k, x in zip(names, pictures)}


def whole(name, ours):
    """A network: {threads: (ours, theirs)} in ms, and the difference of the outputs."""
    rng = np.random.default_rng(1)
    net = NETS[name]()
    pictures = pictures_of(net, rng)
    weights = None
    if "lite" not in name:
        weights = random_weights(net, rng)
    exchange(net, weights or {}, pictures)
    times, error = {}, 0
    for t in THREADS:
        ours[t].ask(*(("graph", DIR) if "lite" not in name else ("plan", name, DIR)))
        weights = weights or plan_weights(net, f"{DIR}/model.safetensors")
        s, x = session(onnx_model(net, weights), t), feed(net, pictures)
        error = max(error, difference(name, s.run(None, x)[0]))
        a, b = [], []
        for _ in range(ROUNDS):
            a.append(statistics.median(ours[t].time(0.15)))
            b.append(statistics.median(timed(lambda: s.run(None, x), 0.15)))
        times[t] = min(a), min(b)
        print(name, t, "%.2f %.2f ms, ratio %.2f" % (*times[t], times[t][1] / times[t][0]), "difference %.1e" % error, file=sys.stderr)
    return times, error


def timed(f, seconds):
    runs, begin = [], time.perf_counter()
    while not runs or time.perf_counter() - begin < seconds:
        start = time.perf_counter()
        f()
        runs.append(1e3 * (time.perf_counter() - start))
    return runs


class Layer:
    """One convolution. Theirs is the time of the node itself, in the layout that they like best."""

    def __init__(self, number, key, ours):
        self.key, self.folder = key, f"{DIR}/{number}"
        os.mkdir(self.folder)
        rng = np.random.default_rng(1)
        net = alone(key)
        weights, pictures = random_weights(net, rng), pictures_of(net, rng)
        exchange(net, weights, pictures, self.folder)
        model, self.x = onnx_model(net, weights), feed(net, pictures)
        self.sessions = {t: session(model, t, f"{self.folder}/profile{t}") for t in THREADS}
        self.ours = {t: [] for t in THREADS}  # medians of the rounds, ms
        self.runs = {t: [] for t in THREADS}  # of theirs in each round
        for t, s in self.sessions.items():
            ours[t].ask("layer", self.folder)
            difference(label(key), s.run(None, self.x)[0], self.folder)

    def round(self, ours):
        for t, s in self.sessions.items():
            ours[t].ask("layer", self.folder)
            ours[t].time(0.005)  # until all threads are awake
            self.ours[t].append(statistics.median(ours[t].time(0.01)))
            for seconds in (0.005, 0.01):
                self.runs[t].append(len(timed(lambda: s.run(None, self.x), seconds)))

    def times(self):
        """{threads: (ours, theirs)} in ms."""
        return {t: (min(self.ours[t]), min(self.theirs(t))) for t in THREADS}

    def theirs(self, t):
        """The medians of the rounds."""
        with open(self.sessions[t].end_profiling()) as f:
            events = [e for e in json.load(f) if e.get("cat") == "Node" and e.get("args", {}).get("op_name") in ("Conv", "FusedConv")]
        runs = [e["dur"] / 1e3 for e in sorted(events, key=lambda e: e["ts"])]
        at, medians = 1, []
        for awake, count in zip(self.runs[t][::2], self.runs[t][1::2]):
            medians.append(statistics.median(runs[at + awake : at + awake + count]))
            at += awake + count
        return medians


def label(key):
    op, h, w, c, kh, kw, stride, pads, out, act, residual = key
    return (f"{h}x{w} {kh}x{kw}{f'/{stride}' if stride > 1 else ''} " + (f"{c} depthwise" if op == "depthwise" else f"{c}→{out}") +
            ("" if any(pads) or kh * kw == 1 else ", no padding") + (", residual" if residual else ""))


def rows(times):
    ratios = [times[t][1] / times[t][0] for t in THREADS]
    return " | ".join("%.3f | %.3f | **%.2f**" % (*times[t], r) for t, r in zip(THREADS, ratios))


def heading(first):
    return (f"| {first} | " + " | ".join(f"ours, {t} thread{'s'[:t > 1]}, ms | ONNX Runtime, ms | ratio" for t in THREADS) + " |\n|---" +
            "|---:" * (3 * len(THREADS)) + "|")


def networks(names, ours):
    return ["""## Whole networks

Without the classifier. EfficientNet-Lite is the compiled `Plan` of package encoder. The others are chains of the layers of package tensor in `bench/internal/encoders`, with everything that lies
between: pooling, concatenation, borders of zeros. Weights are random.

""" + heading("network") + "\n" + "\n".join(f"| {n} | {rows(whole(n, ours)[0])} |" for n in names)]


def single_layers(names, ours):
    page, done = ["""## Single layers

Convolution, bias, residual, activation. ONNX Runtime's time is that of the convolution node in its profile, without the
change of layout around it. The last line is the sum of all layers as often as they occur."""], {}
    for name in names:
        for key in layers(NETS[name]()):
            if key not in done:
                done[key] = Layer(len(done), key, ours)
    for _ in range(ROUNDS):  # of all layers, so that what else the machine does for a while falls into one round
        for layer in done.values():
            layer.round(ours)
    done = {key: layer.times() for key, layer in done.items()}
    for name in names:
        net = NETS[name]()
        lines, sums = [], {t: [0, 0] for t in THREADS}
        for key, count in layers(net).items():
            lines.append(f"| {label(key)} ×{count} | {rows(done[key])} |")
            for t in THREADS:
                for i in (0, 1):
                    sums[t][i] += count * done[key][t][i]
        lines.append(f"| sum | {rows(sums)} |")
        page.append(f"### {name}\n\n{multiplications(net) / 1e9:.2f} billion multiplications.\n\n" + heading("layer") + "\n" + "\n".join(lines))
    return page


def main():
    before = os.getloadavg()[0]
    ours = {t: Ours(t) for t in THREADS}
    names = [n for n in NETS if ONLY in n]
    page = []
    if WHAT in ("nets", "all"):
        page += networks(names, ours)
    if WHAT in ("layers", "all"):
        page += single_layers(names, ours)
    processor = next(l.split(":")[1].strip() for l in open("/proc/cpuinfo") if l.startswith("model name"))
    go = subprocess.check_output(["go", "version"], text=True).split()[2]
    page.insert(0, f"""# Encoders: showtell against ONNX Runtime

float32, one picture. A ratio is ONNX Runtime's time over ours: above 1, ours is faster. Every output is compared
first; a difference of 1e-3 of the largest value ends the run.

{processor}, {os.cpu_count()} processors (load average {before:.1f} before, {os.getloadavg()[0]:.1f} after), {go}, kernels
{os.environ.get("SHOWTELL_CPU", "of the processor")}, ONNX Runtime {ort.__version__} (CPU, all optimisations), onnx {onnx.__version__},
{datetime.date.today()}; of {ROUNDS} rounds, interleaved in one run, that with the least median, for each side. Made by `bench/encoders`.""")
    with open(PAGE, "w") as f:
        f.write("\n\n".join(page) + "\n")


main()
