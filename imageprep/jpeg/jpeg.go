// Package jpeg decodes JPEG pictures to the bytes that libjpeg-turbo gives,
// in full or, sooner, at a half, a quarter or an eighth of their size.
//
// Decode is what to call; Size looks only at the head of a file. Baseline,
// extended and progressive pictures of 8 bits are read, with one, three or four
// components in whatever sampling libjpeg reads. Numbers in brackets in the
// comments are sections of the standard, ITU-T T.81.
package jpeg

import (
	"fmt"
	"io"

	"showtell/tensor"
)

// An Image is a picture of three bytes a pixel, red, green and blue, row by row
// without gaps.
type Image struct {
	W, H int
	Pix  []uint8 // (H, W, 3)
}

// Size is the width and height in pixels that the head of a JPEG states, which
// may be 0. Errors are those of Decode.
func Size(data []byte) (w, h int, err error) {
	d := &decoder{data: data}
	if err := d.head(); err != nil {
		return 0, 0, err
	}
	return d.w, d.h, nil
}

// Decode decodes a picture at 1/8, 1/4, 1/2 or the whole of its size, whichever
// is the first to be minW by minH pixels or more; the whole if minW or minH is
// below 1. Sizes are rounded up. This is the rule, and these are the pixels, of
// Pillow's Image.draft.
//
// Data that end too early are an error that wraps io.ErrUnexpectedEOF. Memory is
// the result and a few rows; for a picture in several scans, as a progressive one
// is, two bytes a sample on top. It is for the caller to look at Size first.
func Decode(data []byte, minW, minH int) (*Image, error) {
	d := &decoder{data: data}
	if err := d.head(); err != nil {
		return nil, err
	}
	if d.w == 0 || d.h == 0 {
		return nil, fmt.Errorf("zero size: %dx%d pixels", d.w, d.h)
	}
	if err := d.layout(denominator(d.w, d.h, minW, minH)); err != nil {
		return nil, err
	}
	defer func() { used.Put(d.coefs) }()
	if err := d.scans(); err != nil {
		return nil, err
	}
	return d.out, nil
}

// denominator is by what a picture of w by h pixels can be divided.
func denominator(w, h, minW, minH int) int {
	if minW < 1 || minH < 1 {
		return 1
	}
	for _, n := range []int{8, 4, 2} {
		if w/n >= minW && h/n >= minH {
			return n
		}
	}
	return 1
}

// errShort is the error of data that end too early.
var errShort = fmt.Errorf("picture is cut off: %w", io.ErrUnexpectedEOF)

type decoder struct {
	data []byte
	pos  int // of what was not yet read of data

	// From the head and the tables.
	w, h        int
	progressive bool
	comps       []component
	quant       [4]*[64]uint16 // in zigzag order, as in the file
	dc, ac      [4]*table
	restart     int // MCUs between restart markers, 0 for none
	jfif        bool
	adobe       bool
	transform   uint8 // of the Adobe marker

	// From layout.
	size         int // samples that a block becomes, each way: 8, 4, 2 or 1
	maxH, maxV   int // largest sampling factors
	mcusX, mcusY int
	planes       []*plane
	convert      func(dst []uint8, planes [][]uint8)

	in    reader
	run   int // blocks to come without coefficients [G.1.2.2]
	out   *Image
	rows  int      // of out that are done
	coefs *[]int16 // what the grids are cut from
}

// A component is one of the planes that make up a picture (luma, a chroma).
type component struct {
	id               uint8
	h, v             int // sampling factors
	quantID          uint8
	size             int // samples that a block becomes, each way
	blocksX, blocksY int // that cover the picture
	padX, padY       int // blocks that fill all MCUs
	plane            plane

	inverse *tensor.InverseDCT // with the quantisation table of the first scan
	dc      *table
	ac      *table
	pred    int32   // last DC value
	coefs   []int16 // of the blocks under way, see lend
	row     int     // of coefs, to the next row of blocks

	grid grid
	seen [64]uint8 // how many scans brought a coefficient
}
