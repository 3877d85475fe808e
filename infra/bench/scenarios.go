package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"syscall"
	"time"
)

// latencies are durations of single operations.
type latencies []time.Duration

func (l latencies) at(q float64) time.Duration {
	if len(l) == 0 {
		return 0
	}
	slices.Sort(l)
	return l[min(len(l)-1, int(q*float64(len(l))))]
}

// cpu is the processor time that this process has used so far.
func cpu() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func ms(d time.Duration) string { return fmt.Sprintf("%.2f ms", float64(d.Microseconds())/1000) }

// together runs n workers for a time and returns all their latencies.
func together(n int, d time.Duration, work func(worker, turn int) error) (latencies, error) {
	deadline := time.Now().Add(d)
	all := make([]latencies, n)
	errs := make([]error, n)
	var wg sync.WaitGroup
	for w := range n {
		wg.Go(func() {
			for turn := 0; time.Now().Before(deadline); turn++ {
				began := time.Now()
				if errs[w] = work(w, turn); errs[w] != nil {
					return
				}
				all[w] = append(all[w], time.Since(began))
			}
		})
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return nil, err
		}
	}
	return slices.Concat(all...), nil
}

func sockets(ctx context.Context, s *server, room string, n int) ([]*socket, error) {
	out := make([]*socket, n)
	for i := range out {
		var err error
		if out[i], err = s.dial(ctx, room); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func closeAll(all []*socket) {
	for _, s := range all {
		s.close()
	}
}

// commits measures n closed-loop writers of one room over sockets.
func commits(ctx context.Context, s *server, n int, d time.Duration) (latencies, error) {
	room := fmt.Sprintf("writers-%d", n)
	if err := s.room(room); err != nil {
		return nil, err
	}
	all, err := sockets(ctx, s, room, n)
	if err != nil {
		return nil, err
	}
	defer closeAll(all)
	return together(n, d, func(w, turn int) error {
		return all[w].insert("Write down what the team agreed on, item " + strconv.Itoa(turn))
	})
}

// lists measures n readers that ask for 100 of 10,000 rows over HTTP.
func lists(s *server, room string, n int, d time.Duration) (latencies, error) {
	return together(n, d, func(int, int) error {
		req, err := http.NewRequest("GET", s.url+"/v1/rooms/"+room+"/tables/tasks/rows?limit=100", nil)
		if err != nil {
			return err
		}
		req.Header.Set("Authorization", "Bearer "+s.token)
		resp, err := s.client.Do(req)
		if err != nil {
			return err
		}
		defer func() { _ = resp.Body.Close() }()
		if size, err := io.Copy(io.Discard, resp.Body); err != nil || resp.StatusCode != 200 || size < 10_000 {
			return fmt.Errorf("list: %s, %d bytes, %v", resp.Status, size, err)
		}
		return nil
	})
}

// listsLive is lists over sockets; a page is cut at 30 KB.
func listsLive(ctx context.Context, s *server, room string, n int, d time.Duration) (latencies, error) {
	all, err := sockets(ctx, s, room, n)
	if err != nil {
		return nil, err
	}
	defer closeAll(all)
	return together(n, d, func(w, _ int) error {
		frame, err := all[w].request("rows.list", `{"table":"tasks","limit":100}`)
		if err == nil && len(frame) < 10_000 {
			err = fmt.Errorf("list: %d bytes", len(frame))
		}
		return err
	})
}

// delivery is what subscribers saw of a steady stream of commits.
type delivery struct {
	latencies latencies
	lost      int
	rss       float64
	cpu       time.Duration // of the server, while it delivered
	own       time.Duration // of this process
}

// deliver opens n subscribers of a room, commits at a rate for a time after
// an idle while, and measures from just before the commit is sent to each
// subscriber's receipt.
func deliver(ctx context.Context, s *server, n, rate int, idle, d time.Duration) (delivery, error) {
	room := fmt.Sprintf("live-%d-%d", n, int(idle.Seconds()))
	if err := s.room(room); err != nil {
		return delivery{}, err
	}
	all, err := sockets(ctx, s, room, n+1)
	if err != nil {
		return delivery{}, err
	}
	defer closeAll(all)
	for _, sub := range all[:n] {
		if _, err := sub.request("subscribe", `{}`); err != nil {
			return delivery{}, err
		}
	}
	total := int(d.Seconds() * float64(rate))
	results := make([]latencies, n)
	var wg sync.WaitGroup
	late := time.AfterFunc(idle+d+5*time.Second, func() { closeAll(all) })
	defer late.Stop()
	for i, sub := range all[:n] {
		wg.Go(func() { results[i] = listen(sub, total) })
	}
	time.Sleep(idle)
	rss, err := s.rss()
	if err != nil {
		return delivery{}, err
	}
	served, err := s.cpu()
	if err != nil {
		return delivery{}, err
	}
	own := cpu()
	tick := time.NewTicker(time.Second / time.Duration(rate))
	defer tick.Stop()
	for range total {
		<-tick.C
		if err := all[n].insert(fmt.Sprintf("sent@%d@", time.Now().UnixNano())); err != nil {
			return delivery{}, err
		}
	}
	wg.Wait()
	got := slices.Concat(results...)
	until, err := s.cpu()
	return delivery{latencies: got, lost: n*total - len(got), rss: rss, cpu: until - served, own: cpu() - own}, err
}

// listen waits for total commits that say when they were sent, or for the
// socket to end.
func listen(sub *socket, total int) latencies {
	got := make(latencies, 0, total)
	for len(got) < total {
		frame, err := sub.read()
		if err != nil {
			return got
		}
		now := time.Now()
		_, rest, _ := bytes.Cut(frame, []byte("@"))
		text, _, found := bytes.Cut(rest, []byte("@"))
		if sent, err := strconv.ParseInt(string(text), 10, 64); err == nil && found {
			got = append(got, now.Sub(time.Unix(0, sent)))
		}
	}
	return got
}

// points measures point reads and one-row updates of one reader and writer.
func points(ctx context.Context, s *server, room string, rows int, d time.Duration) (read, write latencies, err error) {
	sock, err := s.dial(ctx, room)
	if err != nil {
		return nil, nil, err
	}
	defer sock.close()
	read, err = together(1, d, func(_, turn int) error {
		_, err := sock.request("rows.get", fmt.Sprintf(`{"table":"tasks","id":"row-%07d"}`, turn*7919%rows))
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	write, err = together(1, d, func(_, turn int) error {
		_, err := sock.request("commit", fmt.Sprintf(
			`{"ops":[{"op":"update","table":"tasks","id":"row-%07d","set":{"title":"turn %d"}}]}`, turn*7919%rows, turn))
		return err
	})
	return read, write, err
}
