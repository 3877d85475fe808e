package search

import (
	"encoding/json"
	"errors"
	"maps"
	"strings"
	"unicode/utf8"

	"nanotypedb/shared/fault"
	"nanotypedb/shared/replica"
	"nanotypedb/shared/room"
	"nanotypedb/shared/schema"
	"nanotypedb/shared/schema/strictjson"
)

// Mode is how rows are found.
type Mode string

// The modes. Hybrid joins the rankings of both others.
const (
	Hybrid   Mode = "hybrid"
	Semantic Mode = "semantic"
	Keyword  Mode = "keyword"
)

// Limits of a request.
const (
	DefaultK = 10
	MaxK     = 50
)

// Request asks for the rows that match a query best. Where holds conditions
// as in a list of rows; it needs a Table.
type Request struct {
	Query string                     `json:"query"`
	Table string                     `json:"table,omitempty"` // empty: all with an embedded column
	K     int                        `json:"k,omitempty"`     // 0: 10; at most 50
	Mode  Mode                       `json:"mode,omitempty"`  // empty: hybrid
	Where map[string]json.RawMessage `json:"where,omitempty"`
}

// Decode reads and checks a request as on the wire. Errors: invalid with the
// field as path.
func Decode(raw []byte) (Request, error) {
	d := decoder{Scanner: strictjson.New(raw)}
	if d.Kind() != strictjson.Object {
		return Request{}, fault.New(fault.Invalid, `a search is an object such as {"query":"late invoices"}`)
	}
	err := d.Object(d.field)
	if err == nil {
		err = d.End()
	}
	var syntax *strictjson.SyntaxError
	if errors.As(err, &syntax) {
		return Request{}, fault.New(fault.Invalid, "is not valid JSON: %s", syntax.Reason)
	}
	if err != nil {
		return Request{}, err
	}
	return d.request, d.request.check()
}

type decoder struct {
	*strictjson.Scanner
	request Request
}

func (d *decoder) field(key []byte) (err error) {
	name := string(key)
	switch name {
	case "query":
		d.request.Query, err = d.text()
	case "table":
		d.request.Table, err = d.text()
	case "mode":
		var mode string
		mode, err = d.text()
		d.request.Mode = Mode(mode)
	case "k":
		err = d.count()
	case "where":
		err = d.where()
	default:
		return fault.At(fault.Invalid, name[:min(len(name), 60)], "this is no field of a search, which has query, table, k, mode and where")
	}
	var refused *fault.Error
	if errors.As(err, &refused) {
		return fault.Under(name, err)
	}
	return err
}

func (d *decoder) text() (string, error) {
	switch d.Kind() {
	case strictjson.String:
		return d.String()
	case strictjson.Null:
		return "", d.Null()
	default:
		return "", fault.New(fault.Invalid, "must be text")
	}
}

func (d *decoder) count() error {
	if d.Kind() == strictjson.Null {
		return d.Null()
	}
	n := int64(0)
	var err error
	if d.Kind() == strictjson.Number {
		var number []byte
		if number, err = d.Number(); err == nil {
			n, err = strictjson.Int(string(number), schema.MaxInteger)
		}
	}
	if err != nil || n < 1 || n > MaxK {
		return fault.New(fault.Invalid, "must be a whole number from 1 to %d", MaxK)
	}
	d.request.K = int(n)
	return nil
}

func (d *decoder) where() error {
	switch d.Kind() {
	case strictjson.Null:
		return d.Null()
	case strictjson.Object:
	default:
		return fault.New(fault.Invalid, "must be an object of conditions by column")
	}
	d.request.Where = map[string]json.RawMessage{}
	return d.Object(func(key []byte) error {
		name := string(key)
		raw, err := d.Raw()
		d.request.Where[name] = json.RawMessage(strings.Clone(string(raw)))
		return err
	})
}

// check refuses what no room could answer.
func (r *Request) check() error {
	switch {
	case r.Mode != "" && r.Mode != Hybrid && r.Mode != Semantic && r.Mode != Keyword:
		return fault.At(fault.Invalid, "mode", "%.40q is no mode; there are hybrid, semantic and keyword", r.Mode)
	case r.K < 0 || r.K > MaxK:
		return fault.At(fault.Invalid, "k", "must be a whole number from 1 to %d", MaxK)
	case strings.TrimSpace(r.Query) == "":
		return fault.At(fault.Invalid, "query", "a search needs a query")
	case utf8.RuneCountInString(r.Query) > replica.MaxQueryLength:
		return fault.At(fault.Invalid, "query", "a query has at most %d characters, but %d were given", replica.MaxQueryLength, utf8.RuneCountInString(r.Query))
	}
	if r.Mode == Semantic {
		return nil
	}
	_, err := replica.Words(r.Query)
	return err
}

// scope is where it searches.
func (r *Request) scope() room.SearchScope {
	return room.SearchScope{Table: r.Table, Where: maps.Clone(r.Where)}
}
