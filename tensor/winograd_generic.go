package tensor

import "unsafe"

var winogradGeneric = winogradKernels{
	lanes:  genericWidth,
	lineIn: winogradLineInGeneric, squareIn: winogradSquareInGeneric,
	lineOut:   [winogradPoints]func(*winogradArgs){3: winogradLineOutGeneric(3), 4: winogradLineOutGeneric(4)},
	squareOut: [winogradPoints]func(*winogradArgs){2: winogradSquareOutGeneric(2), 4: winogradSquareOutGeneric(4)},
}

// floatAt is the value some bytes behind p.
func floatAt(p unsafe.Pointer, bytes int) *float32 { return (*float32)(unsafe.Add(p, bytes)) }

// sixAt are six values, stride bytes apart.
func sixAt(p unsafe.Pointer, bytes, stride int) (x [winogradPoints]float32) {
	for i := range x {
		x[i] = *floatAt(p, bytes+i*stride)
	}
	return x
}

func winogradLineInGeneric(a *winogradArgs) {
	for c := range a.vectors * genericWidth {
		for x, v := range winogradB(sixAt(a.pixels, 4*c, a.pixelStride)) {
			*floatAt(a.products, x*a.step+4*c) = v
		}
	}
}

func winogradSquareInGeneric(a *winogradArgs) {
	for c := range a.vectors * genericWidth {
		var d [winogradPoints][winogradPoints]float32
		for x := range winogradPoints {
			for y, v := range winogradB(sixAt(a.pixels, x*a.pixelStride+4*c, a.rowStride)) {
				d[y][x] = v
			}
		}
		for y, row := range d {
			for x, v := range winogradB(row) {
				*floatAt(a.products, (winogradPoints*y+x)*a.step+4*c) = v
			}
		}
	}
}

// winogradB is B'd.
func winogradB(d [winogradPoints]float32) [winogradPoints]float32 {
	a, b := d[4]-4*d[2], d[3]-4*d[1]
	e, f := d[4]-d[2], 2*(d[3]-d[1])
	return [winogradPoints]float32{4*d[0] - 5*d[2] + d[4], a + b, a - b, e + f, e - f, 4*d[1] - 5*d[3] + d[5]}
}

func winogradLineOutGeneric(size int) func(a *winogradArgs) {
	return func(a *winogradArgs) {
		for c := range a.vectors * genericWidth {
			m := winogradA(sixAt(a.products, 4*c, a.step), size)
			for x, v := range m[:size] {
				*floatAt(a.pixels, x*a.pixelStride+4*c) = clamp(v+*floatAt(a.bias, 4*c), a.low, a.high)
			}
		}
	}
}

func winogradSquareOutGeneric(size int) func(a *winogradArgs) {
	return func(a *winogradArgs) {
		for c := range a.vectors * genericWidth {
			var rows [4][winogradPoints]float32
			for x := range winogradPoints {
				for y, v := range winogradA(sixAt(a.products, x*a.step+4*c, winogradPoints*a.step), size) {
					rows[y][x] = v
				}
			}
			for y, row := range rows[:size] {
				m := winogradA(row, size)
				for x, v := range m[:size] {
					*floatAt(a.pixels, y*a.rowStride+x*a.pixelStride+4*c) = clamp(v+*floatAt(a.bias, 4*c), a.low, a.high)
				}
			}
		}
	}
}

// winogradA is A'm for some outputs.
func winogradA(m [winogradPoints]float32, size int) [4]float32 {
	s, d, p, q := m[1]+m[2], m[1]-m[2], m[3]+m[4], m[3]-m[4]
	y := [4]float32{m[0] + s + p, d + 2*q, s + 4*p, d + 8*q}
	y[size-1] += m[5]
	return y
}
