package schema

import (
	"errors"
	"fmt"
	"strconv"

	"nanotypedb/shared/schema/strictjson"
)

// The stored form of schemas, tables and alterations is JSON with numbers. It
// is part of commitlog.Format and of the fingerprints: equal values have equal
// bytes. Reading it checks the structure, not the limits, so that what was
// once allowed can always be read.

// EncodeSchema gives the stored form of a schema, which MaxSchemaBytes bounds.
func EncodeSchema(s *Schema) []byte {
	dst := strconv.AppendInt([]byte(`{"next":`), int64(s.NextTable), 10)
	dst = append(dst, `,"tables":[`...)
	for i := range s.Tables {
		dst = AppendTable(separate(dst, i), &s.Tables[i])
	}
	return append(dst, `]}`...)
}

func separate(dst []byte, i int) []byte {
	if i == 0 {
		return dst
	}
	return append(dst, ',')
}

// AppendTable appends the stored form of a table.
func AppendTable(dst []byte, t *Table) []byte {
	dst = strconv.AppendInt(append(dst, `{"num":`...), int64(t.Num), 10)
	dst = strictjson.AppendString(append(dst, `,"name":`...), t.Name)
	if t.Access != Shared {
		dst = strictjson.AppendString(append(dst, `,"access":`...), string(t.Access))
	}
	dst = strconv.AppendInt(append(dst, `,"next":`...), int64(t.NextColumn), 10)
	return append(appendColumns(dst, "columns", t.Columns, true), '}')
}

// appendColumns appends a list of columns, an empty one only when it is always
// to be there.
func appendColumns(dst []byte, name string, columns []Column, always bool) []byte {
	if len(columns) == 0 && !always {
		return dst
	}
	dst = append(append(append(dst, `,"`...), name...), `":[`...)
	for i := range columns {
		dst = appendColumn(separate(dst, i), &columns[i])
	}
	return append(dst, ']')
}

func appendColumn(dst []byte, c *Column) []byte {
	dst = strconv.AppendInt(append(dst, `{"num":`...), int64(c.Num), 10)
	return append(appendOptions(append(dst, ','), c, AppendStored), '}')
}

// AppendAlteration appends the stored form of an alteration.
func AppendAlteration(dst []byte, a *Alteration) []byte {
	dst = strconv.AppendInt(append(dst, `{"table":`...), int64(a.Table), 10)
	dst = strictjson.AppendString(append(dst, `,"was":`...), a.Was)
	if a.Name != "" {
		dst = strictjson.AppendString(append(dst, `,"name":`...), a.Name)
	}
	if a.Access != nil {
		dst = strictjson.AppendString(append(dst, `,"access":`...), string(*a.Access))
	}
	dst = appendColumns(dst, "add", a.Add, false)
	dst = appendColumnNames(dst, "drop", a.Drop)
	dst = appendColumns(dst, "change", a.Change, false)
	return append(appendColumnNames(dst, "rename", a.Rename), '}')
}

func appendColumnNames(dst []byte, name string, columns []ColumnName) []byte {
	if len(columns) == 0 {
		return dst
	}
	dst = append(append(append(dst, `,"`...), name...), `":[`...)
	for i, c := range columns {
		dst = strconv.AppendInt(append(separate(dst, i), `{"num":`...), int64(c.Num), 10)
		dst = strictjson.AppendString(append(dst, `,"name":`...), c.Name)
		dst = append(strictjson.AppendString(append(dst, `,"was":`...), c.Was), '}')
	}
	return append(dst, ']')
}

// DecodeSchema reads what EncodeSchema wrote. Its errors are not for users.
func DecodeSchema(data []byte) (*Schema, error) {
	s := &Schema{}
	scanner := strictjson.New(data)
	err := scanner.Object(func(key []byte) error {
		switch string(key) {
		case "next":
			return scanNum(scanner, &s.NextTable)
		case "tables":
			return scanList(scanner, &s.Tables, scanTable)
		}
		return unknownMember(key)
	})
	return ended(scanner, s, errors.Join(err, s.sound()))
}

// DecodeTable reads what AppendTable wrote.
func DecodeTable(data []byte) (*Table, error) {
	scanner, t := strictjson.New(data), &Table{}
	return ended(scanner, t, scanTable(scanner, t))
}

// DecodeAlteration reads what AppendAlteration wrote.
func DecodeAlteration(data []byte) (*Alteration, error) {
	scanner, a := strictjson.New(data), &Alteration{}
	return ended(scanner, a, scanAlteration(scanner, a))
}

func ended[T any](s *strictjson.Scanner, v *T, err error) (*T, error) {
	if err == nil {
		err = s.End()
	}
	if err != nil {
		return nil, fmt.Errorf("decode stored schema: %v", err) // %v: a fault in it is not the user's
	}
	return v, nil
}

func unknownMember(key []byte) error { return fmt.Errorf("there is an unknown member %.40q", key) }

// maxNum bounds table and column numbers, far beyond what any room reaches.
const maxNum = 1 << 31

