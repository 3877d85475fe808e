package replica_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"reflect"
	"testing"
	"time"

	"pgregory.net/rapid"

	"nanotypedb/shared/commitlog"
	"nanotypedb/shared/fault"
	"nanotypedb/shared/loadfile"
	"nanotypedb/shared/replica"
	"nanotypedb/shared/schema"
)

// past is what a room was at a seq.
type past struct {
	state    replica.State
	contents map[int][]replica.Row
}

// at runs fn on a view of the room at a seq.
func at(tb testing.TB, c *replica.Cache, seq int64, fn func(*replica.View)) {
	tb.Helper()
	r, release, err := c.At(tb.Context(), ulid, seq)
	must(tb, err)
	defer release()
	must(tb, r.View(tb.Context(), func(v *replica.View) error { fn(v); return nil }))
}

// stage stages the load that brings back a seq, and gives its operation.
func (w *world) stage(c *replica.Cache, r *replica.Replica, seq int64, o replica.StageOptions) (commitlog.Op, *replica.Staged) {
	w.tb.Helper()
	var blob bytes.Buffer
	var staged *replica.Staged
	at(w.tb, c, seq, func(target *replica.View) {
		must(w.tb, r.View(w.tb.Context(), func(present *replica.View) (err error) {
			staged, err = replica.Stage(w.tb.Context(), target, present, o, &blob)
			return err
		}))
	})
	return w.bulk(&blob, staged.Sum), staged
}

// bulk stores a blob and gives the operation that loads it.
func (w *world) bulk(blob *bytes.Buffer, sum loadfile.Sum) commitlog.Op {
	w.tb.Helper()
	key := loadfile.Key(ulid, fmt.Sprintf("L%d", time.Now().UnixNano()))
	must(w.tb, w.blobs.PutNew(w.tb.Context(), key, blob, int64(blob.Len())))
	return commitlog.Op{Kind: commitlog.LoadBlob, Load: &commitlog.Bulk{Blob: key, SHA256: sum.SHA256, Mode: string(loadfile.Merge)}}
}

func remember(tb testing.TB, r *replica.Replica) past { return past{*r.State(), contents(tb, r)} }

// bare are rows without their versions and index state.
func bare(all map[int][]replica.Row) map[int][]replica.Row {
	out := map[int][]replica.Row{}
	for num, rows := range all {
		for _, row := range rows {
			row.Version, row.Vector = 0, 0
			out[num] = append(out[num], row)
		}
	}
	return out
}

// TestAnySeqComesBack: through random commits and loads, any earlier seq can be
// looked at as it was and brought back, by whoever writes and whoever follows.
func TestAnySeqComesBack(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		w := newWorld(t)
		defer w.close()
		cache := w.cache()
		writer := w.create(cache)
		follower := w.acquire(w.cache())
		history := map[int64]past{writer.State().Seq: remember(t, writer)}
		for range rapid.IntRange(2, 14).Draw(rt, "steps") {
			w.now = w.now.Add(time.Minute)
			if rapid.IntRange(0, 2).Draw(rt, "load") == 0 {
				seq := rapid.SampledFrom(seqs(history)).Draw(rt, "seq")
				w.bringBack(rt, cache, writer, history, seq)
			} else {
				w.draftRandomly(rt, writer)
			}
			if rapid.IntRange(0, 5).Draw(rt, "checkpoint") == 0 {
				must(t, writer.Checkpoint(t.Context()))
			}
			if rapid.IntRange(0, 3).Draw(rt, "follow") == 0 {
				must(t, follower.CatchUp(t.Context()))
			}
			history[writer.State().Seq] = remember(t, writer)
		}
		must(t, follower.CatchUp(t.Context()))
		fresh := w.acquire(w.cache())
		for name, r := range map[string]*replica.Replica{"writer": writer, "follower": follower, "fresh": fresh} {
			checkRecount(t, name, r)
			checkWords(t, r)
			if !sameState(r.State(), writer.State()) || !reflect.DeepEqual(contents(t, r), contents(t, writer)) {
				rt.Errorf("%s differs", name)
			}
		}
		checkPast(rt, w, cache, history)
		if len(w.alarm) > 0 || t.Failed() {
			rt.Fatalf("alarms %v", w.alarm)
		}
	})
}

