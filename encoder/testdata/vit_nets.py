"""Writes what transformers, timm and torchvision make of vision transformers with
random weights: as NET.safetensors beside this script for small ones, with two
blocks of 16 channels and pictures of 48 pixels, or full-size ones into FOLDER.

    python encoder/testdata/vit_nets.py vit_b16 vit_b16_timm vit_b16_torch clip_vit_b16 clip_vit_b16_openai
    python encoder/testdata/vit_nets.py --full FOLDER vit_b16 vit_s16_timm clip_vit_b32 ...

Names are those of package encoder; clip_..._openai is the same network under
OpenAI's names. Weights are exact in float16 and stored so, the results are computed
in float64: "input" is (h, w, 3), "features" (h, w, channels), "class" (channels), of
CLIP also "projection". Tokens begin so small that the epsilons of the norms tell.
"""
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch
from safetensors.numpy import save_file
from safetensors.torch import load_file

SIZES = {"s16": (16, 384, 12, 6, 0), "b16": (16, 768, 12, 12, 512), "b32": (32, 768, 12, 12, 512),
         "l16": (16, 1024, 24, 16, 0), "l14": (14, 1024, 24, 16, 768)}


def hugging_face(size, patch, width, depth, heads, _):
    from transformers import ViTConfig, ViTForImageClassification
    net = ViTForImageClassification(ViTConfig(hidden_size=width, num_hidden_layers=depth, num_attention_heads=heads, intermediate_size=4 * width,
                                              image_size=size, patch_size=patch, attn_implementation="eager"))
    return net, lambda x: dict(tokens=net.vit(x).last_hidden_state)


def timm(size, patch, width, depth, heads, _):
    from functools import partial
    from timm import create_model as timm_model
    from timm.models.vision_transformer import VisionTransformer
    reference = timm_model("vit_base_patch16_224", depth=1)  # tells the epsilon
    net = VisionTransformer(img_size=size, patch_size=patch, embed_dim=width, depth=depth, num_heads=heads, num_classes=3,
                            norm_layer=partial(torch.nn.LayerNorm, eps=reference.norm.eps))
    return net, lambda x: dict(tokens=net.forward_features(x))


def torchvision(size, patch, width, depth, heads, _):
    from torchvision.models import VisionTransformer
    net = VisionTransformer(size, patch, depth, heads, width, 4 * width, num_classes=3)
    last = {}
    net.encoder.register_forward_hook(lambda m, i, o: last.update(tokens=o))

    def run(x):
        net(x)
        return last
    return net, run


def clip(size, patch, width, depth, heads, out):
    from transformers import CLIPConfig, CLIPModel
    net = CLIPModel(CLIPConfig(
        vision_config=dict(hidden_size=width, num_hidden_layers=depth, num_attention_heads=heads, intermediate_size=4 * width, image_size=size, patch_size=patch),
        text_config=dict(hidden_size=8, num_hidden_layers=1, num_attention_heads=1, intermediate_size=8, vocab_size=4, max_position_embeddings=4,
                         bos_token_id=0, eos_token_id=1, pad_token_id=1), projection_dim=out))

    def run(x):
        seen = net.vision_model(x)
        return dict(tokens=net.vision_model.post_layernorm(seen.last_hidden_state), projection=net.visual_projection(seen.pooler_output))
    return net, run


def randomise(net, rng):
    for name, p in net.named_parameters():
        if any(s in name for s in ("patch_embed", "conv_proj", "class_embedding", "cls_token", "class_token", "pos", "position")) and "norm" not in name:
            v = rng.randn(*p.shape) * (4e-4 if p.ndim == 4 else 0.005)
        elif p.ndim > 1:
            v = rng.randn(*p.shape) / np.sqrt(p.shape[-1])
        else:
            v = rng.randn(*p.shape) * 0.1 + ("norm" in name or "ln" in name) * name.endswith("weight")
        p.data = torch.tensor(np.asarray(v).astype(np.float16).astype(np.float32))


