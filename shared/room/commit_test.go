package room_test

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/oklog/ulid/v2"

	"nanotypedb/shared/access"
	"nanotypedb/shared/commitlog"
	"nanotypedb/shared/fault"
	"nanotypedb/shared/id"
	"nanotypedb/shared/room"
)

func TestCommit(t *testing.T) {
	w := newWorld(t)
	e := w.engine()
	w.den(e)
	first := w.commit(e, bob, `{"op":"insert","table":"tasks","row":{"title":"one"}}`, `{"op":"insert","table":"tasks","row":{"title":"two","status":"completed"}}`)
	a, b := first.Entry.Ops[0].ID, first.Entry.Ops[1].ID
	if _, ok := id.Time(a); !ok || b <= a {
		t.Fatalf("ids %s, %s do not sort by creation", a, b)
	}
	row, err := w.get(e, vera, "tasks", a)
	must(t, err)
	if row["title"] != "one" || row["status"] != "pending" || row["_version"] != float64(first.Entry.Seq) || row["_createdBy"] != "bob" {
		t.Errorf("got %v", row)
	}
	second := w.commit(e, cleo, fmt.Sprintf(`{"op":"update","table":"tasks","id":"%s","set":{"status":"completed","title":"one"},"ifVersion":%d}`, a, first.Entry.Seq))
	if op := second.Entry.Ops[0]; len(op.Set) != 1 || op.Set[0].Value != "completed" || op.Old[0].Value != "pending" || op.Creator != "bob" {
		t.Errorf("update keeps %+v", op)
	}
	if row, _ := w.get(e, bob, "tasks", a); row["_createdBy"] != "bob" || row["_version"] != float64(second.Entry.Seq) {
		t.Errorf("got %v", row)
	}
	same := w.commit(e, cleo, fmt.Sprintf(`{"op":"update","table":"tasks","id":"%s","set":{"status":"completed"}}`, a))
	if row, _ := w.get(e, bob, "tasks", a); len(same.Entry.Ops) != 0 || row["_version"] != float64(second.Entry.Seq) {
		t.Errorf("an update that changes nothing gave ops %v and row %v", same.Entry.Ops, row)
	}
}

func TestOperationsSeeEarlierOnes(t *testing.T) {
	w := newWorld(t)
	e := w.engine()
	w.den(e)
	w.commit(e, bob, `{"op":"insert","table":"tasks","id":"a","row":{"title":"one"}}`)
	r := w.commit(e, bob,
		`{"op":"update","table":"tasks","id":"a","set":{"title":"two"}}`,
		`{"op":"delete","table":"tasks","id":"a"}`,
		`{"op":"insert","table":"tasks","id":"a","row":{"title":"three"}}`,
		`{"op":"createTable","table":"people","columns":[{"name":"name","type":"text","unique":true}]}`,
		`{"op":"insert","table":"people","id":"p","row":{"name":"x"}}`,
		`{"op":"insert","table":"people","id":"q","row":{"name":"y"}}`,
		`{"op":"update","table":"people","id":"p","set":{"name":"y"}}`,
		`{"op":"update","table":"people","id":"q","set":{"name":"x"}}`,
		`{"op":"alterTable","table":"people","rename":{"name":"nick"},"add":[{"name":"age","type":"integer","default":7}]}`,
		`{"op":"update","table":"people","id":"q","set":{"nick":"z"}}`)
	if row, err := w.get(e, bob, "tasks", "a"); err != nil || row["title"] != "three" || row["_version"] != float64(r.Entry.Seq) {
		t.Errorf("tasks: %v %v", row, err)
	}
	if row, err := w.get(e, bob, "people", "q"); err != nil || row["nick"] != "z" || row["age"] != 7.0 {
		t.Errorf("people: %v %v", row, err)
	}
	if row, err := w.get(e, bob, "people", "p"); err != nil || row["nick"] != "y" {
		t.Errorf("people: %v %v", row, err)
	}
	// What the log holds is what was applied: a replica made from it agrees.
	if one, two := w.state(e), w.state(w.engine()); one.Sums != two.Sums || one.Rows != two.Rows || one.Bytes != two.Bytes {
		t.Error("a replica made from the log differs")
	}
}

func TestIfSeq(t *testing.T) {
	w := newWorld(t)
	e := w.engine()
	w.den(e)
	seq := w.state(e).Seq
	req := request(`{"op":"insert","table":"tasks","row":{"title":"x"}}`)
	req.IfSeq = &seq
	_, err := e.Commit(t.Context(), bob, den, req)
	must(t, err)
	_, err = e.Commit(t.Context(), bob, den, req)
	if f := faultOf(t, err); f.Code != fault.Conflict || f.Path != "ifSeq" || f.Details["seq"] != seq+1 {
		t.Errorf("got %v", err)
	}
}