func seqs(history map[int64]past) []int64 {
	var all []int64
	for seq := range 1000 {
		if _, ok := history[int64(seq)]; ok {
			all = append(all, int64(seq))
		}
	}
	return all
}

// bringBack loads an earlier seq, and checks what the room then is.
func (w *world) bringBack(rt *rapid.T, c *replica.Cache, r *replica.Replica, history map[int64]past, seq int64) {
	before := remember(w.tb, r)
	op, staged := w.stage(c, r, seq, replica.StageOptions{})
	e := w.commitAs(r, commitlog.Load, op)
	after := remember(w.tb, r)
	checkRecount(w.tb, "load", r)
	checkWords(w.tb, r)
	want := history[seq]
	if !reflect.DeepEqual(bare(after.contents), bare(want.contents)) {
		rt.Fatalf("seq %d brought back is\n%v, not\n%v", seq, after.contents, want.contents)
	}
	if !access(&before.state, &want.state) && after.state.Sums.Content != want.state.Sums.Content {
		rt.Fatalf("seq %d brought back has other content sums", seq)
	}
	if after.state.Schema.NextTable < before.state.Schema.NextTable || len(after.state.Members) != len(before.state.Members) {
		rt.Fatal("a load has changed counters or members")
	}
	checkVersions(rt, before.contents, after.contents, e.Seq)
	if n := staged.Sum.Counts.Rows; n != e.Ops[0].Load.Rows {
		rt.Fatalf("the entry says %d rows, the blob has %d", e.Ops[0].Load.Rows, n)
	}
}

// checkWords compares the full-text indexes with the rows.
func checkWords(tb testing.TB, r *replica.Replica) {
	tb.Helper()
	for _, t := range r.State().Schema.Tables {
		if t.Embeds() {
			must(tb, r.Corrupt(fmt.Sprintf("INSERT INTO f%d(f%d,rank) VALUES('integrity-check',1)", t.Num, t.Num)))
		}
	}
}

// access tells whether a table that is own now, or was when it was last there,
// would otherwise become shared.
func access(now, then *replica.State) bool {
	for i := range then.Schema.Tables {
		t := now.Schema.TableByNum(then.Schema.Tables[i].Num)
		if then.Schema.Tables[i].Access == schema.Shared && (t == nil || t.Access == schema.Own) {
			return true
		}
	}
	return false
}

// checkVersions: what a load has not changed keeps its version.
func checkVersions(rt *rapid.T, before, after map[int][]replica.Row, seq int64) {
	was := map[string]replica.Row{}
	for num, rows := range before {
		for _, row := range rows {
			was[fmt.Sprint(num, row.ID)] = row
		}
	}
	for num, rows := range after {
		for _, row := range rows {
			old, ok := was[fmt.Sprint(num, row.ID)]
			want := seq
			if ok && reflect.DeepEqual(old.Values, row.Values) && old.CreatedAt == row.CreatedAt && old.UpdatedAt == row.UpdatedAt && old.CreatedBy == row.CreatedBy && len(old.Values) == len(row.Values) {
				want = old.Version
			}
			if row.Version != want && len(old.Values) == len(row.Values) {
				rt.Fatalf("row %s of table %d has version %d, want %d: %v, %v", row.ID, num, row.Version, want, old, row)
			}
		}
	}
}