func scanNum(s *strictjson.Scanner, num *int) error {
	n, err := ScanInt(s)
	if err == nil && (n < 0 || n > maxNum) {
		err = fmt.Errorf("the number %d is out of range", n)
	}
	*num = int(n)
	return err
}

func scanString[T ~string](s *strictjson.Scanner, text *T) error {
	t, err := s.String()
	*text = T(t)
	return err
}

func scanList[T any](s *strictjson.Scanner, list *[]T, scan func(*strictjson.Scanner, *T) error) error {
	return s.Array(func(int) error {
		var element T
		err := scan(s, &element)
		*list = append(*list, element)
		return err
	})
}

func scanTable(s *strictjson.Scanner, t *Table) error {
	err := s.Object(func(key []byte) error {
		switch string(key) {
		case "num":
			return scanNum(s, &t.Num)
		case "name":
			return scanString(s, &t.Name)
		case "access":
			return scanAccess(s, &t.Access)
		case "next":
			return scanNum(s, &t.NextColumn)
		case "columns":
			return scanList(s, &t.Columns, scanColumn)
		}
		return unknownMember(key)
	})
	if err != nil {
		return err
	}
	return t.sound()
}

func scanAccess(s *strictjson.Scanner, access *Access) error {
	err := scanString(s, access)
	if err == nil && *access != Shared && *access != Own {
		err = fmt.Errorf("there is no access %.20q", *access)
	}
	return err
}

func scanColumn(s *strictjson.Scanner, c *Column) error {
	err := s.Object(func(key []byte) (err error) {
		switch string(key) {
		case "num":
			return scanNum(s, &c.Num)
		case "default":
			c.Default, err = ScanStored(s)
			return err
		}
		raw, err := s.Raw()
		if err != nil {
			return err
		}
		p := columnParser{column: *c}
		err = p.set(string(key), raw)
		*c = p.column
		return err
	})
	if err != nil {
		return err
	}
	return c.sound()
}

func scanAlteration(s *strictjson.Scanner, a *Alteration) error {
	err := s.Object(func(key []byte) error {
		switch string(key) {
		case "table":
			return scanNum(s, &a.Table)
		case "was":
			return scanString(s, &a.Was)
		case "name":
			return scanString(s, &a.Name)
		case "access":
			a.Access = new(Access)
			return scanAccess(s, a.Access)
		case "add":
			return scanList(s, &a.Add, scanColumn)
		case "drop":
			return scanList(s, &a.Drop, scanColumnName)
		case "change":
			return scanList(s, &a.Change, scanColumn)
		case "rename":
			return scanList(s, &a.Rename, scanColumnName)
		}
		return unknownMember(key)
	})
	if err == nil && a.Table == 0 {
		err = errors.New("an alteration has no table")
	}
	return err
}

func scanColumnName(s *strictjson.Scanner, c *ColumnName) error {
	return s.Object(func(key []byte) error {
		switch string(key) {
		case "num":
			return scanNum(s, &c.Num)
		case "name":
			return scanString(s, &c.Name)
		case "was":
			return scanString(s, &c.Was)
		}
		return unknownMember(key)
	})
}

// sound checks that numbers rise below the next one and names are unique.
func (s *Schema) sound() error {
	names := make(map[string]bool, len(s.Tables))
	last := 0
	for i := range s.Tables {
		t := &s.Tables[i]
		if t.Num <= last || t.Num >= s.NextTable || names[t.Name] {
			return fmt.Errorf("table %d (%.70q) is out of order or comes twice", t.Num, t.Name)
		}
		names[t.Name], last = true, t.Num
	}
	return nil
}

func (t *Table) sound() error {
	if t.Num == 0 || t.Name == "" {
		return errors.New("a table has no number or no name")
	}
	names := make(map[string]bool, len(t.Columns))
	last := 0
	for i := range t.Columns {
		c := &t.Columns[i]
		if c.Num <= last || c.Num >= t.NextColumn || names[c.Name] {
			return fmt.Errorf("column %d (%.70q) is out of order or comes twice", c.Num, c.Name)
		}
		names[c.Name], last = true, c.Num
	}
	return nil
}

func (c *Column) sound() error {
	switch {
	case c.Num == 0 || c.Name == "":
		return errors.New("a column has no number or no name")
	case !types[c.Type]:
		return fmt.Errorf("column %.70q has the unknown type %.20q", c.Name, c.Type)
	case !holds(c.Type, c.Default):
		return fmt.Errorf("column %.70q has a default of another type", c.Name)
	}
	return nil
}

// holds reports whether v is a value of the type, or nil.
func holds(t Type, v Value) bool {
	switch v.(type) {
	case nil:
		return true
	case string:
		return t == Text || t == Date || t == Enum
	case int64:
		return t == Integer
	case float64:
		return t == Number
	case bool:
		return t == Boolean
	case Millis:
		return t == Timestamp
	case JSON:
		return t == JSONType
	}
	return false
}
