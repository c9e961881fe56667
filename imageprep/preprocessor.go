package imageprep

import (
	"encoding/json"
	"fmt"
	"image"
	"maps"
	"slices"
	"strings"
)

// A processor is what a class of image processor in transformers does where its
// file says nothing else.
type processor struct {
	size      int // pixels
	crops     bool
	resample  int
	mean, std [3]float64 // of colours from 0 to 1
}

var (
	clipMean, clipStd = [3]float64{0.48145466, 0.4578275, 0.40821073}, [3]float64{0.26862954, 0.26130258, 0.27577711}
	half              = [3]float64{0.5, 0.5, 0.5}
)

var processors = map[string]processor{
	"Blip": {384, false, 3, clipMean, clipStd},
	"CLIP": {224, true, 3, clipMean, clipStd},
	"ViT":  {224, false, 2, half, half},
}

// resamples are the filters by their numbers in Pillow.
var resamples = []string{Nearest, Lanczos, Bilinear, Bicubic}

// unread are the fields that change no pixel of these processors: size_divisor
// and do_pad stand in old files of BLIP, and nothing looks at them.
var unread = []string{
	"processor_class", "_processor_class", "do_convert_rgb", "default_to_square", "return_tensors", "input_data_format",
	"device", "disable_grouping", "_valid_processor_keys", "size_divisor", "do_pad",
}

// ParsePreprocessor reads what preprocessor_config.json of a model for Hugging
// Face's transformers says about pictures: the file of a BlipImageProcessor,
// CLIPImageProcessor or ViTImageProcessor, of their fast versions, or of the feature
// extractors of old. It may also be the processor_config.json that transformers 5
// writes instead. What the file leaves out is what the class has.
//
// The recipe makes the pixels that the slow processor (Pillow) makes, to 1e-6.
// An error begins with name, and names the field; one that is not known and may change
// pixels is an error.
func ParsePreprocessor(name string, data []byte) (Recipe, error) {
	r, err := parsePreprocessor(data)
	if err == nil {
		err = r.Validate()
	}
	if err != nil {
		return Recipe{}, fmt.Errorf("%s: %w", name, err)
	}
	return r, nil
}

func parsePreprocessor(data []byte) (Recipe, error) {
	r := Recipe{Channels: OrderRGB, Fit: Squash, Like: Transformers}
	var f fields
	if err := json.Unmarshal(data, &f); err != nil {
		return r, err
	}
	if inner, ok := f["image_processor"]; ok {
		f = nil
		if err := json.Unmarshal(inner, &f); err != nil {
			return r, fmt.Errorf("image_processor: %w", err)
		}
	}
	p, err := f.processor()
	if err != nil {
		return r, err
	}
	if err := f.frame(&r, p); err != nil {
		return r, err
	}
	if err := f.colours(&r, p); err != nil {
		return r, err
	}
	return r, f.rest()
}

// fields are those of the file; each is taken out when it is read.
type fields map[string]json.RawMessage

// take reads a field into v, which stays as it is if there is none, or null.
func (f fields) take(field string, v any) error {
	raw, ok := f[field]
	delete(f, field)
	if !ok {
		return nil
	}
	if err := json.Unmarshal(raw, v); err != nil {
		return fmt.Errorf("%s: %w", field, err)
	}
	return nil
}

// on tells whether a switch is on; null is off.
func (f fields) on(field string, otherwise bool) (bool, error) {
	if string(f[field]) == "null" {
		otherwise = false
	}
	err := f.take(field, &otherwise)
	return otherwise, err
}

func (f fields) processor() (processor, error) {
	var class, old string
	if err := f.take("image_processor_type", &class); err != nil {
		return processor{}, err
	}
	if err := f.take("feature_extractor_type", &old); err != nil {
		return processor{}, err
	}
	if class == "" {
		class = old
	}
	for _, end := range []string{"ImageProcessor", "ImageProcessorFast", "ImageProcessorPil", "FeatureExtractor"} {
		if kind, ok := strings.CutSuffix(class, end); ok {
			if p, ok := processors[kind]; ok {
				return p, nil
			}
		}
	}
	return processor{}, fmt.Errorf("image_processor_type: %q: want the ImageProcessor of %s", class,
		strings.Join(slices.Sorted(maps.Keys(processors)), ", "))
}

