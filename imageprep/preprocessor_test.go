package imageprep

import (
	"encoding/json"
	"fmt"
	"image"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"showtell/internal/testutil"
	"showtell/modelfile"
)

// furthest is the greatest difference between pixel values (h, w, 3) and planes (3, h, w).
func furthest(got, planes []float32) float64 {
	if len(got) != len(planes) {
		return math.Inf(1)
	}
	most := 0.0
	for i, v := range got {
		most = max(most, math.Abs(float64(v-planes[i%3*(len(planes)/3)+i/3])))
	}
	return most
}

// Goldens: testdata/preprocess.safetensors.gz, made by transformers with testdata/preprocess.py.
func TestPreprocessorAsTransformers(t *testing.T) {
	data, err := testutil.Gunzip("testdata/preprocess.safetensors.gz")
	if err != nil {
		t.Fatal(err)
	}
	f, err := modelfile.Parse("preprocess", data)
	if err != nil {
		t.Fatal(err)
	}
	var cases [][2]json.RawMessage
	if err := json.Unmarshal([]byte(f.Meta["cases"]), &cases); err != nil {
		t.Fatal(err)
	}
	if len(cases) < 40 {
		t.Errorf("%d goldens", len(cases))
	}
	for i, c := range cases {
		var picture string
		if err := json.Unmarshal(c[0], &picture); err != nil {
			t.Fatal(err)
		}
		r, err := ParsePreprocessor("p", c[1])
		if err != nil {
			t.Error(err)
			continue
		}
		img, err := ReadFile(filepath.Join("testdata", picture), &Options{Least: r.Least()})
		if err != nil {
			t.Fatal(err)
		}
		want, err := f.Float32(fmt.Sprint(i), 3, r.Height, r.Width)
		if err != nil {
			t.Errorf("%s: %v", c[1], err)
			continue
		}
		limit := 1e-6
		for _, s := range r.Std { // where they are not divided by 255
			limit = max(limit, 1e-6*255/float64(s))
		}
		if d := furthest(r.Apply(img), want); d > limit {
			t.Errorf("%s by %s: differs by up to %g", picture, c[1], d)
		}
	}
}

// The folders of shared/hf, from the pixels that Pillow decodes and from the JPEGs.
func TestPreprocessorReference(t *testing.T) {
	for _, model := range []string{"blip", "git", "vit-gpt2"} {
		folder := testutil.Shared(t, "hf/"+model)
		name := filepath.Join(folder, "preprocessor_config.json")
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		r, err := ParsePreprocessor(name, data)
		if err != nil {
			t.Fatal(err)
		}
		reference, err := modelfile.Open(filepath.Join(folder, "reference.safetensors"))
		if err != nil {
			t.Fatal(err)
		}
		defer reference.Close()
		for i := 1; i <= 3; i++ {
			want, err := reference.Float32(fmt.Sprintf("pixel_values.%d", i), 3, 64, 64)
			if err != nil {
				t.Fatal(err)
			}
			for _, ending := range []string{"png", "jpg"} {
				path := testutil.Shared(t, fmt.Sprintf("hf/photos/%d.%s", i, ending))
				img, err := ReadFile(path, &Options{Least: r.Least()})
				if err != nil {
					t.Fatal(err)
				}
				if d := furthest(r.Apply(img), want); d > 1e-6 {
					t.Errorf("%s, %s: differs by up to %g", model, path, d)
				}
			}
		}
	}
}

