package backup_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"nanotypedb/shared/access"
	"nanotypedb/shared/backup"
	"nanotypedb/shared/commitlog"
	"nanotypedb/shared/fault"
	"nanotypedb/shared/identity"
	"nanotypedb/shared/job"
	"nanotypedb/shared/room"
	"nanotypedb/shared/store"
)

// Every commit inserts two rows: an image between two commits has an even
// number, and one that mixes two states does not agree with its sums.
func TestASnapshotIsOfOneSeqWhileWritesGoOn(t *testing.T) {
	w := newWorld(t)
	ulid := w.create("plans")
	ctx, stop := context.WithCancel(t.Context())
	var writers sync.WaitGroup
	for n := range 3 {
		writers.Go(func() {
			for i := 0; ctx.Err() == nil; i++ {
				w.commit("plans", insert(fmt.Sprint("a", n, "-", i), "left"), insert(fmt.Sprint("b", n, "-", i), "right"))
			}
		})
	}
	var last int64
	for range 5 {
		before, err := w.engine.Head(t.Context(), ulid)
		must(t, err)
		s := w.take("plans", "under way")
		if h := w.verify(s); h.Rows%2 != 0 || h.Rows != 2*(s.Seq-1) {
			t.Errorf("%d rows at seq %d", h.Rows, s.Seq)
		}
		if s.Seq < before || s.Seq < last {
			t.Errorf("a snapshot of seq %d after seq %d was acknowledged", s.Seq, before)
		}
		last = s.Seq
	}
	stop()
	writers.Wait()
	if got := w.snapshots("plans"); len(got) != 5 || got[0].Seq != last || got[0].Note != "under way" || got[0].By != "ada" || got[0].Kind != backup.Manual {
		t.Errorf("listed %+v", got)
	}
}

func TestRolesOfSnapshots(t *testing.T) {
	w := newWorld(t)
	w.create("plans")
	people := map[access.Role]access.Principal{access.Owner: ada, access.None: {User: identity.User{ID: "eve"}}}
	for _, role := range []access.Role{access.Editor, access.Viewer} {
		p := access.Principal{User: identity.User{ID: string(role)}}
		_, err := w.engine.SetMember(t.Context(), ada, room.Ref{ID: "plans"}, p.User.ID, role)
		must(t, err)
		people[role] = p
	}
	s := w.take("plans", "")
	ref := room.Ref{ID: "plans"}
	calls := map[string]struct {
		need access.Role
		call func(access.Principal) error
	}{
		"list": {access.Viewer, func(p access.Principal) error {
			_, _, err := w.keeper.List(t.Context(), p, ref, "", 10)
			return err
		}},
		"get": {access.Viewer, func(p access.Principal) error {
			_, err := w.keeper.Get(t.Context(), p, ref, s.ID)
			return err
		}},
		"take": {access.Editor, func(p access.Principal) error {
			_, err := w.keeper.Take(t.Context(), p, ref, "mine")
			return err
		}},
		"annotate": {access.Owner, func(p access.Principal) error {
			_, err := w.keeper.Annotate(t.Context(), p, ref, s.ID, "note of "+p.User.ID)
			return err
		}},
		"delete": {access.Owner, func(p access.Principal) error { return w.keeper.Delete(t.Context(), p, ref, s.ID) }},
	}
	for name, c := range calls {
		for _, role := range []access.Role{access.None, access.Viewer, access.Editor, access.Owner} {
			err := c.call(people[role])
			switch {
			case role == access.None && !fault.Is(err, fault.NotFound),
				role != access.None && !role.AtLeast(c.need) && !fault.Is(err, fault.Forbidden),
				role.AtLeast(c.need) && err != nil && !(name != "delete" && fault.Is(err, fault.NotFound)):
				t.Errorf("%s as %q: %v", name, role, err)
			}
		}
	}
}

