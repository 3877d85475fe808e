package analytics

import (
	"context"
	"fmt"
	"time"

	"nanotypedb/shared/access"
	"nanotypedb/shared/queue"
	"nanotypedb/shared/room"
	"nanotypedb/shared/usage"
)

// Probes look at what a room depends on. Each may be nil: its part of the
// answer is then left out.
type Probes struct {
	Queue        func(ctx context.Context) (queue.Counts, error)                                // of the deployment's embeddings
	Dead         func(ctx context.Context, room string) (int64, error)                          // dead letters of a room
	Connections  func(ctx context.Context, room string) (int, error)                            // open sockets
	LastSnapshot func(ctx context.Context, p access.Principal, ref room.Ref) (time.Time, error) // zero: none
	Relayed      func(ctx context.Context, room string) (int64, error)                          // seq that the relay has worked off
	Index        func(ctx context.Context, v *room.View) (IndexHealth, error)                   // of the texts of a room
}

// Level says how bad something is.
type Level string

// The levels.
const (
	OK   Level = "ok"
	Warn Level = "warn"
	Bad  Level = "bad"
)

// Check is one thing that was looked at: what is so, and what to do about it.
type Check struct {
	ID    string `json:"id"`
	Level Level  `json:"level"`
	What  string `json:"what"`
	Do    string `json:"do,omitempty"`
}

// Latencies are upper bounds in milliseconds; 0 without requests.
type Latencies struct {
	P50 int64 `json:"p50Ms"`
	P99 int64 `json:"p99Ms"`
}

// QueueHealth counts messages of the whole deployment.
type QueueHealth struct {
	Waiting     int64  `json:"waiting"`
	InFlight    int64  `json:"inFlight"`
	Delayed     int64  `json:"delayed"`
	OldestAgeMs *int64 `json:"oldestAgeMs,omitempty"` // absent where the queue cannot tell
}

// IndexHealth counts a room's rows with text by the state of their vectors.
type IndexHealth struct {
	Rows    int64 `json:"rows"`
	Indexed int64 `json:"indexed"`
	Pending int64 `json:"pending"`
	Failed  int64 `json:"failed"`
}

// Health is how a room is. Figures are of the last full hour and the present one.
type Health struct {
	Status       Level        `json:"status"`
	Checks       []Check      `json:"checks"`
	Since        string       `json:"since"`
	Commits      int64        `json:"commits"`
	Requests     int64        `json:"requests"`
	Errors       int64        `json:"errors"`
	Latency      Latencies    `json:"latency"`
	Connections  *int         `json:"connections,omitempty"`
	Queue        *QueueHealth `json:"queue,omitempty"`
	Dead         *int64       `json:"dead,omitempty"`
	Index        *IndexHealth `json:"index,omitempty"`
	LastSnapshot string       `json:"lastSnapshot,omitempty"`
	RelayLag     *int64       `json:"relayLag,omitempty"` // commits
	Rows         int64        `json:"rows"`
	Bytes        int64        `json:"bytes"`
	MaxBytes     int64        `json:"maxBytes"`
	CheckedAt    string       `json:"checkedAt"`
}

// From when on something is worth a word.
const (
	oldMessage  = 10 * time.Minute
	oldSnapshot = 26 * time.Hour
	slowRequest = time.Second

	forgottenRoom = 7 * 24 * time.Hour // from when on a room that rests may have outlived its snapshots
	lateCommits   = 100
	nearlyFull    = 0.8
	recentErrors  = 0.01 // of requests
)