// checkPast: the room at any seq is what it was when that was the head, and
// the difference of two of them turns one into the other.
func checkPast(rt *rapid.T, w *world, c *replica.Cache, history map[int64]past) {
	all := seqs(history)
	from, to := rapid.SampledFrom(all).Draw(rt, "from"), rapid.SampledFrom(all).Draw(rt, "to")
	at(w.tb, c, from, func(a *replica.View) {
		if !sameState(a.State(), ptr(history[from].state)) {
			rt.Fatalf("seq %d is %+v, was %+v", from, a.State(), history[from].state)
		}
		at(w.tb, c, to, func(b *replica.View) {
			got := map[int]map[string]replica.Row{}
			for num, rows := range history[from].contents {
				got[num] = map[string]replica.Row{}
				for _, row := range rows {
					got[num][row.ID] = row
				}
			}
			_, err := replica.Diff(w.tb.Context(), a, b, replica.DiffOptions{Times: true}, func(ch *replica.Change) (bool, error) {
				if got[ch.Table] == nil {
					got[ch.Table] = map[string]replica.Row{}
				}
				if ch.After == nil {
					delete(got[ch.Table], ch.ID)
				} else {
					got[ch.Table][ch.ID] = *ch.After
				}
				return true, nil
			})
			must(w.tb, err)
			compareTables(rt, got, history[to])
		})
	})
}

func compareTables(rt *rapid.T, got map[int]map[string]replica.Row, want past) {
	for num, rows := range want.contents {
		if len(got[num]) != len(rows) {
			rt.Fatalf("table %d has %d rows, want %d", num, len(got[num]), len(rows))
		}
		for _, row := range rows {
			if g := got[num][row.ID]; g.CreatedAt != row.CreatedAt || g.UpdatedAt != row.UpdatedAt || g.CreatedBy != row.CreatedBy {
				rt.Fatalf("table %d: row %v, want %v", num, g, row)
			}
		}
	}
}

// TestChosenRowsComeBack: single rows into the schema of today.
func TestChosenRowsComeBack(t *testing.T) {
	w := newWorld(t)
	cache := w.cache()
	r := w.create(cache)
	w.commit(r, insert("a", "one"), insert("b", "two"), insert("c", "three"))
	then := r.State().Seq
	w.now = w.now.Add(time.Hour)
	w.commit(r, update("a", cell(1, "changed")), remove("b"), insert("d", "new"), update("c", cell(1, "kept")))
	w.commit(r, commitlog.Op{Kind: commitlog.AlterTable, Alter: &schema.Alteration{Table: 1, Was: "tasks",
		Drop: []schema.ColumnName{{Num: 3, Name: "count"}}, Add: []schema.Column{{Num: 9, Name: "more", Type: schema.Integer, Default: int64(5)}}}})
	op, staged := w.stage(cache, r, then, replica.StageOptions{Rows: map[int][]string{1: {"a", "b", "d"}}})
	w.commitAs(r, commitlog.Load, op)
	got := map[string]string{}
	for _, row := range rows(t, r, replica.ListQuery{}) {
		got[row.ID] = fmt.Sprint(row.Values[0], row.Values[len(row.Values)-1])
	}
	want := map[string]string{"a": "one5", "b": "two5", "c": "kept5"}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if c := staged.Counts[0]; c.Added != 1 || c.Changed != 1 || c.Removed != 1 {
		t.Errorf("counts %+v", c)
	}
	checkRecount(t, "rows", r)
}

func header(r *replica.Replica, mode loadfile.Mode, tables ...schema.Table) loadfile.Header {
	return loadfile.Header{Room: ulid, Base: r.State().Seq, Mode: mode, Tables: tables}
}

// write makes a blob by hand.
func (w *world) writeLoad(h loadfile.Header, records ...loadfile.Record) commitlog.Op {
	w.tb.Helper()
	var blob bytes.Buffer
	out, err := loadfile.NewWriter(&blob, h)
	must(w.tb, err)
	for i := range records {
		must(w.tb, out.Put(&records[i]))
	}
	sum, err := out.Close()
	must(w.tb, err)
	return w.bulk(&blob, sum)
}

