package imageprep

import (
	"bytes"
	"encoding/binary"
	"image"
)

// orientationOf reads the EXIF orientation, 1 to 8, from a block in TIFF layout.
// Whatever is missing or odd gives 1, upright.
func orientationOf(exif []byte) int {
	const tag, short = 0x0112, 3
	if len(exif) < 8 {
		return 1
	}
	var order binary.ByteOrder = binary.LittleEndian
	if exif[0] == 'M' {
		order = binary.BigEndian
	}
	at := uint64(order.Uint32(exif[4:]))
	if at+2 > uint64(len(exif)) {
		return 1
	}
	entries := exif[at+2:]
	for range order.Uint16(exif[at:]) {
		if len(entries) < 12 {
			return 1
		}
		if order.Uint16(entries) == tag {
			value := int(order.Uint16(entries[8:]))
			if order.Uint16(entries[2:]) != short || value < 1 || value > 8 {
				return 1
			}
			return value
		}
		entries = entries[12:]
	}
	return 1
}

// jpegEXIF finds the first APP1 segment with EXIF in it, before the first scan.
func jpegEXIF(data []byte) []byte {
	const app1, scan = 0xe1, 0xda
	data = data[2:]
	for len(data) >= 4 && data[0] == 0xff {
		marker := data[1]
		if marker == 0xff { // a fill byte
			data = data[1:]
			continue
		}
		n := 2 + int(binary.BigEndian.Uint16(data[2:]))
		if marker == scan || n > len(data) {
			return nil
		}
		if exif, ok := bytes.CutPrefix(data[4:max(n, 4)], []byte("Exif\x00")); ok && marker == app1 && len(exif) > 0 {
			return exif[1:] // the second zero is not always one
		}
		data = data[n:]
	}
	return nil
}

// pngEXIF finds the eXIf chunk, which may come after the pixels.
func pngEXIF(data []byte) []byte {
	return chunk(data[8:], "eXIf", binary.BigEndian, func(head []byte) ([]byte, []byte) { return head[4:8], head[:4] }, 4)
}

// webpEXIF finds the EXIF chunk, with or without the "Exif" that JPEG puts first.
func webpEXIF(data []byte) []byte {
	exif := chunk(data[12:], "EXIF", binary.LittleEndian, func(head []byte) ([]byte, []byte) { return head[:4], head[4:8] }, 0)
	return bytes.TrimPrefix(exif, []byte("Exif\x00\x00"))
}

// chunk returns the content of the first chunk called name. Split cuts a head of
// eight bytes into name and length; tail is how many bytes follow a content.
// Where there is no tail, contents are padded to an even length.
func chunk(data []byte, name string, order binary.ByteOrder, split func([]byte) (name, length []byte), tail int) []byte {
	for len(data) >= 8 {
		id, length := split(data)
		n := uint64(order.Uint32(length))
		data = data[8:]
		if n > uint64(len(data)) {
			return nil
		}
		if string(id) == name {
			return data[:n]
		}
		skip := n + uint64(tail)
		if tail == 0 {
			skip += n & 1
		}
		data = data[min(skip, uint64(len(data))):]
	}
	return nil
}

// turn applies an EXIF orientation. Upright pictures come back as they are.
func turn(img image.Image, orientation int) image.Image {
	if orientation == 1 {
		return img
	}
	src := Convert(img)
	w, h := src.W, src.H
	// Pixel (x, y) of the result is pixel start + x*right + y*down of src.
	var start, right, down int
	switch orientation {
	case 2: // mirrored left-right
		start, right, down = w-1, -1, w
	case 3: // half a turn
		start, right, down = w*h-1, -1, -w
	case 4: // mirrored top-bottom
		start, right, down = w*(h-1), 1, -w
	case 5: // transposed
		start, right, down = 0, w, 1
	case 6: // a quarter to the left, needs one to the right
		start, right, down = w*(h-1), -w, 1
	case 7: // transposed along the other diagonal
		start, right, down = w*h-1, -w, -1
	case 8: // a quarter to the right, needs one to the left
		start, right, down = w-1, w, -1
	}
	if orientation >= 5 {
		w, h = h, w
	}
	dst := newRGB(w, h)
	const tile = 32 // keeps the rows that a turned tile crosses in the cache
	for top := 0; top < h; top += tile {
		for left := 0; left < w; left += tile {
			for y := top; y < min(top+tile, h); y++ {
				from := 3 * (start + left*right + y*down)
				row := dst.Pix[3*(y*w+left) : 3*(y*w+min(left+tile, w))]
				for ; len(row) >= 3; row = row[3:] {
					p := src.Pix[from : from+3 : from+3]
					row[0], row[1], row[2] = p[0], p[1], p[2]
					from += 3 * right
				}
			}
		}
	}
	return dst
}