// Health looks at a room, for its members.
func (s *Service) Health(ctx context.Context, p access.Principal, ref room.Ref) (Health, error) {
	h := Health{Status: OK, Checks: []Check{}, MaxBytes: s.MaxRoomBytes, CheckedAt: moment(s.Now())}
	var ulid string
	var seq int64
	var created time.Time
	err := s.Rooms.Read(ctx, p, ref, func(v *room.View) error {
		ulid, seq, h.Rows, h.Bytes = v.State().Room, v.State().Seq, v.State().Rows, v.State().Bytes
		created = v.State().CreatedAt.Time()
		if s.Probes.Index == nil {
			return nil
		}
		index, err := s.Probes.Index(ctx, v)
		h.Index = &index
		return err
	})
	if err != nil {
		return Health{}, err
	}
	if err := s.traffic(ctx, &h, ulid); err != nil {
		return Health{}, err
	}
	s.look(ctx, &h, "queue", "the queue of texts to embed", func() error { return s.queue(ctx, &h) })
	s.look(ctx, &h, "dead", "the dead letters", func() error { return s.dead(ctx, &h, ulid) })
	s.look(ctx, &h, "connections", "the open sockets", func() error { return s.people(ctx, &h, ulid) })
	s.look(ctx, &h, "relay", "how far the relay is", func() error { return s.relay(ctx, &h, ulid, seq) })
	s.look(ctx, &h, "snapshot", "the snapshots", func() error { return s.snapshot(ctx, &h, p, ref, created) })
	h.judge(s.Now())
	return h, nil
}

// look runs a probe. That it fails is itself worth telling: the rest of the
// answer stands, which is needed most when something is wrong.
func (s *Service) look(ctx context.Context, h *Health, id, at string, probe func() error) {
	if err := probe(); err != nil {
		s.Log.ErrorContext(ctx, "health: probe failed", "probe", id, "error", err)
		h.check(id, Bad, "Try again in a minute. If it stays, look into the logs (saved query \"Failures\").", "It could not be found out about %s.", at)
	}
}

func (s *Service) traffic(ctx context.Context, h *Health, ulid string) error {
	if err := s.settle(ctx, ulid); err != nil {
		return err
	}
	now := s.Now().UTC()
	rep, err := s.Ledger.Report(ctx, ulid, usage.Range{From: now.Add(-time.Hour), To: now.Add(time.Millisecond), By: usage.ByHour})
	if err != nil {
		return err
	}
	c := rep.Totals
	h.Since, h.Commits, h.Errors, h.Requests = moment(rep.From), c[usage.Commits], c[usage.Errors], c.Timed()
	if d, ok := c.Latency(.5); ok {
		h.Latency.P50 = d.Milliseconds()
	}
	if d, ok := c.Latency(.99); ok {
		h.Latency.P99 = d.Milliseconds()
	}
	return nil
}

func (s *Service) queue(ctx context.Context, h *Health) error {
	if s.Probes.Queue == nil {
		return nil
	}
	counts, err := s.Probes.Queue(ctx)
	if err != nil {
		return fmt.Errorf("count the queue: %w", err)
	}
	h.Queue = &QueueHealth{Waiting: counts.Waiting, InFlight: counts.InFlight, Delayed: counts.Delayed}
	if counts.OldestKnown {
		age := counts.Oldest.Milliseconds()
		h.Queue.OldestAgeMs = &age
	}
	return nil
}

func (s *Service) dead(ctx context.Context, h *Health, ulid string) error {
	if s.Probes.Dead == nil {
		return nil
	}
	n, err := s.Probes.Dead(ctx, ulid)
	if err == nil {
		h.Dead = &n
	}
	return err
}

func (s *Service) people(ctx context.Context, h *Health, ulid string) error {
	if s.Probes.Connections == nil {
		return nil
	}
	n, err := s.Probes.Connections(ctx, ulid)
	if err == nil {
		h.Connections = &n
	}
	return err
}

func (s *Service) snapshot(ctx context.Context, h *Health, p access.Principal, ref room.Ref, created time.Time) error {
	if s.Probes.LastSnapshot == nil {
		return nil
	}
	at, err := s.Probes.LastSnapshot(ctx, p, ref)
	if !at.IsZero() {
		h.LastSnapshot = moment(at)
	} else if age := s.Now().Sub(created); err == nil && age > oldSnapshot && (h.Commits > 0 || age < forgottenRoom) {
		h.check("snapshot", Warn, "Look into the logs of the jobs; take one by hand under Snapshots.", "There is no snapshot, although the room is older than a day.")
	}
	return err
}

func (s *Service) relay(ctx context.Context, h *Health, ulid string, seq int64) error {
	if s.Probes.Relayed == nil {
		return nil
	}
	at, err := s.Probes.Relayed(ctx, ulid)
	if err == nil {
		lag := max(0, seq-at)
		h.RelayLag = &lag
	}
	return err
}