func record(id, title string) loadfile.Record {
	return loadfile.Record{Kind: loadfile.Row, Table: 1, ID: id, Creator: "ada", CreatedAt: 1, UpdatedAt: 2, Cells: []schema.Cell{cell(1, title)}}
}

// TestALoadIsRefusedWhole: what does not fit changes nothing.
func TestALoadIsRefusedWhole(t *testing.T) {
	w := newWorld(t)
	r := w.create(w.cache())
	w.commit(r, insert("a", "one"), insert("b", "two"))
	w.commit(r, commitlog.Op{Kind: commitlog.CreateTable, Def: &schema.Table{Num: 2, Name: "notes", NextColumn: 2, Columns: []schema.Column{{Num: 1, Name: "n", Type: schema.Integer, Unique: true}}}})
	tasks := *r.State().Schema.TableByNum(1)
	unique := tasks
	unique.Columns = append([]schema.Column{}, tasks.Columns...)
	unique.Columns[0].Unique = true
	short := unique
	short.Columns = append([]schema.Column{}, tasks.Columns...)
	short.Columns[0].MaxLength = 2
	clash := tasks
	clash.Name = "notes"
	stranger := header(r, loadfile.Merge, tasks)
	stranger.Room = "01JD00000000000000000000R9"
	early := header(r, loadfile.Merge, tasks)
	early.Base = 99
	bad := func(r loadfile.Record, cells ...schema.Cell) loadfile.Record { r.Cells = cells; return r }
	gone := commitlog.Op{Kind: commitlog.LoadBlob, Load: &commitlog.Bulk{Blob: loadfile.Key(ulid, "gone")}}
	other := w.writeLoad(header(r, loadfile.Merge, tasks))
	other.Load.SHA256[0]++
	narrow := tasks
	narrow.Columns = tasks.Columns[:2]
	before := remember(t, r)
	for name, c := range map[string]struct {
		op   commitlog.Op
		code fault.Code
	}{
		"of another room":            {w.writeLoad(stranger), fault.Invalid},
		"of a seq to come":           {w.writeLoad(early), fault.Invalid},
		"blob that is gone":          {gone, fault.Internal},
		"another SHA-256":            {other, fault.Internal},
		"a value too much":           {w.writeLoad(header(r, loadfile.Merge, tasks), bad(record("x", ""), cell(1, "x"), cell(77, "y"))), fault.Invalid},
		"a value of another type":    {w.writeLoad(header(r, loadfile.Merge, tasks), bad(record("x", ""), cell(1, int64(7)))), fault.Invalid},
		"a required value missing":   {w.writeLoad(header(r, loadfile.Merge, tasks), bad(record("x", ""), cell(2, "pending"))), fault.Invalid},
		"a value that is not one":    {w.writeLoad(header(r, loadfile.Merge, tasks), bad(record("x", ""), cell(1, "x"), cell(2, "maybe"))), fault.Invalid},
		"a date of no calendar":      {w.writeLoad(header(r, loadfile.Merge, tasks), bad(record("x", ""), cell(1, "x"), cell(6, "2026-02-30"))), fault.Invalid},
		"JSON that is not canonical": {w.writeLoad(header(r, loadfile.Merge, tasks), bad(record("x", ""), cell(1, "x"), cell(8, schema.JSON(`{ "a":1}`)))), fault.Invalid},
		"twice in a replaced table":  {w.writeLoad(header(r, loadfile.Replace, tasks), record("a", "x"), record("a", "y")), fault.Conflict},
		"a new row twice":            {w.writeLoad(header(r, loadfile.Replace, tasks), record("z", "x"), record("z", "y")), fault.Conflict},
		"not unique":                 {w.writeLoad(header(r, loadfile.Merge, unique), record("c", "one")), fault.Conflict},
		"rows that stay too long":    {w.writeLoad(header(r, loadfile.Merge, short)), fault.Conflict},
		"a name twice":               {w.writeLoad(header(r, loadfile.Merge, clash)), fault.Conflict},
		"a merge of other columns":   {w.writeLoad(header(r, loadfile.Merge, narrow)), fault.Conflict},
	} {
		e := w.entry(commitlog.Load, c.op)
		if err := w.write(r, e); fault.CodeOf(err) != c.code {
			t.Errorf("%s: %v, want %s", name, err, c.code)
		}
		if after := remember(t, r); !reflect.DeepEqual(after, before) {
			t.Fatalf("%s has changed something", name)
		}
	}
}

