"""Captions pictures as a Python user would: Pillow, the encoder in ONNX Runtime or PyTorch, a NumPy loop for the
words; the same model, search and picture size as `showtell`. The peer of `showtell` in bench/caption.

    caption.py onnx|torch MODEL PICTURE...

It prints a caption a line, without full stop, in lower case. Times are taken outside, of the whole process.
"""
import json
import sys

import numpy as np
from PIL import Image
from safetensors import safe_open


def load(path):
    with safe_open(path, "np") as f:
        return {k: f.get_tensor(k).astype(np.float32) for k in f.keys()}, json.loads(f.metadata()["showtell"])


def onnx_encoder(weights):
    import onnxruntime as ort
    from lite import build
    net = build("efficientnet_lite0", {k.removeprefix("encoder."): v for k, v in weights.items()})
    session = ort.InferenceSession(net.SerializeToString(), providers=["CPUExecutionProvider"])
    return lambda x: session.run(None, {"pixels": x})[0]


def torch_encoder(weights):
    import torch
    from lite import SIZES, STAGES
    _, widths, repeats = SIZES["efficientnet_lite0"]
    folded = {}

    def conv(x, name, stride, groups=1, clip=True):
        if name not in folded:
            gain, bias, mean, var = (weights[f"encoder.{name}.bn.{k}"] for k in ("weight", "bias", "running_mean", "running_var"))
            scale = gain / np.sqrt(var + 1e-3)
            w = weights[f"encoder.{name}.conv.weight"] * scale[:, None, None, None]
            folded[name] = torch.from_numpy(w), torch.from_numpy(bias - mean * scale)
        w, b = folded[name]
        total = max((-(-x.shape[2] // stride) - 1) * stride + w.shape[2] - x.shape[2], 0)
        x = torch.nn.functional.pad(x, [total // 2, total - total // 2] * 2)
        y = torch.nn.functional.conv2d(x, w, b, stride, groups=groups)
        return y.clamp(0, 6) if clip else y

    @torch.inference_mode()
    def encode(pixels):
        x = conv(torch.from_numpy(pixels), "stem", 2)
        for s, (_, stride, expand) in enumerate(STAGES):
            for r in range(repeats[s]):
                block, begin, st = f"stages.{s}.{r}.", x, stride if r == 0 else 1
                if expand > 1:
                    x = conv(x, block + "expand", 1)
                x = conv(x, block + "depthwise", st, x.shape[1])
                x = conv(x, block + "project", 1, clip=False)
                if st == 1 and begin.shape[1] == widths[s]:
                    x = x + begin
        return conv(x, "head", 1).numpy()

    return encode


def pixels(path, recipe):
    img = Image.open(path)
    size = recipe["width"], recipe["height"]
    img.draft("RGB", (2 * size[0], 2 * size[1]))
    x = np.asarray(img.convert("RGB").resize(size, Image.BICUBIC), np.float32)
    return np.ascontiguousarray(((x - recipe["mean"]) / recipe["std"]).astype(np.float32).transpose(2, 0, 1)[None])


def normalise(x):
    x = x - x.mean(-1, keepdims=True)
    return x / np.sqrt((x * x).mean(-1, keepdims=True) + 1e-5)


def softmax(x):
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


class Decoder:
    """The transformer, all beams of a picture at once."""

    def __init__(self, weights, config):
        self.w = {k.removeprefix("decoder."): v for k, v in weights.items()}
        self.config = config

    def linear(self, x, name):
        return x @ self.w[name + ".weight"].T + self.w[name + ".bias"]

    def norm(self, x, name):
        return normalise(x) * self.w[name + ".weight"] + self.w[name + ".bias"]

    def heads(self, x):
        return x.reshape(*x.shape[:-1], self.config["heads"], -1)

    def attend(self, q, k, v):
        """q (beams, width), k and v (beams or 1, keys, width)."""
        q, k, v = self.heads(q), self.heads(k), self.heads(v)
        a = softmax(np.einsum("bhd,bkhd->bhk", q, np.broadcast_to(k, (len(q), *k.shape[1:]))) / np.sqrt(q.shape[-1]))
        return np.einsum("bhk,bkhd->bhd", a, np.broadcast_to(v, (len(q), *v.shape[1:]))).reshape(len(q), -1)

    def start(self, features):
        grid = features[0].reshape(self.config["channels"], -1).T
        grid = np.concatenate([grid, grid.mean(0, keepdims=True)])
        memory = self.norm(np.maximum(self.linear(grid, "see"), 0) + self.w["place"], "seen")
        self.cells = [(self.linear(memory, f"layers.{i}.cell_key")[None], self.linear(memory, f"layers.{i}.cell_value")[None]) for i in range(self.config["layers"])]
        self.past = [None] * self.config["layers"]
        self.step = 0

    def next(self, words, parents):
        """Log-probabilities of the next word of each beam."""
        x = self.w["words"][words] * np.sqrt(self.config["hidden"]) + self.w["order"][self.step]
        for i in range(self.config["layers"]):
            at = f"layers.{i}."
            h = self.norm(x, at + "norm1")
            k, v = self.linear(h, at + "key")[:, None], self.linear(h, at + "value")[:, None]
            if self.past[i] is not None:
                k = np.concatenate([self.past[i][0][parents], k], 1)
                v = np.concatenate([self.past[i][1][parents], v], 1)
            self.past[i] = k, v
            x = x + self.linear(self.attend(self.linear(h, at + "query"), k, v), at + "merge")
            h = self.norm(x, at + "norm2")
            x = x + self.linear(self.attend(self.linear(h, at + "look"), *self.cells[i]), at + "took")
            h = np.maximum(self.linear(self.norm(x, at + "norm3"), at + "wide"), 0)
            x = x + self.linear(h, at + "narrow")
        self.step += 1
        y = self.norm(x, "norm") @ self.w["words"].T + self.w["bias"]
        y = y - y.max(1, keepdims=True)
        return y - np.log(np.exp(y).sum(1, keepdims=True))


PAD, START, END, UNKNOWN = 0, 1, 2, 3


def banned(words, n):
    """Words that would repeat the last word or an n-gram."""
    ban = {PAD, START, UNKNOWN} | set(words[-1:])
    tail = words[len(words) - n + 1:]
    if len(words) >= n:
        ban |= {words[i + n - 1] for i in range(len(words) - n + 1) if words[i:i + n - 1] == tail}
    return list(ban)


def beam(decoder, search):
    open_, done = [([], 0.0)], []
    words, parents = [START], [0]
    for _ in range(search["max_words"]):
        rows = decoder.next(np.array(words), np.array(parents))
        choices = []
        for b, (sentence, total) in enumerate(open_):
            row = rows[b].copy()
            row[banned(sentence, search["no_repeat"])] = -np.inf
            if not sentence:
                row[END] = -np.inf
            for w in np.argpartition(-row, search["beams"])[:search["beams"]]:
                choices.append((total + float(row[w]), b, int(w)))
        choices = sorted(choices, reverse=True)[:search["beams"]]
        fresh, words, parents = [], [], []
        for total, b, w in choices:
            sentence = open_[b][0]
            if w == END:
                done.append((total / (len(sentence) + 1) ** search["length_power"], sentence))
            else:
                fresh.append((sentence + [w], total))
                words.append(w)
                parents.append(b)
        open_ = fresh
        if not open_ or done and max(done)[0] > open_[0][1] / search["max_words"] ** search["length_power"]:
            break
    else:
        done += [(total / len(s) ** search["length_power"], s) for s, total in open_]
    return max(done)[1]


def main():
    kind, model, *pictures = sys.argv[1:]
    weights, manifest = load(model)
    encode = {"onnx": onnx_encoder, "torch": torch_encoder}[kind](weights)
    decoder = Decoder(weights, manifest["decoder"])
    for path in pictures:
        decoder.start(encode(pixels(path, manifest["recipe"])))
        print(" ".join(manifest["words"][w] for w in beam(decoder, manifest["search"])))


main()
