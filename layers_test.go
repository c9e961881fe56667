package showtell_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// layers are the packages in the order in which data flows. A package may
// import only those above it. Test suites of a family (encodertest and the
// like) belong to the family; tests may import anything.
var layers = []string{
	"internal/atomicfile",
	"internal/mapfile",
	"internal/testutil",
	"tensor",
	"nn",
	"modelfile",
	"imageprep/jpeg",
	"hdf5",
	"weightfile",
	"imageprep",
	"text",
	"tokenizer",
	"wording",
	"dataset",
	"encoder",
	"features",
	"decoder",
	"search",
	"metric/meteor",
	"metric/meteordata",
	"metric",
	"results",
	"confidence",
	".",
	"train",
	"eval",
	"builtin",
	"cmd/showtell",
}

// helpers belong to the package whose name they begin with.
var helpers = []string{
	"tensor/internal", "dataset/datasettest", "encoder/encodertest", "decoder/decodertest",
}

func TestLayers(t *testing.T) {
	seen := map[string]bool{}
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && path != "." && (strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata" || d.Name() == "bench"):
			return fs.SkipDir
		case d.IsDir() || !strings.HasSuffix(path, ".go"):
			return nil
		}
		folder := filepath.ToSlash(filepath.Dir(path))
		if isHelper(folder) {
			return nil
		}
		at := slices.Index(layers, folder)
		if at < 0 {
			t.Errorf("folder %s is missing from the list of layers", folder)
			return nil
		}
		seen[folder] = true
		if !strings.HasSuffix(path, "_test.go") {
			checkImports(t, path, at)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range layers {
		if !seen[l] {
			t.Errorf("layer %s has no Go file: take it off the list", l)
		}
	}
}

func isHelper(folder string) bool {
	return slices.ContainsFunc(helpers, func(h string) bool { return folder == h || strings.HasPrefix(folder, h+"/") })
}

func checkImports(t *testing.T, path string, at int) {
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
	if err != nil {
		t.Error(err)
		return
	}
	for _, spec := range file.Imports {
		name, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			t.Error(err)
			continue
		}
		if name != "showtell" && !strings.HasPrefix(name, "showtell/") {
			continue
		}
		folder := strings.TrimPrefix(strings.TrimPrefix(name, "showtell"), "/")
		if folder == "" {
			folder = "."
		}
		if i := slices.Index(layers, folder); i < 0 || i >= at {
			t.Errorf("%s imports %s, which is not above %s", path, name, layers[at])
		}
	}
}