// TestReplaceUnderOtherColumns: a table replaced under other columns keeps
// the versions of rows that stay the same, and the rows that are not in the
// blob go.
func TestReplaceUnderOtherColumns(t *testing.T) {
	w := newWorld(t)
	r := w.create(w.cache())
	w.commit(r, commitlog.Op{Kind: commitlog.Insert, Table: 1, ID: "same", Creator: "ada", CreatedAt: 1, UpdatedAt: 2, Set: []schema.Cell{cell(1, "x")}},
		insert("gone", "y"), insert("other", "z"))
	was := r.State().Seq
	tasks := *r.State().Schema.TableByNum(1)
	tasks.Columns = append(append([]schema.Column{}, tasks.Columns[:2]...), schema.Column{Num: 9, Name: "fresh", Type: schema.Integer, Unique: true})
	tasks.NextColumn = 10
	e := w.commitAs(r, commitlog.Load, w.writeLoad(header(r, loadfile.Replace, tasks), record("same", "x"), record("other", "zz"), record("new", "n")))
	got := map[string]int64{}
	for _, row := range rows(t, r, replica.ListQuery{}) {
		got[row.ID] = row.Version
	}
	if want := map[string]int64{"same": was, "other": e.Seq, "new": e.Seq}; !reflect.DeepEqual(got, want) {
		t.Errorf("versions %v, want %v", got, want)
	}
	checkRecount(t, "replaced", r)
	if _, err := r.Recounted(t.Context()); err != nil {
		t.Error(err)
	}
	must(t, w.acquire(w.cache()).CatchUp(t.Context()))
}

// TestCountersAndAccessStay: a load never lowers a counter, and a table that is
// own stays so.
func TestCountersAndAccessStay(t *testing.T) {
	w := newWorld(t)
	cache := w.cache()
	r := w.create(cache)
	then := r.State().Seq
	own := schema.Own
	w.commit(r, commitlog.Op{Kind: commitlog.AlterTable, Alter: &schema.Alteration{Table: 1, Was: "tasks", Access: &own,
		Add: []schema.Column{{Num: 9, Name: "more", Type: schema.Integer}}}})
	op, _ := w.stage(cache, r, then, replica.StageOptions{})
	w.commitAs(r, commitlog.Load, op)
	if got := r.State().Schema.TableByNum(1); got.NextColumn != 10 || got.Access != schema.Own || len(got.Columns) != 8 {
		t.Errorf("got %+v", got)
	}
	def := r.State().Schema.TableByNum(1)
	w.commit(r, commitlog.Op{Kind: commitlog.DropTable, Table: 1, Name: "tasks", Def: def})
	op, _ = w.stage(cache, r, then, replica.StageOptions{})
	w.commitAs(r, commitlog.Load, op)
	if got := r.State().Schema.TableByNum(1); got.NextColumn != 10 || got.Access != schema.Own {
		t.Errorf("a dropped table came back as %+v", got)
	}
}

