"""One training step of the default recipe's decoder in PyTorch: the peer that
`bench/train` times against our own. Prints milliseconds a step, one line a
round, whenever it reads a line from standard input."""
import math
import sys
import time

import torch
from torch import nn
from torch.nn import functional as F

WORDS, CELLS, CHANNELS, WIDTH, HEADS, INNER, LAYERS = 2539, 49, 1280, 320, 5, 640, 2
PICTURES, STEPS = 12, 10
# 60 evenly spaced quantiles of the lengths of Flickr8k's training captions,
# with the end, cut at 17 words; train/bench_test.go has the same.
LENGTHS = [5, 6, 6, 7, 7, 7, 7, 8, 8, 8, 8, 8, 9, 9, 9, 9, 9, 9, 10, 10, 10, 10, 10, 10, 11, 11, 11, 11, 11, 11,
           11, 12, 12, 12, 12, 12, 12, 13, 13, 13, 13, 13, 13, 14, 14, 14, 14, 15, 15, 15, 15, 16, 16, 16, 17, 17, 18, 18, 18, 18]


class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        self.query, self.key, self.value, self.out = (nn.Linear(WIDTH, WIDTH) for _ in range(4))

    def forward(self, x, memory, causal):
        def heads(y):
            return y.view(y.shape[0], y.shape[1], HEADS, WIDTH // HEADS).transpose(1, 2)
        y = F.scaled_dot_product_attention(heads(self.query(x)), heads(self.key(memory)), heads(self.value(memory)), is_causal=causal)
        return self.out(y.transpose(1, 2).reshape(x.shape))


class Layer(nn.Module):
    def __init__(self):
        super().__init__()
        self.norms = nn.ModuleList(nn.LayerNorm(WIDTH) for _ in range(3))
        self.words, self.cells = Attention(), Attention()
        self.wide, self.narrow = nn.Linear(WIDTH, INNER), nn.Linear(INNER, WIDTH)

    def forward(self, x, memory, captions):
        h = self.norms[0](x)
        x = x + F.dropout(self.words(h, h, True), 0.2)
        # The captions of a picture share its keys: (pictures, 5 * length, width).
        h = self.norms[1](x).view(PICTURES, captions * x.shape[1], WIDTH)
        x = x + F.dropout(self.cells(h, memory, False).view(x.shape), 0.2)
        h = F.dropout(F.relu(self.wide(self.norms[2](x))), 0.2)
        return x + F.dropout(self.narrow(h), 0.2)


class Decoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.see, self.seen = nn.Linear(CHANNELS, WIDTH), nn.LayerNorm(WIDTH)
        self.place = nn.Parameter(torch.randn(CELLS + 1, WIDTH) * 0.02)
        self.words = nn.Parameter(torch.randn(WORDS, WIDTH) * WIDTH ** -0.5)
        self.order = nn.Parameter(torch.randn(18, WIDTH) * 0.02)
        self.layers = nn.ModuleList(Layer() for _ in range(LAYERS))
        self.norm, self.bias = nn.LayerNorm(WIDTH), nn.Parameter(torch.zeros(WORDS))

    def forward(self, grid, words):
        grid = F.dropout(grid, 0.3)
        grid = torch.cat([grid, grid.mean(1, keepdim=True)], 1)
        memory = self.seen(F.relu(self.see(grid)) + self.place)
        x = F.dropout(self.words[words] * math.sqrt(WIDTH) + self.order[: words.shape[1]], 0.2)
        for layer in self.layers:
            x = layer(x, memory, 5)
        return self.norm(x) @ self.words.T + self.bias


def main():
    torch.set_num_threads(int(sys.argv[1]))
    torch.manual_seed(1)
    model = Decoder()
    average = [p.detach().clone() for p in model.parameters()]
    optimizer = torch.optim.AdamW(model.parameters(), 1e-4, (0.9, 0.98), weight_decay=0.01, fused=True)
    grids = torch.randn(PICTURES, CELLS, CHANNELS).half()
    words = torch.randint(4, WORDS, (len(LENGTHS), max(LENGTHS)))
    targets = torch.randint(4, WORDS, words.shape)
    for row, n in enumerate(LENGTHS):
        targets[row, n:] = -100

    def step():
        logits = model(grids.float(), words)
        loss = F.cross_entropy(logits.flatten(0, 1), targets.flatten(), label_smoothing=0.1)
        optimizer.zero_grad(set_to_none=False)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        torch._foreach_lerp_(average, [p.detach() for p in model.parameters()], 0.001)

    for _ in range(3):
        step()
    for _ in sys.stdin:
        began = time.perf_counter()
        for _ in range(STEPS):
            step()
        print((time.perf_counter() - began) / STEPS * 1e3, flush=True)


main()
