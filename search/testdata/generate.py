"""Writes generate.json: what generate of transformers makes of a toy model.

    python testdata/generate.py > testdata/generate.json

The toy's logits come from the numbers of picture and words by whole-number
arithmetic, so toyModel in generate_test.go has the same. Made with transformers
4.57.6, torch 2.15.0; transformers 5.24.0 writes the same file.
"""
import json
import sys
import warnings

import torch
from transformers import GenerationConfig, GenerationMixin, PretrainedConfig, PreTrainedModel
from transformers.modeling_outputs import CausalLMOutput

torch.set_num_threads(1)
warnings.filterwarnings("ignore")
MASK = (1 << 32) - 1


def logits(picture, ids, width):
    """Multiples of 1/8192 from -4 to 4."""
    h = (picture + 1) * 40503 & MASK
    for i in ids:
        h = (h ^ (i + 1)) * 2654435761 & MASK
        h ^= h >> 15
    row = []
    for w in range(width):
        x = (h + (w + 1) * 2246822519) & MASK
        x = (x ^ x >> 13) * 3266489917 & MASK
        row.append(((x >> 16) - 32768) / 8192)
    return row


class ToyConfig(PretrainedConfig):
    model_type = "toy"

    def __init__(self, vocab_size=12, **kw):
        super().__init__(**kw)
        self.vocab_size = vocab_size


class Toy(PreTrainedModel, GenerationMixin):
    config_class = ToyConfig
    main_input_name = "input_ids"

    def __init__(self, config):
        super().__init__(config)
        self.nothing = torch.nn.Parameter(torch.zeros(1))

    def forward(self, input_ids, picture=None, attention_mask=None, **kw):
        rows = [logits(p, ids, self.config.vocab_size) for p, ids in zip(picture.tolist(), input_ids.tolist())]
        return CausalLMOutput(logits=torch.tensor(rows)[:, None])

    def prepare_inputs_for_generation(self, input_ids, picture=None, **kw):
        return {"input_ids": input_ids, "picture": picture}


# Every setting is run on three pictures at once and on each alone. Of the
# settings, "vocab" is the toy's, "prompt" the ids at the start.
SETTINGS = []


def add(**kw):
    SETTINGS.append(kw)


for n in (1, 2, 3, 5):
    add(num_beams=n, max_length=12)
    add(num_beams=n, max_length=12, vocab=40, prompt=[1, 7, 7, 3])
    add(num_beams=n, repetition_penalty=1.2, max_length=16)
    add(num_beams=n, repetition_penalty=0.8, max_length=10, prompt=[1, 4])
    add(num_beams=n, repetition_penalty=3.0, max_length=16, vocab=20)
    add(num_beams=n, no_repeat_ngram_size=1, max_length=9)
    add(num_beams=n, no_repeat_ngram_size=2, max_length=24)
    add(num_beams=n, no_repeat_ngram_size=3, max_length=30, prompt=[1, 4, 4, 4])
    add(num_beams=n, min_length=8, max_length=12, prompt=[1, 3, 3])
    add(num_beams=n, min_new_tokens=8, max_new_tokens=14, prompt=[1, 3, 3])
    add(num_beams=n, max_new_tokens=1)
    add(num_beams=n, max_new_tokens=5, max_length=30, prompt=[1, 3, 3])
    add(num_beams=n, vocab=30)
    add(num_beams=n, forced_bos_token_id=6, forced_eos_token_id=2, max_length=7)
    add(num_beams=n, forced_bos_token_id=6, max_length=7, prompt=[1, 5])
    add(num_beams=n, suppress_tokens=[2, 5, 99], begin_suppress_tokens=[3, 4], max_length=8)
    add(num_beams=n, begin_suppress_tokens=[3, 4, 7], forced_bos_token_id=5, max_length=8)
    add(num_beams=n, bad_words_ids=[[3], [2], [4, 5], [1, 7], [9, 9, 9], [8, 10], [10, 8, 6]], max_length=20)
    add(num_beams=n, eos_token_id=[2, 5], max_length=15)
    add(num_beams=n, eos_token_id=[2, 5, 8], min_length=6, max_length=15, vocab=14, prompt=[1, 2])
    add(num_beams=n, eos_token_id=[2, 5], forced_eos_token_id=5 if n > 1 else [2, 5], max_length=6)
    add(num_beams=n, eos_token_id=None, max_length=9)
    add(num_beams=n, repetition_penalty=1.5, no_repeat_ngram_size=2, min_length=5, max_length=18, bad_words_ids=[[6, 7], [4]],
        suppress_tokens=[9], prompt=[1, 9, 4])
for n in (2, 3, 5):
    for early in (False, True, "never"):
        for power in (-1.0, 0.0, 0.5, 1.0, 2.0):
            if n != 5 or power in (0.5, 2.0):
                add(num_beams=n, early_stopping=early, length_penalty=power, max_length=16)
        add(num_beams=n, early_stopping=early, length_penalty=2.0, max_length=20, vocab=5, prompt=[1, 3, 4])
add(num_beams=4, max_length=6, vocab=400)
add(num_beams=4, num_return_sequences=2, max_length=14)
add(num_beams=8, max_length=14, vocab=17, length_penalty=0.7)


def run(setting):
    kw = dict(setting)
    width, prompt = kw.pop("vocab", 12), kw.pop("prompt", [1])
    kw.setdefault("eos_token_id", 2)
    model = Toy(ToyConfig(vocab_size=width)).eval()
    model.generation_config = GenerationConfig(pad_token_id=0, bos_token_id=1)
    kw.setdefault("num_return_sequences", kw["num_beams"])

    def generate(pictures):
        out = model.generate(torch.tensor([prompt] * len(pictures)), picture=torch.tensor(pictures), use_cache=False,
                             return_dict_in_generate=True, output_scores=True, **kw)
        n = kw["num_return_sequences"]
        ids = [trim(s[len(prompt):], kw["eos_token_id"]) for s in out.sequences.tolist()]
        scores = [round(x, 6) for x in out.sequences_scores.tolist()] if n > 1 else [None] * len(ids)
        rows = [{"ids": i, "score": s} if s is not None else {"ids": i} for i, s in zip(ids, scores)]
        return [rows[i * n:(i + 1) * n] for i in range(len(pictures))]

    together = generate([0, 1, 2])
    assert together == [generate([i])[0] for i in range(3)], setting
    return {"setting": setting, "pictures": together}


def trim(ids, ends):
    """The ids to the first end token."""
    for i, x in enumerate(ids):
        if ends is not None and x in (ends if isinstance(ends, list) else [ends]):
            return ids[:i + 1]
    return ids


print("[\n" + ",\n".join(json.dumps(run(s), separators=(",", ":")) for s in SETTINGS) + "\n]")
print(len(SETTINGS), "settings", file=sys.stderr)
