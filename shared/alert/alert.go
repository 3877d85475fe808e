// Package alert keeps alerts by meaning: a member describes what he wants to
// hear of, and is told once of each row version whose text is near enough to
// that, on his connections and in an inbox that outlives them.
//
// Whoever embeds texts calls Check with what was embedded. A match is kept
// under a condition before it is told, so texts checked twice are told once.
// An alert concerns row versions that were written after it was set, so that
// embedding a room anew tells nothing; Preview compares it with what was there
// before.
package alert

import (
	"context"
	"encoding/json"
	"log/slog"
	"strings"
	"time"
	"unicode/utf8"

	"nanotypedb/shared/access"
	"nanotypedb/shared/embedder"
	"nanotypedb/shared/fault"
	"nanotypedb/shared/faultpoint"
	"nanotypedb/shared/replica"
	"nanotypedb/shared/room"
	"nanotypedb/shared/schema"
	"nanotypedb/shared/store"
)

// Limits of alerts.
const (
	MaxAlerts        = 50   // of a user in a room
	MaxTopic         = 63   // characters
	MaxDescription   = 1000 // code points
	DefaultThreshold = 0.5
	Kept             = 90 * 24 * time.Hour // how long the inbox keeps a match
)

// PointKept is between keeping a match and telling it.
const PointKept faultpoint.Name = "alert.kept"

// Points lists all fault points of this package.
var Points = []faultpoint.Name{PointKept}

// Rooms admits members to views of rooms; room.Engine implements it.
type Rooms interface {
	Read(ctx context.Context, p access.Principal, ref room.Ref, fn func(*room.View) error) error
}

// Notifier tells a user's connections to a room; audience.Audience implements
// it. params is a JSON object of at most push.MaxMessage bytes.
type Notifier interface {
	Tell(ctx context.Context, ulid, user, method string, params json.RawMessage) error
}

// Budget decides whether a room may have more texts embedded; usage.Guard
// implements it.
type Budget interface {
	AllowAI(ctx context.Context, room string) error
}

// Options configure Alerts.
type Options struct {
	Store    store.Store
	Rooms    Rooms          // for what members ask; not for Check
	Replicas *replica.Cache // for Check
	Embedder embedder.Embedder
	Limiter  room.Limiter     // nil: no limits
	Notifier Notifier         // nil: nobody is told, the inbox is kept all the same
	Budget   Budget           // refuses to embed for a room that has used its budget up; nil: there is none
	Now      func() time.Time // nil: time.Now
	Log      *slog.Logger     // nil: slog.Default
}

// Alerts is the alerts of all rooms. It is safe for concurrent use and starts
// no goroutine that outlives a call.
type Alerts struct {
	Options
	descriptions descriptions
}

// New returns the alerts kept in a store.
func New(o Options) *Alerts {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	return &Alerts{Options: o, descriptions: descriptions{vectors: map[string]described{}}}
}

// Request is an alert as its user asks for it. Table: only of that one.
type Request struct {
	Description string   `json:"description"`
	Threshold   *float64 `json:"threshold,omitempty"` // 0 to 1; nil: DefaultThreshold
	Table       string   `json:"table,omitempty"`
}

// Alert is an alert as its user sees it.
type Alert struct {
	Topic       string      `json:"topic"`
	Description string      `json:"description"`
	Threshold   float64     `json:"threshold"`
	Table       string      `json:"table,omitempty"`
	CreatedAt   schema.Time `json:"createdAt"`
}

func (r *Request) threshold() float64 {
	if r.Threshold == nil {
		return DefaultThreshold
	}
	return *r.Threshold
}

// check refuses what breaks a limit, and trims the description.
func (r *Request) check() error {
	r.Description = strings.TrimSpace(r.Description)
	n := utf8.RuneCountInString(r.Description)
	switch t := r.threshold(); {
	case n == 0:
		return fault.At(fault.Invalid, "description", "the description is blank; say what you want to hear of")
	case n > MaxDescription:
		return fault.At(fault.TooLarge, "description", "a description has at most %d characters, not %d", MaxDescription, n)
	case !(t >= 0 && t <= 1):
		return fault.At(fault.Invalid, "threshold", "a threshold is a number from 0 to 1")
	}
	return nil
}

func checkTopic(topic string) error {
	foreign := func(c rune) bool { return (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' }
	if topic == "" || len(topic) > MaxTopic || topic[0] == '-' || strings.ContainsFunc(topic, foreign) {
		return errTopic
	}
	return nil
}

var errTopic = fault.At(fault.Invalid, "topic", "a topic is 1 to %d of a-z, 0-9 and -, not beginning with -", MaxTopic)

// scope finds the table that a request names, by its number; 0: all.
func scope(st *replica.State, name string) (int, error) {
	if name == "" {
		return 0, nil
	}
	t := st.Schema.Table(name)
	if t == nil {
		return 0, fault.At(fault.NotFound, "table", "there is no such table in this room")
	}
	if t.Embeds() {
		return t.Num, nil
	}
	return 0, fault.At(fault.Invalid, "table", "no column of this table is embedded, so nothing in it has a meaning to compare")
}