func TestNotesAndDeletion(t *testing.T) {
	w := newWorld(t)
	ulid := w.create("plans")
	ref := room.Ref{ID: "plans"}
	s := w.take("plans", " before the party ")
	if s.Note != "before the party" {
		t.Errorf("note %q", s.Note)
	}
	if s, err := w.keeper.Annotate(t.Context(), ada, ref, s.ID, "after"); err != nil || s.Note != "after" {
		t.Errorf("%+v, %v", s, err)
	}
	for _, note := range []string{"a\nb", "\xff", string(make([]rune, 501))} {
		if _, err := w.keeper.Annotate(t.Context(), ada, ref, s.ID, note); !fault.Is(err, fault.Invalid) {
			t.Errorf("note %q: %v", note, err)
		}
	}
	must(t, w.keeper.Delete(t.Context(), ada, ref, s.ID))
	for _, id := range []string{s.ID, "", "x", "../../etc", strings.Repeat("A", 26)} {
		if _, err := w.keeper.Get(t.Context(), ada, ref, id); !fault.Is(err, fault.NotFound) {
			t.Errorf("get %q: %v", id, err)
		}
	}
	if got := w.snapshots("plans"); len(got) != 0 {
		t.Errorf("listed %+v", got)
	}
	// It may still be what a seq is rebuilt from, until the upkeep decides.
	if _, at, ok, err := w.catalog.Nearest(t.Context(), ulid, 100); err != nil || !ok || at != s.Seq {
		t.Errorf("nearest %d %t %v", at, ok, err)
	}
	must(t, w.keeper.Retain(t.Context(), ulid))
	if _, _, ok, _ := w.catalog.Nearest(t.Context(), ulid, 100); ok {
		t.Error("the record of a deleted snapshot stays")
	}
}

