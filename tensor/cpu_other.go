//go:build !amd64 && !arm64

package tensor

var levelNames = [...]string{"generic"}

func machineLevel() level { return levelGeneric }
