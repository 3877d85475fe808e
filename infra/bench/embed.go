package main

import (
	"bytes"
	"context"
	"fmt"
	"time"
)

// searchable measures one writer: from just before a commit is sent until its
// row has a vector that searches use, as a subscriber is told.
func searchable(ctx context.Context, s *server, room string, d time.Duration) (latencies, error) {
	if err := s.room(room); err != nil {
		return nil, err
	}
	all, err := sockets(ctx, s, room, 2)
	if err != nil {
		return nil, err
	}
	defer closeAll(all)
	if _, err := all[0].request("subscribe", `{}`); err != nil {
		return nil, err
	}
	return together(1, d, func(_, turn int) error {
		id := fmt.Sprintf("row-%d", turn)
		_, err := all[1].request("commit", fmt.Sprintf(
			`{"ops":[{"op":"insert","table":"tasks","id":%q,"row":{"title":"Write down what the team agreed on, item %d"}}]}`, id, turn))
		if err != nil {
			return err
		}
		return awaitIndexed(all[0], id)
	})
}

// awaitIndexed reads until a notification says that a row is indexed.
func awaitIndexed(s *socket, id string) error {
	row := []byte(`"id":"` + id + `","vector":"indexed"`)
	for {
		frame, err := s.read()
		if err != nil {
			return err
		}
		if bytes.Contains(frame, []byte(`"method":"index"`)) && bytes.Contains(frame, row) {
			return nil
		}
	}
}

// embedding fills a room and measures how long its rows take to have vectors.
func embedding(ctx context.Context, s *server, room string, rows int) (time.Duration, error) {
	if err := s.room(room); err != nil {
		return 0, err
	}
	began := time.Now()
	if err := s.fill(room, rows); err != nil {
		return 0, err
	}
	for ctx.Err() == nil {
		var queue struct{ Index struct{ Rows, Indexed int } }
		if err := s.call("GET", "/v1/rooms/"+room+"/queue", nil, &queue); err != nil {
			return 0, err
		}
		if queue.Index.Indexed == rows {
			return time.Since(began), nil
		}
		time.Sleep(50 * time.Millisecond)
	}
	return 0, ctx.Err()
}

func (b *bench) embedding() error {
	return b.with(func(s *server) error {
		got, err := searchable(b.ctx, s, "searchable", b.d)
		if err != nil {
			return err
		}
		b.print("commit to searchable, static model, one writer", "p50 ≤ 50 ms", "p50 %s, p99 %s", ms(got.at(0.5)), ms(got.at(0.99)))
		const rows = 20_000
		began, err := s.cpu()
		if err != nil {
			return err
		}
		took, err := embedding(b.ctx, s, "embedding", rows)
		if err != nil {
			return err
		}
		ended, err := s.cpu()
		b.print("rows committed and embedded, 500 a commit", "—", "%.0f/s; CPU each: server %.3f ms",
			rows/took.Seconds(), (ended-began).Seconds()*1000/rows)
		return err
	})
}
