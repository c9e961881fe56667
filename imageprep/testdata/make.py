"""Makes the pictures in this folder and goldens.safetensors.gz, what Pillow makes of them.

python3 imageprep/testdata/make.py        (needs pillow with libwebp, numpy, safetensors)

goldens.safetensors.gz holds, as uint8 of (height, width, 3):
  source/NAME                      pictures to resize
  resize/NAME/FILTER/WxH           the same after Image.resize
  decode/FILE                      a file of this folder, upright, over white
  crop/LEFTxTOP/SHORT/WxH          that corner of ../../testdata/astronaut.jpg, as torchvision's Resize and
                                   CenterCrop cut it
"""
import gzip
import io
import pathlib
import struct
import zlib

import numpy as np
from PIL import Image, ImageOps
from safetensors.numpy import save

here = pathlib.Path(__file__).parent
random = np.random.default_rng(1)
goldens = {}
FILTERS = {"bilinear": Image.BILINEAR, "bicubic": Image.BICUBIC}


def smooth(w, h):
    """Gradients and a blob: what a photograph compresses like."""
    y, x = np.mgrid[0:h, 0:w]
    blob = 200 * np.exp(-((x - w / 3) ** 2 + (y - h / 2) ** 2) / (w * h / 12))
    return np.stack([x * 255 / max(w - 1, 1), y * 255 / max(h - 1, 1), blob], -1).astype(np.uint8)


def resizes():
    sources = {
        "noise": random.integers(0, 256, (37, 53, 3), dtype=np.uint8),
        "tall": random.integers(0, 256, (67, 29, 3), dtype=np.uint8),  # Pillow 13 begins with the columns
        "edges": np.where(random.random((20, 30, 1)) < 0.5, 0, 255).astype(np.uint8).repeat(3, -1),
        "smooth": smooth(64, 48),
        "column": random.integers(0, 256, (90, 1, 3), dtype=np.uint8),
        "row": random.integers(0, 256, (1, 90, 3), dtype=np.uint8),
        "pixel": np.array([[[10, 200, 255]]], dtype=np.uint8),
        "long": random.integers(0, 256, (2, 700, 3), dtype=np.uint8),
    }
    sizes = [(7, 7), (1, 1), (1, 30), (30, 1), (23, 16), (3, 64)]
    more = [(20, 30), (53, 10), (13, 37), (60, 41)]
    for name, pixels in sources.items():
        goldens["source/" + name] = pixels
        for filter, code in FILTERS.items():
            for w, h in sizes + (more if name == "noise" else []):
                small = Image.fromarray(pixels).resize((w, h), code)
                goldens[f"resize/{name}/{filter}/{w}x{h}"] = np.asarray(small)


def over_white(img):
    img = ImageOps.exif_transpose(img)
    if img.mode in ("I;16", "I", "I;16B"):
        img = Image.fromarray((np.asarray(img).astype(np.uint32) >> 8).astype(np.uint8))
    if img.mode in ("RGBA", "LA", "PA") or "transparency" in img.info:
        img = img.convert("RGBA")
        img = Image.alpha_composite(Image.new("RGBA", img.size, "white"), img)
    return np.asarray(img.convert("RGB"))


def write(name, img, **options):
    img.save(here / name, **options)
    goldens["decode/" + name] = over_white(Image.open(here / name))


def jpegs(photo, odd):
    for name, subsampling in {"444": 0, "422": 1, "420": 2}.items():
        write(f"jpeg{name}.jpg", photo, quality=95, subsampling=subsampling)
        write(f"jpeg{name}odd.jpg", odd, quality=95, subsampling=subsampling)
    upright("jpeg440.jpg")
    write("jpegtiny.jpg", odd.crop((0, 0, 3, 1)), quality=95, subsampling=2)
    write("progressive.jpg", photo, quality=95, progressive=True)
    write("gray.jpg", photo.convert("L"), quality=95)
    write("cmyk.jpg", photo.convert("CMYK"), quality=95)


def upright(name):
    """Pillow writes no 4:4:0, so swap the sampling factors of a 4:2:2: scrambled, but a JPEG."""
    buffer = io.BytesIO()
    Image.fromarray(smooth(32, 32)).save(buffer, "JPEG", quality=95, subsampling=1)
    data = bytearray(buffer.getvalue())
    at = data.index(b"\xff\xc0") + 11  # the factors of the first component
    assert data[at] == 0x21
    data[at] = 0x12
    (here / name).write_bytes(data)
    goldens["decode/" + name] = over_white(Image.open(here / name))


