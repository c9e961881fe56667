package encoder

import (
	"showtell/imageprep"
	"showtell/nn"
)

// The vision transformers of CLIP (Radford et al. 2021), as OpenAI published them:
// OpenCLIP's own have another activation. The last norm, which CLIP does to the
// class token alone, is done to the tokens of the grid too.

var (
	clipB32 = vitSize{32, 768, 12, 12, 512}
	clipB16 = vitSize{16, 768, 12, 12, 512}
	clipL14 = vitSize{14, 1024, 24, 16, 768}
)

func clip(size vitSize) table {
	return table{
		vit: &vit{vitSize: size, epsilon: 1e-5, activate: nn.QuickGELU, clip: true, namings: []vitNaming{namesCLIP, namesOpenAI}},
		recipe: imageprep.Recipe{
			Width: 224, Height: 224, Filter: imageprep.Bicubic, Fit: imageprep.Crop, Short: 224, Channels: imageprep.OrderRGB,
			Mean: [3]float32{255 * 0.48145466, 255 * 0.4578275, 255 * 0.40821073}, Std: [3]float32{255 * 0.26862954, 255 * 0.26130258, 255 * 0.27577711},
		},
	}
}

// projection makes what CLIP compares with texts the result: the class token,
// projected, as it is before it is brought to length 1.
func projection(t table) table {
	t.vit.class, t.vit.project = true, true
	return t
}
