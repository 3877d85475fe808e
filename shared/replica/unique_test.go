package replica_test

import (
	"errors"
	"testing"

	"nanotypedb/shared/commitlog"
	"nanotypedb/shared/fault"
	"nanotypedb/shared/replica"
	"nanotypedb/shared/schema"
)

func people() commitlog.Op {
	return commitlog.Op{Kind: commitlog.CreateTable, Def: &schema.Table{Num: 2, Name: "people", NextColumn: 3, Columns: []schema.Column{
		{Num: 1, Name: "email", Type: schema.Text, Unique: true}, {Num: 2, Name: "n", Type: schema.Number}}}}
}

func person(kind commitlog.OpKind, id string, email schema.Value) commitlog.Op {
	op := commitlog.Op{Kind: kind, Table: 2, ID: id, Creator: "ada", Set: []schema.Cell{cell(1, email)}}
	if kind == commitlog.Insert && email == nil {
		op.Set = nil
	}
	return op
}

func TestUniqueHoldsAtTheEndOfACommit(t *testing.T) {
	const in, up = commitlog.Insert, commitlog.Update
	for _, test := range []struct {
		name string
		ops  []commitlog.Op
		path string
	}{
		{"another value", []commitlog.Op{person(in, "c", "c@x")}, ""},
		{"no value twice", []commitlog.Op{person(in, "c", nil), person(in, "d", nil)}, ""},
		{"a value that is there", []commitlog.Op{person(in, "c", "c@x"), person(in, "d", "a@x")}, "ops[1].row.email"},
		{"twice in one commit", []commitlog.Op{person(in, "c", "c@x"), person(in, "d", "c@x")}, "ops[0].row.email"},
		{"by an update", []commitlog.Op{person(up, "b", "a@x")}, "ops[0].set.email"},
		{"swapped", []commitlog.Op{person(up, "a", "b@x"), person(up, "b", "a@x")}, ""},
		{"freed by a delete", []commitlog.Op{person(in, "c", "a@x"), {Kind: commitlog.Delete, Table: 2, ID: "a"}}, ""},
		{"case counts", []commitlog.Op{person(in, "c", "A@x")}, ""},
		{"no longer unique", []commitlog.Op{{Kind: commitlog.AlterTable, Alter: &schema.Alteration{Table: 2,
			Change: []schema.Column{{Num: 1, Name: "email", Type: schema.Text}}}}, person(in, "c", "a@x")}, ""},
		{"newly unique", []commitlog.Op{person(in, "c", "c@x"), {Kind: commitlog.AlterTable, Alter: &schema.Alteration{Table: 2,
			Change: []schema.Column{{Num: 2, Name: "n", Type: schema.Number, Unique: true}}}}}, "ops[1].change.n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := newWorld(t)
			r := w.create(w.cache())
			a, b := person(in, "a", "a@x"), person(in, "b", "b@x")
			a.Set, b.Set = append(a.Set, cell(2, 1.5)), append(b.Set, cell(2, 1.5))
			w.commit(r, people(), a, b)
			err := w.write(r, w.entry("", test.ops...))
			var refused *fault.Error
			path := ""
			if errors.As(err, &refused) && refused.Code == fault.Conflict {
				path = refused.Path
			} else {
				must(t, err)
			}
			if path != test.path {
				t.Errorf("refused at %q, want %q: %v", path, test.path, err)
			}
			checkRecount(t, "writer", r)
		})
	}
}

func TestUniqueAfterAConversion(t *testing.T) {
	w := newWorld(t)
	r := w.create(w.cache())
	one, two := person(commitlog.Insert, "a", "1"), person(commitlog.Insert, "b", "1.0")
	w.commit(r, people(), one, two)
	err := w.write(r, w.entry("", commitlog.Op{Kind: commitlog.AlterTable, Alter: &schema.Alteration{Table: 2,
		Change: []schema.Column{{Num: 1, Name: "email", Type: schema.Number, Unique: true}}}}))
	if !fault.Is(err, fault.Conflict) {
		t.Fatalf("two texts that are one number: %v", err)
	}
	w.commit(r, person(commitlog.Update, "b", "2"))
	w.commit(r, commitlog.Op{Kind: commitlog.AlterTable, Alter: &schema.Alteration{Table: 2,
		Change: []schema.Column{{Num: 1, Name: "email", Type: schema.Number, Unique: true}}}})
	got := rows(t, r, replica.ListQuery{Table: r.State().Schema.TableByNum(2)})
	if got[0].Values[0] != 1.0 || got[1].Values[0] != 2.0 || got[0].Version != r.State().Seq {
		t.Errorf("rows are %v", got)
	}
	if sums := w.acquire(w.cache()).State().Sums; sums != r.State().Sums {
		t.Error("a follower has other sums")
	}
}

// TestUniqueWithinTries: what a refused part of an entry touched is forgotten,
// what the rest touched is not.
func TestUniqueWithinTries(t *testing.T) {
	w := newWorld(t)
	r := w.create(w.cache())
	w.commit(r, people(), person(commitlog.Insert, "a", "a@x"))
	ctx := t.Context()
	refused := errors.New("refused")
	draft := func(kept, taken string) error {
		d, err := r.Begin(ctx)
		must(t, err)
		defer func() { must(t, d.Discard()) }()
		e := w.entry("")
		return d.Try(ctx, func() error {
			d.Start(e)
			one, two := person(commitlog.Insert, "b", kept), person(commitlog.Insert, "c", taken)
			must(t, d.Apply(ctx, &one))
			if err := d.Try(ctx, func() error { return errors.Join(refused, d.Apply(ctx, &two)) }); !errors.Is(err, refused) {
				t.Errorf("Try gave %v", err)
			}
			return d.Finish(ctx, e)
		})
	}
	if err := draft("a@x", "c@x"); !fault.Is(err, fault.Conflict) {
		t.Errorf("a kept value that is there: %v", err)
	}
	if err := draft("b@x", "a@x"); err != nil {
		t.Errorf("a value taken back: %v", err)
	}
}
