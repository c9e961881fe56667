"""Writes goldens.json: nasty strings, and what transformers makes of them.

    python make_goldens.py

Needs transformers 4.57. 5.24 differs in two things: it decodes a normalized added token to its
normalized form ("e" for "É"), and never cleans up the spaces of GPT-2. Learns the
vocabularies in bert/ and gpt2/ from invented captions if they are missing; they are kept once
written, because the trainers break ties at random.
"""
import base64
import json
import pathlib
import random
import shutil
import tempfile

from tokenizers import ByteLevelBPETokenizer, Tokenizer, models, normalizers, pre_tokenizers
from tokenizers.trainers import WordPieceTrainer
from transformers import BertTokenizerFast, GPT2TokenizerFast

HERE = pathlib.Path(__file__).parent
SUBJECTS = ["a dog", "two dogs", "the old man", "a girl in a red dress", "three children", "somebody's cat", "people"]
VERBS = ["runs", "is running", "are playing", "jumps", "sat", "isn't sleeping", "doesn't look", "waits"]
PLACES = ["on the beach", "in the snow", "near a river", "at 10:30", "under 2 trees", "behind the fence", "with a ball"]
CAPTIONS = [f"{s} {v} {p} ." for s in SUBJECTS for v in VERBS for p in PLACES]


def learn_bert(path):
    t = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    t.normalizer, t.pre_tokenizer = normalizers.BertNormalizer(), pre_tokenizers.BertPreTokenizer()
    t.train_from_iterator(CAPTIONS, WordPieceTrainer(vocab_size=160, show_progress=False))
    learnt = sorted(t.get_vocab(), key=t.get_vocab().get)
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "[unused1]"]
    words += list("!\"#$%&'()*+,-./:;<=>?@[]^_`{|}~éßøłİi中文日가жσς—’“”…€½²") + list("ABCDES")
    words += ["##ß", "##ø", "##é", "##s", "##中", "Dog", "CAF", "##É", "##E", "##a", "##i\u0307", "\u0307", "##\u0307", "##ς", "##σ"]
    path.parent.mkdir(exist_ok=True)
    path.write_text("\n".join(dict.fromkeys(words + learnt)) + "\n")


def learn_gpt2(dir):
    t = ByteLevelBPETokenizer()
    extra = ["It's I'm you've they're he'll we'd can't", "100 2000 3.14", "  a\n\n b", "été café über", "aaaa aaa"] * 9
    t.train_from_iterator(CAPTIONS + extra, vocab_size=256 + 160, min_frequency=2, show_progress=False)
    merges = [tuple(m) for m in json.loads(t.to_str())["model"]["merges"]]
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    letters = [chr(b) for b in plain] + [chr(256 + i) for i in range(256 - len(plain))]
    vocab = {c: i for i, c in enumerate(letters)}
    for a, b in merges:
        vocab.setdefault(a + b, len(vocab))
    vocab["<|endoftext|>"] = len(vocab)
    dir.mkdir(exist_ok=True)
    (dir / "vocab.json").write_text(json.dumps(vocab))  # in ASCII, as GPT-2's
    (dir / "merges.txt").write_text("#version: 0.2\n" + "\n".join(map(" ".join, merges)) + "\n")


