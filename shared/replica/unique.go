package replica

import (
	"fmt"

	"nanotypedb/shared/fault"
	"nanotypedb/shared/schema"
)

// touch is a value that an operation brought into a unique column, or a whole
// column that became unique. Uniqueness is checked when the entry ends, so
// that a commit may swap two values.
type touch struct {
	table, column int
	value         schema.Value // nil: the whole column
	op            int
	part          string // of the request: "row", "set" or "change"
}

// touch notes the values of unique columns among cells.
func (d *Draft) touch(def *schema.Table, cells []schema.Cell, part string) {
	if d.following {
		return
	}
	for i := range cells {
		if cells[i].Value == nil {
			continue
		}
		if col := def.ColumnByNum(cells[i].Num); col != nil && col.Unique {
			d.touched = append(d.touched, touch{def.Num, col.Num, cells[i].Value, d.ops, part})
		}
	}
}

// checkUnique checks everything touched. What was unique before the entry can
// only be violated by a value that the entry brought.
func (d *Draft) checkUnique() error {
	for _, t := range d.touched {
		def := d.work.Schema.TableByNum(t.table)
		if def == nil {
			continue // dropped by a later operation
		}
		col := def.ColumnByNum(t.column)
		if col == nil || !col.Unique {
			continue
		}
		value, twice, err := d.duplicate(t, col)
		if err != nil {
			return fmt.Errorf("check unique column: %w", err)
		}
		if twice {
			return fault.At(fault.Conflict, fmt.Sprintf("ops[%d].%s.%s", t.op, t.part, col.Name),
				"%s must be unique in table %s, and %s is there twice", col.Name, def.Name, schema.AppendJSON(nil, value))
		}
	}
	return nil
}

// duplicate finds whether a touched value, or any value of a touched column,
// is there twice.
func (d *Draft) duplicate(t touch, col *schema.Column) (schema.Value, bool, error) {
	query := fmt.Sprintf("SELECT c%d FROM t%d WHERE c%d IS ?1 LIMIT 1 OFFSET 1", t.column, t.table, t.column)
	if t.value == nil {
		query = fmt.Sprintf("SELECT c%d FROM t%d WHERE c%d IS NOT ?1 GROUP BY 1 HAVING count(*)>1 LIMIT 1", t.column, t.table, t.column)
	}
	def := d.work.Schema.TableByNum(t.table)
	ts, err := d.conn.table(def)
	if err != nil {
		return nil, false, err
	}
	s, done, err := ts.list(query)
	if err != nil {
		return nil, false, err
	}
	bind(s, 1, t.value)
	found, err := s.Step()
	var value schema.Value
	if found {
		value = columnValue(s, 0, col.Type)
	}
	if endErr := done(); err == nil {
		err = endErr
	}
	return value, found, err
}
