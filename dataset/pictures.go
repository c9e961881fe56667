package dataset

import (
	"errors"
	"fmt"
	"path"
	"path/filepath"
	"strings"

	"golang.org/x/text/unicode/norm"
)

// pictures are the files in the folders of pictures, by name. Names are in
// NFC with slashes; a folder on macOS may have them decomposed.
type pictures struct {
	files  []string            // picture files in order
	byName map[string]string   // "a/b.jpg", below a folder of pictures or the data set
	byBase map[string][]string // "b.jpg"
}

// imageDepth is how many folders deep pictures are looked for.
const imageDepth = 6

func (src *source) pictures() (*pictures, error) {
	p := &pictures{byName: map[string]string{}, byBase: map[string][]string{}}
	for _, root := range src.images {
		err := walk(root, imageDepth, func(file string) {
			for _, base := range []string{root, src.dir} {
				if rel, err := filepath.Rel(base, file); err == nil && filepath.IsLocal(rel) {
					name := norm.NFC.String(filepath.ToSlash(rel))
					if _, ok := p.byName[name]; !ok {
						p.byName[name] = file
					}
				}
			}
			base := norm.NFC.String(filepath.Base(file))
			p.byBase[base] = append(p.byBase[base], file)
			if isPicture(file) {
				p.files = append(p.files, file)
			}
		})
		if err != nil {
			return nil, fmt.Errorf("pictures: %w", err)
		}
	}
	if len(p.files) == 0 {
		return nil, fmt.Errorf("no pictures (.jpg, .png and so on) in %s; say which folder holds them", strings.Join(src.images, ", "))
	}
	return p, nil
}

func isPicture(name string) bool {
	return hasExt(path.Base(filepath.ToSlash(name)), ".jpg", ".jpeg", ".jpe", ".png", ".gif", ".webp", ".bmp", ".tif", ".tiff", ".heic", ".avif")
}

// file finds the file of a name that tidyName has made.
func (p *pictures) file(name string) (file, kind string, err error) {
	if file, ok := p.byName[name]; ok {
		return file, "", nil
	}
	found := p.byBase[name]
	switch len(found) {
	case 0:
		return "", NoPicture, nil
	case 1:
		return found[0], "", nil
	}
	return "", Ambiguous, fmt.Errorf("%s and %s", found[0], found[1])
}

// tidyName gives a picture's name one spelling, and refuses one that points
// out of the folder of pictures.
func tidyName(name string) (string, error) {
	name = norm.NFC.String(strings.ReplaceAll(name, `\`, "/"))
	clean := path.Clean(name)
	drive := len(name) > 1 && name[1] == ':'
	if path.IsAbs(name) || drive || clean == ".." || strings.HasPrefix(clean, "../") || strings.ContainsRune(name, 0) {
		return "", errors.New("names are to be below the folder of pictures")
	}
	return clean, nil
}
