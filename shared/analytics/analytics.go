// Package analytics tells a room's people what it consumed, what that costs and
// how the room is.
package analytics

import (
	"cmp"
	"context"
	"log/slog"
	"slices"
	"time"

	"nanotypedb/shared/access"
	"nanotypedb/shared/fault"
	"nanotypedb/shared/room"
	"nanotypedb/shared/usage"
)

// rooms is what is needed of the room engine.
type rooms interface {
	Read(ctx context.Context, p access.Principal, ref room.Ref, fn func(*room.View) error) error
}

// Options configure a Service.
type Options struct {
	Rooms    rooms
	Ledger   *usage.Ledger
	Recorder *usage.Recorder // of this process; nil: none
	Guard    *usage.Guard
	Prices   *usage.Prices
	Model    string // of the embedder
	Probes   Probes
	Now      func() time.Time // nil: time.Now
	Log      *slog.Logger     // nil: slog.Default

	MaxRoomBytes int64 // NANO_ROOM_MAX_MB
}

// Service answers for all rooms.
type Service struct{ Options }

// New returns a service.
func New(o Options) *Service {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	return &Service{o}
}

// Request asks for the usage of a range, whose ends may be a date or a moment
// (RFC 3339). Empty ends mean the last 30 days, or the last 24 hours by hour.
// Compare adds the totals of the range of the same length before it.
type Request struct {
	From    string     `json:"from,omitempty"`
	To      string     `json:"to,omitempty"`
	By      usage.Step `json:"by,omitempty"`
	User    string     `json:"user,omitempty"`
	Compare bool       `json:"compare,omitempty"`
}

// Figures are the key figures of a period; Cost is in USD, unrounded.
type Figures struct {
	Reads    int64   `json:"reads"`
	Writes   int64   `json:"writes"`
	AI       int64   `json:"ai"`
	Commits  int64   `json:"commits"`
	Requests int64   `json:"requests"`
	Messages int64   `json:"messages"`
	Bytes    int64   `json:"bytes"`
	Tokens   int64   `json:"tokens"`
	Errors   int64   `json:"errors"`
	Cost     float64 `json:"cost"`
}

// Point is the figures of one hour or day.
type Point struct {
	At string `json:"at"`
	Figures
}

// Totals are sums, with the cost by cause.
type Totals struct {
	Figures
	Costs usage.Cost `json:"costs"`
}

// User is what one principal consumed.
type User struct {
	User string `json:"user"`
	Name string `json:"name,omitempty"`
	Figures
}

// Period is a range with its sums.
type Period struct {
	From   string `json:"from"`
	To     string `json:"to"`
	Totals Totals `json:"totals"`
}

// PriceList says which prices the costs were made with.
type PriceList struct {
	Region string `json:"region"`
	Date   string `json:"date"`
}

// Answer is the usage of a range.
type Answer struct {
	From     string              `json:"from"`
	To       string              `json:"to"`
	By       usage.Step          `json:"by"`
	Points   []Point             `json:"points"`
	Totals   Totals              `json:"totals"`
	Users    []User              `json:"users,omitempty"`
	Services []usage.ServiceCost `json:"services"`
	Previous *Period             `json:"previous,omitempty"`
	Prices   PriceList           `json:"prices"`
	Budget   Budget              `json:"budget"`
}

// Budget is what a room may cost in a month and what it has cost so far.
type Budget struct {
	usage.Budget
	Spent  float64 `json:"spent"`
	Month  string  `json:"month"` // 2026-11
	State  string  `json:"state"` // none, ok, warned or stopped
	Paused bool    `json:"paused,omitempty"`
}

// member is who asks, where.
type member struct {
	room  string
	role  access.Role
	user  string
	names map[string]string
}

func (s *Service) member(ctx context.Context, p access.Principal, ref room.Ref) (member, error) {
	m := member{user: p.User.ID, names: map[string]string{}}
	err := s.Rooms.Read(ctx, p, ref, func(v *room.View) error {
		m.room, m.role = v.State().Room, v.Grant().Role
		for id, other := range v.State().Members {
			m.names[id] = cmp.Or(other.Name, other.Email)
		}
		return nil
	})
	return m, err
}

// Report answers a request: the room's totals to every member, other people's
// figures to owners only. Errors: invalid, forbidden, not_found for strangers.
func (s *Service) Report(ctx context.Context, p access.Principal, ref room.Ref, req Request) (Answer, error) {
	r, err := s.parse(req)
	if err != nil {
		return Answer{}, err
	}
	m, err := s.member(ctx, p, ref)
	if err != nil {
		return Answer{}, err
	}
	if req.User != "" && req.User != m.user && m.role != access.Owner {
		return Answer{}, fault.At(fault.Forbidden, "user", "Only owners see what others used; you may ask for yourself.")
	}
	if err := s.settle(ctx, m.room); err != nil {
		return Answer{}, err
	}
	rep, err := s.Ledger.Report(ctx, m.room, r)
	if err != nil {
		return Answer{}, err
	}
	a := s.answer(rep, m)
	if req.Compare {
		if a.Previous, err = s.previous(ctx, m.room, rep.Range); err != nil {
			return Answer{}, err
		}
	}
	a.Budget, err = s.budget(ctx, m.room)
	return a, err
}

// settle writes what this process has counted, so that a report right after a
// request holds it.
func (s *Service) settle(ctx context.Context, ulid string) error {
	if s.Recorder.Pending(ulid).Zero() {
		return nil
	}
	return s.Recorder.Flush(ctx)
}

