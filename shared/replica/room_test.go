package replica_test

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"nanotypedb/shared/blob"
	"nanotypedb/shared/blob/dirblob"
	"nanotypedb/shared/commitlog"
	"nanotypedb/shared/replica"
	"nanotypedb/shared/schema"
	"nanotypedb/shared/store"
)

const ulid = "01JD00000000000000000000R0"

// world is a store with a room in it, and caches over it.
type world struct {
	tb    testing.TB
	st    *memory
	blobs blob.Store
	now   time.Time
	alarm []int64
	ends  []func() // newest last
}

func newWorld(tb testing.TB) *world {
	tb.Helper()
	blobs, err := dirblob.Open(tb.TempDir())
	must(tb, err)
	w := &world{tb: tb, st: newMemory(), blobs: blobs, now: time.UnixMilli(1_800_000_000_000)}
	tb.Cleanup(w.close)
	return w
}

// close ends what was opened, also before the test ends.
func (w *world) close() {
	for _, end := range slices.Backward(w.ends) {
		end()
	}
	w.ends = nil
}

func (w *world) cache(edit ...func(*replica.Options)) *replica.Cache {
	w.tb.Helper()
	o := replica.Options{Store: w.st, Blobs: w.blobs, Dir: w.tb.TempDir(), Now: func() time.Time { return w.now },
		Log: slog.New(strict{slog.DiscardHandler, w.tb}), OnMismatch: func(_ string, seq int64) { w.alarm = append(w.alarm, seq) }}
	for _, f := range edit {
		f(&o)
	}
	c, err := replica.NewCache(o)
	must(w.tb, err)
	w.ends = append(w.ends, func() {
		if err := c.Close(); err != nil {
			w.tb.Error(err)
		}
	})
	return c
}

// strict is a log in which a leak is an error of the test.
type strict struct {
	slog.Handler
	tb testing.TB
}

func (strict) Enabled(context.Context, slog.Level) bool { return true }

func (s strict) WithAttrs([]slog.Attr) slog.Handler { return s }

func (s strict) Handle(_ context.Context, r slog.Record) error {
	if strings.Contains(r.Message, " not ") { // not closed, not removed, not moved
		s.tb.Error(r.Message)
	}
	return nil
}

func (w *world) acquire(c *replica.Cache) *replica.Replica {
	w.tb.Helper()
	r, release, err := c.Acquire(w.tb.Context(), ulid)
	must(w.tb, err)
	w.ends = append(w.ends, release)
	return r
}

// create makes the room: table tasks with many kinds of columns, and an owner.
func (w *world) create(c *replica.Cache) *replica.Replica {
	w.tb.Helper()
	r, release, err := c.Create(w.tb.Context(), ulid)
	must(w.tb, err)
	w.ends = append(w.ends, release)
	w.commitAs(r, commitlog.Create,
		commitlog.Op{Kind: commitlog.SetRoom, ID: "lab", Name: "Lab"},
		commitlog.Op{Kind: commitlog.SetMember, User: "ada", Role: "owner", Name: "Ada"},
		commitlog.Op{Kind: commitlog.CreateTable, Def: tasks()})
	return r
}

// tasks has a column of every type.
func tasks() *schema.Table {
	return &schema.Table{Num: 1, Name: "tasks", NextColumn: 9, Columns: []schema.Column{
		{Num: 1, Name: "title", Type: schema.Text, Required: true, MaxLength: 500, Embed: true},
		{Num: 2, Name: "status", Type: schema.Enum, Values: []string{"pending", "completed"}, Default: "pending"},
		{Num: 3, Name: "count", Type: schema.Integer},
		{Num: 4, Name: "weight", Type: schema.Number},
		{Num: 5, Name: "done", Type: schema.Boolean},
		{Num: 6, Name: "due", Type: schema.Date},
		{Num: 7, Name: "seen", Type: schema.Timestamp},
		{Num: 8, Name: "extra", Type: schema.JSONType},
	}}
}

// entry is a new entry of ada's at the world's time.
func (w *world) entry(kind commitlog.Kind, ops ...commitlog.Op) *commitlog.Entry {
	return &commitlog.Entry{At: schema.Millis(w.now.UnixMilli()), By: "ada", Attempt: "a", Kind: kind, Ops: ops}
}

// try drafts an entry and gives it, or the error, without publishing.
func try(ctx context.Context, d *replica.Draft, e *commitlog.Entry) error {
	return d.Try(ctx, func() error {
		d.Start(e)
		for i := range e.Ops {
			if err := d.Apply(ctx, &e.Ops[i]); err != nil {
				return err
			}
		}
		return d.Finish(ctx, e)
	})
}

func (w *world) commit(r *replica.Replica, ops ...commitlog.Op) *commitlog.Entry {
	w.tb.Helper()
	return w.commitAs(r, commitlog.Ordinary, ops...)
}

func (w *world) commitAs(r *replica.Replica, kind commitlog.Kind, ops ...commitlog.Op) *commitlog.Entry {
	w.tb.Helper()
	e := w.entry(kind, ops...)
	must(w.tb, w.write(r, e))
	return e
}

// write drafts, logs and publishes entries.
func (w *world) write(r *replica.Replica, entries ...*commitlog.Entry) error {
	ctx := w.tb.Context()
	d, err := r.Begin(ctx)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if err := try(ctx, d, e); err != nil {
			return errors.Join(err, d.Discard())
		}
		if err := w.log(e); err != nil {
			return errors.Join(err, d.Discard())
		}
	}
	return d.Publish(w.now)
}

func (w *world) log(e *commitlog.Entry) error {
	return w.st.Write(w.tb.Context(), store.Write{If: store.Absent,
		Item: store.Item{Key: commitlog.Key(ulid, e.Seq), Data: commitlog.AppendEntry(nil, e)}})
}

func insert(id, title string, cells ...schema.Cell) commitlog.Op {
	set := append([]schema.Cell{{Num: 1, Value: title}}, cells...)
	return commitlog.Op{Kind: commitlog.Insert, Table: 1, ID: id, Creator: "ada", Set: set}
}

func update(id string, cells ...schema.Cell) commitlog.Op {
	return commitlog.Op{Kind: commitlog.Update, Table: 1, ID: id, Creator: "ada", Set: cells}
}

func remove(id string) commitlog.Op {
	return commitlog.Op{Kind: commitlog.Delete, Table: 1, ID: id, Creator: "ada"}
}

func cell(num int, v schema.Value) schema.Cell { return schema.Cell{Num: num, Value: v} }

func must(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}

// rows lists a table by id.
func rows(tb testing.TB, r *replica.Replica, q replica.ListQuery) (out []replica.Row) {
	tb.Helper()
	must(tb, r.View(tb.Context(), func(v *replica.View) error {
		if q.Table == nil {
			q.Table = v.State().Schema.TableByNum(1)
		}
		return v.Rows(tb.Context(), q, func(row *replica.Row) (bool, error) {
			out = append(out, *row)
			return true, nil
		})
	}))
	return out
}

func ids(rows []replica.Row) []string {
	out := make([]string, len(rows))
	for i := range rows {
		out[i] = rows[i].ID
	}
	return out
}

func equal[T comparable](tb testing.TB, what string, got, want []T) {
	tb.Helper()
	if !slices.Equal(got, want) {
		tb.Errorf("%s: got %v, want %v", what, got, want)
	}
}