def openai(state):
    """CLIP's image tower as OpenAI's files have it."""
    out = {"visual.proj": state["visual_projection.weight"].T.copy()}
    plain = {"embeddings.class_embedding": "class_embedding", "embeddings.position_embedding.weight": "positional_embedding",
             "embeddings.patch_embedding.weight": "conv1.weight", "pre_layrnorm": "ln_pre", "post_layernorm": "ln_post"}
    inner = {"layer_norm1": "ln_1", "layer_norm2": "ln_2", "self_attn.out_proj": "attn.out_proj", "mlp.fc1": "mlp.c_fc", "mlp.fc2": "mlp.c_proj"}
    for name, v in state.items():
        if not name.startswith("vision_model.") or name.endswith("position_ids"):
            continue
        name = name[len("vision_model."):]
        stem, _, kind = name.rpartition(".")
        if name in plain or stem in plain:
            out["visual." + (plain[name] if name in plain else f"{plain[stem]}.{kind}")] = v
            continue
        block, _, part = stem[len("encoder.layers."):].partition(".")
        to = f"visual.transformer.resblocks.{block}."
        if part in inner:
            out[f"{to}{inner[part]}.{kind}"] = v
        elif part == "self_attn.q_proj":
            out[f"{to}attn.in_proj_{kind}"] = np.concatenate([state["vision_model." + name.replace("q_proj", p + "_proj")] for p in "qkv"])
    return out


def saved(net):
    """The weights under the names that files have: those of transformers differ."""
    if not hasattr(net, "save_pretrained"):
        return net.state_dict()
    with tempfile.TemporaryDirectory() as folder:
        net.save_pretrained(folder)
        return load_file(Path(folder) / "model.safetensors")


def main(args):
    full = args[:1] == ["--full"]
    folder = Path(args[1]) if full else Path(__file__).resolve().parent
    for name in args[2 if full else 0:]:
        words = name.replace("clip_vit", "clip").split("_")
        make = clip if words[0] == "clip" else {"timm": timm, "torch": torchvision}.get(words[-1], hugging_face)
        patch, width, depth, heads, out = SIZES[words[1]]
        size = 224
        if not full:
            size, width, depth, heads, out = 3 * patch, 16, 2, 4, 8
        torch.manual_seed(1)
        rng = np.random.RandomState(1)
        net, run = make(size, patch, width, depth, heads, out)
        net.eval()
        randomise(net, rng)
        rough = torch.tensor(rng.randn(1, 3, 12, 12), dtype=torch.float32)
        x = torch.nn.functional.interpolate(rough, size=(size, size), mode="bicubic")
        x = (x + 0.3 * torch.randn(x.shape)).half().float()
        state = {k: v.numpy() for k, v in saved(net).items()}
        state = {k: v.astype(np.float16) if v.dtype == np.float32 else v for k, v in state.items()}
        if make is clip:  # which files of older versions have
            state["vision_model.embeddings.position_ids"] = np.arange((size // patch)**2 + 1)[None]
        if words[-1] == "openai":
            state = openai(state)
        if full:
            state = {k: v for k, v in state.items() if not k.startswith(("classifier.", "head", "text_"))}
        with torch.no_grad():
            plain = run(x)["tokens"]
            seen = run_double(net, run, x)
        y = seen["tokens"]
        out = {k: np.ascontiguousarray(v) for k, v in state.items()}
        out["input"] = x[0].permute(1, 2, 0).contiguous().numpy().astype(np.float16)
        out["features"] = y[0, 1:].reshape(size // patch, size // patch, width).float().numpy()
        out["class"] = y[0, 0].float().numpy()
        if "projection" in seen:
            out["projection"] = seen["projection"][0].float().numpy()
        save_file(out, folder / f"{name}.safetensors")
        print(name, size, tuple(y.shape), float(y.abs().max()), "in float32 off by", float((plain - y).abs().max() / y.abs().max()))


def run_double(net, run, x):
    net.double()
    return run(x.double())


main(sys.argv[1:])