NASTY = [
    "", " ", "\t\n", "\r\n", "a", " a", "a  b", "   a   ", "a\n\n b", "a \n", "\n a", "a\u00a0b", "a\u00a0 b", "a\u2003\u2003b", "a\u3000", "a\u0085b", "a\x0bb\x0cc",
    "a\u200bb", "a\u200db", "\ufeffa", "a\u00adb", "a\x00b", "a\x01b", "a\x7fb", "a\ufffdb", "a\u180eb", "a\U000e0001b", "a\ue000b", "a\u0378b", "a\U0001f9d1b",
    "A Dog RUNS .", "isn't", "ISN'T", "it's they're we've I'll he'd I'm", "it’s", "dogs' ball", "'s", "''s", " 's", "'tis", "'llama", "rock'n'roll", "can''t",
    "a-b--c", "wait...", "3.14", "10:30", "50%", "$5 + €5 = £10", "a_b^c`d~e", "<b>|{x}", "x=1&y=2", "(\"quoted\")", "“a”—«b»…", "¿a? ¡b!", "·\u0387\u166d\U000111c9", "\u1b7d\u2e52",
    "[CLS]", "[SEP] dog", "a[MASK]b", "[unk]", "[UNK]", "[PAD][PAD]", "[ CLS ]", "[unused1]", "[CLS", "[[CLS]]", "<|endoftext|>", "dog<|endoftext|> dog", "<|endoftext|", "<|ENDOFTEXT|>",
    "café", "cafe\u0301", "CAFÉ", "CAFE\u0301", "naïve Ångström", "straße STRASSE", "øłß", "İİ", "i\u0307", "ΣΊΣΥΦΟΣ σς", "ЖУК жук", "ﬁsh Ⅷ ½ ²", "ＦＵＬＬ １２", "١٢٣ ৪", "ǅ", "ÅÅ", "\u0344",
    "中文", "dog中文dog", "日本語のテスト", "가나", "\U00020000a", "\u2b740", "\U0002f800", "\uf900", "हिन्दी", "ไทย", "עברית العربية", "e\u0301\u0323", "a\u0323\u0301\u0327b", "a" + "\u0301" * 40 + "b", "\u302e\u0301", "\u1cf4a\u1734",
    "🐕", "a🐕b", "👩\u200d👩\u200d👧", "🇫🇷", "❤️", "👍🏽", "😀😀", "\U0001f9a3", "\u0301", "\U00010940", "\U00010d50\ua7cb", "\ua7da", "\U00011938",
    "x" * 100, "x" * 101, "dog" * 40, "é" * 100, "é" * 101, "中" * 60, "a" * 37, "." * 9, "a " * 9, "aaaaaaa", "dogs dogs", "the old man isn't sleeping near 2 trees .",
    "do n't , a man ' s ball !", "a ' b ' c", "a . b ? c ! d , e", "they 're we 've I 'm", "0x1F 1st 2nd", "a1b2", "１a", "a²b", "½a", "\U00010107a", "[SEP]\u0301", "foo foo", "foofoo", " foo  x", "Foo FOO", "foo.", "_foo", "é foo é", "<x> <x>  <x>", "a<x>b",
]
BROKEN = [b"a\xffb", b"\xe4\xb8a", b"\xf0\x9f\x90", b"\xf0\x9f\x90 \x80", b"\xc3", b"\xed\xa0\x80", b"\xc0\x80", b"\xf4\x90\x80\x80", b"a\xe4\xb8\xe4\xb8\xad", b"\xf1\x80\x80\x41\xe0\x9f"]
PIECES = ["a", "dog", "Dog", " ", "  ", "\n", "'", "'s", "s", ".", ",", "é", "e\u0301", "İ", "中", "1", "23", "½", "\u00a0", "\u200d", "🐕", "[SEP]", "<|endoftext|>", "foo", "<x>", "_", "-", "ning", "\x01", "Σ"]


def added(**on):
    off = dict(lstrip=False, rstrip=False, single_word=False, normalized=False, special=False)
    return {**off, **on}


