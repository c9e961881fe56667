package dataset

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"runtime"
	"sync"

	"showtell/imageprep"
)

// look reads the pictures if it must: to check them, or to split by content.
func (s *Set) look(ctx context.Context, opts *Options, split bool) error {
	if split && !opts.CheckImages {
		return nil
	}
	digests, errs, err := inspect(ctx, s.Items, opts)
	if err != nil {
		return err
	}
	digests = s.leaveOut(digests, errs)
	if len(s.Items) == 0 {
		return fmt.Errorf("none of the %d pictures can be read; the first: %v", len(errs), errs[0])
	}
	if !split {
		assign(s.Items, digests, opts.Seed)
	}
	s.identical(digests)
	return nil
}

// inspect hashes, and with CheckImages decodes, every picture on all cores.
func inspect(ctx context.Context, items []Item, opts *Options) (digests [][32]byte, errs []error, err error) {
	digests, errs = make([][32]byte, len(items)), make([]error, len(items))
	next, done := 0, 0
	var mu sync.Mutex
	take := func() (int, bool) {
		mu.Lock()
		defer mu.Unlock()
		next++
		return next - 1, next <= len(items) && ctx.Err() == nil
	}
	finish := func() {
		mu.Lock()
		defer mu.Unlock()
		if done++; opts.Progress != nil {
			opts.Progress(done, len(items))
		}
	}
	var workers sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			for i, ok := take(); ok; i, ok = take() {
				digests[i], errs[i] = inspectOne(items[i].Path, opts.CheckImages)
				finish()
			}
		})
	}
	workers.Wait()
	return digests, errs, ctx.Err()
}

func inspectOne(path string, decode bool) ([32]byte, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return [32]byte{}, err
	}
	if len(data) == 0 {
		return [32]byte{}, errors.New("the file is empty")
	}
	if decode {
		_, err = imageprep.Decode(data, nil)
	}
	return sha256.Sum256(data), err
}

// leaveOut takes the items with errors out of the set, and returns the digests of the others.
func (s *Set) leaveOut(digests [][32]byte, errs []error) [][32]byte {
	n := 0
	for i, item := range s.Items {
		if errs[i] != nil {
			s.Problems = append(s.Problems, Problem{Unreadable, item.Name, "", errs[i]})
			continue
		}
		s.Items[n], digests[n] = item, digests[i]
		n++
	}
	s.Items = s.Items[:n]
	return digests[:n]
}

// identical notes pictures with the same content.
func (s *Set) identical(digests [][32]byte) {
	first := map[[32]byte]int{}
	for i, d := range digests {
		j, ok := first[d]
		if !ok {
			first[d] = i
			continue
		}
		a, b := s.Items[j], s.Items[i]
		if a.Split == b.Split || a.Split == "" || b.Split == "" {
			s.Problems = append(s.Problems, Problem{Identical, b.Name, "", fmt.Errorf("the same as %s", a.Name)})
		} else {
			s.Problems = append(s.Problems, Problem{TwoSplits, b.Name, "", fmt.Errorf("in %s, the same as %s in %s", b.Split, a.Name, a.Split)})
		}
	}
}
