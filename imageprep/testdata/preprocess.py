"""Writes preprocess.safetensors.gz: pixel values that the slow image processors of transformers make.

python3 imageprep/testdata/preprocess.py        (needs transformers 4.57, pillow, safetensors, torch)

Tensors are float32 of (3, height, width), numbered by the cases; the metadata key
"cases" is a JSON list of [picture, configuration].
"""
import gzip
import json
import pathlib

import torch
import transformers
from PIL import Image
from safetensors.torch import save

here = pathlib.Path(__file__).parent
CLASSES = {"Blip": transformers.BlipImageProcessor, "CLIP": transformers.CLIPImageProcessor, "ViT": transformers.ViTImageProcessor}
ASTRONAUT, CAT = "../../testdata/astronaut.jpg", "../../testdata/cat.jpg"
cases = []


def add(picture, kind, suffix="ImageProcessor", **fields):
    key = "image_processor_type" if suffix.startswith("Image") else "feature_extractor_type"
    cases.append((picture, {key: kind + suffix, **fields}))


square = {"height": 16, "width": 16}
for picture in (ASTRONAUT, CAT, "rgb.png", "rgba.png", "gray.png", "grayalpha.png", "palette.png", "paletteclear.png",
                "losslessalpha.webp", "lossyalpha.webp", "jpeg420odd.jpg"):
    add(picture, "Blip", size={"height": 11, "width": 15})
    add(picture, "CLIP", size={"shortest_edge": 13}, crop_size={"height": 9, "width": 12})
add(ASTRONAUT, "ViT", size=square)
add(CAT, "ViT", "FeatureExtractor", size=16, do_resize=True, do_normalize=True, image_mean=[0.5, 0.5, 0.5], image_std=[0.5, 0.5, 0.5],
    resample=2)
add(CAT, "CLIP", "FeatureExtractor", size=15, crop_size=12, do_center_crop=True, do_resize=True, resample=3)
add(CAT, "Blip", size=square, do_pad=True, size_divisor=32, processor_class="BlipProcessor")
add("rgb.png", "ViT", size=[10, 14], resample=3)
add("rgb.png", "ViT", "ImageProcessorFast", size=square, resample=0, crop_size=None, pad_size=None, do_center_crop=None,
    data_format="channels_first", default_to_square=True, return_tensors=None)
for i, picture in enumerate((ASTRONAUT, CAT, "rgb.png")):
    add(picture, "ViT", size={"height": 7 + 5 * i, "width": 40 - 13 * i}, resample=1)
add("rgb.png", "CLIP", size={"shortest_edge": 7}, crop_size=square)
add("rgb.png", "CLIP", size={"shortest_edge": 12}, crop_size={"height": 15, "width": 9})
add(CAT, "CLIP", size={"shortest_edge": 12}, crop_size={"height": 11, "width": 17})
add(CAT, "CLIP", size={"height": 9, "width": 14}, crop_size={"height": 9, "width": 14})
add(CAT, "CLIP", size={"height": 9, "width": 14}, do_center_crop=False)
add("rgb.png", "Blip", size=square, do_normalize=False)
add("rgb.png", "Blip", size=square, do_rescale=False)
add("rgb.png", "Blip", size=square, do_rescale=False, do_normalize=False)
add("rgb.png", "Blip", size=square, rescale_factor=1 / 127.5, image_mean=1.0, image_std=[1, 0.5, 2])
add("rgb.png", "Blip", size=square, image_mean=None, image_std=None, do_convert_rgb=None)

tensors = {}
for i, (picture, config) in enumerate(cases):
    name = config.get("image_processor_type") or config["feature_extractor_type"]
    kind = next(k for k in CLASSES if name.startswith(k))
    processor = CLASSES[kind].from_dict(config)
    image = Image.open(here / picture).convert("RGB")  # as load_image does
    tensors[str(i)] = processor(image, return_tensors="pt")["pixel_values"][0].to(torch.float32).contiguous()
data = save(tensors, metadata={"cases": json.dumps(cases)})
with open(here / "preprocess.safetensors.gz", "wb") as f, gzip.GzipFile(fileobj=f, mode="wb", filename="", mtime=0) as z:
    z.write(data)
print(len(cases), "cases,", len(data), "bytes")
