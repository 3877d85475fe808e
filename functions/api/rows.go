package api

import (
	"encoding/json"
	"maps"
	"net/url"
	"slices"
	"strings"

	"nanotypedb/shared/fault"
	"nanotypedb/shared/room"
	"nanotypedb/shared/wire"
)

func listRows(a *API, x *exchange) (any, error) {
	limit, err := x.limit()
	if err != nil {
		return nil, err
	}
	where, err := conditions(x.query)
	if err != nil {
		return nil, err
	}
	req := room.ListRequest{
		Table: x.r.PathValue("table"), Limit: limit, Cursor: x.query.Get("cursor"), Order: x.query.Get("order"),
		Where: where, Texts: true, MaxBytes: maxPage,
	}
	var page room.RowPage
	seq, err := x.at(a)
	if err != nil {
		return nil, err
	}
	err = a.Rooms.ReadAt(x.ctx(), x.principal, x.ref(), seq, func(v *room.View) (err error) {
		page, err = v.List(x.ctx(), req)
		return err
	})
	return json.RawMessage(wire.AppendRows(nil, page.Rows, page.Cursor, page.Seq)), err
}

// conditions reads the query parameters that are not those of a page:
// column=value, and column[gt]=value for the other comparisons. The value of
// "in" is a JSON array; the engine reads the others by the column's type.
func conditions(query url.Values) (map[string]json.RawMessage, error) {
	where := map[string]map[string]json.RawMessage{}
	for _, name := range slices.Sorted(maps.Keys(query)) {
		if name == "limit" || name == "cursor" || name == "order" || name == "at" || name == "atSeq" {
			continue
		}
		column, is, err := condition(name)
		if err != nil {
			return nil, err
		}
		value, err := operand(name, is, query.Get(name))
		if err != nil {
			return nil, err
		}
		if where[column] == nil {
			where[column] = map[string]json.RawMessage{}
		}
		if where[column][is] != nil {
			return nil, fault.At(fault.Invalid, name, "This condition is given twice.")
		}
		where[column][is] = value
	}
	return encode(where)
}

// condition splits a parameter's name, as "size[gt]".
func condition(name string) (column, is string, err error) {
	column, rest, bracket := strings.Cut(name, "[")
	if !bracket {
		return name, "eq", nil
	}
	is, after, closed := strings.Cut(rest, "]")
	if !closed || after != "" || column == "" {
		return "", "", fault.At(fault.Invalid, name, "A condition is column=value or column[gt]=value.")
	}
	return column, is, nil
}

func operand(name, is, value string) (json.RawMessage, error) {
	if is == "in" {
		var list []json.RawMessage
		if err := json.Unmarshal([]byte(value), &list); err != nil {
			return nil, fault.At(fault.Invalid, name, "The value of in is a JSON array.")
		}
		return json.RawMessage(value), nil
	}
	return json.Marshal(value)
}

func encode(where map[string]map[string]json.RawMessage) (map[string]json.RawMessage, error) {
	encoded := make(map[string]json.RawMessage, len(where))
	for column, list := range where {
		raw, err := json.Marshal(list)
		if err != nil {
			return nil, err
		}
		encoded[column] = raw
	}
	return encoded, nil
}

func getRow(a *API, x *exchange) (any, error) {
	var row json.RawMessage
	seq, err := x.at(a)
	if err != nil {
		return nil, err
	}
	err = a.Rooms.ReadAt(x.ctx(), x.principal, x.ref(), seq, func(v *room.View) (err error) {
		seq = v.State().Seq
		row, err = v.Get(x.ctx(), x.r.PathValue("table"), x.r.PathValue("id"))
		return err
	})
	return json.RawMessage(wire.AppendRow(nil, row, seq)), err
}