func TestPreprocessorErrors(t *testing.T) {
	for _, c := range []struct{ config, want string }{
		{`{"image_processor_type": "BlipImageProcessor"`, "unexpected end of JSON input"},
		{`[]`, "json: cannot unmarshal array into Go value of type imageprep.fields"},
		{`{}`, `image_processor_type: "": want the ImageProcessor of Blip, CLIP, ViT`},
		{`{"image_processor_type": "SiglipImageProcessor"}`, `image_processor_type: "SiglipImageProcessor": want the ImageProcessor of Blip, CLIP, ViT`},
		{`{"image_processor_type": 3}`, `image_processor_type: json: cannot unmarshal number into Go value of type string`},
		{`{"image_processor": 3}`, `image_processor: json: cannot unmarshal number into Go value of type imageprep.fields`},
		{`+"do_resize": false`, "do_resize: false: the network wants pictures of one size"},
		{`+"do_resize": null`, "do_resize: false: the network wants pictures of one size"},
		{`+"do_resize": "yes"`, "do_resize: json: cannot unmarshal string into Go value of type bool"},
		{`+"resample": 4`, "resample: 4: want 0 to 3, nearest, lanczos, bilinear, bicubic"},
		{`+"resample": -1`, "resample: -1: want 0 to 3, nearest, lanczos, bilinear, bicubic"},
		{`+"size": 0`, "recipe: size 0x0: want 1 to 8192 pixels"},
		{`+"size": {"height": 1e9, "width": 3}`, "size: json: cannot unmarshal number 1e9 into Go value of type int"},
		{`+"size": {"height": 9, "width": 1000000}`, "recipe: size 1000000x9: want 1 to 8192 pixels"},
		{`+"size": {"height": 9}`, `size: {"height": 9}: want height and width, or shortest_edge`},
		{`+"size": [9]`, `size: [9]: want height and width, or shortest_edge`},
		{`+"size": {"shortest_edge": 9}`, "size: only a CLIPImageProcessor has a shortest_edge"},
		{`C"size": {"shortest_edge": 9, "longest_edge": 20}`, `size: {"shortest_edge": 9, "longest_edge": 20}: want height and width, or shortest_edge`},
		{`C"size": {"shortest_edge": 0}`, "size: 0"},
		{`C"size": {"shortest_edge": 10000}`, "recipe: short side of 10000: want 1 to 8192 pixels"},
		{`C"do_center_crop": false`, "do_center_crop: false: with a shortest_edge, pictures would differ in size"},
		{`C"crop_size": {"shortest_edge": 9}`, "crop_size: shortest_edge: want height and width"},
		{`C"size": {"height": 9, "width": 9}, "crop_size": 8`, "crop_size: 8x8 out of pictures squashed to 9x9"},
		{`+"do_center_crop": true`, "do_center_crop: true: only a CLIPImageProcessor crops"},
		{`+"rescale_factor": 0`, "rescale_factor: 0"},
		{`+"rescale_factor": 1e-60`, "recipe: mean[0] is +Inf"},
		{`+"image_mean": [1, 2]`, "image_mean: 2 numbers, want 3"},
		{`+"image_std": 0`, "recipe: std[0] = 0 is too close to 0"},
		{`+"image_std": "x"`, "image_std: json: cannot unmarshal string into Go value of type float64"},
		{`+"do_flip_channel_order": true`, "do_flip_channel_order: true: a field that is not known here, and may change pixels"},
		{`+"crop_pct": 0.9`, "crop_pct: 0.9: a field that is not known here, and may change pixels"},
		{`+"data_format": "channels_last"`, `data_format: "channels_last": a field that is not known here, and may change pixels`},
	} {
		config := c.config
		for mark, kind := range map[string]string{"+": "Blip", "C": "CLIP"} {
			if rest, ok := strings.CutPrefix(config, mark); ok {
				config = fmt.Sprintf(`{"image_processor_type": "%sImageProcessor", %s}`, kind, rest)
			}
		}
		if _, err := ParsePreprocessor("p.json", []byte(config)); errText(err) != "p.json: "+c.want {
			t.Errorf("%s: error %v, want p.json: %s", c.config, err, c.want)
		}
	}
}

// transformers 5 writes processor_config.json.
func TestPreprocessorNested(t *testing.T) {
	inner := `{"image_processor_type": "CLIPImageProcessor", "size": {"shortest_edge": 60}, "crop_size": 50}`
	want, err := ParsePreprocessor("p", []byte(inner))
	if err != nil {
		t.Fatal(err)
	}
	got, err := ParsePreprocessor("p", []byte(`{"image_processor": `+inner+`, "processor_class": "GitProcessor"}`))
	if err != nil || got != want {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
}

func FuzzParsePreprocessor(f *testing.F) {
	f.Add([]byte(`{"image_processor_type": "BlipImageProcessor", "size": {"height": 3, "width": 5}, "image_mean": [1, 2, 3]}`))
	f.Add([]byte(`{"feature_extractor_type": "ViTFeatureExtractor", "size": 4, "resample": 0, "rescale_factor": 0.5}`))
	f.Add([]byte(`{"image_processor_type": "CLIPImageProcessor", "size": {"shortest_edge": 3}, "crop_size": [7, 2]}`))
	img := newRGB(5, 3)
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := ParsePreprocessor("p", data)
		if err != nil || r.Width*r.Height > 1<<12 || r.Short > 1<<10 {
			return
		}
		for i, v := range r.Apply(image.Image(img)) {
			if v := float64(v); math.IsNaN(v) || math.IsInf(v, 0) {
				t.Fatalf("%s: value %d is %v", data, i, v)
			}
		}
	})
}
