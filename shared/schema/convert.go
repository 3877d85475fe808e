package schema

import (
	"errors"
	"slices"

	"nanotypedb/shared/fault"
	"nanotypedb/shared/schema/strictjson"
)

// Convert brings a value of one column into another's type and checks it
// against what that asks for. It is deterministic and frozen under
// commitlog.Format; what would lose something is refused.
//
//	null             null; the default where the new column is required and has one
//	any → text       the value as on the wire: 12, 1.5, true, 2026-11-23, …; json as its RFC 8785 text
//	any → enum       that text, if it is one of the values
//	text → json      the JSON text that it is; any other → json: the value as on the wire
//	json → any       as if the JSON had been given in a request; text and enum see above
//	→ integer        text that is a JSON number; a whole number; true as 1, false as 0; a timestamp's milliseconds
//	→ number         text that is a JSON number; an integer; true as 1, false as 0
//	→ boolean        the texts true and false; the integers and numbers 1 and 0
//	→ timestamp      text in RFC 3339; an integer of milliseconds; midnight UTC of a date
//	→ date           text YYYY-MM-DD; a timestamp at midnight UTC
//
// In every line, text includes a date or enum where its text fits. Errors:
// fault conflict with the new column as path.
func Convert(from, to *Column, v Value) (Value, error) {
	if v == nil {
		return convertNull(to)
	}
	w, ok := v, true
	if from.Type != to.Type {
		w, ok = convertType(from.Type, to.Type, v)
	}
	if !ok || w == nil {
		return nil, fault.At(fault.Conflict, to.Name, "%s cannot become %s: a row has %s, which does not convert without loss",
			from.Name, to.Type, shorten(string(AppendJSON(nil, v))))
	}
	if err := check(to, w); err != nil {
		return nil, conflicting(to, err)
	}
	return w, nil
}

// conflicting turns what is wrong with a value into what is wrong with a row.
func conflicting(to *Column, err error) error {
	var f *fault.Error
	if !errors.As(err, &f) {
		return err
	}
	return fault.At(fault.Conflict, to.Name, "a row does not fit: %s %s", to.Name, f.Reason)
}

func convertNull(to *Column) (Value, error) {
	if to.Required && to.Default == nil {
		return nil, fault.At(fault.Conflict, to.Name,
			"%s cannot be required without a default: a row has no value there", to.Name)
	}
	if to.Required {
		return to.Default, nil
	}
	return nil, nil
}

func convertType(from, to Type, v Value) (Value, bool) {
	switch {
	case to == Text || to == Enum:
		return wireText(v), true
	case to == JSONType && from == Text:
		return parsed(&Column{Type: JSONType}, v.(string))
	case to == JSONType:
		return JSON(AppendJSON(nil, v)), true
	case from == JSONType:
		return parsed(&Column{Type: to}, string(v.(JSON)))
	}
	switch to {
	case Integer:
		return toInteger(v)
	case Number:
		return toNumber(v)
	case Boolean:
		return toBoolean(v)
	case Timestamp:
		return toTimestamp(v)
	case Date:
		return toDate(v)
	}
	return nil, false
}

// wireText is the value as on the wire, a string without its quotes.
func wireText(v Value) string {
	switch v := v.(type) {
	case string:
		return v
	case Millis:
		return v.String()
	}
	return string(AppendJSON(nil, v))
}

// parsed reads text as a request's value of the column.
func parsed(col *Column, text string) (Value, bool) {
	v, err := parse(col, []byte(text))
	return v, err == nil
}

// parsedNumber is parsed for text that is a JSON number and nothing else.
func parsedNumber(t Type, text string) (Value, bool) {
	if !strictjson.IsNumber(text) {
		return nil, false
	}
	return parsed(&Column{Type: t}, text)
}

func toInteger(v Value) (Value, bool) {
	switch v := v.(type) {
	case string:
		return parsedNumber(Integer, v)
	case float64:
		return parsedNumber(Integer, formatNumber(v))
	case bool:
		return int64(oneIf(v)), true
	case Millis:
		return int64(v), true
	}
	return nil, false
}

func toNumber(v Value) (Value, bool) {
	switch v := v.(type) {
	case string:
		return parsedNumber(Number, v)
	case int64:
		return float64(v), true // exact: within ±MaxInteger
	case bool:
		return float64(oneIf(v)), true
	}
	return nil, false
}

func oneIf(b bool) int {
	if b {
		return 1
	}
	return 0
}

func toBoolean(v Value) (Value, bool) {
	switch v {
	case "true", int64(1), float64(1):
		return true, true
	case "false", int64(0), float64(0):
		return false, true
	}
	return nil, false
}

func toTimestamp(v Value) (Value, bool) {
	switch v := v.(type) {
	case int64:
		return Millis(v), Millis(v).valid()
	case string:
		if isDate(v) {
			v += "T00:00:00Z"
		}
		m, exact, ok := momentOf(v)
		return m, exact && ok
	}
	return nil, false
}

const dayMillis = 24 * 60 * 60 * 1000

func toDate(v Value) (Value, bool) {
	switch v := v.(type) {
	case Millis:
		return v.Time().Format("2006-01-02"), v%dayMillis == 0
	case string:
		return v, isDate(v)
	}
	return nil, false
}

// Widens reports whether every value of from is a value of to as it is, so
// that no row need be looked at.
func Widens(from, to *Column) bool {
	return from.Type == to.Type &&
		(from.Required || !to.Required) &&
		(from.Unique || !to.Unique) &&
		(to.MaxLength == 0 || from.MaxLength != 0 && from.MaxLength <= to.MaxLength) &&
		(to.Min == nil || from.Min != nil && *from.Min >= *to.Min) &&
		(to.Max == nil || from.Max != nil && *from.Max <= *to.Max) &&
		!slices.ContainsFunc(from.Values, func(v string) bool { return !contains(to.Values, v) })
}

// NeedsRewrite reports whether an alteration of t may change values of
// existing rows: a column with values goes, comes with a default, changes its
// type, or becomes required with a default for what is null.
func NeedsRewrite(t *Table, a *Alteration) bool {
	if len(a.Drop) > 0 {
		return true
	}
	for i := range a.Add {
		if a.Add[i].Default != nil {
			return true
		}
	}
	for i := range a.Change {
		to := &a.Change[i]
		from := t.ColumnByNum(to.Num)
		if from == nil || from.Type != to.Type || to.Required && !from.Required && to.Default != nil {
			return true
		}
	}
	return false
}

// NeedsDefault lists the new columns that are required and have no default:
// they can be added to a table only while it has no rows.
func NeedsDefault(a *Alteration) []ColumnName {
	var without []ColumnName
	for _, c := range a.Add {
		if c.Required && c.Default == nil {
			without = append(without, ColumnName{Num: c.Num, Name: c.Name})
		}
	}
	return without
}
