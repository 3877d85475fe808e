package replica_test

import (
	"testing"

	"nanotypedb/shared/commitlog"
	"nanotypedb/shared/fault"
	"nanotypedb/shared/replica"
	"nanotypedb/shared/schema"
)

// corruptions change one thing behind the replica's back.
var corruptions = map[string]string{
	"a cell":    "UPDATE t1 SET c3=5 WHERE id='a'",
	"a creator": "UPDATE t1 SET by='eve' WHERE id='a'",
	"a version": "UPDATE t1 SET ver=1 WHERE id='a'",
	"a time":    "UPDATE t1 SET ca=ca-1 WHERE id='a'",
	"an id":     "UPDATE t1 SET id='x' WHERE id='a'",
	"a row":     "DELETE FROM t1 WHERE id='a'",
	"a commit":  "UPDATE commits SET digest='other'",
}

func TestACheckpointIsRefusedFromADamagedReplica(t *testing.T) {
	for name, query := range corruptions {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			r := w.create(w.cache())
			e := w.entry("", insert("a", "first", full...), insert("b", "second"))
			e.CommitID, e.Digest = "c1", "d"
			must(t, w.write(r, e))
			want := contents(t, r)
			must(t, r.Corrupt(query))
			if err := r.Checkpoint(t.Context()); err == nil {
				t.Fatal("the checkpoint was written")
			}
			must(t, r.CatchUp(t.Context())) // which loads the replica anew
			checkRecount(t, "reloaded", r)
			if got := contents(t, r); len(got[1]) != len(want[1]) || got[1][0].Values[2] != want[1][0].Values[2] {
				t.Errorf("rows are %v, want %v", got, want)
			}
			must(t, r.Checkpoint(t.Context()))
		})
	}
}

func TestAnUpdateOfADamagedRowIsFoundOut(t *testing.T) {
	w := newWorld(t)
	writer := w.create(w.cache())
	w.commit(writer, insert("a", "first", full...))
	follower := w.acquire(w.cache())
	must(t, follower.Corrupt("UPDATE t1 SET c3=5 WHERE id='a'"))
	w.commit(writer, update("a", cell(4, 2.5)))
	must(t, follower.CatchUp(t.Context()))
	if got := rows(t, follower, replica.ListQuery{})[0]; got.Values[2] != int64(-7) || got.Values[3] != 2.5 {
		t.Errorf("the row is %v", got)
	}
	if follower.State().Sums != writer.State().Sums || len(w.alarm) > 0 {
		t.Errorf("sums agree: %t; alarms %v", follower.State().Sums == writer.State().Sums, w.alarm)
	}
}

// logged puts an entry into the log as a writer with wrong sums would.
func (w *world) logged(seq int64, before, after commitlog.Sums, ops ...commitlog.Op) {
	w.tb.Helper()
	e := w.entry("", ops...)
	e.Format, e.Seq, e.Before, e.After = commitlog.Format, seq, before, after
	must(w.tb, w.log(e))
}

func TestAWrongWritersOperationsStand(t *testing.T) {
	w := newWorld(t)
	r := w.create(w.cache())
	w.commit(r, insert("a", "first"))
	wrong := r.State().Sums
	wrong.Content[0]++
	w.logged(3, r.State().Sums, wrong, insert("b", "second"))
	must(t, r.CatchUp(t.Context()))
	equal(t, "ids", ids(rows(t, r, replica.ListQuery{})), []string{"a", "b"})
	equal(t, "alarms", w.alarm, []int64{3})
	checkRecount(t, "following", r)
	if !r.NeedsCheck() {
		t.Error("no check is asked for")
	}

	// A later entry of a writer that has not seen the error goes on with its
	// skew and is no new alarm; one that has seen it states the real sums.
	other := w.acquire(w.cache())
	equal(t, "alarms with another replica", w.alarm, []int64{3, 3})
	check := w.commitAs(r, commitlog.Check)
	if check.Before != check.After || check.After != r.State().Sums || r.NeedsCheck() {
		t.Errorf("check entry is %+v", check)
	}
	must(t, other.CatchUp(t.Context()))
	if other.NeedsCheck() || other.State().Sums != r.State().Sums {
		t.Error("the check entry did not end the skew")
	}
	w.commit(r, insert("c", "third"))
	must(t, other.CatchUp(t.Context()))
	equal(t, "alarms at the end", w.alarm, []int64{3, 3})
}

func TestAWrongStartIsFoundOutThoughTheStepIsRight(t *testing.T) {
	w := newWorld(t)
	r := w.create(w.cache())
	honest := newWorld(t)
	twin := honest.create(honest.cache())
	e := honest.commit(twin, insert("a", "first"))
	e.Before.Content[5]++
	e.After.Content[5]++
	w.logged(e.Seq, e.Before, e.After, e.Ops...)
	must(t, r.CatchUp(t.Context()))
	equal(t, "alarms", w.alarm, []int64{2})
	checkRecount(t, "following", r)
}

