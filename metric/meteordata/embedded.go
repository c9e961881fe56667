//go:build !nometeor

package meteordata

import (
	"embed"
	"io/fs"
)

// The licences stay with the data.
//
//go:embed COPYING.LGPL COPYING.WORDNET README.md function.txt paraphrase-en.pack prefixes.txt synonyms.txt.zst
var embedded embed.FS

func files() fs.FS { return embedded }
