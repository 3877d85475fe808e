// Command nanotype runs the whole product in one process: the page, /v1 and
// /ws on NANO_ADDR, its data in NANO_DATA.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"nanotypedb/infra/local"
	"nanotypedb/shared/config"
)

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		for line := range strings.Lines(err.Error()) {
			fmt.Fprintln(os.Stderr, "nanotype:", strings.TrimSpace(line))
		}
		os.Exit(1)
	}
}

func run(args []string, out io.Writer) error {
	flags := flag.NewFlagSet("nanotype", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	err := flags.Parse(args)
	if errors.Is(err, flag.ErrHelp) {
		usage(out)
		return nil
	}
	if err != nil || flags.NArg() > 0 {
		return fmt.Errorf("it takes no arguments, only settings from the environment: see nanotype --help (given: %s)", strings.Join(args, " "))
	}
	c, err := config.Read(os.LookupEnv)
	if err != nil {
		return err
	}
	return serve(c, out)
}

func serve(c config.Config, out io.Writer) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	tuneCollector()
	var level slog.Level
	if err := level.UnmarshalText([]byte(c.LogLevel)); err != nil {
		return err
	}
	var handler slog.Handler = slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: level})
	if c.LogFormat == "json" {
		handler = slog.NewJSONHandler(os.Stderr, &slog.HandlerOptions{Level: level})
	}
	log := slog.New(handler)
	runner, err := local.Open(ctx, c, log)
	if err != nil {
		return err
	}
	_, _ = fmt.Fprintf(out, "Nanotype DB runs at %s (data in %s)\n", runner.URL(), c.Data)
	return runner.Serve(ctx)
}

func usage(out io.Writer) {
	_, _ = fmt.Fprint(out, "nanotype runs Nanotype DB in one process.\n\nSettings, from the environment:\n")
	for _, s := range config.Settings {
		_, _ = fmt.Fprintf(out, "  %-22s %s (default %q)\n", s.Name, s.Meaning, s.Default)
	}
}
