"""Writes candidates and references from Flickr8k's captions, as COCO files: for
1,000 pictures the first caption of the next picture against five references,
and each of 40,000 captions against the others of its picture."""
import glob
import json
import sys

source, out = sys.argv[1:]
captions = {}
for line in open(glob.glob(f"{source}/**/Flickr8k.token.txt", recursive=True)[0], encoding="utf-8"):
    name, text = line.rstrip("\n").split("\t")
    captions.setdefault(name.split("#")[0], []).append(text)
pictures = [c for c in captions.values() if len(c) == 5]


def write(size, pairs):
    hyps, refs = [], []
    for i, (hyp, texts) in enumerate(pairs):
        hyps.append({"image_id": i, "caption": hyp})
        refs += [{"id": 10 * i + k, "image_id": i, "caption": t} for k, t in enumerate(texts)]
    json.dump(hyps, open(f"{out}/{size}.hyps.json", "w"))
    json.dump({"images": [{"id": i} for i in range(len(pairs))], "annotations": refs}, open(f"{out}/{size}.refs.json", "w"))


write(1000, [(pictures[i + 1][0], pictures[i]) for i in range(1000)])
write(40000, [(c[k], c[:k] + c[k + 1:]) for c in pictures for k in range(5)][:40000])
