package imageprep

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// sniffLen is how many bytes of a file tell what it is.
const sniffLen = 512

// formatOf finds the format of a file, or says what it is instead.
func formatOf(data []byte) (format, error) {
	for _, f := range formats {
		for _, magic := range f.magics {
			if begins(data, magic) {
				return f, nil
			}
		}
	}
	for _, o := range others {
		if begins(data, o.magic) {
			if o.picture {
				return format{}, fmt.Errorf("%s pictures are not supported: convert it to JPEG or PNG", o.name)
			}
			return format{}, fmt.Errorf("not a picture (%s)", o.name)
		}
	}
	return format{}, errors.New("not a picture (" + looks(data) + ")")
}

// others are files that people mistake for pictures, or that are pictures of a
// kind that Decode does not read.
var others = []struct {
	magic, name string
	picture     bool
}{
	{"????ftypheic", "HEIC", true},
	{"????ftypheix", "HEIC", true},
	{"????ftypmif1", "HEIC", true},
	{"????ftypavif", "AVIF", true},
	{"????ftypavis", "AVIF", true},
	{"????ftypcrx ", "CR3", true},
	{"????ftyp", "MP4 or QuickTime film", false},
	{"\xff\x0a", "JPEG XL", true},
	{"\x00\x00\x00\x0cJXL ", "JPEG XL", true},
	{"\x00\x00\x00\x0cjP  ", "JPEG 2000", true},
	{"8BPS", "Photoshop", true},
	{"\x00\x00\x01\x00", "icon", true},
	{"II+\x00", "BigTIFF", true},
	{"MM\x00+", "BigTIFF", true},
	{"FUJIFILMCCD-RAW", "RAF", true},
	{"\x00\x05\x16\x07", "AppleDouble metadata", false},
	{"%PDF", "PDF", false},
	{"%!PS", "PostScript", false},
	{"PK\x03\x04", "zip", false},
	{"\x1f\x8b", "gzip", false},
	{"Rar!", "rar", false},
	{"7z\xbc\xaf\x27\x1c", "7z", false},
	{"\x89HDF", "HDF5", false},
	{"\x7fELF", "program", false},
	{"MZ", "program", false},
	{"RIFF????AVI ", "AVI film", false},
	{"RIFF????WAVE", "WAV sound", false},
	{"\x1aE\xdf\xa3", "Matroska film", false},
	{"ID3", "MP3 sound", false},
	{"OggS", "Ogg", false},
	{"version https://git-lfs", "Git LFS pointer", false},
}

// begins tells whether data begin with magic, where '?' stands for any byte.
func begins(data []byte, magic string) bool {
	if len(data) < len(magic) {
		return false
	}
	for i := range len(magic) {
		if magic[i] != '?' && data[i] != magic[i] {
			return false
		}
	}
	return true
}

// looks describes data that have no magic bytes.
func looks(data []byte) string {
	if len(data) == 0 {
		return "empty"
	}
	data = data[:min(len(data), sniffLen)]
	if len(bytes.Trim(data, "\x00")) == 0 {
		return "zero bytes"
	}
	text := bytes.TrimLeft(bytes.TrimPrefix(data, []byte("\xef\xbb\xbf")), " \t\r\n")
	lower := strings.ToLower(string(text))
	switch {
	case strings.HasPrefix(lower, "<!doctype html"), strings.HasPrefix(lower, "<html"), strings.HasPrefix(lower, "<head"):
		return "HTML"
	case strings.HasPrefix(lower, "<svg"), strings.HasPrefix(lower, "<?xml") && strings.Contains(lower, "<svg"):
		return "SVG drawing"
	case strings.HasPrefix(lower, "<?xml"):
		return "XML"
	case isText(data):
		return "text"
	}
	return "unknown data"
}

// isText wants UTF-8, cut anywhere, without control characters.
func isText(data []byte) bool {
	for len(data) > 0 {
		r, n := utf8.DecodeRune(data)
		if r == utf8.RuneError && n == 1 {
			return len(data) < utf8.UTFMax && !utf8.FullRune(data)
		}
		if r < ' ' && !strings.ContainsRune("\t\n\r\f\x1b", r) || r == 0x7f {
			return false
		}
		data = data[n:]
	}
	return true
}
