package tensor

import "testing"

func checkTiling(t *testing.T, h, w, groups int) {
	t.Helper()
	tiles := newTiling(h, w, groups)
	seen := make([]int, h*w*groups)
	for i := range tiles.count() {
		c := tiles.tile(i)
		if c.y0 >= c.y1 || c.x0 >= c.x1 || c.group0 >= c.group1 {
			t.Fatalf("%dx%d pixels, %d groups: tile %d is empty: %+v", h, w, groups, i, c)
		}
		if n := (c.y1 - c.y0) * (c.x1 - c.x0); n > tilePixels+w {
			t.Fatalf("%dx%d pixels, %d groups: tile %d has %d pixels", h, w, groups, i, n)
		}
		for y := c.y0; y < c.y1; y++ {
			for x := c.x0; x < c.x1; x++ {
				for g := c.group0; g < c.group1; g++ {
					seen[(y*w+x)*groups+g]++
				}
			}
		}
	}
	for i, n := range seen {
		if n != 1 {
			t.Fatalf("%dx%d pixels, %d groups: pixel %d, group %d is in %d tiles", h, w, groups, i/groups, i%groups, n)
		}
	}
}

func TestTilingSharesOutEverything(t *testing.T) {
	for _, workers := range []int{1, 2, 5} {
		withWorkers(t, workers)
		for _, groups := range []int{1, 2, 3, 10, 44} {
			for _, s := range [][2]int{{1, 1}, {1, 49}, {1, 104}, {1, 105}, {1, 289}, {1, 1225}, {7, 7}, {17, 17}, {35, 35}, {3, 112}, {2, 299}, {100, 1}} {
				checkTiling(t, s[0], s[1], groups)
			}
		}
	}
}

func FuzzTiling(f *testing.F) {
	f.Add(uint8(1), uint16(289), uint8(6), uint8(2))
	f.Add(uint8(17), uint16(17), uint8(8), uint8(3))
	f.Fuzz(func(t *testing.T, h uint8, w uint16, groups, workers uint8) {
		withWorkers(t, 1+int(workers%16))
		checkTiling(t, 1+int(h), 1+int(w%700), 1+int(groups%50))
	})
}

// Two workers begin with a half of the tiles each. Shapes are those of networks.
func TestTilingHalvesAreEqual(t *testing.T) {
	withWorkers(t, 2)
	for _, c := range []struct{ h, w, channels int }{
		{1, 289, 88}, {1, 289, 192}, {1, 64, 384}, {1, 64, 448}, {1, 64, 320}, {7, 7, 512}, {7, 7, 2048}, {1, 49, 1280}, {1, 196, 256},
		{1, 1225, 48}, {1, 81, 352}, {1, 784, 40}, {1, 3136, 24},
	} {
		kernels := convKernels{lanes: 16, widths: 8, byWidth: map[int][]func(*convArgs){}}
		for width := 8; width <= 48; width += 8 {
			kernels.byWidth[width] = make([]func(*convArgs), 8)
		}
		groups := kernels.split(c.channels, c.h*c.w <= tilePixels)
		tiles := newTiling(c.h, c.w, len(groups))
		var cost [2]int
		for i := range tiles.count() {
			p := tiles.tile(i)
			for _, g := range groups[p.group0:p.group1] {
				cost[2*i/tiles.count()] += (p.y1 - p.y0) * (p.x1 - p.x0) * g.width
			}
		}
		if more, less := max(cost[0], cost[1]), min(cost[0], cost[1]); 100*more > 102*less {
			t.Errorf("%dx%d pixels of %d channels fall into halves of %v multiplications for each input", c.h, c.w, c.channels, cost)
		}
	}
}
