package tensor

import "unsafe"

// gemmRows is the plain kernel of h rows.
func gemmRows(h int) gemmFunc {
	return func(k int, a *float32, ars, acs int, b *float32, brs int, c *float32, crs int, w int, add bool) {
		as := unsafe.Slice(a, (h-1)*ars+(k-1)*acs+1)
		bs := unsafe.Slice(b, (k-1)*brs+w)
		cs := unsafe.Slice(c, (h-1)*crs+w)
		for i := range h {
			for j := range w {
				s := float32(0)
				for p := range k {
					s += as[i*ars+p*acs] * bs[p*brs+j]
				}
				if add {
					s += cs[i*crs+j]
				}
				cs[i*crs+j] = s
			}
		}
	}
}

// gemmGeneric4 keeps a 4x4 tile in registers, as far as there are enough.
func gemmGeneric4(k int, a *float32, ars, acs int, b *float32, brs int, c *float32, crs int, w int, add bool) {
	if w < 4 {
		gemmRows(4)(k, a, ars, acs, b, brs, c, crs, w, add)
		return
	}
	as := unsafe.Slice(a, 3*ars+(k-1)*acs+1)
	bs := unsafe.Slice(b, (k-1)*brs+4)
	cs := unsafe.Slice(c, 3*crs+4)
	for half := 0; half < 4; half += 2 {
		var s00, s01, s10, s11, s20, s21, s30, s31 float32
		for p, ia, ib := 0, 0, half; p < k; p, ia, ib = p+1, ia+acs, ib+brs {
			b0, b1 := bs[ib], bs[ib+1]
			a0, a1, a2, a3 := as[ia], as[ia+ars], as[ia+2*ars], as[ia+3*ars]
			s00 += a0 * b0
			s01 += a0 * b1
			s10 += a1 * b0
			s11 += a1 * b1
			s20 += a2 * b0
			s21 += a2 * b1
			s30 += a3 * b0
			s31 += a3 * b1
		}
		for i, s := range [4][2]float32{{s00, s01}, {s10, s11}, {s20, s21}, {s30, s31}} {
			row := cs[i*crs+half:][:2]
			if add {
				s[0] += row[0]
				s[1] += row[1]
			}
			row[0], row[1] = s[0], s[1]
		}
	}
}

func packCopyGeneric(dst, src *float32, k, ss, ds, w int) {
	to, from := unsafe.Slice(dst, (k-1)*ds+w), unsafe.Slice(src, (k-1)*ss+w)
	for p := range k {
		copy(to[p*ds:p*ds+w], from[p*ss:])
	}
}

func packTransGeneric(dst, src *float32, k, ss, ds, w int) {
	to, from := unsafe.Slice(dst, (k-1)*ds+w), unsafe.Slice(src, (w-1)*ss+k)
	for i := range w {
		for p := range k {
			to[p*ds+i] = from[i*ss+p]
		}
	}
}
