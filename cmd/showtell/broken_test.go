package main

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"showtell/internal/testutil"
)

// zipped makes a zip file of members; those called packed:NAME are compressed.
func zipped(t *testing.T, members ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for i := 0; i < len(members); i += 2 {
		name, packed := strings.CutPrefix(members[i], "packed:")
		method := zip.Store
		if packed {
			method = zip.Deflate
		}
		w, err := z.CreateHeader(&zip.FileHeader{Name: name, Method: method})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, members[i+1]); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// npyOf is an array whose header claims a shape.
func npyOf(shape string) string {
	header := fmt.Sprintf("{'descr': '<f4', 'fortran_order': False, 'shape': %s, }", shape)
	header += strings.Repeat(" ", 127-10-len(header)) + "\n"
	return "\x93NUMPY\x01\x00" + string(binary.LittleEndian.AppendUint16(nil, uint16(len(header)))) + header + "\x00\x00\x80\x3f"
}

// safetensorsOf is a header, of a length that may be another than claimed.
func safetensorsOf(claimed int, header string) []byte {
	return append(binary.LittleEndian.AppendUint64(nil, uint64(claimed)), header...)
}

// refused runs showtell convert on a file, which it must refuse with one
// sentence that begins with the file and holds want, soon, and without much memory.
func refused(t *testing.T, path, want string, more ...string) {
	t.Helper()
	out := filepath.Join(t.TempDir(), "encoder.safetensors")
	code, said := bounded(t, append([]string{"convert", path, "-o", out}, more...))
	if code != statusFailed || !strings.HasPrefix(said, "showtell: "+path) || !strings.Contains(said, want) {
		t.Errorf("convert %v ended with %d: %q, want %q", more, code, said, want)
	}
	if strings.Count(said, "\n") != 1 || len(said) > 1000+len(path) {
		t.Errorf("not one sentence: %q", said)
	}
	if left, _ := os.ReadDir(filepath.Dir(out)); len(left) > 0 {
		t.Errorf("it left %v", left)
	}
	bounded(t, []string{"info", path})
}

// bounded runs a command that should need neither much time nor much memory.
func bounded(t *testing.T, args []string) (code int, said string) {
	t.Helper()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	began := time.Now()
	var stderr strings.Builder
	code = run(context.Background(), args, streams{in: strings.NewReader(""), out: io.Discard, err: &stderr})
	runtime.ReadMemStats(&after)
	if took := time.Since(began); took > 20*time.Second {
		t.Errorf("showtell %v took %v", args, took)
	}
	if used := (after.TotalAlloc - before.TotalAlloc) >> 20; used > 200 {
		t.Errorf("showtell %v took %d MB", args, used)
	}
	return code, stderr.String()
}

// TestFilesThatAreNone gives convert and info what is no weight file, or not the
// one that it claims to be.
func TestFilesThatAreNone(t *testing.T) {
	root := testutil.Root()
	resnet := read(t, filepath.Join(root, "encoder", "testdata", "torch_resnet18.safetensors"))
	code := "\x80\x02cos\nsystem\nX\x04\x00\x00\x00echo\x85R."
	for _, c := range []struct {
		name, file string
		args       []string
		want       string
	}{
		{"empty.h5", "", nil, "an empty file"},
		{"page.pth", "<!DOCTYPE html><html>", nil, "a web page or XML"},
		{"pointer.safetensors", "version https://git-lfs.github.com/spec/v1\noid", nil, "git lfs pull"},
		{"packed.h5", "\x1f\x8b\x08\x00", nil, "gunzip"},
		{"photo.h5", "\xff\xd8\xff\xe0\x00\x10JFIF", nil, "not a weight file"},
		{"bare.pkl", code, nil, "a Python pickle, which could run any code"},
		{"code.pth", string(zipped(t, "archive/data.pkl", code)), nil, `"os.system" is refused`},
		{"zeros.h5", strings.Repeat("\x00", 4096), nil, "not a weight file"},
		{"other.zip", string(zipped(t, "readme.txt", "hello")), nil, "a zip file with neither"},
		{"bomb.keras", string(zipped(t, "packed:model.weights.h5", strings.Repeat("\x00", 100<<20))), nil, "model.weights.h5: "},
		{"bomb.pth", string(zipped(t, "packed:a/data.pkl", strings.Repeat("\x00", 100<<20))), nil, "a/data.pkl: "},
		{"huge.npz", string(zipped(t, "conv1.weight.npy", npyOf("(1099511627776, 1099511627776)"))), nil, "holds no"},
		{"vgg.npz", string(zipped(t, "features.0.weight.npy", npyOf("(64, 3, 3, 3)"))), []string{"--encoder", "vgg16"}, "no vgg16"},
		{"long.safetensors", string(safetensorsOf(1<<31, "{}")), nil, "header"},
		{"longer.safetensors", string(safetensorsOf(1<<60, "{}")), nil, "not a weight file"},
		{"claims.safetensors", string(safetensorsOf(75, `{"conv1.weight":{"dtype":"F32","shape":[64,3,7,7],"data_offsets":[0,37632]}`+"}")), nil, ""},
		{"index.json", `{"weight_map": {"a": "../elsewhere.safetensors"}}`, nil, "is not the name of a file beside it"},
		{"lost.json", `{"weight_map": {"a": "model-00001-of-00002.safetensors"}}`, nil, ""},
		{"config.json", `{"hidden_size": 3}`, nil, "JSON without a weight_map"},
		{"resnet18.safetensors", string(resnet), []string{"--encoder", "vgg16"}, "holds no vgg16"},
		{"resnet18.pth", string(resnet), []string{"--encoder", "resnet50"}, "resnet50"},
		{"resnet18.h5", string(resnet), []string{"--encoder", "resnet50_keras"}, "resnet50_keras"},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), c.name)
			write(t, path, []byte(c.file))
			if c.name == "lost.json" {
				path = filepath.Join(filepath.Dir(path), "model-00001-of-00002.safetensors") // whose name the error has
				refusedAs(t, filepath.Join(filepath.Dir(path), c.name), path)
				return
			}
			refused(t, path, c.want, c.args...)
		})
	}
}