// frame reads how a picture gets its size.
func (f fields) frame(r *Recipe, p processor) error {
	resizes, err := f.on("do_resize", true)
	if err != nil {
		return err
	}
	if !resizes {
		return fmt.Errorf("do_resize: false: the network wants pictures of one size")
	}
	if err := f.take("resample", &p.resample); err != nil {
		return err
	}
	if p.resample < 0 || p.resample >= len(resamples) {
		return fmt.Errorf("resample: %d: want 0 to %d, %s", p.resample, len(resamples)-1, strings.Join(resamples, ", "))
	}
	r.Filter = resamples[p.resample]
	size, short, err := f.size("size", p.size, p.crops)
	if err != nil {
		return err
	}
	crops, err := f.on("do_center_crop", p.crops)
	if err != nil {
		return err
	}
	switch {
	case crops && !p.crops:
		return fmt.Errorf("do_center_crop: true: only a CLIPImageProcessor crops")
	case short > 0 && !p.crops:
		return fmt.Errorf("size: only a CLIPImageProcessor has a shortest_edge")
	case short > 0 && !crops:
		return fmt.Errorf("do_center_crop: false: with a shortest_edge, pictures would differ in size")
	}
	r.Width, r.Height = size.X, size.Y
	if !crops {
		delete(f, "crop_size")
		return nil
	}
	crop, edge, err := f.size("crop_size", p.size, false)
	switch {
	case err != nil:
		return err
	case edge > 0:
		return fmt.Errorf("crop_size: shortest_edge: want height and width")
	case short == 0 && crop != size:
		return fmt.Errorf("crop_size: %dx%d out of pictures squashed to %dx%d", crop.X, crop.Y, size.X, size.Y)
	case short > 0:
		r.Fit, r.Short, r.Width, r.Height = Crop, short, crop.X, crop.Y
	}
	return nil
}

// size reads a width and height, or a length of the short side. One number is the
// side of a square or, if so wanted, that of the short side.
func (f fields) size(field string, side int, toShort bool) (size image.Point, short int, err error) {
	var pair []int
	var sides map[string]*int
	raw := f[field]
	switch {
	case strings.HasPrefix(string(raw), "{"):
		err = f.take(field, &sides)
	case strings.HasPrefix(string(raw), "["):
		err = f.take(field, &pair)
	default:
		err = f.take(field, &side)
	}
	maps.DeleteFunc(sides, func(_ string, v *int) bool { return v == nil })
	wanted := func(keys ...string) bool {
		return len(sides) == len(keys) && !slices.ContainsFunc(keys, func(k string) bool { return sides[k] == nil })
	}
	switch {
	case err != nil:
		return size, 0, err
	case wanted("height", "width"):
		return image.Pt(*sides["width"], *sides["height"]), 0, nil
	case wanted("shortest_edge"):
		side, toShort = *sides["shortest_edge"], true
	case len(pair) == 2:
		return image.Pt(pair[1], pair[0]), 0, nil
	case sides != nil || pair != nil:
		return size, 0, fmt.Errorf("%s: %.80s: want height and width, or shortest_edge", field, raw)
	}
	if toShort {
		if side < 1 {
			return size, 0, fmt.Errorf("%s: %d", field, side)
		}
		return size, side, nil
	}
	return image.Pt(side, side), 0, nil
}

// colours reads how a byte becomes a number: times rescale_factor, less the mean, divided by std.
func (f fields) colours(r *Recipe, p processor) error {
	factor := 1.0 / 255
	if err := f.take("rescale_factor", &factor); err != nil {
		return err
	}
	if !(factor > 0) {
		return fmt.Errorf("rescale_factor: %v", factor)
	}
	rescales, err := f.on("do_rescale", true)
	if err != nil {
		return err
	}
	if !rescales {
		factor = 1
	}
	if p.mean, err = f.triple("image_mean", p.mean); err != nil {
		return err
	}
	if p.std, err = f.triple("image_std", p.std); err != nil {
		return err
	}
	normalises, err := f.on("do_normalize", true)
	if err != nil {
		return err
	}
	if !normalises {
		p.mean, p.std = [3]float64{}, [3]float64{1, 1, 1}
	}
	for c := range 3 {
		r.Mean[c], r.Std[c] = float32(p.mean[c]/factor), float32(p.std[c]/factor)
	}
	return nil
}

// triple reads a number for each colour, or one for all.
func (f fields) triple(field string, otherwise [3]float64) ([3]float64, error) {
	if raw := string(f[field]); raw != "" && raw != "null" && raw[0] != '[' {
		v := 0.0
		err := f.take(field, &v)
		return [3]float64{v, v, v}, err
	}
	var list []float64
	if err := f.take(field, &list); err != nil {
		return otherwise, err
	}
	switch len(list) {
	case 0:
		return otherwise, nil
	case 3:
		return [3]float64(list), nil
	}
	return otherwise, fmt.Errorf("%s: %d numbers, want 3", field, len(list))
}

// rest refuses fields that were not read, unless they are off or change nothing.
func (f fields) rest() error {
	for _, field := range slices.Sorted(maps.Keys(f)) {
		value := strings.TrimSpace(string(f[field]))
		switch {
		case slices.Contains(unread, field), value == "null", value == "false":
		case field == "data_format" && value == `"channels_first"`:
		default:
			return fmt.Errorf("%s: %.80s: a field that is not known here, and may change pixels", field, value)
		}
	}
	return nil
}
