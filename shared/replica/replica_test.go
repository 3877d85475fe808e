package replica_test

import (
	"reflect"
	"testing"

	"nanotypedb/shared/commitlog"
	"nanotypedb/shared/fault"
	"nanotypedb/shared/replica"
	"nanotypedb/shared/schema"
)

var full = []schema.Cell{cell(2, "completed"), cell(3, int64(-7)), cell(4, 1.5), cell(5, true),
	cell(6, "2026-11-23"), cell(7, schema.Millis(1)), cell(8, schema.JSON(`{"a":[1]}`))}

func TestRowsOfEveryTypeComeBack(t *testing.T) {
	w := newWorld(t)
	r := w.create(w.cache())
	w.commit(r, insert("a", "first", full...), insert("b", "second"))
	w.now = w.now.Add(hour)
	w.commit(r, update("b", cell(2, "pending"), cell(3, int64(4))))
	for name, r := range map[string]*replica.Replica{"writer": r, "follower": w.acquire(w.cache())} {
		got := rows(t, r, replica.ListQuery{})
		want := []replica.Row{
			{ID: "a", Version: 2, CreatedAt: 1_800_000_000_000, UpdatedAt: 1_800_000_000_000, CreatedBy: "ada", Vector: replica.Pending,
				Values: []schema.Value{"first", "completed", int64(-7), 1.5, true, "2026-11-23", schema.Millis(1), schema.JSON(`{"a":[1]}`)}},
			{ID: "b", Version: 3, CreatedAt: 1_800_000_000_000, UpdatedAt: 1_800_003_600_000, CreatedBy: "ada", Vector: replica.Pending,
				Values: []schema.Value{"second", "pending", int64(4), nil, nil, nil, nil, nil}},
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %v, want %v", name, got, want)
		}
		s := r.State()
		if s.Seq != 3 || s.Rows != 2 || s.Name != "Lab" || s.ID != "lab" || s.Members["ada"].Role != "owner" {
			t.Errorf("%s: state is %+v", name, s)
		}
	}
}

func TestTryTakesEverythingBack(t *testing.T) {
	w := newWorld(t)
	r := w.create(w.cache())
	w.commit(r, insert("a", "first"))
	ctx := t.Context()
	d, err := r.Begin(ctx)
	must(t, err)
	before := *d.State()
	bad := w.entry("", update("a", cell(1, "changed")), commitlog.Op{Kind: commitlog.SetMember, User: "bob", Role: "editor"},
		commitlog.Op{Kind: commitlog.CreateTable, Def: &schema.Table{Num: 2, Name: "other", NextColumn: 1}}, insert("a", "again"))
	if err := try(ctx, d, bad); !fault.Is(err, fault.Conflict) {
		t.Fatalf("an insert of a row that is there: %v", err)
	}
	if !reflect.DeepEqual(*d.State(), before) {
		t.Errorf("state after a refused entry is %+v, want %+v", *d.State(), before)
	}
	row, found, err := d.Row(ctx, 1, "a")
	must(t, err)
	if !found || row.Values[0] != "first" || row.Version != 2 {
		t.Errorf("row after a refused entry is %v", row)
	}
	good := w.entry("", insert("b", "second"), commitlog.Op{Kind: commitlog.CreateTable, Def: &schema.Table{Num: 2, Name: "other", NextColumn: 1}})
	must(t, try(ctx, d, good))
	must(t, w.log(good))
	must(t, d.Publish(w.now))
	equal(t, "ids", ids(rows(t, r, replica.ListQuery{})), []string{"a", "b"})
	if got := w.acquire(w.cache()).State().Sums; got != r.State().Sums {
		t.Error("a follower has other sums")
	}
}

func TestReadersSeeNothingBeforePublish(t *testing.T) {
	w := newWorld(t)
	r := w.create(w.cache())
	ctx := t.Context()
	d, err := r.Begin(ctx)
	must(t, err)
	must(t, try(ctx, d, w.entry("", insert("a", "first"))))
	if got := rows(t, r, replica.ListQuery{}); len(got) != 0 {
		t.Errorf("a reader sees %v", got)
	}
	must(t, d.Discard())
	if got := rows(t, r, replica.ListQuery{}); len(got) != 0 || r.State().Seq != 1 {
		t.Errorf("after discard a reader sees %v", got)
	}
}
