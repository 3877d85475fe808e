package replica_test

import (
	"fmt"
	"reflect"
	"testing"
	"time"

	"pgregory.net/rapid"

	"nanotypedb/shared/commitlog"
	"nanotypedb/shared/fault"
	"nanotypedb/shared/replica"
	"nanotypedb/shared/schema"
)

// TestReplicasAgree: a room drafted entry by entry, one that follows the log,
// one loaded from a checkpoint with a tail and one rebuilt from the log alone
// hold the same rows and sums, and the sums are those of the rows.
func TestReplicasAgree(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		w := newWorld(t)
		defer w.close()
		writer := w.create(w.cache())
		following := w.acquire(w.cache())
		for range rapid.IntRange(1, 25).Draw(rt, "entries") {
			w.now = w.now.Add(time.Duration(rapid.IntRange(0, 20*24).Draw(rt, "hours")) * time.Hour)
			w.draftRandomly(rt, writer)
			if rapid.IntRange(0, 5).Draw(rt, "checkpoint") == 0 {
				must(t, writer.Checkpoint(t.Context()))
			}
			if rapid.IntRange(0, 3).Draw(rt, "follow") == 0 {
				must(t, following.CatchUp(t.Context()))
			}
		}
		must(t, following.CatchUp(t.Context()))
		loaded := w.acquire(w.cache())
		w.st.removePrefix("CHECKPOINT#")
		rebuilt := w.acquire(w.cache())
		want := contents(t, writer)
		for name, r := range map[string]*replica.Replica{"writer": writer, "following": following, "loaded": loaded, "rebuilt": rebuilt} {
			checkRecount(t, name, r)
			if !sameState(r.State(), writer.State()) {
				rt.Errorf("%s: state is %+v, want %+v", name, r.State(), writer.State())
			}
			if got := contents(t, r); !reflect.DeepEqual(got, want) {
				rt.Errorf("%s: rows are %v, want %v", name, got, want)
			}
		}
		if len(w.alarm) > 0 {
			rt.Errorf("alarms for entries %v", w.alarm)
		}
		if t.Failed() {
			rt.FailNow()
		}
	})
}

// draftRandomly writes a group of a few entries. An operation that is not
// possible takes back its whole entry, or only itself.
func (w *world) draftRandomly(rt *rapid.T, r *replica.Replica) {
	ctx := w.tb.Context()
	d, err := r.Begin(ctx)
	must(w.tb, err)
	defer func() { must(w.tb, d.Discard()) }() // does nothing but after a failure
	for range rapid.IntRange(1, 3).Draw(rt, "group") {
		e := w.entry("")
		if rapid.Bool().Draw(rt, "named") {
			e.CommitID, e.Digest = fmt.Sprint("c", d.State().Seq), "d"
		}
		forgiving := rapid.Bool().Draw(rt, "forgiving")
		before, shapes := *d.State(), false
		err := d.Try(ctx, func() error {
			d.Start(e)
			for range rapid.IntRange(1, 6).Draw(rt, "ops") {
				op := anyOp(rt, d.Working().Schema)
				apply := func() error { return d.Apply(ctx, &op) }
				shape := op.Kind == commitlog.CreateTable || op.Kind == commitlog.AlterTable || op.Kind == commitlog.DropTable
				shapes = shapes || shape
				var err error
				if forgiving && !shape {
					err = d.Try(ctx, apply)
				} else {
					err = apply()
				}
				if err == nil {
					e.Ops = append(e.Ops, op)
				} else if !forgiving || shape || fault.CodeOf(err) == fault.Internal {
					return err
				}
			}
			return d.Finish(ctx, e)
		})
		switch {
		case err == nil:
			must(w.tb, w.log(e))
		case fault.CodeOf(err) == fault.Internal:
			rt.Fatalf("entry %d: %v", e.Seq, err)
		case !reflect.DeepEqual(before, *d.State()):
			rt.Fatalf("a refused entry left %+v, not %+v", *d.State(), before)
		case shapes: // no draft goes on after a refused change of tables, see Draft.Try
			must(w.tb, d.Discard())
			must(w.tb, r.CatchUp(ctx))
			return
		}
	}
	if err := d.Publish(w.now); err != nil {
		rt.Fatal(err)
	}
}

func checkRecount(tb testing.TB, name string, r *replica.Replica) {
	tb.Helper()
	sums, n, bytes, err := r.Recount(tb.Context())
	must(tb, err)
	if s := r.State(); sums != s.Sums || n != s.Rows || bytes != s.Bytes {
		tb.Errorf("%s: counted %d rows of %d bytes, found %d of %d; sums agree: %t", name, s.Rows, s.Bytes, n, bytes, sums == s.Sums)
	}
}

func sameState(a, b *replica.State) bool {
	return a.Seq == b.Seq && a.At == b.At && a.CreatedAt == b.CreatedAt && a.ID == b.ID && a.Name == b.Name && a.Closed == b.Closed &&
		a.Sums == b.Sums && a.Rows == b.Rows && a.Bytes == b.Bytes && a.Room == b.Room && reflect.DeepEqual(a.Members, b.Members) &&
		reflect.DeepEqual(a.Invitations, b.Invitations) && string(schema.EncodeSchema(a.Schema)) == string(schema.EncodeSchema(b.Schema))
}

// contents gives all rows of all tables.
func contents(tb testing.TB, r *replica.Replica) map[int][]replica.Row {
	tb.Helper()
	out := map[int][]replica.Row{}
	s := r.State().Schema
	for i := range s.Tables {
		out[s.Tables[i].Num] = rows(tb, r, replica.ListQuery{Table: &s.Tables[i]})
	}
	return out
}