func TestCommitID(t *testing.T) {
	w := newWorld(t)
	e := w.engine()
	w.den(e)
	req := request(`{"op":"insert","table":"tasks","row":{"title":"x"}}`)
	req.CommitID = id.New(time.Now()) + "/1"
	first, err := e.Commit(t.Context(), bob, den, req)
	must(t, err)
	for _, engine := range []*room.Engine{e, w.engine()} {
		same := req
		same.Ops = []json.RawMessage{json.RawMessage(`{ "row": {"title": "\u0078"}, "table":"tasks", "op":"insert" }`)}
		again, err := engine.Commit(t.Context(), bob, den, same)
		must(t, err)
		if !again.Repeated || again.Entry.Seq != first.Entry.Seq || again.Entry.Ops[0].ID != first.Entry.Ops[0].ID {
			t.Errorf("the first result was %d, repeated %+v", first.Entry.Seq, again)
		}
	}
	other := req
	other.Ops = request(`{"op":"insert","table":"tasks","row":{"title":"y"}}`).Ops
	if _, err := e.Commit(t.Context(), bob, den, other); !fault.Is(err, fault.Conflict) {
		t.Errorf("other operations: %v", err)
	}
	other = req
	other.IfSeq = new(int64)
	if _, err := e.Commit(t.Context(), bob, den, other); !fault.Is(err, fault.Conflict) {
		t.Errorf("another ifSeq: %v", err)
	}
	if r, err := e.Commit(t.Context(), cleo, den, req); err != nil || r.Repeated {
		t.Errorf("another user's commitId: %v %v", r, err)
	}
	bad := map[string]fault.Code{
		strings.Repeat("x", 129): fault.Invalid, "é": fault.Invalid, "a\nb": fault.Invalid,
		ulid.MustNew(ulid.Timestamp(time.Now().Add(-30*24*time.Hour)), rand.Reader).String(): fault.Conflict,
		ulid.MustNew(ulid.Timestamp(time.Now().Add(25*time.Hour)), rand.Reader).String():     fault.Conflict,
	}
	for commitID, code := range bad {
		req.CommitID = commitID
		if _, err := e.Commit(t.Context(), bob, den, req); !fault.Is(err, code) || faultOf(t, err).Path != "commitId" {
			t.Errorf("%q: %v", commitID, err)
		}
	}
	for _, commitID := range []string{strings.Repeat("x", 128), "job/01/1", "00000000000000000000000000000000"[:20], "01234567-0123-0123",
		"2YABCDEFGH2345672345672345", ulid.MustNew(ulid.Timestamp(time.Now().Add(23*time.Hour)), rand.Reader).String()} {
		req.CommitID = commitID
		if _, err := e.Commit(t.Context(), bob, den, req); err != nil {
			t.Errorf("%q: %v", commitID, err)
		}
	}
}

// TestOneGroup holds the writer in a put, so that the commits behind it become
// one group, and checks that each gets its own answer.
func TestOneGroup(t *testing.T) {
	w := newWorld(t)
	gate := &gatedStore{Store: w.store}
	e := w.engineOn(gate)
	w.den(e)
	gate.close()
	var wg sync.WaitGroup
	commit := func(commitID, op string, result *room.Result, err *error) {
		entered := make(chan struct{})
		wg.Go(func() {
			req := request(op)
			req.CommitID = commitID
			close(entered)
			*result, *err = e.Commit(context.Background(), bob, den, req)
		})
		<-entered
	}
	var results [6]room.Result
	var errs [6]error
	commit("", `{"op":"insert","table":"tasks","id":"first","row":{"title":"x"}}`, &results[0], &errs[0])
	gate.waitForPut()
	insert := `{"op":"insert","table":"tasks","id":"a","row":{"title":"x"}}`
	commit("id-1", insert, &results[1], &errs[1])
	commit("id-1", insert, &results[2], &errs[2])
	commit("id-1", `{"op":"delete","table":"tasks","id":"first"}`, &results[3], &errs[3])
	commit("", `{"op":"delete","table":"tasks","id":"nope"}`, &results[4], &errs[4])
	commit("", `{"op":"insert","table":"tasks","id":"b","row":{"title":"x"}}`, &results[5], &errs[5])
	e.WaitQueued(gate.ulid(t), 5)
	gate.open()
	wg.Wait()
	must(t, errors.Join(errs[0], errs[5]))
	if fault.CodeOf(errs[4]) != fault.NotFound {
		t.Errorf("deleting nothing: %v", errs[4])
	}
	// The three with one commitId entered in any order: one operation won.
	conflicts, repeated := 0, 0
	for i := 1; i <= 3; i++ {
		if fault.Is(errs[i], fault.Conflict) {
			conflicts++
		} else if must(t, errs[i]); results[i].Repeated {
			repeated++
		}
	}
	if conflicts+repeated != 2 {
		t.Errorf("one commitId thrice in a group: %d conflicts, %d repeated", conflicts, repeated)
	}
	if one, two := w.state(e), w.state(w.engine()); one.Sums != two.Sums || one.Seq != 4+3 {
		t.Errorf("at seq %d, sums agree: %v", one.Seq, one.Sums == two.Sums)
	}
	if puts := gate.largest; puts < 2 {
		t.Errorf("the largest put held %d entries, so there was no group", puts)
	}
}

