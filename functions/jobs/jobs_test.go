package jobs_test

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"slices"
	"testing"
	"time"

	"nanotypedb/functions/jobs"
	"nanotypedb/shared/backup"
	"nanotypedb/shared/identity"
	"nanotypedb/shared/job"
	"nanotypedb/shared/queue"
)

// stand is a handler over parts that note what they are asked.
type stand struct {
	queue.Queue
	sent     []string
	extended map[string]time.Duration
	handled  []string
	kept     []string
	due      []string
	fail     error
	told     []string
	*jobs.Handler
}

func newStand() *stand {
	s := &stand{extended: map[string]time.Duration{}}
	s.Handler = jobs.New(jobs.Deps{Runner: runner{s}, Keeper: s, Queue: s, Log: slog.New(slog.DiscardHandler)})
	return s
}

type runner struct{ s *stand }

func (r runner) Handle(_ context.Context, m queue.Message) error {
	r.s.handled = append(r.s.handled, m.Body)
	return r.s.fail
}

func (s *stand) Send(_ context.Context, messages ...queue.Outgoing) error {
	for _, m := range messages {
		s.sent = append(s.sent, m.Body)
	}
	return s.fail
}

func (s *stand) Extend(_ context.Context, extensions ...queue.Extension) error {
	for _, e := range extensions {
		s.extended[e.Receipt] = e.For
	}
	return nil
}

func (s *stand) Due(_ context.Context, fn func(string) error) error {
	for _, ulid := range s.due {
		if err := fn(ulid); err != nil {
			return err
		}
	}
	return nil
}

func (s *stand) Stored(context.Context, string) (table, blobs int64, err error) { return 0, 0, nil }

func (s *stand) Upkeep(_ context.Context, ulid string) error {
	s.kept = append(s.kept, ulid)
	return s.fail
}

func (s *stand) Tell(_ context.Context, ulid, user, method string, params json.RawMessage) error {
	s.told = append(s.told, ulid+" "+user+" "+method+" "+string(params))
	return nil
}

func TestTheScheduleSendsEachRoomToTheQueue(t *testing.T) {
	s := newStand()
	s.due = []string{"a", "b"}
	if n, err := s.Tick(t.Context()); n != 2 || err != nil {
		t.Fatal(n, err)
	}
	for _, body := range s.sent {
		if failed := s.Handle(t.Context(), []queue.Message{{Body: body, Receives: 1}}); len(failed) != 0 {
			t.Errorf("failed: %v", failed)
		}
	}
	if !slices.Equal(s.kept, s.due) || len(s.handled) != 0 {
		t.Errorf("looked after %v, handled %v", s.kept, s.handled)
	}
}

func TestMessagesOfJobsGoToTheRunner(t *testing.T) {
	s := newStand()
	body := `{"v":1,"room":"r","job":"j"}`
	s.Handle(t.Context(), []queue.Message{{Body: body}})
	if len(s.handled) != 1 || s.handled[0] != body || len(s.kept) != 0 {
		t.Errorf("handled %v, looked after %v", s.handled, s.kept)
	}
}

func TestWhatFailsComesAgainLaterEachTime(t *testing.T) {
	s := newStand()
	s.fail = errors.New("no")
	upkeep, err := backup.Message{Upkeep: "a"}.Encode()
	if err != nil {
		t.Fatal(err)
	}
	last := time.Duration(0)
	for receives := 1; receives <= jobs.MaxReceives; receives++ {
		for _, body := range []string{upkeep, "not even JSON"} {
			if failed := s.Handle(t.Context(), []queue.Message{{Body: body, Receipt: body, Receives: receives}}); len(failed) != 1 {
				t.Errorf("%d failed", len(failed))
			}
		}
		if s.extended[upkeep] <= last {
			t.Errorf("after %d receives it waits %v, before %v", receives, s.extended[upkeep], last)
		}
		last = s.extended[upkeep]
	}
}

func TestWhoeverStartedAJobIsTold(t *testing.T) {
	s := newStand()
	j := &job.Job{ID: "j1", Kind: "restore", Room: "r1", By: identity.User{ID: "ada"}, State: job.Running, Progress: 0.5, Phase: "reading", Params: json.RawMessage(`{"secret":1}`)}
	if err := (jobs.Announcer{Teller: s}).AnnounceJob(t.Context(), j); err != nil {
		t.Fatal(err)
	}
	want := `r1 ada job {"id":"j1","kind":"restore","state":"running","progress":0.5,"step":"reading"}`
	if len(s.told) != 1 || s.told[0] != want {
		t.Errorf("told %v", s.told)
	}
	j.Result = json.RawMessage(`"` + string(slices.Repeat([]byte("x"), 20_000)) + `"`)
	if err := (jobs.Announcer{Teller: s}).AnnounceJob(t.Context(), j); err != nil || len(s.told[1]) > 1000 {
		t.Errorf("a large result was told: %d bytes, %v", len(s.told[1]), err)
	}
}
