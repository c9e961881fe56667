package main

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"showtell/encoder"
	"showtell/internal/testutil"
	"showtell/modelfile"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"showtell": main})
}

// Each script runs in a folder with a toy data set in flickr8k and four
// photographs in photos.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:   "testdata/script",
		Setup: setup,
		Cmds:  map[string]func(ts *testscript.TestScript, neg bool, args []string){"exits": exits, "waitfor": waitFor, "thin": thin},
	})
}

func setup(env *testscript.Env) error {
	for _, v := range []string{"HOME", "XDG_CACHE_HOME"} {
		env.Setenv(v, filepath.Join(env.WorkDir, ".home"))
	}
	if err := testutil.Flickr(filepath.Join(env.WorkDir, "flickr8k")); err != nil {
		return err
	}
	return copyPhotos(filepath.Join(env.WorkDir, "photos"))
}

func copyPhotos(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	names, err := filepath.Glob(filepath.Join(testutil.Root(), "testdata", "*.jpg"))
	if err != nil {
		return err
	}
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, filepath.Base(name)), data, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// thin NETWORK FILE writes random weights of a network with a twelfth of its
// channels.
func thin(ts *testscript.TestScript, _ bool, args []string) {
	full, err := encoder.Random(args[0], rand.New(rand.NewPCG(1, 2)))
	ts.Check(err)
	var tensors []modelfile.Tensor
	for _, t := range full.Tensors("") {
		values, err := t.Float32()
		ts.Check(err)
		shape, inside := slices.Clone(t.Shape), len(values)/t.Shape[0]
		keep := inside
		shape[0] /= 12
		if len(shape) > 1 && shape[1] > 3 { // the picture keeps its channels
			shape[1] /= 12
			keep = inside / t.Shape[1] * shape[1]
		}
		var some []float32
		for o := range shape[0] {
			some = append(some, values[o*inside:][:keep]...)
		}
		tensors = append(tensors, modelfile.Float32(t.Name, shape, some))
	}
	ts.Check(modelfile.Write(ts.MkAbs(args[1]), nil, tensors))
}

// exits N command... runs a command and wants it to end with status N.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits status command [args...]")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	err = ts.Exec(args[1], args[2:]...)
	got := 0
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		got = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if got != want {
		ts.Fatalf("%s ended with status %d, want %d", strings.Join(args[1:], " "), got, want)
	}
}

// waitfor file waits until the file is there.
func waitFor(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: waitfor file")
	}
	for range 600 {
		if _, err := os.Stat(ts.MkAbs(args[0])); err == nil {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	ts.Fatalf("%s did not appear in half a minute", args[0])
}

// full is a disk without space.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("no space left on device") }

func TestOutputThatCannotBeWritten(t *testing.T) {
	photo := filepath.Join(testutil.Root(), "testdata", "cat.jpg")
	for _, args := range [][]string{{photo}, {"--json", photo}, {"info"}, {"info", "--json"}} {
		var stderr strings.Builder
		if code := run(context.Background(), args, streams{in: strings.NewReader(""), out: full{}, err: &stderr}); code != statusFailed {
			t.Errorf("showtell %v on a full disk ended with %d, want %d", args, code, statusFailed)
		}
		if !strings.Contains(stderr.String(), "no space left") {
			t.Errorf("showtell %v on a full disk said %q", args, stderr.String())
		}
	}
}

func TestInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	photo := filepath.Join(testutil.Root(), "testdata", "cat.jpg")
	if code := run(ctx, []string{photo}, streams{in: strings.NewReader(""), out: io.Discard, err: io.Discard}); code != statusFailed {
		t.Errorf("interrupted: status %d, want %d", code, statusFailed)
	}
}
