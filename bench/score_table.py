"""Makes a Markdown page of `name work seconds kilobytes json` lines. Refuses
scores that differ from the official ones."""
import datetime
import json
import statistics
import subprocess
import sys

METRICS = {"bleu_1": "BLEU-1", "bleu_2": "BLEU-2", "bleu_3": "BLEU-3", "bleu_4": "BLEU-4", "meteor": "METEOR", "rouge_l": "ROUGE-L", "cider_d": "CIDEr-D"}
WORKS = {"1000": "1,000 images, 5 references", "40000": "40,000 candidates, 4 references"}
scores, seconds, memory = {}, {}, {}
for line in sys.stdin:
    name, work, s, kb, text = line.split(maxsplit=4)
    value = json.loads(text)
    scores[name, work] = value.get("scores", value)
    seconds.setdefault((name, work), []).append(float(s))
    memory.setdefault((name, work), []).append(int(kb) / 1024)
for (name, work), value in scores.items():
    for metric in METRICS:
        if abs(value[metric] - scores["official", work][metric]) > 1e-9:
            sys.exit(f"{metric} of {work}: {name} {value[metric]}, official {scores['official', work][metric]}")

processor = next(l.split(":")[1].strip() for l in open("/proc/cpuinfo") if l.startswith("model name"))
java = subprocess.run(["java", "-version"], stderr=subprocess.PIPE, text=True).stderr.splitlines()[0]
go = subprocess.check_output(["go", "version"], text=True).split()[2]
print(f"""# showtell score against pycocoevalcap 1.2

Made by `bench/score FLICKR8K` on {datetime.date.today()}: {processor}, two cores, {go}, {java}.

## Scores of `metric/testdata/example_1.csv.gz`, 464 candidates with five references

| metric | pycocoevalcap | showtell |
|---|---|---|""")
for key, metric in METRICS.items():
    print(f"| {metric} | {scores['official', 'example'][key]:.12f} | {scores['showtell', 'example'][key]:.12f} |")
if all(work == "example" for _, work in scores):
    sys.exit()
print("""
## Time and memory

Whole processes, in turn; medians, and the ratio of these. All scores agree to nine digits. Memory is
the peak of the largest process; pycocoevalcap starts Java programs beside it.

| work | rounds | pycocoevalcap | showtell | times as fast | memory | with CIDEr, diversity and 1,000 resamples |
|---|---|---|---|---|---|---|""")
for work, title in WORKS.items():
    theirs, ours, more = (statistics.median(seconds[name, work]) for name in ("official", "showtell", "intervals"))
    mb = [statistics.median(memory[name, work]) for name in ("official", "showtell", "intervals")]
    print(f"| {title} | {len(seconds['official', work])} | {theirs:.1f} s, {mb[0]:.0f} MB | {ours:.2f} s, {mb[1]:.0f} MB | {theirs / ours:.0f} | {mb[1] / mb[0]:.2f} | {more:.2f} s, {mb[2]:.0f} MB |")
