package usage

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"nanotypedb/shared/commitlog"
	"nanotypedb/shared/store"
)

// Ledger is where usage is kept.
type Ledger struct {
	st  store.Store
	now func() time.Time
}

// NewLedger returns the ledger in a store. now is the clock; nil: time.Now.
func NewLedger(st store.Store, now func() time.Time) *Ledger {
	if now == nil {
		now = time.Now
	}
	return &Ledger{st: st, now: now}
}

// attempts bounds how often one item's change is tried anew after others
// changed it in between.
const attempts = 20

// change reads, changes and writes one item, once more when another process
// changed it in between. fn returns false when nothing is to be written. After
// ErrUnknownOutcome the same change may be tried again: fn then finds whether
// it was made.
func (l *Ledger) change(ctx context.Context, key store.Key, expires time.Time, fn func(*record) bool) error {
	for n := range attempts {
		w, wanted, err := l.prepare(ctx, key, expires, fn)
		if err != nil || !wanted {
			return err
		}
		err = l.st.Write(ctx, w)
		var lost *store.ConditionError
		if err == nil {
			return nil
		}
		if !errors.As(err, &lost) && !errors.Is(err, store.ErrContended) {
			return fmt.Errorf("write usage of %s %s: %w", key.PK, key.SK, err)
		}
		if err := pause(ctx, n); err != nil {
			return err
		}
	}
	return fmt.Errorf("write usage of %s %s: %w", key.PK, key.SK, store.ErrContended)
}

func (l *Ledger) prepare(ctx context.Context, key store.Key, expires time.Time, fn func(*record) bool) (store.Write, bool, error) {
	w := store.Write{Action: store.Put, If: store.Absent, Item: store.Item{Key: key, Expires: expires}}
	item, err := l.st.Get(ctx, key, true)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return w, false, fmt.Errorf("read usage of %s %s: %w", key.PK, key.SK, err)
	}
	if err == nil {
		w.If, w.Previous = store.Unchanged, item.Data
	}
	r, err := decodeRecord(item.Data)
	if err != nil || !fn(&r) {
		return w, false, err
	}
	w.Item.Data, err = json.Marshal(r)
	return w, true, err
}

// pause waits a little, longer each time, so that writers of one item spread.
func pause(ctx context.Context, n int) error {
	wait := time.NewTimer(rand.N(time.Duration(n+1) * 2 * time.Millisecond))
	defer wait.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-wait.C:
		return nil
	}
}

// add counts the n-th addition of a writer, once.
func (l *Ledger) add(ctx context.Context, k slot, writer string, n int64, c Counts) error {
	return l.change(ctx, hourKey(k.room, k.hour, k.principal), k.hour.Add(KeepHours), func(r *record) bool {
		if !r.take(writer, n) {
			return false
		}
		r.Counts = r.Counts.Plus(c)
		return true
	})
}

// Logged counts commits, rows written and write units of consecutive entries of
// a room's log; sizes are those of the stored entries in bytes. Entries that an
// item counts already are left out, so the same entries may come again, also
// from several processes at once.
func (l *Ledger) Logged(ctx context.Context, room string, entries []*commitlog.Entry, sizes []int) error {
	bySlot := map[slot][]int{}
	var order []slot
	for i, e := range entries {
		k := slot{room: room, hour: e.At.Time().UTC().Truncate(time.Hour), principal: principalOf(e)}
		if bySlot[k] == nil {
			order = append(order, k)
		}
		bySlot[k] = append(bySlot[k], i)
	}
	for _, k := range order {
		err := l.change(ctx, hourKey(room, k.hour, k.principal), k.hour.Add(KeepHours), func(r *record) bool {
			return r.logged(entries, sizes, bySlot[k])
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (r *record) logged(entries []*commitlog.Entry, sizes []int, which []int) bool {
	before := r.Log
	for _, i := range which {
		e := entries[i]
		if e.Seq <= before {
			continue
		}
		r.Counts = r.Counts.Plus(Entry(e, sizes[i]))
		r.Log = e.Seq
	}
	return r.Log > before
}

func principalOf(e *commitlog.Entry) string {
	if e.By == "" {
		return System
	}
	return e.By
}

// Entry is what one entry of a log counts for. A load counts the records of its
// blob: the rows that it sets or removes.
func Entry(e *commitlog.Entry, size int) Counts {
	c := Of(Commits, 1)
	c[WriteUnits] = WriteEighths(size)
	for i := range e.Ops {
		switch e.Ops[i].Kind {
		case commitlog.Insert, commitlog.Update, commitlog.Delete:
			c[Writes]++
		case commitlog.LoadBlob:
			c[Writes] += e.Ops[i].Load.Rows
		}
	}
	return c
}

// WriteEighths is what writing an item of so many bytes costs: one unit for
// each started KB.
func WriteEighths(bytes int) int64 { return 8 * int64(max(1, (bytes+1023)/1024)) }

// ReadEighths is what reading so many bytes at once costs: one unit for each
// started 4 KB, half of that when it may be old.
func ReadEighths(bytes int, strong bool) int64 {
	units := int64(max(1, (bytes+4095)/4096))
	if strong {
		return 8 * units
	}
	return 4 * units
}
