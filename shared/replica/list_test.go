package replica_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"nanotypedb/shared/commitlog"
	"nanotypedb/shared/fault"
	"nanotypedb/shared/replica"
	"nanotypedb/shared/schema"
)

func TestListFilters(t *testing.T) {
	w := newWorld(t)
	r := w.create(w.cache())
	w.commit(r,
		insert("a", "Alpha", cell(2, "pending"), cell(3, int64(1)), cell(4, 0.5), cell(5, true)),
		insert("b", "beta", cell(2, "completed"), cell(3, int64(2)), cell(6, "2026-01-01")),
		insert("c", "100% _x", cell(2, "pending"), cell(3, int64(3)), cell(5, false)),
		commitlog.Op{Kind: commitlog.Insert, Table: 1, ID: "d", Creator: "bob", Set: []schema.Cell{cell(1, "ALPHABET")}})
	w.commit(r, update("b", cell(3, int64(9))))
	one := func(v ...schema.Value) []schema.Value { return v }
	for _, test := range []struct {
		name   string
		filter replica.Filter
		want   string
	}{
		{"equal text", replica.Filter{Field: "title", Is: replica.Equal, Values: one("beta")}, "b"},
		{"equal null", replica.Filter{Field: "count", Is: replica.Equal, Values: one(nil)}, "d"},
		{"not equal counts null", replica.Filter{Field: "status", Is: replica.NotEqual, Values: one("pending")}, "b d"},
		{"not null", replica.Filter{Field: "count", Is: replica.NotEqual, Values: one(nil)}, "a b c"},
		{"greater", replica.Filter{Field: "count", Is: replica.Greater, Values: one(int64(1))}, "b c"},
		{"greater or equal", replica.Filter{Field: "count", Is: replica.GreaterEqual, Values: one(int64(3))}, "b c"},
		{"less leaves null out", replica.Filter{Field: "count", Is: replica.Less, Values: one(int64(3))}, "a"},
		{"less or equal", replica.Filter{Field: "count", Is: replica.LessEqual, Values: one(int64(3))}, "a c"},
		{"in", replica.Filter{Field: "count", Is: replica.In, Values: one(int64(1), int64(3), int64(7))}, "a c"},
		{"in with null", replica.Filter{Field: "count", Is: replica.In, Values: one(nil, int64(1))}, "a d"},
		{"in nothing", replica.Filter{Field: "count", Is: replica.In}, ""},
		{"contains ignores ASCII case", replica.Filter{Field: "title", Is: replica.Contains, Values: one("aLPHa")}, "a d"},
		{"contains takes no wildcards", replica.Filter{Field: "title", Is: replica.Contains, Values: one("% _")}, "c"},
		{"boolean", replica.Filter{Field: "done", Is: replica.Equal, Values: one(true)}, "a"},
		{"number", replica.Filter{Field: "weight", Is: replica.Equal, Values: one(0.5)}, "a"},
		{"version", replica.Filter{Field: "_version", Is: replica.Greater, Values: one(int64(2))}, "b"},
		{"creator", replica.Filter{Field: "_createdBy", Is: replica.Equal, Values: one("bob")}, "d"},
		{"id", replica.Filter{Field: "id", Is: replica.LessEqual, Values: one("b")}, "a b"},
		{"quotes are data", replica.Filter{Field: "title", Is: replica.Equal, Values: one("' OR 1=1 --")}, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := ids(rows(t, r, replica.ListQuery{Filters: []replica.Filter{test.filter}}))
			equal(t, "ids", got, strings.Fields(test.want))
		})
	}
	equal(t, "of a creator", ids(rows(t, r, replica.ListQuery{Creator: "ada", Limit: 2})), []string{"a", "b"})
}

func TestListRefusesUnknownFields(t *testing.T) {
	w := newWorld(t)
	r := w.create(w.cache())
	for _, q := range []replica.ListQuery{
		{OrderBy: "id; DROP TABLE t1"},
		{OrderBy: "ver"},
		{Filters: []replica.Filter{{Field: "c1", Is: replica.Equal, Values: []schema.Value{"x"}}}},
		{Filters: []replica.Filter{{Field: "title", Is: "like", Values: []schema.Value{"x"}}}},
		{Filters: []replica.Filter{{Field: "title", Is: replica.Equal}}},
	} {
		err := r.View(t.Context(), func(v *replica.View) error {
			q.Table = v.State().Schema.TableByNum(1)
			return v.Rows(t.Context(), q, func(*replica.Row) (bool, error) { return true, nil })
		})
		if !fault.Is(err, fault.Invalid) {
			t.Errorf("%+v: %v", q, err)
		}
	}
}

