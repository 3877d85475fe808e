package indexing

import (
	"testing"

	"nanotypedb/shared/commitlog"
	"nanotypedb/shared/schema"
)

// notes is a table with a title that is embedded and a number that is not.
var notes = &schema.Schema{NextTable: 2, Tables: []schema.Table{{Num: 1, Name: "notes", NextColumn: 3, Columns: []schema.Column{
	{Num: 1, Name: "title", Type: schema.Text, Embed: true}, {Num: 2, Name: "n", Type: schema.Integer},
}}}}

func cells(nums ...int) (set []commitlog.Cell) {
	for _, num := range nums {
		set = append(set, commitlog.Cell{Num: num})
	}
	return set
}

func TestTouched(t *testing.T) {
	alter := func(a schema.Alteration) commitlog.Op { return commitlog.Op{Kind: commitlog.AlterTable, Alter: &a} }
	for name, c := range map[string]struct {
		kind  commitlog.Kind
		ops   []commitlog.Op
		rows  int
		sweep bool
	}{
		"insert":                        {ops: []commitlog.Op{{Kind: commitlog.Insert, Table: 1, ID: "a", Set: cells(1, 2)}}, rows: 1},
		"insert without text":           {ops: []commitlog.Op{{Kind: commitlog.Insert, Table: 1, ID: "a", Set: cells(2)}}},
		"update of the text":            {ops: []commitlog.Op{{Kind: commitlog.Update, Table: 1, ID: "a", Set: cells(1)}}, rows: 1},
		"update of another column":      {ops: []commitlog.Op{{Kind: commitlog.Update, Table: 1, ID: "a", Set: cells(2)}}},
		"twice":                         {ops: []commitlog.Op{{Kind: commitlog.Insert, Table: 1, ID: "a", Set: cells(1)}, {Kind: commitlog.Update, Table: 1, ID: "a", Set: cells(1)}}, rows: 1},
		"delete":                        {ops: []commitlog.Op{{Kind: commitlog.Delete, Table: 1, ID: "a", Old: cells(1)}}},
		"table dropped since":           {ops: []commitlog.Op{{Kind: commitlog.Insert, Table: 9, ID: "a", Set: cells(1)}}},
		"undo":                          {kind: commitlog.Undo, ops: []commitlog.Op{{Kind: commitlog.Insert, Table: 1, ID: "a", Set: cells(1)}}, rows: 1},
		"load":                          {kind: commitlog.Load, sweep: true},
		"values changed":                {ops: []commitlog.Op{{Kind: commitlog.AlterTable, Rewrites: true, Alter: &schema.Alteration{Table: 1}}}, sweep: true},
		"column changed":                {ops: []commitlog.Op{alter(schema.Alteration{Change: []schema.Column{{Num: 1}}})}, sweep: true},
		"column dropped":                {ops: []commitlog.Op{alter(schema.Alteration{Drop: []schema.ColumnName{{Num: 1}}})}, sweep: true},
		"column added":                  {ops: []commitlog.Op{alter(schema.Alteration{Add: []schema.Column{{Num: 3}}})}},
		"column added that is embedded": {ops: []commitlog.Op{alter(schema.Alteration{Add: []schema.Column{{Num: 3, Embed: true}}})}, sweep: true},
		"member":                        {ops: []commitlog.Op{{Kind: commitlog.SetMember, User: "u"}}},
	} {
		t.Run(name, func(t *testing.T) {
			targets, sweep := touched([]*commitlog.Entry{{Seq: 1, Kind: c.kind, Ops: c.ops}}, notes)
			if len(targets) != c.rows || sweep != c.sweep {
				t.Errorf("%v, sweep %v; want %d rows, sweep %v", targets, sweep, c.rows, c.sweep)
			}
		})
	}
}