// refusedAs is refused with an error that begins with another file.
func refusedAs(t *testing.T, path, other string) {
	t.Helper()
	code, said := bounded(t, []string{"convert", path, "-o", filepath.Join(t.TempDir(), "o")})
	if code != statusFailed || !strings.HasPrefix(said, "showtell: "+other) {
		t.Errorf("ended with %d: %q", code, said)
	}
}

// TestDamagedFiles cuts files of every format, zeroes what they begin with and
// changes bytes; the first two must be refused.
func TestDamagedFiles(t *testing.T) {
	root := testutil.Root()
	for _, name := range []string{
		"encoder/testdata/names_hf_resnet18.safetensors", "weightfile/testdata/keras.h5", "weightfile/testdata/keras3.weights.h5",
		"weightfile/testdata/keras3.keras", "weightfile/testdata/state.pt", "weightfile/testdata/protocol4.pt",
		"weightfile/testdata/plain.npz", "weightfile/testdata/packed.npz", "weightfile/testdata/model.safetensors.index.json",
	} {
		t.Run(filepath.Base(name), func(t *testing.T) {
			whole := read(t, filepath.Join(root, filepath.FromSlash(name)))
			path := filepath.Join(t.TempDir(), filepath.Base(name))
			n := len(whole)
			for _, at := range []int{0, 1, 7, 8, 9, 63, n / 4, n / 2, n - n/8, n - 1} {
				write(t, path, whole[:min(at, n-1)])
				refused(t, path, "")
			}
			zeroed := bytes.Clone(whole)
			clear(zeroed[:min(64, n)])
			write(t, path, zeroed)
			refused(t, path, "")
			rng := rand.New(rand.NewPCG(1, 2))
			for range 40 {
				damaged := bytes.Clone(whole)
				for range 1 + rng.IntN(4) {
					damaged[rng.IntN(min(n, 4096))] = byte(rng.Uint32())
				}
				write(t, path, damaged)
				bounded(t, []string{"convert", path, "-o", filepath.Join(t.TempDir(), "o")})
				bounded(t, []string{"info", path})
			}
		})
	}
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func write(t *testing.T, path string, data []byte) {
	t.Helper()
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
}
