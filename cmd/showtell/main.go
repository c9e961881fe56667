// Command showtell describes photographs in sentences, and learns to.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"showtell"
	"showtell/tensor"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], streams{in: os.Stdin, out: os.Stdout, err: os.Stderr})
	stop()
	os.Exit(code)
}

// Exit statuses.
const (
	statusOK     = 0
	statusFailed = 1 // some inputs failed
	statusUsage  = 2 // wrong use
)

// streams are where a command reads and writes. Results go to out, everything
// else to err.
type streams struct {
	in       io.Reader
	out, err io.Writer
}

// errUsage marks an error in how the program was called.
var errUsage = errors.New("wrong use")

func usageError(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{errUsage}, args...)...)
}

// errSome says that some inputs failed, each of which has been reported.
var errSome = errors.New("some inputs failed")

func run(ctx context.Context, args []string, s streams) int {
	root := newRoot(s)
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	switch {
	case err == nil:
		return statusOK
	case err == ctx.Err():
		fmt.Fprintln(s.err, "showtell: interrupted")
		return statusFailed
	case errors.Is(err, errSome):
		return statusFailed
	case errors.Is(err, errUsage):
		fmt.Fprintf(s.err, "showtell: %s\n", strings.TrimPrefix(err.Error(), errUsage.Error()+": "))
		fmt.Fprintf(s.err, "See: showtell --help\n")
		return statusUsage
	}
	if p, ok := err.(*fs.PathError); ok { // without what was to be done with the file
		err = fmt.Errorf("%s: %w", p.Path, p.Err)
	}
	fmt.Fprintf(s.err, "showtell: %v\n", err)
	return statusFailed
}

// helpTemplate opens with the example.
const helpTemplate = `{{with .Example}}{{. | trimTrailingWhitespaces}}

{{end}}{{with (or .Long .Short)}}{{. | trimTrailingWhitespaces}}

{{end}}{{if or .Runnable .HasSubCommands}}{{.UsageString}}{{end}}`

const usageTemplate = `Usage:
  {{.UseLine}}{{if .HasAvailableSubCommands}}
  {{.CommandPath}} COMMAND

Commands:{{range .Commands}}{{if .IsAvailableCommand}}
  {{rpad .Name .NamePadding}} {{.Short}}{{end}}{{end}}{{end}}{{if .HasAvailableLocalFlags}}

Flags:
{{.LocalFlags.FlagUsages | trimTrailingWhitespaces}}{{end}}{{if .HasAvailableInheritedFlags}}

Flags of every command:
{{.InheritedFlags.FlagUsages | trimTrailingWhitespaces}}{{end}}
`

func newRoot(s streams) *cobra.Command {
	root := newCaption(s)
	root.Version = showtell.Version
	root.SuggestionsMinimumDistance = 2
	root.SilenceErrors, root.SilenceUsage = true, true
	root.SetHelpTemplate(helpTemplate)
	root.SetUsageTemplate(usageTemplate)
	root.SetOut(s.out)
	root.SetErr(s.err)
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError("%v", err) })
	jobs := root.PersistentFlags().IntP("jobs", "j", 0, "cores to use (default all)")
	root.PersistentPreRunE = func(*cobra.Command, []string) error {
		if *jobs < 0 {
			return usageError("--jobs %d: not a number of cores", *jobs)
		}
		if *jobs > 0 {
			tensor.SetWorkers(*jobs)
		}
		return nil
	}
	for _, verb := range []func(streams) *cobra.Command{newTrain, newEval, newScore, newBench, newExplain, newCalibrate, newConvert, newQuantize, newData, newFeatures, newInfo, newWording} {
		root.AddCommand(verb(s))
	}
	return root
}

// oneArg wants exactly one argument, of the kind that what names.
func oneArg(what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) != 1 {
			return usageError("%s wants one %s, and got %d", cmd.CommandPath(), what, len(args))
		}
		return nil
	}
}

// isTerminal tells whether somebody looks at w.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}