func TestAtRefusesWhatIsNotKept(t *testing.T) {
	w := newWorld(t)
	r := w.create(w.cache())
	w.commit(r, insert("a", "one"))
	w.commit(r, insert("b", "one"))
	must(t, r.Checkpoint(t.Context()))
	w.commit(r, insert("c", "one"))
	w.st.removePrefix("LOG#0000000000000001")
	w.st.removePrefix("LOG#0000000000000002")
	c := w.cache()
	for _, seq := range []int64{0, 1, 2, 99} {
		if _, _, err := c.At(t.Context(), ulid, seq); !fault.Is(err, fault.NotFound) {
			t.Errorf("seq %d: %v", seq, err)
		}
	}
	at(t, c, 4, func(v *replica.View) {
		if v.State().Seq != 4 {
			t.Errorf("seq %d", v.State().Seq)
		}
	})
	past, release, err := c.At(t.Context(), ulid, 3)
	must(t, err)
	defer release()
	must(t, past.CatchUp(t.Context()))
	if past.State().Seq != 3 {
		t.Error("the past has caught up")
	}
	if _, err := past.Begin(t.Context()); err == nil {
		t.Error("the past can be written")
	}
}

func TestSeqAt(t *testing.T) {
	w := newWorld(t)
	c := w.cache()
	r := w.create(c)
	start := w.now
	for i := range 9 {
		w.now = start.Add(time.Duration(i+1) * time.Hour)
		w.commit(r, insert(fmt.Sprint(i), "x"))
	}
	find := func(at time.Time) (int64, error) {
		return c.SeqAt(t.Context(), ulid, r.State().Seq, schema.Millis(at.UnixMilli()))
	}
	for _, removed := range []int64{0, 1, 2, 3} {
		w.st.removePrefix(fmt.Sprintf("LOG#%016d", removed))
		for hours := -1; hours < 12; hours++ {
			seq, err := find(start.Add(time.Duration(hours)*time.Hour + time.Minute))
			want := min(int64(hours+1), 10)
			if want <= removed || want < 1 {
				if !fault.Is(err, fault.NotFound) {
					t.Errorf("%d removed, hour %d: %d, %v", removed, hours, seq, err)
				}
				continue
			}
			if seq != want || err != nil {
				t.Errorf("%d removed, hour %d: %d, %v, want %d", removed, hours, seq, err, want)
			}
		}
	}
}

// archive is what backup keeps of a log that was cut.
type archive struct{ entries []*commitlog.Entry }

func (a archive) Read(_ context.Context, _ string, after int64, limit int) ([]*commitlog.Entry, bool, error) {
	for i, e := range a.entries {
		if e.Seq == after+1 {
			return a.entries[i:min(len(a.entries), i+limit)], true, nil
		}
	}
	return nil, false, nil
}

func (a archive) Nearest(context.Context, string, int64) (string, int64, bool, error) {
	return "kept", 2, true, nil
}

// TestAtReadsImagesAndArchive: what the log no longer has comes from there.
func TestAtReadsImagesAndArchive(t *testing.T) {
	w := newWorld(t)
	r := w.create(w.cache())
	var old archive
	old.entries = append(old.entries, w.commit(r, insert("a", "one")))
	var image bytes.Buffer
	_, err := r.Image(t.Context(), &image)
	must(t, err)
	must(t, w.blobs.Put(t.Context(), "kept", &image, int64(image.Len())))
	old.entries = append(old.entries, w.commit(r, insert("b", "two")))
	want := remember(t, r)
	w.commit(r, insert("c", "three"))
	must(t, r.Checkpoint(t.Context()))
	for seq := range 4 {
		w.st.removePrefix(fmt.Sprintf("LOG#%016d", seq))
	}
	c := w.cache(func(o *replica.Options) { o.Images, o.Archive = old, old })
	at(t, c, 3, func(v *replica.View) {
		if !sameState(v.State(), &want.state) {
			t.Errorf("got %+v, want %+v", v.State(), want.state)
		}
	})
	must(t, w.blobs.Put(t.Context(), "kept", bytes.NewReader([]byte("damaged")), 7))
	if _, _, err := w.cache(func(o *replica.Options) { o.Images, o.Archive = old, old }).At(t.Context(), ulid, 3); !fault.Is(err, fault.NotFound) {
		t.Errorf("a damaged image: %v", err)
	}
}

