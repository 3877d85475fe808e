package plainsql

import (
	"encoding/json"
	"strings"

	"nanotypedb/shared/fault"
	"nanotypedb/shared/schema"
	"nanotypedb/shared/schema/strictjson"
)

// Parse reads a statement of CreateTable and gives the table as the next one
// of s, with its numbers and within all limits. Errors: fault invalid for any
// other statement, and those of schema.ResolveCreate.
func Parse(s *schema.Schema, statement string) (*schema.Table, error) {
	at := strings.LastIndex(statement, commentOpens)
	text, closed := strings.CutSuffix(statement[max(at, 0):], commentCloses)
	if at < 0 || !closed {
		return nil, errForeign
	}
	d, err := scanDefinition([]byte(text[len(commentOpens):]))
	if err != nil {
		return nil, errForeign.Because(err)
	}
	t, err := schema.ResolveCreate(s, d.name, d.columns, d.access)
	if err != nil {
		return nil, err
	}
	if CreateTable(t) != statement {
		return nil, errForeign
	}
	return t, nil
}

var errForeign = fault.New(fault.Invalid, "the definition of a table is not as an export writes it")

// tableDefinition is a table as on the wire.
type tableDefinition struct {
	name    string
	access  schema.Access
	columns []json.RawMessage
}

func scanDefinition(text []byte) (d tableDefinition, err error) {
	s := strictjson.New(text)
	err = s.Object(func(key []byte) (err error) {
		switch string(key) {
		case "table":
			d.name, err = s.String()
		case "access":
			var access string
			access, err = s.String()
			d.access = schema.Access(access)
		case "columns":
			err = s.Array(func(int) error {
				raw, err := s.Raw()
				d.columns = append(d.columns, raw)
				return err
			})
		default:
			err = errForeign
		}
		return err
	})
	if err == nil {
		err = s.End()
	}
	return d, err
}