// TestLeaderLeaves cancels the caller that leads a group: the others and his
// own commit are not harmed.
func TestLeaderLeaves(t *testing.T) {
	w := newWorld(t)
	gate := &gatedStore{Store: w.store}
	e := w.engineOn(gate)
	w.den(e)
	gate.close()
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() {
		_, err := e.Commit(ctx, bob, den, request(`{"op":"insert","table":"tasks","id":"a","row":{"title":"x"}}`))
		if err != nil {
			t.Errorf("the leader's own commit: %v", err)
		}
	})
	gate.waitForPut()
	waiting, stop := context.WithCancel(t.Context())
	wg.Go(func() {
		_, err := e.Commit(waiting, bob, den, request(`{"op":"insert","table":"tasks","id":"b","row":{"title":"x"}}`))
		if !fault.Is(err, fault.Unavailable) {
			t.Errorf("a caller who left the queue: %v", err)
		}
	})
	e.WaitQueued(gate.ulid(t), 1)
	stop()
	e.WaitQueued(gate.ulid(t), 0)
	cancel()
	gate.open()
	wg.Wait()
	if _, err := w.get(e, bob, "tasks", "a"); err != nil {
		t.Error(err)
	}
	if _, err := w.get(e, bob, "tasks", "b"); !fault.Is(err, fault.NotFound) {
		t.Errorf("the commit of who left the queue: %v", err)
	}
}

func TestOldValuesAreOmittedWhenLarge(t *testing.T) {
	w := newWorld(t)
	e := w.engine()
	w.den(e)
	w.commit(e, bob, `{"op":"createTable","table":"texts","columns":[{"name":"t","type":"text"}]}`)
	for i := range 8 {
		w.commit(e, bob, fmt.Sprintf(`{"op":"insert","table":"texts","id":"r%d","row":{"t":"%s"}}`, i, strings.Repeat("x", 60_000)))
	}
	var ops []string
	for i := range 8 {
		ops = append(ops, fmt.Sprintf(`{"op":"delete","table":"texts","id":"r%d"}`, i))
	}
	r := w.commit(e, bob, ops...)
	kept := 0
	for _, op := range r.Entry.Ops {
		if op.OldOmitted == (op.Old != nil) {
			t.Errorf("old values of %s are neither kept nor omitted", op.ID)
		}
		if !op.OldOmitted {
			kept++
		}
	}
	if kept == 0 || kept == 8 || len(commitlog.AppendEntry(nil, r.Entry)) > commitlog.MaxEntryBytes {
		t.Errorf("%d of 8 old values kept", kept)
	}
}

func TestRolesChangeAtOnce(t *testing.T) {
	w := newWorld(t)
	one, two := w.engineOn(shared{w.store}), w.engineOn(shared{w.store})
	w.den(one)
	insert := request(`{"op":"insert","table":"tasks","row":{"title":"x"}}`)
	_, err := two.Commit(t.Context(), bob, den, insert)
	must(t, err)
	_, err = one.RemoveMember(t.Context(), ada, den, "bob")
	must(t, err)
	if _, err := two.Commit(t.Context(), bob, den, insert); !fault.Is(err, fault.NotFound) {
		t.Errorf("commit of a removed member elsewhere: %v", err)
	}
	_, err = one.SetMember(t.Context(), ada, den, "bob", access.Viewer)
	must(t, err)
	if err := two.Read(t.Context(), bob, den, func(v *room.View) error {
		if v.Grant().Role != access.Viewer {
			t.Errorf("role %s", v.Grant().Role)
		}
		return nil
	}); err != nil {
		t.Error(err)
	}
}
