package tensor

// A tiling cuts what a convolution gives, h x w pixels of some groups of channels, into tiles: a band of
// rows, or a stretch of one, times neighbouring groups. Neighbouring tiles cost the same, as nearly as
// whole rows and groups can, so that workers have equal shares. Each output is one sum, made by one
// tile: how it is cut does not change its bits.
type tiling struct {
	h, w, groups         int
	bands, across, parts int // into which h, w and the groups fall
}

// A tile is pixels and groups of a tiling.
type tile struct{ y0, y1, x0, x1, group0, group1 int }

// tilePixels is how many pixels read a group's weights while those are in the cache.
const tilePixels = 104

func newTiling(h, w, groups int) tiling {
	t := tiling{h: h, w: w, groups: groups, across: evenParts(w, tilePixels)}
	t.bands = min(h, evenParts(h*w/t.across, tilePixels))
	places := t.bands * t.across
	t.parts = min(groups, (4*Workers()+places-1)/places) // few pixels: share out channels
	return t
}

// evenParts is into how many parts n falls of which each is at most most: one, or an even number.
func evenParts(n, most int) int {
	if n <= most {
		return 1
	}
	return (n + 2*most - 1) / (2 * most) * 2
}

func (t tiling) count() int { return t.bands * t.across * t.parts }

// tile is number i: all parts of a place follow each other.
func (t tiling) tile(i int) tile {
	part, x, y := i%t.parts, i/t.parts%t.across, i/t.parts/t.across
	return tile{
		y * t.h / t.bands, (y + 1) * t.h / t.bands,
		x * t.w / t.across, (x + 1) * t.w / t.across,
		part * t.groups / t.parts, (part + 1) * t.groups / t.parts,
	}
}

// evenly is the size of parts, each at most most, into which n falls.
func evenly(n, most int) int {
	parts := (n + most - 1) / most
	return (n + parts - 1) / parts
}
