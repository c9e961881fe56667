"""Scores captions with pycocoevalcap, the field's reference code: the peer of
`showtell score` in `bench/score`. Takes COCO results and annotations, or a CSV
file with the columns caption_predicted, caption_1, caption_2, ..."""
import contextlib
import csv
import gzip
import json
import sys

from pycocoevalcap.bleu.bleu import Bleu
from pycocoevalcap.cider.cider import Cider
from pycocoevalcap.meteor.meteor import Meteor
from pycocoevalcap.rouge.rouge import Rouge
from pycocoevalcap.tokenizer.ptbtokenizer import PTBTokenizer

hyps, refs = {}, {}
if sys.argv[1].endswith(".csv.gz"):
    for i, row in enumerate(csv.DictReader(gzip.open(sys.argv[1], "rt", encoding="utf-8"))):
        hyps[i] = [{"caption": row.pop("caption_predicted")}]
        refs[i] = [{"caption": c} for c in row.values()]
else:
    for r in json.load(open(sys.argv[1])):
        hyps[r["image_id"]] = [{"caption": r["caption"]}]
    for r in json.load(open(sys.argv[2]))["annotations"]:
        refs.setdefault(r["image_id"], []).append({"caption": r["caption"]})
with contextlib.redirect_stdout(sys.stderr):
    tokenizer = PTBTokenizer()
    refs, hyps = tokenizer.tokenize(refs), tokenizer.tokenize(hyps)
    scores = {}
    for scorer, names in [(Bleu(4), ["bleu_1", "bleu_2", "bleu_3", "bleu_4"]), (Meteor(), ["meteor"]), (Rouge(), ["rouge_l"]), (Cider(), ["cider_d"])]:
        value, _ = scorer.compute_score(refs, hyps)
        scores.update(zip(names, value if isinstance(value, list) else [value]))
print(json.dumps(scores))
