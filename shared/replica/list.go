package replica

import (
	"fmt"
	"strconv"
	"strings"

	"nanotypedb/shared/fault"
	"nanotypedb/shared/schema"
)

// lister compiles a ListQuery. The text of its SQL is made of numbers from
// the schema and of fixed words; every value is bound.
type lister struct {
	def   *schema.Table
	where []string
	args  []any
}

// fields are those of every row, by their names on the wire.
var fields = map[string]string{
	"id": "id", "_version": "ver", "_createdAt": "ca", "_updatedAt": "ua", "_createdBy": "by",
}

// field is the SQL name of a field.
func (l *lister) field(name string) (string, error) {
	if f, ok := fields[name]; ok {
		return f, nil
	}
	if col := l.def.Column(name); col != nil {
		return "c" + strconv.Itoa(col.Num), nil
	}
	return "", fault.New(fault.Invalid, "table %s has no column %q", l.def.Name, name)
}

// arg adds a bound value and gives its place.
func (l *lister) arg(v any) string {
	l.args = append(l.args, v)
	return "?" + strconv.Itoa(len(l.args))
}

func (l *lister) and(format string, args ...any) {
	l.where = append(l.where, fmt.Sprintf(format, args...))
}

// compile gives the SQL of a query, its arguments in l.args.
func (l *lister) compile(q ListQuery, columns string) (string, error) {
	order := "id"
	if q.OrderBy != "" {
		f, err := l.field(q.OrderBy)
		if err != nil {
			return "", err
		}
		order = f
	}
	for i := range q.Filters {
		if err := l.filter(&q.Filters[i]); err != nil {
			return "", err
		}
	}
	if q.Creator != "" {
		l.and("by=%s", l.arg(q.Creator))
	}
	if q.After != nil {
		l.after(order, q)
	}
	var b strings.Builder
	b.WriteString("SELECT " + rowFields + columns + " FROM t" + strconv.Itoa(l.def.Num))
	if len(l.where) > 0 {
		b.WriteString(" WHERE " + strings.Join(l.where, " AND "))
	}
	direction := ""
	if q.Descending {
		direction = " DESC"
	}
	b.WriteString(" ORDER BY " + order + direction)
	if order != "id" {
		b.WriteString(",id" + direction)
	}
	if q.Limit > 0 {
		b.WriteString(" LIMIT " + l.arg(int64(q.Limit)))
	}
	return b.String(), nil
}

// after leaves out everything up to a position. Going down is exactly the
// reverse of going up: nulls last, ids falling.
func (l *lister) after(order string, q ListQuery) {
	than := ">"
	if q.Descending {
		than = "<"
	}
	id := l.arg(q.After.ID)
	if order == "id" {
		l.and("id%s%s", than, id)
		return
	}
	switch {
	case q.After.Value == nil && q.Descending:
		l.and("(%s IS NULL AND id<%s)", order, id)
	case q.After.Value == nil:
		l.and("(%s IS NOT NULL OR id>%s)", order, id)
	default:
		v := l.arg(q.After.Value)
		nulls := ""
		if q.Descending {
			nulls = " OR " + order + " IS NULL"
		}
		l.and("(%s%s%s OR (%s=%s AND id%s%s)%s)", order, than, v, order, v, than, id, nulls)
	}
}

var operators = map[Comparison]string{
	Equal: " IS ", NotEqual: " IS NOT ", Greater: ">", GreaterEqual: ">=", Less: "<", LessEqual: "<=",
}

func (l *lister) filter(f *Filter) error {
	field, err := l.field(f.Field)
	if err != nil {
		return err
	}
	if f.Is == In {
		l.in(field, f.Values)
		return nil
	}
	if len(f.Values) != 1 {
		return fault.New(fault.Invalid, "the filter on %s takes one value", f.Field)
	}
	v := f.Values[0]
	if f.Is == Contains {
		l.and("instr(lower(%s),lower(%s))>0", field, l.arg(v))
		return nil
	}
	op, ok := operators[f.Is]
	if !ok {
		return fault.New(fault.Invalid, "%q is no comparison", f.Is)
	}
	l.and("%s%s%s", field, op, l.arg(v))
	return nil
}

// in matches any of a list, null included. The number of places is rounded
// up by repeating the last value, so that lists of all lengths share a few
// prepared statements.
func (l *lister) in(field string, values []schema.Value) {
	var marks []string
	null := false
	for _, v := range values {
		if v == nil {
			null = true
			continue
		}
		marks = append(marks, l.arg(v))
	}
	for n := len(marks); n > 0 && n&(n-1) != 0; n++ {
		marks = append(marks, l.arg(l.args[len(l.args)-1]))
	}
	term := field + " IN (" + strings.Join(marks, ",") + ")"
	if null {
		term = "(" + term + " OR " + field + " IS NULL)"
	}
	l.where = append(l.where, term)
}