func (s *Service) previous(ctx context.Context, ulid string, r usage.Range) (*Period, error) {
	rep, err := s.Ledger.Report(ctx, ulid, r.Before())
	if err != nil {
		return nil, err
	}
	return &Period{From: moment(rep.From), To: moment(rep.To), Totals: s.totals(rep.Totals)}, nil
}

func (s *Service) answer(rep usage.Report, m member) Answer {
	a := Answer{
		From: moment(rep.From), To: moment(rep.To), By: rep.By, Totals: s.totals(rep.Totals),
		Services: s.Prices.Services(rep.Totals, s.Model), Prices: PriceList{Region: s.Prices.Region, Date: s.Prices.Date},
		Points: make([]Point, len(rep.Points)),
	}
	for i, point := range rep.Points {
		a.Points[i] = Point{At: moment(point.At), Figures: s.figures(point.Counts)}
	}
	for _, u := range rep.Principals {
		if m.role == access.Owner || u.Principal == m.user {
			a.Users = append(a.Users, User{User: u.Principal, Name: m.names[u.Principal], Figures: s.figures(u.Counts)})
		}
	}
	return a
}

func (s *Service) totals(c usage.Counts) Totals {
	return Totals{Figures: s.figures(c), Costs: s.Prices.Cost(c, s.Model)}
}

func (s *Service) figures(c usage.Counts) Figures {
	return Figures{
		Reads: c[usage.Reads], Writes: c[usage.Writes], AI: c[usage.AI], Commits: c[usage.Commits], Requests: c[usage.Requests],
		Messages: c[usage.Messages], Bytes: c[usage.Bytes], Tokens: c[usage.Tokens], Errors: c[usage.Errors],
		Cost: s.Prices.Cost(c, s.Model).Total(),
	}
}

const layout = "2006-01-02T15:04:05.000Z"

func moment(t time.Time) string { return t.UTC().Format(layout) }

// The lengths of a range that names no beginning.
const (
	defaultDays  = 30
	defaultHours = 24
)

func (s *Service) parse(req Request) (usage.Range, error) {
	r := usage.Range{By: cmp.Or(req.By, usage.ByDay), Principal: req.User}
	step := 24 * time.Hour
	if r.By == usage.ByHour {
		step = time.Hour
	}
	now := s.Now().UTC()
	r.To = now.Truncate(step).Add(step) // with the present hour or day, also in its first moment
	var err error
	if req.To != "" {
		if r.To, err = parseMoment("to", req.To, true); err != nil {
			return r, err
		}
	}
	switch {
	case req.From != "":
		r.From, err = parseMoment("from", req.From, false)
	case r.By == usage.ByHour:
		r.From = r.To.Add(-defaultHours * time.Hour)
	default:
		r.From = r.To.AddDate(0, 0, -defaultDays)
	}
	if err != nil {
		return r, err
	}
	if oldest := now.Add(-usage.KeepHours); r.By == usage.ByHour && r.From.Before(oldest.Truncate(step)) {
		return r, fault.At(fault.Invalid, "from", "Hours are kept for %d days, so the range begins on %s at the earliest; ask by day for what was before.",
			usage.KeepHours/(24*time.Hour), oldest.Format(time.DateOnly))
	}
	return r, nil
}

// parseMoment reads a date or a moment. A date that ends a range is in it.
func parseMoment(path, text string, end bool) (time.Time, error) {
	if day, err := time.Parse(time.DateOnly, text); err == nil {
		if end {
			day = day.AddDate(0, 0, 1)
		}
		return day, nil
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil || at.Year() < 2000 || at.Year() > 9000 {
		return at, fault.At(fault.Invalid, path, "Give a date as 2026-11-23 or a moment as 2026-11-23T20:00:00Z.")
	}
	return at, nil
}

// Budget tells a member the room's budget and what was spent of it.
func (s *Service) Budget(ctx context.Context, p access.Principal, ref room.Ref) (Budget, error) {
	m, err := s.member(ctx, p, ref)
	if err != nil {
		return Budget{}, err
	}
	return s.budget(ctx, m.room)
}

// SetBudget changes the room's budget (owners).
func (s *Service) SetBudget(ctx context.Context, p access.Principal, ref room.Ref, b usage.Budget) (Budget, error) {
	m, err := s.member(ctx, p, ref)
	if err != nil {
		return Budget{}, err
	}
	if m.role != access.Owner {
		return Budget{}, fault.New(fault.Forbidden, "Only owners set a room's budget.")
	}
	if err := s.Ledger.SetBudget(ctx, m.room, b); err != nil {
		return Budget{}, err
	}
	s.Guard.Forget(m.room)
	return s.budget(ctx, m.room)
}

func (s *Service) budget(ctx context.Context, ulid string) (Budget, error) {
	spent, err := s.Guard.Spending(ctx, ulid)
	if err != nil {
		return Budget{}, err
	}
	if spent.Budget == (usage.Budget{}) { // the guard need not know
		if spent.Cost, err = s.Guard.Cost(ctx, ulid); err != nil {
			return Budget{}, err
		}
	}
	b := Budget{Budget: spent.Budget, Spent: spent.Cost, Month: spent.Month.Format("2006-01"), State: "ok"}
	switch {
	case spent.Stopped():
		b.State, b.Paused = "stopped", true
	case spent.Warned():
		b.State = "warned"
	case spent.Budget == usage.Budget{}:
		b.State = "none"
	}
	return b, nil
}

// sorted names for the rows of a CSV, in the order of its columns.
var columns = []string{"at", "user", "name", "reads", "writes", "ai", "commits", "requests", "messages", "bytes", "tokens", "errors", "cost"}

// Columns are those of the CSV.
func Columns() []string { return slices.Clone(columns) }