// judge says in words what the figures mean.
func (h *Health) judge(now time.Time) {
	h.judgeTraffic()
	h.judgeIndex()
	h.judgeStorage(now)
	for _, c := range h.Checks {
		if c.Level == Bad || c.Level == Warn && h.Status == OK {
			h.Status = c.Level
		}
	}
}

func (h *Health) check(id string, level Level, do, what string, args ...any) {
	c := Check{ID: id, Level: level, What: fmt.Sprintf(what, args...)}
	if level != OK {
		c.Do = do
	}
	h.Checks = append(h.Checks, c)
}

func (h *Health) judgeTraffic() {
	switch {
	case h.Errors == 0:
		h.check("errors", OK, "", "No request failed by a fault of the service.")
	case float64(h.Errors) > recentErrors*float64(max(h.Requests, 1)):
		h.check("errors", Bad, "Look into the logs for the service and this room (saved query \"Failures\"); what failed may be repeated safely.", "%d of %d requests failed by a fault of the service.", h.Errors, h.Requests)
	default:
		h.check("errors", Warn, "If it goes on, look into the logs (saved query \"Failures\").", "%d of %d requests failed by a fault of the service.", h.Errors, h.Requests)
	}
	switch {
	case h.Requests == 0:
		h.check("latency", OK, "", "Nobody asked anything in the last hour.")
	case h.Latency.P99 == 0 || h.Latency.P99 > slowRequest.Milliseconds():
		h.check("latency", Warn, "Look for lists of large tables in an order or with filters that read all rows, and for a function with too little memory.", "One request in a hundred takes longer than a second.")
	default:
		h.check("latency", OK, "", "99 of 100 requests are answered within %d ms.", h.Latency.P99)
	}
	if h.RelayLag == nil {
		return
	}
	if *h.RelayLag > lateCommits {
		h.check("relay", Warn, "If it does not shrink, look into the logs of the relay. Nothing is lost meanwhile.", "%d commits wait to be indexed, archived and metered.", *h.RelayLag)
	} else {
		h.check("relay", OK, "", "All but the newest commits are worked off.")
	}
}

func (h *Health) judgeIndex() {
	if h.Dead != nil && *h.Dead > 0 {
		h.check("dead", Bad, "Open Queue & dead letters: it groups them by cause. Mend the cause, then retry all.", "%d texts could not be embedded after five attempts; their rows are found by words only.", *h.Dead)
	} else if h.Dead != nil {
		h.check("dead", OK, "", "There are no dead letters.")
	}
	if h.Queue != nil && h.Queue.OldestAgeMs != nil && *h.Queue.OldestAgeMs > oldMessage.Milliseconds() {
		h.check("queue", Warn, "During a large import that is as it should be. Else see whether the embedding model answers.", "A text has waited %d minutes to be embedded.", *h.Queue.OldestAgeMs/60_000)
	} else if h.Queue != nil {
		h.check("queue", OK, "", "%d texts wait to be embedded in this deployment.", h.Queue.Waiting+h.Queue.Delayed+h.Queue.InFlight)
	}
	if h.Index != nil && h.Index.Rows > 0 {
		h.check("index", OK, "", "%d of %d rows with text are found by meaning; %d are on their way.", h.Index.Indexed, h.Index.Rows, h.Index.Pending)
	}
}

func (h *Health) judgeStorage(now time.Time) {
	if h.MaxBytes > 0 && float64(h.Bytes) > nearlyFull*float64(h.MaxBytes) {
		h.check("size", Warn, "Delete what is not needed, split the room, or raise NANO_ROOM_MAX_MB together with the functions' memory.", "The room uses %d %% of the space it may have.", 100*h.Bytes/h.MaxBytes)
	} else {
		h.check("size", OK, "", "The room holds %d rows in %d KB.", h.Rows, (h.Bytes+1023)/1024)
	}
	last, err := time.Parse(layout, h.LastSnapshot)
	switch {
	case h.LastSnapshot == "" || err != nil:
		return
	case now.Sub(last) > oldSnapshot && h.Commits > 0:
		h.check("snapshot", Warn, "Look into the logs of the jobs; take one by hand under Snapshots.", "The newest snapshot is %d hours old although the room changes.", int(now.Sub(last).Hours()))
	default:
		h.check("snapshot", OK, "", "The newest snapshot is of %s.", last.Format("2 January 15:04 UTC"))
	}
}