// TestFollowersNeedTheBlob: without it a replica stays behind rather than wrong,
// and goes on when the blob or a checkpoint is there.
func TestFollowersNeedTheBlob(t *testing.T) {
	w := newWorld(t)
	cache := w.cache()
	r := w.create(cache)
	w.commit(r, insert("a", "one"))
	follower := w.acquire(w.cache())
	op, _ := w.stage(cache, r, 1, replica.StageOptions{})
	w.commitAs(r, commitlog.Load, op)
	must(t, w.blobs.Delete(t.Context(), op.Load.Blob))
	if err := follower.CatchUp(t.Context()); err == nil {
		t.Fatal("a load without its blob was followed")
	}
	if follower.State().Seq != 2 {
		t.Fatalf("the follower is at seq %d", follower.State().Seq)
	}
	must(t, r.Checkpoint(t.Context()))
	must(t, follower.CatchUp(t.Context()))
	if !sameState(follower.State(), r.State()) {
		t.Error("the follower differs")
	}
}

func TestFetchLoad(t *testing.T) {
	w := newWorld(t)
	c := w.cache()
	r := w.create(c)
	op := w.writeLoad(header(r, loadfile.Merge, *r.State().Schema.TableByNum(1)), record("a", "x"))
	h, s, release, err := c.FetchLoad(t.Context(), op.Load.Blob, op.Load.SHA256, nil)
	must(t, err)
	if h.Room != ulid || s.Counts.Rows != 1 {
		t.Errorf("%+v, %+v", h, s)
	}
	must(t, w.blobs.Delete(t.Context(), op.Load.Blob))
	w.commitAs(r, commitlog.Load, op) // by the copy
	release()
	if _, _, _, err := c.FetchLoad(t.Context(), op.Load.Blob, op.Load.SHA256, nil); !fault.Is(err, fault.NotFound) {
		t.Errorf("a blob that is gone: %v", err)
	}
	other := w.writeLoad(header(r, loadfile.Merge))
	if _, _, _, err := c.FetchLoad(t.Context(), other.Load.Blob, [32]byte{}, nil); !fault.Is(err, fault.Invalid) {
		t.Errorf("another SHA-256: %v", err)
	}
	must(t, w.blobs.Put(t.Context(), other.Load.Blob, bytes.NewReader([]byte("NANOLOADx")), 9))
	_, _, _, err = c.FetchLoad(t.Context(), other.Load.Blob, other.Load.SHA256, nil)
	var damage *loadfile.Damage
	if !fault.Is(err, fault.Invalid) || !errors.As(err, &damage) {
		t.Errorf("a damaged blob: %v", err)
	}
}

func ptr(s replica.State) *replica.State { return &s }

// TestATighterColumnComesBack: rows that break what a column asked for are
// changed by the same load.
func TestATighterColumnComesBack(t *testing.T) {
	w := newWorld(t)
	cache := w.cache()
	r := w.create(cache)
	w.commit(r, insert("a", "one"), insert("b", "two"))
	want := remember(t, r)
	wide := *r.State().Schema.TableByNum(1).ColumnByNum(1)
	wide.MaxLength, wide.Required = 0, false
	w.commit(r, commitlog.Op{Kind: commitlog.AlterTable, Alter: &schema.Alteration{Table: 1, Was: "tasks", Change: []schema.Column{wide}}})
	w.commit(r, update("a", cell(1, nil)))
	op, _ := w.stage(cache, r, want.state.Seq, replica.StageOptions{})
	w.commitAs(r, commitlog.Load, op)
	if r.State().Sums.Content != want.state.Sums.Content {
		t.Error("the content is another")
	}
	checkRecount(t, "tightened", r)
}
