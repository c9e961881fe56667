//go:build race

package tensor

// raceDetector makes sync.Pool forget things at random.
const raceDetector = true
