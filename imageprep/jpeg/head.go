package jpeg

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
)

// Markers [B.1.1.3].
const (
	markSOF0  = 0xc0 // baseline
	markSOF1  = 0xc1 // extended
	markSOF2  = 0xc2 // progressive
	markDHT   = 0xc4
	markJPG   = 0xc8
	markDAC   = 0xcc
	markSOF15 = 0xcf
	markRST0  = 0xd0
	markRST7  = 0xd7
	markSOI   = 0xd8
	markEOI   = 0xd9
	markSOS   = 0xda
	markDQT   = 0xdb
	markDRI   = 0xdd
	markAPP0  = 0xe0
	markAPP14 = 0xee
	markTEM   = 0x01
)

// head reads up to the frame header.
func (d *decoder) head() error {
	if len(d.data) < 2 {
		return errShort
	}
	if d.data[0] != 0xff || d.data[1] != markSOI {
		return errors.New("no SOI marker at the start")
	}
	d.pos = 2
	for d.comps == nil {
		mark, body, err := d.segment()
		switch {
		case err != nil:
			return err
		case mark == markEOI || mark == markSOS:
			return errors.New("no frame header")
		}
		if err := d.read(mark, body); err != nil {
			return err
		}
	}
	return nil
}

// segment returns the next marker and what belongs to it. As libjpeg does, it
// passes over bytes that are no marker.
func (d *decoder) segment() (mark uint8, body []byte, err error) {
	for {
		i := bytes.IndexByte(d.data[d.pos:], 0xff)
		if i < 0 || d.pos+i+1 >= len(d.data) {
			return 0, nil, errShort
		}
		d.pos += i + 1
		mark = d.data[d.pos]
		switch {
		case mark == 0xff: // a fill byte
			continue
		case mark == 0 || mark == markTEM || mark == markSOI || mark >= markRST0 && mark <= markRST7:
			d.pos++
			continue
		case mark == markEOI:
			d.pos++
			return mark, nil, nil
		}
		break
	}
	rest := d.data[d.pos+1:]
	if len(rest) < 2 {
		return 0, nil, errShort
	}
	n := int(binary.BigEndian.Uint16(rest))
	switch {
	case n < 2:
		return 0, nil, fmt.Errorf("segment %#x of %d bytes", mark, n)
	case n > len(rest):
		return 0, nil, errShort
	}
	d.pos += 1 + n
	return mark, rest[2:n], nil
}

// read takes in a segment that is no scan.
func (d *decoder) read(mark uint8, body []byte) error {
	switch {
	case mark == markDHT:
		return d.huffmanTables(body)
	case mark == markDQT:
		return d.quantTables(body)
	case mark == markDRI:
		if len(body) != 2 {
			return fmt.Errorf("restart interval of %d bytes", len(body))
		}
		d.restart = int(binary.BigEndian.Uint16(body))
	case mark == markAPP0:
		d.jfif = d.jfif || bytes.HasPrefix(body, []byte("JFIF\x00")) && len(body) >= 14
	case mark == markAPP14:
		if bytes.HasPrefix(body, []byte("Adobe")) && len(body) >= 12 {
			d.adobe, d.transform = true, body[11]
		}
	case mark >= markSOF0 && mark <= markSOF2:
		d.progressive = mark == markSOF2
		return d.frame(body)
	case mark > markSOF2 && mark <= markSOF15 && mark != markJPG && mark != markDAC:
		return fmt.Errorf("coding process %d is not one of those read, 0 to 2", mark-markSOF0)
	}
	return nil
}

// quantTables reads DQT [B.2.4.1].
func (d *decoder) quantTables(body []byte) error {
	for len(body) > 0 {
		id, wide := body[0]&15, int(body[0]>>4)
		n := 64 * (1 + wide)
		if id > 3 || wide > 1 || len(body) < 1+n {
			return fmt.Errorf("quantisation table %d of %d bytes", id, len(body)-1)
		}
		body = body[1:]
		q := new([64]uint16)
		for i := range q {
			if wide == 0 {
				q[i] = uint16(body[i])
			} else {
				q[i] = binary.BigEndian.Uint16(body[2*i:])
			}
		}
		d.quant[id] = q
		body = body[n:]
	}
	return nil
}

// frame reads a frame header [B.2.2]. Sampling factors and their sum are limited
// as by libjpeg.
func (d *decoder) frame(body []byte) error {
	if d.comps != nil {
		return errors.New("second frame header")
	}
	if len(body) < 6 {
		return fmt.Errorf("frame header of %d bytes", len(body))
	}
	n := int(body[5])
	d.h, d.w = int(binary.BigEndian.Uint16(body[1:])), int(binary.BigEndian.Uint16(body[3:]))
	switch {
	case body[0] != 8:
		return fmt.Errorf("samples of %d bits, want 8", body[0])
	case len(body) != 6+3*n:
		return fmt.Errorf("frame header of %d bytes for %d components", len(body), n)
	case n != 1 && n != 3 && n != 4:
		return fmt.Errorf("%d components, want 1, 3 or 4", n)
	}
	comps := make([]component, n)
	for i := range comps {
		p := body[6+3*i:]
		c := &comps[i]
		c.id, c.h, c.v, c.quantID = p[0], int(p[1]>>4), int(p[1]&15), p[2]
		for j := range i {
			if comps[j].id == c.id {
				return fmt.Errorf("two components numbered %d", c.id)
			}
		}
		if c.h < 1 || c.h > 4 || c.v < 1 || c.v > 4 || c.quantID > 3 {
			return fmt.Errorf("component %d: sampling factors %d and %d, quantisation table %d", c.id, c.h, c.v, c.quantID)
		}
	}
	if n == 1 {
		comps[0].h, comps[0].v = 1, 1 // of one component they mean nothing
	}
	d.comps = comps
	return nil
}
