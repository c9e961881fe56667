package eval

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// A browser shows a page in Chromium and keeps what it complains about.
type browser struct {
	t   *testing.T
	ctx context.Context

	mu       sync.Mutex
	troubles []string
}

func openReport(t *testing.T, runs []Named) *browser {
	t.Helper()
	file := filepath.Join(t.TempDir(), "report.html")
	if err := WriteReportFile(t.Context(), file, "Four pictures", runs, nil); err != nil {
		t.Fatal(err)
	}
	return openPage(t, file)
}

// openPage needs Chromium: where there is none, the test is skipped.
func openPage(t *testing.T, file string) *browser {
	t.Helper()
	path := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if p, err := exec.LookPath(name); err == nil {
			path = p
			break
		}
	}
	if path == "" || testing.Short() {
		t.Skip("no Chromium here (or -short): the page was not tried in a browser")
	}
	flags := append(slices.Clone(chromedp.DefaultExecAllocatorOptions[:]), chromedp.ExecPath(path), chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true))
	if os.Geteuid() == 0 {
		flags = append(flags, chromedp.NoSandbox) // Chromium's sandbox refuses root
	}
	limited, cancel := context.WithTimeout(context.Background(), time.Minute)
	t.Cleanup(cancel)
	allocator, cancel := chromedp.NewExecAllocator(limited, flags...)
	t.Cleanup(cancel)
	ctx, cancel := chromedp.NewContext(allocator)
	t.Cleanup(cancel)
	b := &browser{t: t, ctx: ctx}
	if err := chromedp.Listen(ctx, b.hear); err != nil {
		t.Fatal(err)
	}
	if _, err := chromedp.Call(ctx, network.Enable, network.EnableParams{}); err != nil {
		t.Fatal(err)
	}
	if _, err := chromedp.Call(ctx, emulation.SetFocusEmulationEnabled, emulation.SetFocusEmulationEnabledParams{Enabled: true}); err != nil {
		t.Fatal(err)
	}
	b.do(chromedp.EmulateViewport(1280, 900), chromedp.Navigate("file://"+file))
	return b
}

func (b *browser) hear(event any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch e := event.(type) {
	case *runtime.EventExceptionThrown:
		b.troubles = append(b.troubles, "exception: "+e.ExceptionDetails.Text)
	case *runtime.EventConsoleAPICalled:
		b.troubles = append(b.troubles, "console: "+string(e.Type))
	case *network.EventRequestWillBeSent:
		if url := e.Request.URL; !strings.HasPrefix(url, "data:") && !strings.HasSuffix(url, ".html") {
			b.troubles = append(b.troubles, "request: "+url)
		}
	}
}

func (b *browser) do(steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	if err := chromedp.Do(b.ctx, steps...); err != nil {
		b.t.Fatal(err)
	}
}

