package room_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"testing"
	"time"

	"nanotypedb/shared/access"
	"nanotypedb/shared/blob"
	"nanotypedb/shared/blob/dirblob"
	"nanotypedb/shared/commitlog"
	"nanotypedb/shared/fault"
	"nanotypedb/shared/identity"
	"nanotypedb/shared/replica"
	"nanotypedb/shared/room"
	"nanotypedb/shared/sqlitefile"
	"nanotypedb/shared/store"
	"nanotypedb/shared/store/sqlitestore"
)

// world is a store with engines over it, each as in a process of its own.
type world struct {
	tb      testing.TB
	store   store.Store
	blobs   blob.Store
	clock   func() time.Time
	max     int64
	limiter room.Limiter
	caches  []*replica.Cache // of the engines, newest last
	wrong   func(seq int64)  // told of entries whose writer was wrong; nil: there must be none
}

func newWorld(tb testing.TB) *world {
	tb.Helper()
	file, err := sqlitefile.Open(context.Background(), tb.TempDir(), sqlitefile.Options{})
	must(tb, err)
	st, err := sqlitestore.Open(context.Background(), file)
	must(tb, err)
	tb.Cleanup(func() {
		must(tb, st.Close())
		must(tb, file.Close())
	})
	blobs, err := dirblob.Open(tb.TempDir())
	must(tb, err)
	return &world{tb: tb, store: st, blobs: blobs, clock: time.Now}
}

// shared hides that a store has only one writer, so that several engines may
// use it, one slot at a time.
type shared struct{ store.Store }

func (w *world) engine() *room.Engine {
	w.tb.Helper()
	return w.engineOn(w.store)
}

func (w *world) engineOn(st store.Store) *room.Engine {
	w.tb.Helper()
	replicas, err := replica.NewCache(replica.Options{
		Store: st, Blobs: w.blobs, Dir: w.tb.TempDir(), Now: w.clock, Log: slog.New(slog.DiscardHandler),
		OnMismatch: func(ulid string, seq int64) {
			if w.wrong == nil {
				w.tb.Errorf("entry %d of room %s was written wrong", seq, ulid)
				return
			}
			w.wrong(seq)
		},
	})
	must(w.tb, err)
	w.caches = append(w.caches, replicas)
	w.tb.Cleanup(func() { must(w.tb, replicas.Close()) })
	return room.New(room.Options{
		Store: st, Replicas: replicas, Limiter: w.limiter, MaxRoomBytes: w.max, Now: w.clock, Log: slog.New(slog.DiscardHandler),
	})
}

func must(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}

func user(id string) access.Principal {
	return access.Principal{User: identity.User{ID: id, Name: id, Email: id + "@example.com"}}
}

var (
	ada   = user("ada")   // owner
	bob   = user("bob")   // editor
	cleo  = user("cleo")  // editor
	vera  = user("vera")  // viewer
	simon = user("simon") // stranger
)

var den = room.Ref{ID: "den"}

// den makes a room with one member of each role.
func (w *world) den(e *room.Engine) {
	w.tb.Helper()
	ctx := w.tb.Context()
	_, err := e.Create(ctx, ada, "den", "The den")
	must(w.tb, err)
	for p, role := range map[*access.Principal]access.Role{&bob: access.Editor, &cleo: access.Editor, &vera: access.Viewer} {
		_, err := e.SetMember(ctx, ada, den, p.User.ID, role)
		must(w.tb, err)
	}
}

func request(ops ...string) room.Request {
	var r room.Request
	for _, op := range ops {
		r.Ops = append(r.Ops, json.RawMessage(op))
	}
	return r
}

// commit makes a commit that must succeed.
func (w *world) commit(e *room.Engine, p access.Principal, ops ...string) room.Result {
	w.tb.Helper()
	r, err := e.Commit(w.tb.Context(), p, den, request(ops...))
	must(w.tb, err)
	return r
}

// sums are the fingerprints of a room.
func (w *world) state(e *room.Engine) *replica.State {
	w.tb.Helper()
	var st *replica.State
	must(w.tb, e.Read(w.tb.Context(), ada, den, func(v *room.View) error {
		st = v.State()
		return nil
	}))
	return st
}

func (w *world) get(e *room.Engine, p access.Principal, table, id string) (row map[string]any, err error) {
	w.tb.Helper()
	err = e.Read(w.tb.Context(), p, den, func(v *room.View) error {
		raw, err := v.Get(w.tb.Context(), table, id)
		if err != nil {
			return err
		}
		return json.Unmarshal(raw, &row)
	})
	return row, err
}

func (w *world) list(e *room.Engine, p access.Principal, req room.ListRequest) (rows []map[string]any, cursor string, err error) {
	w.tb.Helper()
	err = e.Read(w.tb.Context(), p, den, func(v *room.View) error {
		page, err := v.List(w.tb.Context(), req)
		if err != nil {
			return err
		}
		cursor = page.Cursor
		return json.Unmarshal(page.Rows, &rows)
	})
	return rows, cursor, err
}

func faultOf(tb testing.TB, err error) *fault.Error {
	tb.Helper()
	f, ok := err.(*fault.Error)
	if !ok {
		tb.Fatalf("error %v (%T) is no fault", err, err)
	}
	return f
}

func logKey(ulid string, seq int64) store.Key { return commitlog.Key(ulid, seq) }
