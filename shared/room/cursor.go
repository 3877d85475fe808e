package room

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"

	"nanotypedb/shared/fault"
	"nanotypedb/shared/replica"
	"nanotypedb/shared/schema"
	"nanotypedb/shared/schema/strictjson"
)

// A cursor is base64url of a check value and [id, value], the position of the
// last row of a page. The check value binds it to the list it came from: table
// number, order and filters. It finds mistakes; nothing is kept secret by it,
// since `own` is applied to every page anew.
const cursorCheck = 8

// bind gives the text that identifies a list.
func bind(q *replica.ListQuery) string {
	dst := binary.AppendVarint(nil, int64(q.Table.Num))
	dst = appendBound(dst, q.OrderBy)
	if q.Descending {
		dst = append(dst, '-')
	}
	for i := range q.Filters {
		f := &q.Filters[i]
		dst = appendBound(appendBound(dst, f.Field), string(f.Is))
		for _, v := range f.Values {
			dst = appendBound(dst, string(schema.AppendCanonical(nil, v)))
		}
	}
	return string(dst)
}

func appendBound(dst []byte, text string) []byte {
	return append(binary.AppendVarint(dst, int64(len(text))), text...)
}

func cursorSum(binding string, payload []byte) []byte {
	sum := sha256.Sum256(append(appendBound(nil, binding), payload...))
	return sum[:cursorCheck]
}

func encodeCursor(binding string, p replica.Position) string {
	payload := schema.AppendStored([]byte{'['}, p.ID)
	payload = append(schema.AppendStored(append(payload, ','), p.Value), ']')
	return base64.RawURLEncoding.EncodeToString(append(cursorSum(binding, payload), payload...))
}

var errCursor = fault.At(fault.Invalid, "cursor", "this cursor does not belong to this list: table, order and where must stay the same; begin without a cursor")

// decodeCursor reads a cursor of a list ordered by col.
func decodeCursor(binding, cursor string, col *schema.Column) (*replica.Position, error) {
	raw, err := base64.RawURLEncoding.DecodeString(cursor)
	if err != nil || len(raw) < cursorCheck || string(raw[:cursorCheck]) != string(cursorSum(binding, raw[cursorCheck:])) {
		return nil, errCursor
	}
	var p replica.Position
	s := strictjson.New(raw[cursorCheck:])
	err = s.Array(func(i int) (err error) {
		value, err := s.Raw()
		if err != nil {
			return err
		}
		v, err := schema.DecodeStored(value)
		if id, ok := v.(string); ok && i == 0 {
			p.ID = id
			return err
		}
		p.Value = v
		return err
	})
	if err != nil || p.ID == "" || p.Value != nil && !fits(col, p.Value) {
		return nil, errCursor
	}
	return &p, nil
}

// fits tells whether a value is of a column's type, which may have changed
// since the cursor was made.
func fits(col *schema.Column, v schema.Value) bool {
	switch v.(type) {
	case string:
		return col.Type == schema.Text || col.Type == schema.Date || col.Type == schema.Enum
	case int64:
		return col.Type == schema.Integer
	case float64:
		return col.Type == schema.Number
	case bool:
		return col.Type == schema.Boolean
	case schema.Millis:
		return col.Type == schema.Timestamp
	}
	return false
}
