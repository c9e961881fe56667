package main

import (
	"context"
	"io"
	"path/filepath"
	"strings"
	"testing"

	"showtell/internal/testutil"
)

func TestInfoOfAnEncoder(t *testing.T) {
	path := filepath.Join(testutil.Root(), "encoder", "testdata", "torch_resnet18.safetensors")
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"info", path}, "resnet18, 224 x 224 pixels to a grid of 7 x 7 x 16"},
		{[]string{"info", "--json", path}, `"encoder":"resnet18"`},
	} {
		var out strings.Builder
		if code := run(context.Background(), c.args, streams{out: &out, err: io.Discard}); code != statusOK || !strings.Contains(out.String(), c.want) {
			t.Errorf("%v: status %d, %s", c.args, code, out.String())
		}
	}
}