FOO = {"content": "foo", "single_word": True, "normalized": True}
CASES = {  # name: folder, files beside the vocabulary, all strings or some
    "bert": ("bert", {"tokenizer_config.json": {"do_lower_case": True, "clean_up_tokenization_spaces": True}}, True),
    "bert cased": ("bert", {"tokenizer_config.json": {"do_lower_case": False, "clean_up_tokenization_spaces": False}}, False),
    "bert lower case with accents": ("bert", {"tokenizer_config.json": {
        "strip_accents": False, "clean_up_tokenization_spaces": False}}, False),
    "bert cased without accents or Chinese": ("bert", {"tokenizer_config.json": {
        "do_lower_case": False, "strip_accents": True, "tokenize_chinese_chars": False, "clean_up_tokenization_spaces": True}}, False),
    "bert with added tokens": ("bert", {"tokenizer_config.json": {"clean_up_tokenization_spaces": False, "mask_token": "<m>", "added_tokens_decoder": {
        "0": added(content="[PAD]", special=True), "400": added(content="<x>", lstrip=True, rstrip=True, special=True),
        "401": added(**FOO), "402": added(content="É", normalized=True)}}}, False),
    "bert with old files": ("bert", {"tokenizer_config.json": {"clean_up_tokenization_spaces": False}, "added_tokens.json": {"<x>": 400, "foo": 401},
        "special_tokens_map.json": {"additional_special_tokens": ["<x>"], "pad_token": "[PAD]"}}, False),
    "gpt2": ("gpt2", {"tokenizer_config.json": {"clean_up_tokenization_spaces": False}}, True),
    "gpt2 with a blank before": ("gpt2", {"tokenizer_config.json": {"add_prefix_space": True, "add_bos_token": True, "clean_up_tokenization_spaces": True}}, False),
    "gpt2 with added tokens": ("gpt2", {"tokenizer_config.json": {"clean_up_tokenization_spaces": False, "pad_token": "<pad>", "added_tokens_decoder": {
        "416": added(content="<|endoftext|>", special=True), "417": added(content="<x>", rstrip=True, special=True),
        "418": added(**FOO)}}}, False),
}


def strings(all):
    rng = random.Random(8)
    mixed = ["".join(rng.choices(PIECES, k=rng.randint(2, 9))) for _ in range(40)]
    if all:
        return NASTY + BROKEN + mixed
    return [s for i, s in enumerate(NASTY) if i % 4 == 0 or any(k in s for k in ("foo", "<x>", "É", "É", "中", "ß", "İ"))] + mixed[:20]


def case(name, folder, files, all):
    dir = pathlib.Path(tempfile.mkdtemp())
    shutil.copytree(HERE / folder, dir, dirs_exist_ok=True)
    for f, content in files.items():
        (dir / f).write_text(json.dumps(content))
    tok = (BertTokenizerFast if folder == "bert" else GPT2TokenizerFast).from_pretrained(dir)
    rows = []
    for s in strings(all):
        row = {"text": s} if isinstance(s, str) else {"bytes": base64.b64encode(s).decode()}
        text = s if isinstance(s, str) else s.decode("utf-8", "replace")
        row["ids"], row["bare"] = tok(text)["input_ids"], tok(text, add_special_tokens=False)["input_ids"]
        for key, clean in ("decoded", False), ("cleaned", True):
            row[key] = tok.decode(row["ids"], skip_special_tokens=True, clean_up_tokenization_spaces=clean)
        if row["cleaned"] == row["decoded"]:
            del row["cleaned"]
        if row["bare"] == row["ids"]:
            del row["bare"]
        rows.append(row)
    shutil.rmtree(dir)
    return {"name": name, "folder": folder, "files": {k: json.dumps(v) for k, v in files.items()},
            "cleans": tok.clean_up_tokenization_spaces, "len": max(tok.get_vocab().values()) + 1, "rows": rows}


def main():
    if not (HERE / "bert/vocab.txt").exists():
        learn_bert(HERE / "bert/vocab.txt")
    if not (HERE / "gpt2/vocab.json").exists():
        learn_gpt2(HERE / "gpt2")
    with open(HERE / "goldens.json", "w") as f:
        f.write("[\n")
        for i, (name, (folder, files, all)) in enumerate(CASES.items()):
            c = case(name, folder, files, all)
            rows = c.pop("rows")
            f.write((",\n" if i else "") + json.dumps(c)[:-1] + ', "rows": [\n')
            f.write(",\n".join(json.dumps(r, ensure_ascii=False, separators=(",", ":")) for r in rows) + "]}")
        f.write("\n]\n")


main()