// is waits until an expression has the value, for two seconds.
func (b *browser) is(expression, want string) {
	b.t.Helper()
	got := ""
	for range 40 {
		var err error
		if got, err = chromedp.Run(b.ctx, chromedp.Evaluate[string]("String("+expression+")")); err != nil {
			b.t.Fatalf("%s: %v", expression, err)
		}
		if got == want {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	b.t.Errorf("%s = %q, want %q", expression, got, want)
}

// set changes a field as a person would.
func (b *browser) set(id, value string) {
	b.t.Helper()
	b.is(`(e => { e.value = "`+value+`"; e.dispatchEvent(new Event("input", {bubbles: true})); return e.value })(document.getElementById("`+id+`"))`, value)
}

// names of the cards that are shown, in their order.
const names = `[...document.querySelectorAll(".card:not([hidden]) .name")].map(e => e.textContent.replace(".jpg", "")).join(" ")`

func TestReportInBrowser(t *testing.T) {
	runs := testRuns(t)
	b := openReport(t, runs)
	order := func(m int, down bool) string {
		items := slices.Clone(runs[m].Result.Items)
		slices.SortStableFunc(items, func(x, y Item) int {
			v, _ := x.Scores.Of("CIDEr-D")
			w, _ := y.Scores.Of("CIDEr-D")
			if v < w == down {
				return 1
			}
			return -1
		})
		var list []string
		for _, item := range items {
			list = append(list, strings.TrimSuffix(item.Name, ".jpg"))
		}
		return strings.Join(list, " ")
	}
	b.set("order", "best")
	b.is(names, order(0, true))
	b.set("order", "worst")
	b.is(names, order(0, false))
	b.set("order", "median")
	b.is(names+`.split(" ")[0]`, strings.Fields(order(0, false))[2]) // the upper of the two in the middle
	b.set("order", "apart")                                          // models differ most
	b.is(names, "astronaut cat coffee rocket")                       // they say the same of all
	b.set("order", "name")
	b.is(names, "astronaut cat coffee rocket")
	b.set("words", "on cup")
	b.is(names, "coffee")
	b.is(`document.getElementById("found").textContent`, "1 of 4 pictures")
	b.set("words", "rock") // a name
	b.is(names, "rocket")
	b.set("words", "<b>")
	b.is(`document.getElementById("none").hidden`, "false")
	b.do(chromedp.Click("button[type=reset]"))
	b.is(`document.getElementById("found").textContent`, "4 pictures")
	b.set("order", "best")
	b.set("low", "500")
	b.is(names, "cat") // the only one that is word for word a reference
	b.set("low", "")
	b.set("model-choice", "1")
	b.is(`document.querySelector(".card:last-child .caption").textContent`, "not captioned") // the second model has no astronaut
	b.quiet()
}

// A word of a table leads to its pictures; a table is sorted by its headings; all by
// the keyboard too.
func TestWordsInBrowser(t *testing.T) {
	b := openReport(t, testRuns(t))
	b.is(`[...document.querySelectorAll("#words-said h3")].map(h => h.textContent).join("; ")`, "attend; attend, cropping")
	b.do(chromedp.Click(`a[data-find=said][data-model="0"]`))
	b.is(`document.getElementById("words").value`, `"tower"`) // that no reference says
	b.is(names, "rocket")
	b.is(`document.activeElement.id`, "words")
	b.is(`(document.querySelector("a[data-find=missed][data-model='1']").focus(), document.activeElement.textContent)`, "rocket") // that both references say
	b.do(chromedp.KeyEvent("\r"))
	b.is(`document.getElementById("model-choice").value`, "1")
	b.is(`document.getElementById("where").value`, "missed")
	b.is(names, "rocket")
	b.set("words", "coff") // a beginning, which is in a reference only
	b.is(names, "coffee")
	b.is(`(e => { e.value = '"coff"'; e.dispatchEvent(new Event("input", {bubbles: true})); return e.value })(document.getElementById("words"))`, `"coff"`) // the whole word
	b.is(names, "")

	b.is(`(document.querySelector("#words-said details").open = true, document.querySelectorAll(".sortable button").length)`, "10")
	const first = `document.querySelector(".sortable tbody th").textContent`
	b.is(first, "a")
	b.is(`(document.querySelector(".sortable button").focus(), document.activeElement.textContent)`, "Word")
	b.do(chromedp.KeyEvent("\r"))
	b.is(`document.querySelector(".sortable [aria-sort]").getAttribute("aria-sort")`, "ascending")
	b.do(chromedp.KeyEvent("\r"))
	b.is(first, "woman")
	b.do(chromedp.Click(".sortable th:nth-child(6) button")) // CIDEr-D of the first model
	b.is(`document.querySelector(".sortable [aria-sort]").getAttribute("aria-sort")`, "descending")
	b.is(`["camera", "cat", "looks", "the"].includes(`+first+`)`, "true") // of the picture that is word for word a reference
	b.quiet()
}

func TestViewerInBrowser(t *testing.T) {
	b := openReport(t, testRuns(t))
	b.set("order", "name")
	b.is(names, "astronaut cat coffee rocket")
	b.do(chromedp.ScrollIntoView(".card:nth-child(2) .open"), chromedp.Sleep(300*time.Millisecond)) // cards get their true height when they are near
	b.do(chromedp.Click(".card:nth-child(2) .open"))
	b.is(`document.getElementById("viewer").open`, "true")
	b.is(`document.getElementById("viewer-name").textContent`, "cat.jpg")
	b.is(`document.querySelectorAll(".answer").length`, "2")
	b.is(`document.querySelectorAll("#viewer-references li").length`, "2")
	b.is(`document.querySelector(".answer .word small").textContent`, "50 %")

	b.is(`document.querySelectorAll(".veil").length`, "0")
	b.do(chromedp.Click(".answer:nth-child(1) .said li:nth-child(2) .word"))
	b.is(`document.querySelectorAll(".veil canvas").length`, "1")
	const alphas = `(c => [...c.getContext("2d").getImageData(0, 0, c.width, c.height).data].filter((_, i) => i % 4 === 3).map(a => +(a > 100)))(document.querySelector(".veil canvas")).join("")`
	b.is(alphas, "101111") // the second word looks at the second of 2 x 3 cells
	b.is(`(r => { const i = document.querySelector("#frame img").getBoundingClientRect(), v = document.querySelector(".veil").getBoundingClientRect(); return Math.abs(v.width / v.height - `+
		`document.querySelector("#frame img").naturalWidth / document.querySelector("#frame img").naturalHeight) < 0.02 && v.left >= i.left - 1 && v.right <= i.right + 1 })()`, "true")
	b.do(chromedp.Click(".answer:nth-child(2) .said li:nth-child(1) .word"))
	b.is(`document.querySelector(".veil canvas").style.height`, "87.5%") // cropped

	b.do(chromedp.KeyEvent("\u0303")) // arrow right
	b.is(`document.getElementById("viewer-name").textContent`, "coffee.jpg")
	b.do(chromedp.Click("#close"))
	b.is(`document.getElementById("viewer").open`, "false")
	b.is(`document.activeElement.closest(".card").querySelector(".name").textContent`, "coffee.jpg")
	b.quiet()
}

// On a phone nothing sticks out.
func TestReportOnPhone(t *testing.T) {
	b := openReport(t, testRuns(t))
	b.do(chromedp.EmulateViewport(360, 740, chromedp.EmulateMobile))
	b.is(`document.documentElement.scrollWidth`, "360")
	b.quiet()
}

// quiet fails if the page has complained or asked for anything.
func (b *browser) quiet() {
	b.t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, trouble := range b.troubles {
		b.t.Error(trouble)
	}
}
