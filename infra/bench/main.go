// Command bench measures the runner as a client sees it, over HTTP and
// WebSocket on loopback, each acknowledged commit on disk, and prints the
// table that README quotes. The load generator shares the machine with the
// server.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	seconds := flag.Int("seconds", 10, "how long each scenario runs")
	idle := flag.Duration("idle", 3*time.Minute, "how long the sockets of the idle scenario wait; 0 leaves it out")
	only := flag.String("only", "", "run one scenario: start, write, list, point, live or embed")
	binary := flag.String("runner", "", "a built runner to measure; empty: build it")
	flag.Parse()
	if err := run(ctx, time.Duration(*seconds)*time.Second, *idle, *only, *binary); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, d, idle time.Duration, only, binary string) error {
	dir, err := os.MkdirTemp(".", ".bench-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	if binary == "" {
		if binary, err = build(ctx, dir); err != nil {
			return fmt.Errorf("build the runner: %w", err)
		}
	}
	b := &bench{ctx: ctx, d: d, idle: idle, dir: dir, binary: binary}
	fmt.Println("| what | goal | measured |\n|---|---|---|")
	for _, s := range []struct {
		name string
		run  func() error
	}{{"start", b.starting}, {"write", b.writing}, {"list", b.listing}, {"point", b.points}, {"live", b.delivery}, {"embed", b.embedding}} {
		if only != "" && only != s.name {
			continue
		}
		if err := s.run(); err != nil {
			return fmt.Errorf("scenario %s: %w", s.name, err)
		}
	}
	return nil
}

// bench holds what the scenarios share; each starts a server of its own.
type bench struct {
	ctx         context.Context
	d, idle     time.Duration
	dir, binary string
	servers     int
}

func (b *bench) print(what, goal, format string, args ...any) {
	fmt.Printf("| %s | %s | %s |\n", what, goal, fmt.Sprintf(format, args...))
}

// with runs a scenario against a fresh server.
func (b *bench) with(scenario func(*server) error) error {
	b.servers++
	s, err := start(b.ctx, b.binary, filepath.Join(b.dir, fmt.Sprint("data-", b.servers)))
	if err != nil {
		return err
	}
	if err := scenario(s); err != nil {
		_ = s.stop()
		return err
	}
	return s.stop()
}

// throughput describes how fast closed loops went, and what an operation took
// of the processors in the server and here: they share them.
func (b *bench) throughput(s *server, work func() (latencies, error)) (string, error) {
	served, err := s.cpu()
	if err != nil {
		return "", err
	}
	own := cpu()
	all, err := work()
	if err != nil || len(all) == 0 {
		return "", fmt.Errorf("no operation was finished: %w", err)
	}
	until, err := s.cpu()
	return fmt.Sprintf("%.0f/s, p50 %s, p99 %s; CPU each: server %s, load %s",
		float64(len(all))/b.d.Seconds(), ms(all.at(0.5)), ms(all.at(0.99)), each(until-served, all), each(cpu()-own, all)), err
}

func each(d time.Duration, all latencies) string {
	return fmt.Sprintf("%.3f ms", d.Seconds()*1000/float64(max(len(all), 1)))
}

func (b *bench) starting() error {
	data := filepath.Join(b.dir, "start")
	var first latencies
	var rss float64
	for range 11 {
		s, err := start(b.ctx, b.binary, data)
		if err != nil {
			return err
		}
		first = append(first, s.started)
		time.Sleep(300 * time.Millisecond)
		if rss, err = s.rss(); err != nil {
			return err
		}
		if err := s.stop(); err != nil {
			return err
		}
	}
	b.print("start to first answer (median of 11)", "≤ 24 ms", "%s", ms(first.at(0.5)))
	b.print("memory idle", "≤ 40 MiB", "%.0f MiB", rss)
	return nil
}

func (b *bench) writing() error {
	return b.with(func(s *server) error {
		many, err := b.throughput(s, func() (latencies, error) { return commits(b.ctx, s, 16, b.d) })
		if err != nil {
			return err
		}
		b.print("commits a second, 16 writers in one room", "≥ 5,800", "%s", many)
		one, err := b.throughput(s, func() (latencies, error) { return commits(b.ctx, s, 1, b.d) })
		if err != nil {
			return err
		}
		b.print("one writer, p50 acknowledgement", "≤ 0.40 ms", "%s", one)
		return nil
	})
}

func (b *bench) listing() error {
	return b.with(func(s *server) error {
		if err := s.room("list"); err != nil {
			return err
		}
		if err := s.fill("list", 10_000); err != nil {
			return err
		}
		plain, err := b.throughput(s, func() (latencies, error) { return lists(s, "list", 8, b.d) })
		if err != nil {
			return err
		}
		b.print("list 100 of 10,000 rows, 8 readers, HTTP", "≥ 4,400/s", "%s", plain)
		live, err := b.throughput(s, func() (latencies, error) { return listsLive(b.ctx, s, "list", 8, b.d) })
		if err != nil {
			return err
		}
		b.print("the same over WebSocket", "≥ 4,400/s", "%s", live)
		return nil
	})
}

func (b *bench) points() error {
	return b.with(func(s *server) error {
		var reads, writes [2]latencies
		for i, rows := range []int{1_000, 100_000} {
			room := fmt.Sprintf("points-%d", rows)
			if err := s.room(room); err != nil {
				return err
			}
			if err := s.fill(room, rows); err != nil {
				return err
			}
			var err error
			if reads[i], writes[i], err = points(b.ctx, s, room, rows, b.d/2); err != nil {
				return err
			}
		}
		compare := func(l [2]latencies) string {
			small, large := l[0].at(0.5), l[1].at(0.5)
			return fmt.Sprintf("%s and %s: ×%.2f", ms(small), ms(large), float64(large)/float64(small))
		}
		b.print("point read at 1k and 100k rows, p50", "within ×1.5", "%s", compare(reads))
		b.print("one-row commit at 1k and 100k rows, p50", "within ×1.5", "%s", compare(writes))
		return nil
	})
}

func (b *bench) delivery() error {
	for _, idle := range []time.Duration{0, b.idle} {
		what := "live delivery, 500 subscribers, 20 commits/s"
		if idle > 0 {
			what += " after " + idle.String() + " of idleness"
		}
		err := b.with(func(s *server) error {
			got, err := deliver(b.ctx, s, 500, 20, idle, b.d)
			if err != nil {
				return err
			}
			b.print(what, "p50 ≤ 5 ms, p99 ≤ 14 ms, 0 lost", "p50 %s, p99 %s, %d lost; CPU each: server %s, load %s",
				ms(got.latencies.at(0.5)), ms(got.latencies.at(0.99)), got.lost, each(got.cpu, got.latencies), each(got.own, got.latencies))
			b.print("memory with 500 sockets", "≤ 75 MiB", "%.0f MiB", got.rss)
			return nil
		})
		if err != nil {
			return err
		}
		if b.idle == 0 {
			return nil
		}
	}
	return nil
}