// TestPagesAreTheList: the pages of any order, joined, are the whole list in
// the order that a plain sort gives.
func TestPagesAreTheList(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		w := newWorld(t)
		defer w.close()
		r := w.create(w.cache())
		var want []replica.Row
		for i := range rapid.IntRange(0, 12).Draw(rt, "rows") {
			cells := []schema.Cell{}
			if n := rapid.IntRange(-1, 2).Draw(rt, "count"); n >= 0 {
				cells = append(cells, cell(3, int64(n)))
			}
			w.commit(r, insert(fmt.Sprintf("%02d", (i*7)%13), rapid.SampledFrom([]string{"x", "y", ""}).Draw(rt, "title"), cells...))
		}
		q := replica.ListQuery{OrderBy: rapid.SampledFrom([]string{"", "id", "title", "count", "_version", "_createdAt"}).Draw(rt, "order"),
			Descending: rapid.Bool().Draw(rt, "descending"), Limit: rapid.IntRange(1, 5).Draw(rt, "limit")}
		want = rows(t, r, replica.ListQuery{})
		slices.SortStableFunc(want, func(a, b replica.Row) int {
			c := cmp.Or(compareValues(orderValue(a, q.OrderBy), orderValue(b, q.OrderBy)), strings.Compare(a.ID, b.ID))
			if q.Descending {
				return -c
			}
			return c
		})
		var got []replica.Row
		for {
			page := rows(t, r, q)
			got = append(got, page...)
			if len(page) < q.Limit {
				break
			}
			last := page[len(page)-1]
			q.After = &replica.Position{Value: orderValue(last, q.OrderBy), ID: last.ID}
		}
		equal(t, "ids", ids(got), ids(want))
		if t.Failed() {
			rt.FailNow()
		}
	})
}

func orderValue(r replica.Row, field string) schema.Value {
	switch field {
	case "title":
		return r.Values[0]
	case "count":
		return r.Values[2]
	case "_version":
		return r.Version
	case "_createdAt":
		return int64(r.CreatedAt)
	default:
		return r.ID
	}
}

func compareValues(a, b schema.Value) int {
	switch {
	case a == nil && b == nil:
		return 0
	case a == nil:
		return -1
	case b == nil:
		return 1
	}
	if x, ok := a.(int64); ok {
		return cmp.Compare(x, b.(int64))
	}
	return strings.Compare(a.(string), b.(string))
}

func TestListWithinAList(t *testing.T) {
	w := newWorld(t)
	r := w.create(w.cache())
	w.commit(r, insert("a", "1"), insert("b", "2"), insert("c", "3"))
	var got []string
	must(t, r.View(t.Context(), func(v *replica.View) error {
		q := replica.ListQuery{Table: v.State().Schema.TableByNum(1)}
		return v.Rows(t.Context(), q, func(outer *replica.Row) (bool, error) {
			return true, v.Rows(t.Context(), q, func(inner *replica.Row) (bool, error) {
				got = append(got, outer.ID+inner.ID)
				return inner.ID < outer.ID, nil
			})
		})
	}))
	equal(t, "pairs", got, strings.Fields("aa ba bb ca cb cc"))
}

// TestCancelledContextEndsAQuery: a query that would visit every pair of many
// rows ends in the middle of its work, and the view's connection stays good.
func TestCancelledContextEndsAQuery(t *testing.T) {
	w := newWorld(t)
	r := filled(t, w, 3_000)
	for _, when := range []string{"before", "between rows", "within a step"} {
		t.Run(when, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			if when == "before" {
				cancel()
			}
			seen := 0
			err := r.View(ctx, func(v *replica.View) error {
				if when == "within a step" {
					return v.Endless(cancel)
				}
				q := replica.ListQuery{Table: v.State().Schema.TableByNum(1)}
				return v.Rows(ctx, q, func(*replica.Row) (bool, error) {
					seen++
					cancel()
					return true, nil
				})
			})
			if !errors.Is(err, context.Canceled) || seen > 1 {
				t.Errorf("after %d rows: %v", seen, err)
			}
			if n := len(rows(t, r, replica.ListQuery{})); n != 3_000 {
				t.Errorf("a later list has %d rows", n)
			}
		})
	}
}
