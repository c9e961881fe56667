package weightfile

import (
	"os"
	"testing"
)

func FuzzNPY(f *testing.F) {
	f.Add([]byte("\x93NUMPY\x01\x00\x46\x00{'descr': '<f4', 'fortran_order': True, 'shape': (1, 2), }             \n01234567"))
	f.Add([]byte("\x93NUMPY\x02\x00\x3c\x00\x00\x00{'descr': '>f2', 'fortran_order': False, 'shape': (3L,), }  \n012345"))
	f.Fuzz(func(t *testing.T, member []byte) {
		file := &File{Name: "f", Meta: map[string]string{}, index: map[string]int{}}
		if file.read(zipped(t, "a.npy", string(member))) != nil {
			return
		}
		checkLengths(t, file, len(member))
	})
}

func FuzzPickle(f *testing.F) {
	f.Add([]byte(torchPickle("0", 4, 0, "K\x04", "K\x01")))
	f.Add([]byte("\x80\x04\x8c\x0bcollections\x8c\x0bOrderedDict\x93)R\x94(\x8c\x01a]q\x01h\x01\x8a\x02\x01\x02u}b."))
	f.Fuzz(func(t *testing.T, pickle []byte) {
		file := &File{Name: "f", Meta: map[string]string{}, index: map[string]int{}}
		if file.read(zipped(t, "x/data.pkl", string(pickle), "x/data/0", "0123456789abcdef")) != nil {
			return
		}
		checkLengths(t, file, 16)
	})
}

// FuzzOpen tries bytes as any format.
func FuzzOpen(f *testing.F) {
	for _, name := range []string{"packed.npz", "state.pt", "keras3.keras", "other.h5", "model-00001-of-00002.safetensors"} {
		data, err := os.ReadFile("testdata/" + name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		file := &File{Name: "f", Meta: map[string]string{}, index: map[string]int{}}
		if file.read(data) != nil {
			return
		}
		checkLengths(t, file, 1100*len(data))
	})
}

func checkLengths(t *testing.T, f *File, most int) {
	t.Helper()
	for _, x := range f.Tensors() {
		v, err := x.Float32()
		if err != nil {
			continue
		}
		if n, err := elements(x.Shape, most); err != nil || n != len(v) {
			t.Errorf("%s: %d values for shape %v of at most %d: %v", x.Name, len(v), x.Shape, most, err)
		}
	}
}