// anyOp makes an operation that is possible in most cases.
func anyOp(rt *rapid.T, s *schema.Schema) commitlog.Op {
	switch rapid.IntRange(0, 14).Draw(rt, "kind") {
	case 0:
		n := s.NextTable
		return commitlog.Op{Kind: commitlog.CreateTable, Def: &schema.Table{Num: n, Name: fmt.Sprint("table", n), NextColumn: 3,
			Columns: []schema.Column{{Num: 1, Name: "a", Type: schema.Text, Unique: true}, {Num: 2, Name: "b", Type: schema.Integer}}}}
	case 1:
		return commitlog.Op{Kind: commitlog.SetMember, User: rapid.SampledFrom([]string{"bob", "eve"}).Draw(rt, "user"),
			Role: rapid.SampledFrom([]string{"", "editor", "viewer"}).Draw(rt, "role"), Name: "someone"}
	case 2:
		return commitlog.Op{Kind: commitlog.SetInvite, Email: rapid.SampledFrom([]string{"a@b.c", "d@e.f"}).Draw(rt, "email"),
			Role: rapid.SampledFrom([]string{"", "editor"}).Draw(rt, "role")}
	case 3:
		return commitlog.Op{Kind: commitlog.SetRoom, Name: rapid.SampledFrom([]string{"Lab", "Office"}).Draw(rt, "name")}
	case 4:
		if len(s.Tables) == 0 {
			break
		}
		table := rapid.SampledFrom(s.Tables).Draw(rt, "table")
		return commitlog.Op{Kind: commitlog.AlterTable, Alter: alter(rt, &table)}
	case 5:
		if len(s.Tables) > 1 {
			last := s.Tables[len(s.Tables)-1]
			return commitlog.Op{Kind: commitlog.DropTable, Table: last.Num, Name: last.Name, Def: &last}
		}
	}
	if len(s.Tables) == 0 {
		return commitlog.Op{Kind: commitlog.SetRoom, Name: "Empty"}
	}
	table := rapid.SampledFrom(s.Tables).Draw(rt, "table")
	op := commitlog.Op{Table: table.Num, ID: rapid.SampledFrom([]string{"a", "b", "c", "d", "e"}).Draw(rt, "id")}
	switch rapid.IntRange(0, 4).Draw(rt, "change") {
	case 0:
		op.Kind = commitlog.Delete
	case 1, 2:
		op.Kind = commitlog.Update
		op.Set = cells(rt, &table, false)
	default:
		op.Kind, op.Creator = commitlog.Insert, rapid.SampledFrom([]string{"ada", "bob"}).Draw(rt, "creator")
		op.Set = cells(rt, &table, true)
	}
	return op
}

func alter(rt *rapid.T, t *schema.Table) *schema.Alteration {
	a := &schema.Alteration{Table: t.Num, Was: t.Name}
	var col *schema.Column
	if len(t.Columns) > 0 {
		c := rapid.SampledFrom(t.Columns).Draw(rt, "column")
		col = &c
	}
	switch kind := rapid.IntRange(0, 4).Draw(rt, "alteration"); {
	case kind == 0 || col == nil:
		add := schema.Column{Num: t.NextColumn, Name: fmt.Sprint("col", t.NextColumn), Type: schema.Integer}
		if rapid.Bool().Draw(rt, "default") {
			add.Default = int64(7)
		}
		a.Add = []schema.Column{add}
	case kind == 1:
		a.Drop = []schema.ColumnName{{Num: col.Num, Name: col.Name}}
	case kind == 2:
		a.Name = t.Name + "x"
		own := schema.Own
		a.Access = &own
		a.Rename = []schema.ColumnName{{Num: col.Num, Name: col.Name + "y", Was: col.Name}}
	default:
		changed := *col
		changed.Type = rapid.SampledFrom([]schema.Type{schema.Text, schema.Integer, schema.Number, schema.JSONType}).Draw(rt, "type")
		changed.Values, changed.Default, changed.Min, changed.Max, changed.MaxLength = nil, nil, nil, nil, 0
		changed.Unique = rapid.Bool().Draw(rt, "unique")
		changed.Embed = changed.Type == schema.Text && rapid.Bool().Draw(rt, "embed")
		a.Change = []schema.Column{changed}
	}
	return a
}

func cells(rt *rapid.T, t *schema.Table, insert bool) (cells []schema.Cell) {
	for _, col := range inOrder(t) {
		if !insert && rapid.Bool().Draw(rt, "leave") {
			continue
		}
		v := value(rt, &col)
		if v != nil || !insert {
			cells = append(cells, cell(col.Num, v))
		}
	}
	return cells
}

func inOrder(t *schema.Table) []schema.Column {
	var out []schema.Column
	for n := range t.NextColumn {
		if c := t.ColumnByNum(n); c != nil {
			out = append(out, *c)
		}
	}
	return out
}

func value(rt *rapid.T, col *schema.Column) schema.Value {
	if !col.Required && rapid.IntRange(0, 3).Draw(rt, "null") == 0 {
		return nil
	}
	n := rapid.IntRange(0, 9).Draw(rt, "value")
	switch col.Type {
	case schema.Integer:
		return int64(n)
	case schema.Number:
		return float64(n) / 2
	case schema.Boolean:
		return n%2 == 0
	case schema.Timestamp:
		return schema.Millis(n)
	case schema.JSONType:
		return schema.JSON(fmt.Sprintf(`{"n":%d}`, n))
	case schema.Enum:
		return col.Values[n%len(col.Values)]
	case schema.Date:
		return fmt.Sprintf("2026-01-%02d", n+1)
	default:
		return fmt.Sprint(n)
	}
}