func TestListIsPaged(t *testing.T) {
	w := newWorld(t)
	w.create("plans")
	var want []string
	for i := range 5 {
		want = append([]string{w.take("plans", fmt.Sprint(i)).Note}, want...)
	}
	var got []string
	for cursor, first := "", true; first || cursor != ""; first = false {
		page, next, err := w.keeper.List(t.Context(), ada, room.Ref{ID: "plans"}, cursor, 2)
		must(t, err)
		for _, s := range page {
			got = append(got, s.Note)
		}
		cursor = next
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if _, _, err := w.keeper.List(t.Context(), ada, room.Ref{ID: "plans"}, "nonsense", 2); !fault.Is(err, fault.Invalid) {
		t.Errorf("a bad cursor: %v", err)
	}
}

func TestSegmentsHoldTheLog(t *testing.T) {
	w := newWorld(t)
	ulid := w.create("plans")
	w.fill("plans", 40)
	must(t, w.keeper.Archive(t.Context(), ulid, false))
	if got := w.archived(ulid, 0); len(got) != 0 {
		t.Errorf("%d young and few entries were archived", len(got))
	}
	must(t, w.keeper.Archive(t.Context(), ulid, true))
	w.fill("plans", 10)
	w.pass(19 * time.Hour)
	must(t, w.keeper.Archive(t.Context(), ulid, false))
	entries, _, _, err := commitlog.Read(t.Context(), w.store, ulid, 0, 0)
	must(t, err)
	got := w.archived(ulid, 0)
	if len(got) != len(entries) || len(got) != 51 {
		t.Fatalf("%d archived of %d", len(got), len(entries))
	}
	for i, e := range entries {
		if a, b := commitlog.AppendEntry(nil, e), commitlog.AppendEntry(nil, got[i]); !bytes.Equal(a, b) {
			t.Errorf("entry %d is another", e.Seq)
		}
	}
	if got := w.archived(ulid, 45); len(got) != 6 {
		t.Errorf("%d entries after 45", len(got))
	}
	if got := w.archived(ulid, 51); len(got) != 0 {
		t.Errorf("%d entries after the last", len(got))
	}
}

// Each condition of trimming alone keeps the log as it is.
func TestTrimNeedsAll(t *testing.T) {
	for _, missing := range []string{"", "relayed", "archived", "covered", "old"} {
		t.Run("without "+missing, func(t *testing.T) {
			w := newWorld(t)
			ulid := w.create("plans")
			w.fill("plans", 30)
			if missing != "relayed" {
				w.relayed(ulid)
			}
			if missing != "archived" {
				must(t, w.keeper.Archive(t.Context(), ulid, true))
			}
			if missing != "covered" {
				w.checkpoint(ulid)
			}
			w.pass(23 * time.Hour)
			if missing != "old" {
				w.pass(2 * time.Hour)
			}
			w.fill("plans", 1) // young
			must(t, w.keeper.Trim(t.Context(), ulid))
			want := 32
			if missing == "" {
				want = 1
			}
			if got := w.log(ulid); len(got) != want || got[len(got)-1] != 32 {
				t.Errorf("the log has %d entries, want %d", len(got), want)
			}
			if got := len(w.rows("plans")); got != 31 {
				t.Errorf("%d rows", got)
			}
		})
	}
}

// The last entry stays whatever covers it: by it everybody knows the head.
func TestTrimLeavesTheLastEntry(t *testing.T) {
	w := newWorld(t)
	ulid := w.create("plans")
	w.fill("plans", 5)
	w.relayed(ulid)
	must(t, w.keeper.Archive(t.Context(), ulid, true))
	w.checkpoint(ulid)
	w.pass(25 * time.Hour)
	for range 2 {
		must(t, w.keeper.Trim(t.Context(), ulid))
		if got := w.log(ulid); len(got) != 1 || got[0] != 6 {
			t.Fatalf("the log holds %v", got)
		}
	}
	w.open(w.store, w.blobs)
	if got := len(w.rows("plans")); got != 5 {
		t.Errorf("%d rows after a restart", got)
	}
	w.fill("plans", 1)
	if got := w.log(ulid); len(got) != 2 || got[1] != 7 {
		t.Errorf("the log goes on as %v", got)
	}
}

func (w *world) rows(id string) []string {
	w.t.Helper()
	var ids []string
	err := w.engine.Read(w.t.Context(), ada, room.Ref{ID: id}, func(v *room.View) error {
		page, err := v.List(w.t.Context(), room.ListRequest{Table: "tasks", Limit: 1000})
		if err != nil {
			return err
		}
		var rows []struct{ ID string }
		err = json.Unmarshal(page.Rows, &rows)
		for _, row := range rows {
			ids = append(ids, row.ID)
		}
		return err
	})
	must(w.t, err)
	return ids
}

func TestDamageOfASegmentIsNoticed(t *testing.T) {
	w := newWorld(t)
	ulid := w.create("plans")
	w.fill("plans", 20)
	must(t, w.keeper.Archive(t.Context(), ulid, true))
	key := w.blobsOf(ulid)[0]
	in, _, err := w.blobs.Get(t.Context(), key)
	must(t, err)
	content, err := io.ReadAll(in)
	must(t, err)
	for i := 0; i < len(content); i += 1 + len(content)/100 {
		bad := bytes.Clone(content)
		bad[i] ^= 1
		must(t, w.blobs.Put(t.Context(), key, bytes.NewReader(bad), -1))
		if _, _, err := w.catalog.Read(t.Context(), ulid, 0, 0); err == nil {
			t.Fatalf("byte %d of %d was changed, and nobody noticed", i, len(content))
		}
		must(t, w.blobs.Put(t.Context(), key, bytes.NewReader(content[:i]), -1))
		if _, _, err := w.catalog.Read(t.Context(), ulid, 0, 0); err == nil {
			t.Fatalf("it was cut at %d, and nobody noticed", i)
		}
	}
}

func TestTheHourlySnapshotIsOfRoomsThatChanged(t *testing.T) {
	w := newWorld(t)
	ulid := w.create("plans")
	w.relayed(ulid)
	hour := func() {
		w.t.Helper()
		w.pass(time.Hour)
		must(t, w.keeper.Due(t.Context(), func(due string) error { return w.keeper.Upkeep(t.Context(), due) }))
	}
	hour()
	if got := w.snapshots("plans"); len(got) != 1 || got[0].Kind != backup.Hourly || got[0].By != "" {
		t.Fatalf("%+v", got)
	}
	hour()
	hour()
	if got := w.snapshots("plans"); len(got) != 1 {
		t.Errorf("%d snapshots of a room that nobody changed", len(got))
	}
	w.fill("plans", 2)
	w.relayed(ulid)
	hour()
	w.fill("plans", 1)
	w.take("plans", "mine")
	w.relayed(ulid)
	hour()
	if got := w.snapshots("plans"); len(got) != 3 || got[1].Kind != backup.Hourly || got[0].Kind != backup.Manual {
		t.Errorf("%+v", got)
	}
}

// For weeks a room is written to and looked after; all along, every seq of the
// retention can be rebuilt: there is a snapshot at or before it and every entry
// from there on.
func TestAnySeqOfTheRetentionCanBeRebuilt(t *testing.T) {
	w := newWorld(t)
	ulid := w.create("plans")
	began := map[int64]time.Time{1: w.clock()}
	for range 45 {
		for range 2 {
			seq := w.commit("plans", `{"op":"insert","table":"tasks","row":{"title":"x"}}`)
			began[seq] = w.clock()
			w.relayed(ulid)
			w.checkpoint(ulid)
			w.pass(12 * time.Hour)
			must(t, w.keeper.Upkeep(t.Context(), ulid))
		}
	}
	head, err := w.engine.Head(t.Context(), ulid)
	must(t, err)
	log := w.log(ulid)
	if len(log) > 20 || len(log) == 0 {
		t.Errorf("the log was not trimmed: %d entries", len(log))
	}
	checked := 0
	for seq, at := range began {
		if w.clock().Sub(at) > backup.DefaultRetention {
			continue
		}
		checked++
		_, from, ok, err := w.catalog.Nearest(t.Context(), ulid, seq)
		must(t, err)
		if !ok {
			t.Errorf("no snapshot at or before seq %d", seq)
			continue
		}
		reached := from
		for _, e := range w.archived(ulid, from) {
			reached = e.Seq
		}
		if reached < seq && log[0] > reached+1 {
			t.Errorf("seq %d: from %d the segments reach %d and the log begins at %d", seq, from, reached, log[0])
		}
	}
	if checked < 60 || head != 91 {
		t.Errorf("%d seqs were checked, the head is %d", checked, head)
	}
	snapshots := w.snapshots("plans")
	if len(snapshots) > 6+14+4+2 {
		t.Errorf("%d snapshots are kept", len(snapshots))
	}
	for _, s := range snapshots {
		w.verify(s)
	}
}

func TestSweep(t *testing.T) {
	w := newWorld(t)
	ulid := w.create("plans")
	w.fill("plans", 5)
	s := w.take("plans", "")
	must(t, w.keeper.Archive(t.Context(), ulid, true))
	named := w.blobsOf(ulid)
	for _, name := range []string{"snapshots/orphan", "segments/orphan", "loads/orphan", "uploads/old", "exports/old.csv"} {
		must(t, w.blobs.Put(t.Context(), backup.BlobPrefix(ulid)+name, bytes.NewReader(nil), 0))
	}
	other := backup.BlobPrefix("01OTHER") + "loads/x"
	must(t, w.blobs.Put(t.Context(), other, bytes.NewReader(nil), 0))
	w.pass(6 * 24 * time.Hour)
	must(t, w.keeper.Sweep(t.Context(), ulid))
	if got := w.blobsOf(ulid); len(got) != len(named)+5 {
		t.Errorf("after 6 days there are %v", got)
	}
	w.pass(25 * time.Hour)
	must(t, w.keeper.Sweep(t.Context(), ulid))
	if got := w.blobsOf(ulid); !slices.Equal(got, named) {
		t.Errorf("after 7 days there are %v, want %v", got, named)
	}
	if _, err := w.blobs.Stat(t.Context(), other); err != nil {
		t.Errorf("a blob of another room: %v", err)
	}
	w.verify(s)
}

func TestADeletedRoomIsPurgedADayLater(t *testing.T) {
	w := newWorld(t)
	ulid := w.create("plans")
	w.create("other")
	w.fill("plans", 20)
	w.fill("other", 3)
	w.take("plans", "")
	w.take("other", "")
	w.checkpoint(ulid)
	_, err := w.engine.Delete(t.Context(), ada, room.Ref{ID: "plans"})
	must(t, err)
	w.pass(25 * time.Hour)
	if err := w.keeper.Upkeep(t.Context(), ulid); err == nil {
		t.Error("a room whose end was not relayed was purged")
	}
	w.pass(-25 * time.Hour)
	w.relayed(ulid)
	w.pass(23 * time.Hour)
	must(t, w.keeper.Upkeep(t.Context(), ulid))
	if len(w.blobsOf(ulid)) == 0 || len(w.log(ulid)) != 22 {
		t.Error("it was purged too early")
	}
	w.pass(2 * time.Hour)
	due := 0
	must(t, w.keeper.Due(t.Context(), func(ulid string) error {
		due++
		return w.keeper.Upkeep(t.Context(), ulid)
	}))
	if due != 2 {
		t.Errorf("%d rooms were looked after", due)
	}
	if got := w.log(ulid); len(got) != 1 || got[0] != 22 {
		t.Errorf("of the log there are %v", got)
	}
	if got := w.blobsOf(ulid); len(got) != 0 {
		t.Errorf("there are blobs %v", got)
	}
	w.open(w.store, w.blobs)
	if err := w.engine.Read(t.Context(), ada, room.Ref{ULID: ulid}, func(*room.View) error { return nil }); !fault.Is(err, fault.NotFound) {
		t.Errorf("read a purged room: %v", err)
	}
	if got := len(w.rows("other")); got != 3 {
		t.Errorf("another room has %d rows", got)
	}
	if got := w.snapshots("other"); len(got) == 0 {
		t.Error("another room lost its snapshots")
	}
}

func TestASnapshotByTheQueue(t *testing.T) {
	w := newWorld(t)
	w.create("plans")
	s := w.take("plans", "once")
	// The message that Start sent comes late, and finds nothing to do.
	for _, body := range w.queue.bodies {
		must(t, w.jobs.Handle(t.Context(), queueMessage(body)))
	}
	if got := w.snapshots("plans"); len(got) != 1 || got[0].ID != s.ID {
		t.Errorf("%+v", got)
	}
	jobs, _, err := w.jobs.List(t.Context(), mustULID(w, "plans"), "", 10)
	must(t, err)
	if len(jobs) != 1 || jobs[0].State != job.Done {
		t.Errorf("%+v", jobs)
	}
}

func mustULID(w *world, id string) (ulid string) {
	w.t.Helper()
	must(w.t, w.engine.Read(w.t.Context(), ada, room.Ref{ID: id}, func(v *room.View) error {
		ulid = v.State().Room
		return nil
	}))
	return ulid
}

// A checkpoint is damaged whose entries have left the log: the room is rebuilt
// from its snapshots and segments.
func TestADamagedCheckpointIsRebuiltFromThePast(t *testing.T) {
	for _, snapshots := range []bool{true, false} {
		t.Run(fmt.Sprint("snapshots: ", snapshots), func(t *testing.T) {
			w := newWorld(t)
			ulid := w.create("plans")
			w.fill("plans", 10)
			if snapshots {
				w.take("plans", "")
			}
			w.fill("plans", 10)
			w.relayed(ulid)
			must(t, w.keeper.Archive(t.Context(), ulid, true))
			w.checkpoint(ulid)
			w.pass(25 * time.Hour)
			w.fill("plans", 2)
			must(t, w.keeper.Trim(t.Context(), ulid))
			if got := w.log(ulid); len(got) != 2 {
				t.Fatalf("the log holds %v", got)
			}
			part, err := w.store.Query(t.Context(), store.Query{PK: commitlog.Partition(ulid), From: "CHECKPOINT#PART#", To: "CHECKPOINT#PART#~", Strong: true})
			must(t, err)
			for _, item := range part.Items {
				item.Data[len(item.Data)/2] ^= 1
				must(t, w.store.Write(t.Context(), store.Write{Item: item}))
			}
			w.open(w.store, w.blobs)
			if got := len(w.rows("plans")); got != 22 {
				t.Errorf("%d rows", got)
			}
			w.fill("plans", 1)
			w.relayed(ulid) // writes a checkpoint that is whole
			w.open(w.store, w.blobs)
			if got := len(w.rows("plans")); got != 23 {
				t.Errorf("%d rows with a new checkpoint", got)
			}
			if seq, _, err := w.cache.Covered(t.Context(), ulid); seq != 24 || err != nil {
				t.Errorf("the checkpoint is of %d, %v", seq, err)
			}
		})
	}
}
