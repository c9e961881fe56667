"""Makes the pictures in this folder, and pillow.txt and shared.txt: what Pillow decodes them to.

python3 imageprep/jpeg/testdata/make.py        (needs pillow with libjpeg-turbo, numpy)

pillow.txt has a line for each picture and denominator: file, denominator, WxH, and SHA-256 of the bytes
of Image.draft("RGB", (width // denominator, height // denominator)) and convert("RGB").
shared.txt has a line for pictures in ../shared, with one hash over denominators 1, 2, 4 and 8.
"""
import hashlib
import pathlib
import struct

import numpy as np
from PIL import Image

here = pathlib.Path(__file__).parent
root = here.parents[2]
random = np.random.default_rng(1)
DENOMINATORS = 1, 2, 4, 8


def drafts(path):
    for n in DENOMINATORS:
        with Image.open(path) as img:
            size = img.width // n, img.height // n
            if min(size) < 1:
                continue
            img.draft("RGB", size)
            yield n, img.convert("RGB")


def bit_count(v):
    return int(abs(v)).bit_length()


class Bits:
    def __init__(self):
        self.bits = ""

    def put(self, value, n):
        if n:
            self.bits += format(value, f"0{n}b")

    def symbol_and_value(self, code, length, v):
        self.put(code, length)
        n = bit_count(v)
        self.put(v if v >= 0 else v + (1 << n) - 1, n)

    def flush(self):
        self.bits += "1" * (-len(self.bits) % 8)
        data = int(self.bits or "0", 2).to_bytes(len(self.bits) // 8, "big")
        self.bits = ""
        return data.replace(b"\xff", b"\xff\x00")


def block(bits, last):
    """Codes a random block: DC differences have codes of 4 bits, AC symbols codes of 8."""
    dc = int(random.integers(-60, 61))
    bits.symbol_and_value(bit_count(dc - last), 4, dc - last)
    k = 1
    while k < 64 and random.random() < 0.8:
        run, v = int(random.integers(0, 12)), int(random.integers(-40, 41)) // (1 + k // 4)
        if k + run > 63:
            break
        if v:
            bits.symbol_and_value(SYMBOLS.index(run << 4 | bit_count(v)), 8, v)
            k += run + 1
        elif k + 16 <= 63:
            bits.put(SYMBOLS.index(0xF0), 8)
            k += 16
    if k < 64:
        bits.put(SYMBOLS.index(0), 8)
    return dc


SYMBOLS = [0x00, 0xF0] + [run << 4 | size for run in range(16) for size in range(1, 11)]


def segment(mark, body):
    return bytes([0xFF, mark]) + struct.pack(">H", len(body) + 2) + body


def encode(name, w, h, factors, restart=0, sof=0xC0, wide=False, apart=False, marker=b"", ids=(1, 2, 3, 4)):
    """Writes a JPEG of noise with any sampling factors, in one scan or, apart, in one for each component."""
    n = len(factors)
    hmax, vmax = max(f[0] for f in factors), max(f[1] for f in factors)
    quant = [min(4 + k, 60) * (5 if wide and k > 20 else 1) for k in range(64)]
    data = b"\xff\xd8" + marker
    data += segment(0xDB, b"\x10" + struct.pack(">64H", *quant) if wide else b"\x00" + bytes(quant))
    parts = b"".join(bytes([ids[i], f[0] << 4 | f[1], 0]) for i, f in enumerate(factors))
    data += segment(sof, struct.pack(">BHHB", 8, h, w, n) + parts)
    data += segment(0xC4, b"\x00" + bytes([0, 0, 0, 12] + [0] * 12) + bytes(range(12)))
    data += segment(0xC4, b"\x10" + bytes([0] * 7 + [len(SYMBOLS)] + [0] * 8) + bytes(SYMBOLS))
    if restart:
        data += segment(0xDD, struct.pack(">H", restart))
    for scan in [[i] for i in range(n)] if apart else [list(range(n))]:
        data += segment(0xDA, bytes([len(scan)]) + b"".join(bytes([ids[i], 0]) for i in scan) + b"\x00\x3f\x00")
        if len(scan) == 1:
            f = factors[scan[0]]
            mcus = -(-w * f[0] // (8 * hmax)) * -(-h * f[1] // (8 * vmax))
            per = [scan[0]]
        else:
            mcus = -(-w // (8 * hmax)) * -(-h // (8 * vmax))
            per = [i for i in scan for _ in range(factors[i][0] * factors[i][1])]
        bits, last = Bits(), [0] * n
        for m in range(mcus):
            if restart and m and m % restart == 0:
                data += bits.flush() + bytes([0xFF, 0xD0 + (m // restart - 1) % 8])
                last = [0] * n
            for i in per:
                last[i] = block(bits, last[i])
        data += bits.flush()
    (here / name).write_bytes(data + b"\xff\xd9")


def adobe(transform):
    return segment(0xEE, b"Adobe" + bytes([0, 100, 0, 0, 0, 0, transform]))


def noise():
    samplings = {
        "440": [(1, 2), (1, 1), (1, 1)], "411": [(4, 1), (1, 1), (1, 1)], "410": [(4, 2), (1, 1), (1, 1)],
        "441": [(1, 4), (1, 1), (1, 1)], "mixed": [(2, 2), (2, 1), (1, 2)], "luma": [(1, 1), (2, 2), (1, 1)],
        "third": [(3, 1), (1, 1), (1, 1)], "alike": [(2, 2), (2, 2), (1, 1)], "420": [(2, 2), (1, 1), (1, 1)],
        "422": [(2, 1), (1, 1), (1, 1)],
    }
    for name, factors in samplings.items():
        encode(f"noise{name}.jpg", 75, 43, factors, restart=3)
    three, four = [(1, 1)] * 3, [(1, 1)] * 4
    encode("apart.jpg", 45, 37, [(2, 2), (1, 1), (1, 1)], apart=True, restart=5)
    encode("extended.jpg", 33, 20, three, sof=0xC1, wide=True)
    encode("gray22.jpg", 45, 37, [(2, 2)])
    encode("rgbadobe.jpg", 21, 17, three, marker=adobe(0))
    encode("rgbids.jpg", 21, 17, three, ids=b"RGB")
    encode("cmykplain.jpg", 21, 17, four)
    encode("cmykadobe.jpg", 21, 17, four, marker=adobe(0))
    encode("ycck.jpg", 27, 37, [(2, 2), (1, 1), (1, 1), (2, 2)], marker=adobe(2))


def photos():
    photo = Image.open(root / "testdata" / "coffee.jpg").convert("RGB").crop((100, 60, 400, 280))
    for sub in "4:4:4", "4:2:2", "4:2:0":
        short = sub.replace(":", "")
        photo.resize((61, 45)).save(here / f"photo{short}.jpg", quality=80, subsampling=sub, restart_marker_blocks=4)
        photo.resize((71, 50)).save(here / f"progressive{short}.jpg", quality=85, subsampling=sub, progressive=True)
    photo.resize((5, 3)).save(here / "tiny420.jpg", subsampling="4:2:0")
    photo.resize((50, 50)).save(here / "harsh.jpg", quality=2, subsampling="4:2:0")
    photo.convert("L").resize((60, 44)).save(here / "progressivegray.jpg", progressive=True)
    photo.convert("CMYK").resize((40, 30)).save(here / "progressivecmyk.jpg", progressive=True, restart_marker_rows=1)
    photo.resize((64, 64)).save(here / "progressive440.jpg", quality=85, subsampling="4:2:2", progressive=True)
    data = bytearray((here / "progressive440.jpg").read_bytes())
    at = data.index(b"\xff\xc2") + 11  # the factors of the first component
    assert data[at] == 0x21
    data[at] = 0x12
    (here / "progressive440.jpg").write_bytes(data)


def shared():
    folder = root.parent / "shared"
    files = sorted(folder.glob("photos/*.jpg")) + sorted(folder.glob("freephotos/*.jpg"))
    files += sorted(folder.glob("flickr8k/images/*.jpg"))[::40]
    with open(here / "shared.txt", "w") as out:
        for f in files:
            digest = hashlib.sha256()
            for _, img in drafts(f):
                digest.update(img.tobytes())
            print(f.relative_to(folder).as_posix(), digest.hexdigest()[:16], file=out)


for old in here.glob("*.jpg"):
    old.unlink()
noise()
photos()
with open(here / "pillow.txt", "w") as out:
    for f in sorted(here.glob("*.jpg")):
        for n, img in drafts(f):
            print(f.name, n, f"{img.width}x{img.height}", hashlib.sha256(img.tobytes()).hexdigest(), file=out)
if (root.parent / "shared").is_dir():
    shared()
