package dataset

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// A source is where the parts of a data set lie.
type source struct {
	dir      string   // the folder, or that of the file of captions
	texts    []string // files that may hold captions or lists, the nearest first
	captions string
	format   format
	images   []string // folders to look for pictures in
}

// depth is how many folders deep Open looks for texts.
const depth = 2

// imageFolders are names, in lower case, that folders of pictures go by.
var imageFolders = []string{
	"images", "image", "imgs", "img", "pictures", "photos",
	"flicker8k_dataset", "flickr8k_dataset", "flickr8k_images", "flickr8k-images", "flickr30k_images", "flickr30k-images",
}

// find says where captions and pictures are, or what it has looked for.
func find(dir string, opts *Options) (*source, error) {
	info, err := os.Stat(dir)
	if err != nil {
		return nil, err
	}
	src := &source{dir: dir, captions: opts.Captions}
	if !info.IsDir() {
		src.dir = filepath.Dir(dir)
		if src.captions != "" {
			return nil, fmt.Errorf("%s is a file, and %s is to hold the captions; name one of them", dir, src.captions)
		}
		src.captions = dir
	}
	if err := walk(src.dir, depth, func(path string) {
		if hasExt(path, ".txt", ".csv", ".tsv", ".tab", ".jsonl", ".ndjson", ".token") {
			src.texts = append(src.texts, path)
		}
	}); err != nil {
		return nil, err
	}
	slices.SortStableFunc(src.texts, func(a, b string) int { return deep(a) - deep(b) })
	if err := src.recognise(opts.Format); err != nil {
		return nil, err
	}
	src.images = imageRoots(src.dir, opts.Images, !info.IsDir())
	return src, nil
}

// recognise finds the file of captions, unless it is known, and its format.
func (src *source) recognise(name string) error {
	asked := formats
	if name != "" {
		f, err := formatNamed(name)
		if err != nil {
			return err
		}
		asked = []format{f}
	}
	if src.captions != "" {
		return src.recogniseFile(asked, name != "")
	}
	for _, f := range asked {
		var found []string
		for _, path := range src.texts {
			head, err := headOf(path)
			if err != nil {
				return err
			}
			if f.match(filepath.Base(path), head) && (len(found) == 0 || deep(path) == deep(found[0])) {
				found = append(found, path)
			}
		}
		if len(found) > 1 {
			return fmt.Errorf("%s: several files hold captions (%s); say which one", src.dir, strings.Join(found, ", "))
		}
		if len(found) == 1 {
			src.captions, src.format = found[0], f
			return nil
		}
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s: no captions found; looked there and %d folders deep for", src.dir, depth)
	for _, f := range asked {
		fmt.Fprintf(&b, "\n  %s: %s", f.name, f.about)
	}
	if len(src.texts) > 0 {
		fmt.Fprintf(&b, "\nand found %d other text files, such as %s", len(src.texts), src.short(src.texts[0]))
	}
	b.WriteString("\nsay which file holds the captions, or give it one of these names")
	return errors.New(b.String())
}

// recogniseFile finds the format of a file that was named. Its ending counts
// for less than its text: a table may be called .txt.
func (src *source) recogniseFile(asked []format, sure bool) error {
	head, err := headOf(src.captions)
	if err != nil {
		return err
	}
	if sure {
		src.format = asked[0]
		return nil
	}
	if head == "" && !slices.ContainsFunc(asked, func(f format) bool { return f.match(filepath.Base(src.captions), "") }) {
		return fmt.Errorf("%s: the file is empty", src.captions)
	}
	f, ok := formatOf(asked, filepath.Base(src.captions), head)
	if ok {
		src.format = f
		return nil
	}
	first, _, _ := strings.Cut(head, "\n")
	return fmt.Errorf("%s: format not recognised by the first line %.80q; there are %s", src.captions, first, strings.Join(Formats(), ", "))
}

// formatOf is the first of the formats that a file with this name and beginning has.
func formatOf(asked []format, base, head string) (format, bool) {
	for _, b := range []string{base, base + ".jsonl", base + ".csv"} {
		for _, f := range asked {
			if f.match(b, head) {
				return f, true
			}
		}
	}
	return format{}, false
}

// headOf is the beginning of a text without byte order mark.
func headOf(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, 4096))
	if err != nil {
		return "", fmt.Errorf("%s: %w", path, err)
	}
	return strings.TrimLeft(strings.TrimPrefix(string(b), "\ufeff"), "\r\n"), nil
}

// short is a path as seen from the data set.
func (src *source) short(path string) string {
	if rel, err := filepath.Rel(src.dir, path); err == nil && filepath.IsLocal(rel) {
		return filepath.ToSlash(rel)
	}
	return filepath.Base(path)
}

// imageRoots are the folders to look for pictures in: the one that was named,
// or those in dir that are called so, or dir itself. Beside a file of captions
// they may also be one folder up.
func imageRoots(dir, named string, file bool) []string {
	if named != "" {
		return []string{named}
	}
	roots, loose := foldersOfImages(dir)
	if len(roots) == 0 && !loose && file {
		roots, _ = foldersOfImages(filepath.Join(dir, ".."))
	}
	if len(roots) == 0 {
		return []string{dir}
	}
	return roots
}

// foldersOfImages are those in dir that are called so; loose tells of pictures in dir itself.
func foldersOfImages(dir string) (folders []string, loose bool) {
	entries, _ := os.ReadDir(dir)
	for _, e := range entries {
		if slices.Contains(imageFolders, strings.ToLower(e.Name())) && isDir(dir, e) {
			folders = append(folders, filepath.Join(dir, e.Name()))
		}
		loose = loose || isPicture(e.Name())
	}
	return folders, loose
}

// walk calls f for the files in dir and so many folders deep, sorted by name,
// without hidden ones such as the "._a.jpg" that macOS puts into archives.
// Links to folders are followed in dir only, and not back to where it lies, so
// that a circle does no harm.
func walk(dir string, deep int, f func(path string)) error {
	real, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return err
	}
	return walkBelow(dir, deep, func(link string) bool {
		target, err := filepath.EvalSymlinks(link)
		return err == nil && filepath.Dir(link) == filepath.Clean(dir) && !within(real, target)
	}, f)
}

func walkBelow(dir string, deep int, follow func(link string) bool, f func(path string)) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		switch {
		case strings.HasPrefix(e.Name(), "."):
		case !isDir(dir, e):
			f(path)
		case deep > 0 && (e.IsDir() || follow(path)):
			if err := walkBelow(path, deep-1, follow, f); err != nil {
				return err
			}
		}
	}
	return nil
}

// within reports whether path is dir or below it.
func within(path, dir string) bool {
	rel, err := filepath.Rel(dir, path)
	return err == nil && filepath.IsLocal(rel)
}

// isDir reports whether an entry of dir is a folder or a link to one.
func isDir(dir string, e fs.DirEntry) bool {
	if e.Type()&fs.ModeSymlink == 0 {
		return e.IsDir()
	}
	info, err := os.Stat(filepath.Join(dir, e.Name()))
	return err == nil && info.IsDir()
}

// deep counts the folders of a path.
func deep(path string) int { return strings.Count(path, string(filepath.Separator)) }
