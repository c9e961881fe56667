package weightfile

import (
	"archive/zip"
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func open(t *testing.T, path string) *File {
	t.Helper()
	f, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

// The files are of the reference implementations: testdata/make.py.
func TestGoldens(t *testing.T) {
	arrays := "half F16 [2 3], float F32 [2 3], double F64 [2 3], big F32 [2 3], fortran F32 [2 3 4], fortran big F64 [2 3], " +
		"line F32 [5], scalar F32 [], empty F32 [0 3], long I64 [3], layer/kernel:0 F32 [1 2], words  [2]"
	state := "weight F32 [2 3], transposed F32 [2 3], permuted F32 [2 3 4], half F16 [2 3], bfloat BF16 [2 3], double F64 [2 3], " +
		"scalar F32 [], empty F32 [0 3], shared F32 [4 6], slice F32 [1 5], num_batches_tracked I64 []"
	keras3 := "layers/conv2d/vars/0 F32 [2 3], layers/conv2d/vars/1 F32 [3], layers/conv2d_1/vars/0 F32 [2 3], layers/conv2d_1/vars/1 F32 [3], " +
		"layers/conv2d_2/vars/0 F32 [2 3], layers/conv2d_2/vars/1 F32 [3], layers/conv2d_10/vars/0 F32 [2 3], layers/conv2d_10/vars/1 F32 [3], " +
		"layers/dense/vars/0 F32 [2]"
	layers3 := "layers/conv2d=block0:2 layers/conv2d_1=block1:2 layers/conv2d_2=block2:2 layers/conv2d_10=block10:2 layers/dense=:1"
	tests := []struct{ name, format, tensors, layers, config, meta string }{
		{"plain.npz", NumPy, arrays, "", "", ""},
		{"packed.npz", NumPy, arrays, "", "", ""},
		{"objects.npz", NumPy, "a  [2]", "", "", ""},
		{"versions.npz", NumPy, "v1 F32 [2 3], v2 F32 [2 3], v3 F32 [2 3]", "", "", ""},
		{"state.pt", Torch, state, "", "", ""},
		{"protocol4.pt", Torch, state, "", "", ""},
		{"checkpoint.pt", Torch, "a F32 [2 3], b F32 [2]", "", "", "part:state_dict"},
		{"model-00001-of-00002.safetensors", Safetensors, "a F32 [2 3], b BF16 [2]", "", "", "format:pt"},
		{"model.safetensors.index.json", Sharded, "a F32 [2 3], b BF16 [2], c F16 [2 2], d I64 [3]", "", "", ""},
		{"keras.h5", Keras, "z/z/kernel:0 F32 [2 3], z/z/bias:0 F32 [3], a/a/kernel:0 F32 [2 3], a/a/bias:0 F32 [3], stray F32 [1]",
			"z=z:2 a=a:2", "Functional", "backend:tensorflow keras_version:2.15.0"},
		{"keras3.weights.h5", Keras3, keras3, layers3, "", ""},
		{"keras3.keras", KerasZip, keras3, layers3, "Functional", ""},
		{"other.h5", HDF5, "x/y F32 [2 3]", "", "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := open(t, filepath.Join("testdata", tt.name))
			var tensors, layers []string
			for _, x := range f.Tensors() {
				tensors = append(tensors, fmt.Sprint(x.Name, " ", x.DType, " ", x.Shape))
				checkValues(t, x)
			}
			for _, l := range f.Layers {
				layers = append(layers, fmt.Sprintf("%s=%s:%d", l.Group, l.Name, len(l.Tensors)))
			}
			if got := strings.Join(tensors, ", "); got != tt.tensors || f.Format != tt.format {
				t.Errorf("%s holds\n%s, want %s\n%s", f.Format, got, tt.format, tt.tensors)
			}
			if got := strings.Join(layers, " "); got != tt.layers {
				t.Errorf("layers %s, want %s", got, tt.layers)
			}
			if got := strings.TrimSuffix(strings.TrimPrefix(fmt.Sprint(f.Meta), "map["), "]"); got != tt.meta || !strings.Contains(string(f.Config), tt.config) {
				t.Errorf("Meta = %s, Config = %s, want %s and %s", got, f.Config, tt.meta, tt.config)
			}
		})
	}
}

// checkValues wants eighths, and an error for what are no floats.
func checkValues(t *testing.T, x Tensor) {
	t.Helper()
	got, err := x.Float32()
	if x.DType == "" || x.DType[0] == 'I' {
		if err == nil || !strings.HasPrefix(err.Error(), "testdata") || strings.Count(err.Error(), "testdata") != 1 {
			t.Errorf("%s: Float32 gave error %v, want one that names the file once", x.Name, err)
		}
		return
	}
	if err != nil {
		t.Error(err)
	}
	if n, _ := elements(x.Shape, 1<<20); len(got) != n {
		t.Errorf("%s: %d values for shape %v", x.Name, len(got), x.Shape)
	}
	for i, v := range got {
		if v != float32(i)/8 {
			t.Errorf("%s: value %d is %v, want %v", x.Name, i, v, float32(i)/8)
			return
		}
	}
}

func TestRefused(t *testing.T) {
	dir := t.TempDir()
	write := func(name string, data []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, data, 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	pickled := func(name, pickle string) string {
		return write(name, zipped(t, "archive/data.pkl", pickle, "archive/data/0", "0123456789abcdef"))
	}
	tests := []struct{ path, want string }{
		{"testdata/module.pt", `data.pkl: at byte 2: "torch.nn.modules.linear.Linear" is refused: only tensors are read and no code is run`},
		{"testdata/namespace.pt", `"argparse.Namespace" is refused`},
		{"testdata/scalar.pt", `"numpy._core.multiarray.scalar" is refused`},
		{"testdata/expanded.pt", "shape [1000000] has more than the 1 elements that are stored"},
		{"testdata/list.pt", "no dict of tensors at the top"},
		{"testdata/two.pt", `several dicts of tensors: store one of ["generator" "discriminator"] by itself`},
		{"testdata/legacy.pt", "a PyTorch file of the form before version 1.6: convert it in Python with torch.save"},
		{"testdata/script.pt", "a TorchScript program: store its weights"},
		{"testdata/bare.pkl", "a Python pickle, which could run any code"},
		{"testdata/single.npy", "a single NumPy array: store named arrays with numpy.savez"},
		{"testdata/records.npz", "a.npy: header "},
		{pickled("system.pt", "\x80\x02cos\nsystem\nX\x06\x00\x00\x00rm -rf\x85R."), `system.pt: archive/data.pkl: at byte 2: "os.system" is refused`},
		{pickled("posix.pt", "\x80\x04\x8c\x05posix\x8c\x06system\x93."), `"posix.system" is refused`},
		{pickled("eval.pt", "c__builtin__\neval\n."), `"__builtin__.eval" is refused`},
		{pickled("getattr.pt", "\x80\x02}q\x00cbuiltins\ngetattr\n."), `"builtins.getattr" is refused`},
		{pickled("nested.pt", "\x80\x04\x8c\x05torch\x8c\x0dos.path.split\x93."), `"torch.os.path.split" is refused`},
		{pickled("inst.pt", "(ios\nsystem\n."), `instruction 0x69 ('i'), which state dicts do not need, is refused`},
		{pickled("newobj.pt", "ccollections\nOrderedDict\n)\x81."), "instruction 0x81"},
		{pickled("call.pt", "ctorch\nFloatStorage\n)R."), "a call of torch.FloatStorage with 0 arguments is refused"},
		{pickled("empty.pt", ""), "the pickle is cut short"},
		{pickled("stop.pt", "."), "the stack is empty"},
		{pickled("outside.pt", torchPickle("0", 4, 1, "K\x04", "K\x01")), "ends behind the 4 elements"},
		{pickled("strides.pt", torchPickle("0", 4, 0, "K\x02", "K\x04")), "ends behind the 4 elements"},
		{pickled("storage.pt", torchPickle("0", 5, 0, "K\x02", "K\x01")), "5 elements of F32 in a member of 16 bytes"},
		{pickled("missing.pt", torchPickle("1", 4, 0, "K\x02", "K\x01")), `no member "archive/data/1"`},
		{pickled("many.pt", "ccollections\nOrderedDict\nq\x00]q\x01("+strings.Repeat("K\x01K\x01\x86", 20)+"e"+
			strings.Repeat("h\x00h\x01\x85R", 40)+"."), "one list makes many an OrderedDict"},
		{pickled("pairs.pt", "ccollections\nOrderedDict\n]K\x01a\x85R."), "an OrderedDict that is not made of pairs"},
		{pickled("negative.pt", torchPickle("0", 4, 0, "J\xff\xff\xff\xff", "K\x01")), "negative dimension -1"},
		{write("h5.gz", []byte("\x1f\x8b\x08")), "a gzip file: unpack it first"},
		{write("lfs.safetensors", []byte("version https://git-lfs.github.com/spec/v1\n")), "a pointer of Git LFS"},
		{write("page.h5", []byte("<!DOCTYPE html><html>")), "a web page or XML"},
		{write("empty", nil), "an empty file"},
		{write("cat.h5", []byte("\xff\xd8\xff\xe0\x00\x10JFIF")), "not a weight file; read are"},
		{write("config.json", []byte(`{"model_type": "vit"}`)), "JSON without a weight_map"},
		{write("up.json", []byte(`{"weight_map": {"a": "../x.safetensors"}}`)), `"../x.safetensors" is not the name of a file beside it`},
		{write("self.json", []byte(`{"weight_map": {"a": "self.json"}}`)), "not a weight file"},
		{write("gone.json", []byte(`{"weight_map": {"a": "gone.safetensors"}}`)), "gone.safetensors: no such file"},
		{write("docs.zip", zipped(t, "word.xml", "<w/>")), "a zip file with neither model.weights.h5"},
		{write("cut.npz", zipped(t, "a.npy", "\x93NUMPY\x01\x00\x80\x00")), "a.npy: header of 128 bytes is cut short or too long"},
		{write("text.npz", zipped(t, "a.npy", "hello, world")), "a.npy: not a NumPy array"},
		{write("v9.npz", zipped(t, "a.npy", "\x93NUMPY\x09\x00\x02\x00{}")), "a.npy: array format version 9, want 1 to 3"},
		{write("head.npz", zipped(t, "a.npy", "\x93NUMPY\x01\x00\x02\x00{}")), "want descr, fortran_order and shape"},
		{write("bad.keras", zipped(t, "model.weights.h5", "\x89HDF\r\n\x1a\n")), "bad.keras: model.weights.h5: superblock is cut short"},
		{dir, "not a regular file"},
		{filepath.Join(dir, "none"), "no such file"},
	}
	for _, tt := range tests {
		t.Run(filepath.Base(tt.path), func(t *testing.T) {
			f, err := Open(tt.path)
			if err == nil {
				f.Close()
				t.Fatalf("no error, want %q", tt.want)
			}
			if got := err.Error(); !strings.Contains(got, tt.want) || strings.Contains(got, "\n") || !strings.HasPrefix(got, filepath.Dir(tt.path)) {
				t.Errorf("Open = %v, want %q", err, tt.want)
			}
		})
	}
}

// torchPickle is {"a": a tensor of one dimension} over a storage of n floats.
func torchPickle(key string, n, offset byte, dim, stride string) string {
	return "\x80\x02}X\x01\x00\x00\x00actorch._utils\n_rebuild_tensor_v2\n((X\x07\x00\x00\x00storagectorch\nFloatStorage\n" +
		"X\x01\x00\x00\x00" + key + "X\x03\x00\x00\x00cpuK" + string(rune(n)) + "tQK" + string(rune(offset)) + dim + "\x85" + stride + "\x85" +
		"\x89ccollections\nOrderedDict\n)RtRs."
}

func zipped(t testing.TB, members ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for i := 0; i < len(members); i += 2 {
		w, err := z.CreateHeader(&zip.FileHeader{Name: members[i]})
		if err == nil {
			_, err = w.Write([]byte(members[i+1]))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// Every golden file, cut short or with a byte changed, gives an error or
// tensors of the promised length.
func TestDamaged(t *testing.T) {
	paths, err := filepath.Glob("testdata/*.[npkh]*")
	if err != nil || len(paths) < 10 {
		t.Fatal(err, paths)
	}
	for _, path := range paths {
		whole, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for i := 0; i < len(whole); i += 1 + len(whole)/40 {
			for _, data := range [][]byte{whole[:i], slices.Concat(whole[:i], []byte{whole[i] ^ 0x41}, whole[i+1:])} {
				readAll(t, path, data)
			}
		}
	}
}

func readAll(t *testing.T, path string, data []byte) {
	t.Helper()
	f := &File{Name: path, Meta: map[string]string{}, index: map[string]int{}}
	if err := f.read(data); err != nil {
		if strings.Count(err.Error(), path) != 1 || strings.Contains(err.Error(), "\n") {
			t.Errorf("error %q, want one line that names the file once", err)
		}
		return
	}
	for _, x := range f.Tensors() {
		v, err := x.Float32()
		if err != nil && strings.Count(err.Error(), path) != 1 {
			t.Errorf("error %q, want one that names the file once", err)
		}
		if n, nerr := elements(x.Shape, 1<<40); err == nil && (nerr != nil || n != len(v)) {
			t.Errorf("%s: %d values for shape %v", x.Name, len(v), x.Shape)
		}
	}
}