func TestASkewIsFollowedEntryByEntry(t *testing.T) {
	w := newWorld(t)
	r := w.create(w.cache())
	w.commit(r, insert("a", "first"))
	// A writer that is wrong by the same difference from entry 3 on.
	honest := newWorld(t)
	twin := honest.create(honest.cache())
	honest.commit(twin, insert("a", "first"))
	var entries []*commitlog.Entry
	for _, id := range []string{"b", "c", "d"} {
		entries = append(entries, honest.commit(twin, insert(id, "x")))
	}
	for i, e := range entries {
		before, after := e.Before, e.After
		if i > 0 {
			before.State[3] ^= 0x10
		}
		after.State[3] ^= 0x10
		w.logged(e.Seq, before, after, e.Ops...)
	}
	must(t, r.CatchUp(t.Context()))
	if r.State().Seq != 5 || !r.NeedsCheck() || r.State().Sums != twin.State().Sums {
		t.Errorf("seq %d, needs check: %t", r.State().Seq, r.NeedsCheck())
	}
	checkRecount(t, "following", r)
}

func TestAnEntryThatCannotBeAppliedStopsTheRoom(t *testing.T) {
	w := newWorld(t)
	r := w.create(w.cache())
	w.commit(r, insert("a", "first"))
	w.logged(3, r.State().Sums, r.State().Sums, insert("a", "again"))
	if err := r.CatchUp(t.Context()); err == nil {
		t.Fatal("an insert of a row that is there was applied")
	}
	if r.State().Seq != 2 {
		t.Errorf("seq is %d", r.State().Seq)
	}
}

func TestSumsTellStatesApart(t *testing.T) {
	base := []commitlog.Op{insert("a", "first", cell(3, int64(1)))}
	sums := func(t *testing.T, ops ...commitlog.Op) commitlog.Sums {
		w := newWorld(t)
		r := w.create(w.cache())
		w.commit(r, append(append([]commitlog.Op{}, base...), ops...)...)
		return r.State().Sums
	}
	own := schema.Own
	plain := sums(t)
	for name, test := range map[string]struct {
		op             commitlog.Op
		content, state bool // differs
	}{
		"another cell":   {update("a", cell(3, int64(2))), true, false},
		"the same cell":  {update("a", cell(3, int64(1))), false, false},
		"a null":         {update("a", cell(3, nil)), true, false},
		"another row":    {insert("b", "first"), true, true},
		"a member":       {commitlog.Op{Kind: commitlog.SetMember, User: "bob", Role: "viewer"}, false, true},
		"an invitation":  {commitlog.Op{Kind: commitlog.SetInvite, Email: "a@b", Role: "viewer"}, false, true},
		"a name":         {commitlog.Op{Kind: commitlog.SetRoom, Name: "Other"}, false, true},
		"access":         {commitlog.Op{Kind: commitlog.AlterTable, Alter: &schema.Alteration{Table: 1, Access: &own}}, true, false},
		"a column":       {commitlog.Op{Kind: commitlog.AlterTable, Alter: &schema.Alteration{Table: 1, Add: []schema.Column{{Num: 9, Name: "x", Type: schema.Text}}}}, true, true},
		"nobody removed": {commitlog.Op{Kind: commitlog.SetMember, User: "bob"}, false, false},
	} {
		got := sums(t, test.op)
		if (got.Content != plain.Content) != test.content || (got.State != plain.State) != test.state {
			t.Errorf("%s: content differs %t, state differs %t", name, got.Content != plain.Content, got.State != plain.State)
		}
	}
}

// TestCommitIDsAreKeptThirtyDays also shows that expiry is part of the state.
func TestCommitIDsAreKeptThirtyDays(t *testing.T) {
	w := newWorld(t)
	r := w.create(w.cache())
	named := func(id string) *commitlog.Entry {
		e := w.entry("")
		e.CommitID, e.Digest = id, "d"+id
		return e
	}
	must(t, w.write(r, named("one")))
	w.now = w.now.Add(30 * 24 * hour)
	must(t, w.write(r, named("two")))
	find := func(r *replica.Replica, id string) (seq int64) {
		must(t, r.View(t.Context(), func(v *replica.View) (err error) {
			var digest string
			seq, digest, err = v.Commit(t.Context(), "ada", id)
			if seq > 0 && digest != "d"+id {
				t.Errorf("digest of %s is %s", id, digest)
			}
			return err
		}))
		return seq
	}
	if find(r, "one") != 2 || find(r, "two") != 3 || find(r, "three") != 0 {
		t.Errorf("found %d, %d, %d", find(r, "one"), find(r, "two"), find(r, "three"))
	}
	if err := w.write(r, named("one")); !fault.Is(err, fault.Conflict) {
		t.Errorf("the same commitId again: %v", err)
	}
	w.now = w.now.Add(hour)
	w.commit(r)
	if find(r, "one") != 0 || find(r, "two") != 3 {
		t.Errorf("after 30 days found %d, %d", find(r, "one"), find(r, "two"))
	}
	checkRecount(t, "writer", r)
	if find(w.acquire(w.cache()), "one") != 0 {
		t.Error("a follower kept it longer")
	}
}
