//go:build !amd64 && !arm64

package tensor

// table has a row for every level that this machine can run.
var table = []*kernels{&genericKernels}
