// Package meteordata is the English data of METEOR 1.5, 16 MB. Call Open.
//
// The data has licences of its own, GNU LGPL 2.1 and that of WordNet, whose texts
// are beside it: see README.md. The build tag nometeor leaves the data out of a
// program, which then looks for it in a folder meteordata beside itself and
// computes METEOR without what is not there.
package meteordata

import (
	"sync"

	"showtell/metric/meteor"
)

// Open returns METEOR with the data, of which most is read when sentences need it.
var Open = sync.OnceValues(func() (*meteor.Meteor, error) {
	return meteor.New(files())
})
