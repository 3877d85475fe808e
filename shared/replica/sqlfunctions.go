package replica

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
	"unicode/utf8"

	"zombiezen.com/go/sqlite"

	"nanotypedb/shared/fault"
	"nanotypedb/shared/schema"
	"nanotypedb/shared/schema/strictjson"
)

// sqlFunctions are what a statement may call: what computes a value from its
// arguments, in about as much memory. Not among them is what makes large values
// of small ones (zeroblob, randomblob), what tells of or changes the database
// (sqlite_…, load_extension, changes, …) and what belongs to full-text indexes.
var sqlFunctions = set(`
	abs char coalesce concat concat_ws format glob hex if ifnull iif instr length like likelihood likely lower ltrim max min
	nullif octet_length printf quote random replace round rtrim sign soundex substr substring trim typeof unhex unicode
	unistr unistr_quote unlikely upper
	avg count group_concat string_agg sum total median percentile percentile_cont percentile_disc
	row_number rank dense_rank percent_rank cume_dist ntile lag lead first_value last_value nth_value
	date time datetime julianday unixepoch strftime timediff current_date current_time current_timestamp
	json json_array json_array_length json_array_insert json_error_position json_extract json_group_array json_group_object json_insert
	json_object json_patch json_pretty json_quote json_remove json_replace json_set json_type json_valid -> ->>
	acos acosh asin asinh atan atan2 atanh ceil ceiling cos cosh degrees exp floor ln log log10 log2 mod pi pow power
	radians sin sinh sqrt tan tanh trunc`)

func set(names string) map[string]bool {
	out := map[string]bool{}
	for _, name := range strings.Fields(names) {
		out[name] = true
	}
	return out
}

// replaceFunctions puts linear ones in place of SQLite's, which take the
// product of the lengths of their arguments and cannot be interrupted.
func replaceFunctions(db *sqlite.Conn) error {
	for _, f := range []struct {
		name string
		args int
		call func(args []sqlite.Value) (sqlite.Value, error)
	}{
		{"instr", 2, instr},
		{"replace", 3, replaceAll},
		{"trim", 2, trimmer(true, true)},
		{"ltrim", 2, trimmer(true, false)},
		{"rtrim", 2, trimmer(false, true)},
	} {
		err := db.CreateFunction(f.name, &sqlite.FunctionImpl{NArgs: f.args, Deterministic: true,
			Scalar: func(_ sqlite.Context, args []sqlite.Value) (sqlite.Value, error) {
				for _, a := range args {
					if a.Type() == sqlite.TypeNull {
						return sqlite.Value{}, nil
					}
				}
				return f.call(args)
			}})
		if err != nil {
			return fmt.Errorf("prepare for a statement: %w", err)
		}
	}
	return nil
}

func instr(args []sqlite.Value) (sqlite.Value, error) {
	if args[0].Type() == sqlite.TypeBlob && args[1].Type() == sqlite.TypeBlob {
		return sqlite.IntegerValue(int64(bytes.Index(args[0].Blob(), args[1].Blob()) + 1)), nil
	}
	text := args[0].Text()
	at := strings.Index(text, args[1].Text())
	if at < 0 {
		return sqlite.IntegerValue(0), nil
	}
	return sqlite.IntegerValue(int64(utf8.RuneCountInString(text[:at]) + 1)), nil
}

func replaceAll(args []sqlite.Value) (sqlite.Value, error) {
	text, from, to := args[0].Text(), args[1].Text(), args[2].Text()
	if from == "" {
		return sqlite.TextValue(text), nil
	}
	if len(text)+strings.Count(text, from)*(len(to)-len(from)) > maxSQLValue {
		// Version 1.4.2 of the library makes a text of an error, so SQLite itself
		// is given something to refuse.
		return sqlite.TextValue(strings.Repeat(" ", maxSQLValue+1)), nil
	}
	return sqlite.TextValue(strings.ReplaceAll(text, from, to)), nil
}

func trimmer(left, right bool) func([]sqlite.Value) (sqlite.Value, error) {
	return func(args []sqlite.Value) (sqlite.Value, error) {
		text := args[0].Text()
		cut := map[rune]bool{}
		for _, r := range args[1].Text() {
			cut[r] = true
		}
		in := func(r rune) bool { return cut[r] }
		if left {
			text = strings.TrimLeftFunc(text, in)
		}
		if right {
			text = strings.TrimRightFunc(text, in)
		}
		return sqlite.TextValue(text), nil
	}
}

// bindParams binds values by place.
func bindParams(s *sqlite.Stmt, params []json.RawMessage) error {
	if want := s.BindParamCount(); want != len(params) {
		return fault.At(fault.Invalid, "params", "the statement has %d places for params, but %d were given", want, len(params))
	}
	for i, raw := range params {
		if err := bindParam(s, i+1, raw); err != nil {
			return fault.Under(fmt.Sprintf("params[%d]", i), err)
		}
	}
	return nil
}

func bindParam(s *sqlite.Stmt, i int, raw json.RawMessage) error {
	in := strictjson.New(raw)
	var err error
	switch in.Kind() {
	case strictjson.Null:
		if err = in.Null(); err == nil {
			s.BindNull(i)
		}
	case strictjson.Bool:
		var b bool
		if b, err = in.Bool(); err == nil {
			s.BindBool(i, b)
		}
	case strictjson.String:
		var text string
		if text, err = in.String(); err == nil {
			s.BindText(i, text)
		}
	case strictjson.Number:
		var number []byte
		if number, err = in.Number(); err == nil {
			err = bindNumber(s, i, string(number))
		}
	default:
		err = fault.New(fault.Invalid, "must be null, a number, a text or a boolean")
	}
	if err == nil {
		err = in.End()
	}
	var refused *fault.Error
	if err != nil && !errors.As(err, &refused) {
		return fault.New(fault.Invalid, "must be null, a number, a text or a boolean").Because(err)
	}
	return err
}

func bindNumber(s *sqlite.Stmt, i int, number string) error {
	if n, err := strictjson.Int(number, schema.MaxInteger); err == nil {
		s.BindInt64(i, n)
		return nil
	}
	f, err := strictjson.Float(number)
	if err == nil {
		s.BindFloat(i, f)
	}
	return err
}

// appendResult appends a value of the answer as JSON.
func appendResult(dst []byte, s *sqlite.Stmt, i int) []byte {
	switch s.ColumnType(i) {
	case sqlite.TypeInteger:
		n := s.ColumnInt64(i)
		if n > schema.MaxInteger || n < -schema.MaxInteger {
			return fmt.Appendf(dst, `"%d"`, n)
		}
		return fmt.Append(dst, n)
	case sqlite.TypeFloat:
		f := s.ColumnFloat(i)
		if math.IsInf(f, 0) || math.IsNaN(f) {
			return fmt.Appendf(dst, `"%v"`, f)
		}
		return strictjson.AppendNumber(dst, f)
	case sqlite.TypeText:
		return strictjson.AppendString(dst, strings.ToValidUTF8(s.ColumnText(i), "\ufffd"))
	case sqlite.TypeBlob:
		return fmt.Appendf(dst, `"%x"`, columnBlob(s, i))
	default:
		return append(dst, "null"...)
	}
}