def orientations(odd):
    for value in range(1, 9):
        exif = Image.Exif()
        exif[0x0112] = value
        write(f"turn{value}.jpg", odd, quality=95, subsampling=0, exif=exif)
    exif[0x0112] = 6
    write("turn6.png", odd, exif=exif)
    write("turn6.webp", odd, lossless=True, exif=exif)
    write("turn6lossy.webp", odd, quality=90, exif=exif)
    write("turn6.tif", odd, tiffinfo={0x0112: 6})
    write("turn9.jpg", odd, quality=95, subsampling=0, exif=odd_exif())


def odd_exif():
    exif = Image.Exif()
    exif[0x0112] = 9  # there is no such orientation
    return exif


def png16(name, pixels, color):
    """Writes a PNG of 16-bit samples, which Pillow writes for grey only."""
    h, w = pixels.shape[:2]
    raw = b"".join(b"\0" + row.astype(">u2").tobytes() for row in pixels)

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    (here / name).write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", w, h, 16, color, 0, 0, 0))
                              + chunk(b"IDAT", zlib.compress(raw)) + chunk(b"IEND", b""))
    goldens["decode/" + name] = over_white(Image.open(here / name))


def others(photo, odd):
    alpha = photo.copy()
    alpha.putalpha(Image.fromarray(smooth(*photo.size)[:, :, 0]))
    wide = smooth(24, 18).astype(np.uint32) * 257
    write("rgb.png", photo)
    write("rgba.png", alpha)
    write("gray.png", photo.convert("L"))
    write("grayalpha.png", alpha.convert("LA"))
    write("bits.png", photo.convert("1"))
    write("palette.png", photo.quantize(16))
    write("paletteclear.png", photo.quantize(16), transparency=3)
    png16("gray16.png", wide[:, :, 0] + 100, 0)
    png16("rgb16.png", np.maximum(wide, 100) - 100, 2)
    write("rgb.bmp", odd)
    write("palette.bmp", odd.quantize(16))
    for compression in "raw", "tiff_lzw", "tiff_adobe_deflate", "packbits":
        write(f"{compression}.tif", odd, compression=compression)
    write("gray16.tif", Image.fromarray((wide[:, :, 1] + 100).astype(np.uint16)))
    write("rgba.tif", alpha)
    write("lossless.webp", odd, lossless=True)
    write("losslessalpha.webp", alpha, lossless=True)
    write("lossy.webp", photo, quality=90)
    write("lossyodd.webp", odd, quality=90)
    write("lossyalpha.webp", alpha, quality=90)
    write("still.gif", odd)
    frames = [photo.quantize(32), odd.resize(photo.size).quantize(32)]
    write("moving.gif", frames[0], save_all=True, append_images=frames[1:], duration=100)
    part_of_screen("part.gif", photo)


def part_of_screen(name, photo):
    """A first frame that covers a part of the screen; the rest is clear."""
    buffer = io.BytesIO()
    photo.crop((0, 0, 10, 8)).quantize(8).save(buffer, "GIF")
    data = bytearray(buffer.getvalue())
    at = data.index(b"\x2c", 13 + 3 * 8)  # the image descriptor, after the palette
    assert struct.unpack_from("<HHHH", data, at + 1) == (0, 0, 10, 8)
    struct.pack_into("<HH", data, at + 1, 5, 4)
    struct.pack_into("<HH", data, 6, 24, 18)
    (here / name).write_bytes(data)
    want = np.full((18, 24, 3), 255, np.uint8)
    want[4:12, 5:15] = np.asarray(Image.open(buffer).convert("RGB"))
    goldens["decode/" + name] = want


def crops():
    photo = Image.open(here.parent.parent / "testdata" / "astronaut.jpg").convert("RGB")
    for left, top in (photo.width, photo.height - 77), (photo.width // 3, photo.height):
        part = photo.crop((0, 0, left, top))
        for short, w, h in (40, 33, 28), (40, 40, 40), (41, 32, 20):
            long = int(short * max(part.size) / min(part.size))
            size = (short, long) if part.width <= part.height else (long, short)
            small = part.resize(size, Image.BICUBIC)
            x, y = round((size[0] - w) / 2), round((size[1] - h) / 2)
            goldens[f"crop/{left}x{top}/{short}/{w}x{h}"] = np.asarray(small.crop((x, y, x + w, y + h)))


photo = Image.fromarray(smooth(24, 18))
odd = Image.fromarray(smooth(23, 17))
resizes()
jpegs(photo, odd)
orientations(odd)
others(photo, odd)
crops()
data = save({k: np.ascontiguousarray(v) for k, v in goldens.items()})
(here / "goldens.safetensors.gz").write_bytes(gzip.compress(data, mtime=0))
