package tensor

import (
	"sync"
	"sync/atomic"
	"testing"
)

func withWorkers(t testing.TB, n int) {
	t.Helper()
	SetWorkers(n)
	t.Cleanup(func() { SetWorkers(0) })
}

func TestParallelRunsEachTileOnce(t *testing.T) {
	for _, workers := range []int{1, 2, 7} {
		withWorkers(t, workers)
		if Workers() != workers {
			t.Errorf("Workers() = %d, want %d", Workers(), workers)
		}
		for _, n := range []int{-1, 0, 1, 2, 5, 1000} {
			counts := make([]atomic.Int32, max(n, 0))
			Parallel(n, func(i int) { counts[i].Add(1) })
			for i := range counts {
				if c := counts[i].Load(); c != 1 {
					t.Errorf("%d workers: tile %d of %d ran %d times", workers, i, n, c)
				}
			}
		}
	}
}

func TestParallelNests(t *testing.T) {
	withWorkers(t, 4)
	var sum atomic.Int64
	var callers sync.WaitGroup
	for range 4 {
		callers.Go(func() {
			Parallel(10, func(i int) {
				Parallel(10, func(j int) {
					Parallel(3, func(k int) { sum.Add(int64(i*100 + j*10 + k)) })
				})
			})
		})
	}
	callers.Wait()
	if want := int64(4 * (3*10*4500 + 3*10*450 + 100*3)); sum.Load() != want {
		t.Errorf("sum = %d, want %d", sum.Load(), want)
	}
}

func TestParallelPassesPanicsOn(t *testing.T) {
	withWorkers(t, 3)
	for range 20 {
		var ran atomic.Int32
		func() {
			defer func() {
				if v := recover(); v != "tile 7" {
					t.Errorf("recovered %v, want tile 7", v)
				}
			}()
			Parallel(40, func(i int) {
				ran.Add(1)
				if i == 7 {
					panic("tile 7")
				}
			})
		}()
		if ran.Load() != 40 {
			t.Errorf("%d tiles ran, want 40", ran.Load())
		}
	}
}

func TestSetWorkersWhileWorking(t *testing.T) {
	defer SetWorkers(0)
	var sum atomic.Int64
	var callers sync.WaitGroup
	for range 3 {
		callers.Go(func() {
			for range 100 {
				Parallel(9, func(i int) { sum.Add(int64(i)) })
			}
		})
	}
	for i := range 50 {
		SetWorkers(i%5 + 1)
	}
	callers.Wait()
	if sum.Load() != 3*100*36 {
		t.Errorf("sum = %d, want %d", sum.Load(), 3*100*36)
	}
}

func TestParallelAllocatesNothing(t *testing.T) {
	withWorkers(t, 2)
	f := func(int) {}
	if n := testing.AllocsPerRun(100, func() { Parallel(8, f) }); n > 0.5 {
		t.Errorf("%v allocations a call, want 0", n)
	}
}

func BenchmarkParallel(b *testing.B) {
	for b.Loop() {
		Parallel(8, func(int) {})
	}
}
