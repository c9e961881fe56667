//go:build !amd64

package tensor

func machineLevel() level { return levelGeneric }
