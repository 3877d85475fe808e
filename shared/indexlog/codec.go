package indexlog

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"

	"nanotypedb/shared/fault"
	"nanotypedb/shared/schema"
	"nanotypedb/shared/schema/strictjson"
)

// An entry is stored as JSON with short keys, members that are empty left out,
// the format first:
//
//	entry  f format, n n, a at, m model, d dimension, r reset, t texts
//	text   h hash, v vector, x failed, y reason, c cleared, w rows: [table, id, table, id, …]
//
// Bytes are in base64 without padding.

var encoding = base64.RawStdEncoding.Strict()

// AppendEntry appends the stored form of an entry.
func AppendEntry(dst []byte, e *Entry) []byte {
	dst = strconv.AppendInt(append(dst, `{"f":`...), Format, 10)
	dst = strconv.AppendInt(append(dst, `,"n":`...), e.N, 10)
	dst = strconv.AppendInt(append(dst, `,"a":`...), int64(e.At), 10)
	dst = strictjson.AppendString(append(dst, `,"m":`...), e.Model)
	dst = strconv.AppendInt(append(dst, `,"d":`...), int64(e.Dim), 10)
	dst = appendFlag(dst, `,"r":`, e.Reset)
	for i := range e.Texts {
		lead := ","
		if i == 0 {
			lead = `,"t":[`
		}
		dst = appendText(append(dst, lead...), &e.Texts[i])
	}
	if len(e.Texts) > 0 {
		dst = append(dst, ']')
	}
	return append(dst, '}')
}

func appendFlag(dst []byte, key string, set bool) []byte {
	if !set {
		return dst
	}
	return append(append(dst, key...), "true"...)
}

func appendText(dst []byte, t *Text) []byte {
	dst = append(encoding.AppendEncode(append(dst, `{"h":"`...), t.Hash[:]), '"')
	if len(t.Vector) > 0 {
		dst = append(encoding.AppendEncode(append(dst, `,"v":"`...), t.Vector), '"')
	}
	dst = appendFlag(dst, `,"x":`, t.Failed)
	if t.Reason != "" {
		dst = strictjson.AppendString(append(dst, `,"y":`...), t.Reason)
	}
	dst = appendFlag(dst, `,"c":`, t.Cleared)
	return append(appendRows(dst, t.Rows), '}')
}

func appendRows(dst []byte, rows []RowRef) []byte {
	for i, r := range rows {
		lead := ","
		if i == 0 {
			lead = `,"w":[`
		}
		dst = strconv.AppendInt(append(dst, lead...), int64(r.Table), 10)
		dst = strictjson.AppendString(append(dst, ','), r.ID)
	}
	if len(rows) == 0 {
		return dst
	}
	return append(dst, ']')
}

// DecodeEntry reads what AppendEntry wrote. It ignores nothing. Errors: fault
// unavailable for a newer format; any other means that the entry is damaged.
func DecodeEntry(data []byte) (*Entry, error) {
	d := decoder{Scanner: strictjson.New(data)}
	err := d.Object(d.entry)
	if err == nil {
		err = d.End()
	}
	if err == nil && d.e.N < 1 {
		err = errors.New("n is missing")
	}
	switch {
	case errors.Is(err, errNewer):
		return nil, fault.New(fault.Unavailable,
			"the index of this room was written by a newer version of Nanotype DB (format %d, this server reads up to %d); try again when the server is up to date",
			d.format, Format)
	case err != nil:
		return nil, fmt.Errorf("decode index entry: %v", err) // %v: a fault in it is not the user's
	}
	return &d.e, nil
}

var errNewer = errors.New("the format is newer")

// decoder reads one entry.
type decoder struct {
	*strictjson.Scanner
	e      Entry
	format int64
}

func (d *decoder) entry(key []byte) (err error) {
	if d.format == 0 {
		return d.readFormat(key)
	}
	switch string(key) {
	case "n":
		d.e.N, err = schema.ScanInt(d.Scanner)
		return err
	case "a":
		at, err := schema.ScanInt(d.Scanner)
		d.e.At = schema.Millis(at)
		return err
	case "m":
		d.e.Model, err = d.String()
		return err
	case "d":
		return d.small(&d.e.Dim)
	case "r":
		d.e.Reset, err = d.Bool()
		return err
	case "t":
		return d.texts()
	}
	return unknown(key)
}

func unknown(key []byte) error { return fmt.Errorf("there is an unknown member %.40q", key) }

// readFormat reads the first member; the others cannot be understood before it.
func (d *decoder) readFormat(key []byte) (err error) {
	if string(key) != "f" {
		return errors.New("the format does not come first")
	}
	d.format, err = schema.ScanInt(d.Scanner)
	switch {
	case err != nil:
		return err
	case d.format > Format:
		return errNewer
	case d.format < 1:
		return fmt.Errorf("there is no format %d", d.format)
	}
	return nil
}

// small reads a number of a table, or of components.
func (d *decoder) small(n *int) error {
	v, err := schema.ScanInt(d.Scanner)
	if err == nil && (v < 0 || v > 1<<31) {
		err = fmt.Errorf("the number %d is out of range", v)
	}
	*n = int(v)
	return err
}

func (d *decoder) texts() error {
	return d.Array(func(int) error {
		var t Text
		hashed := false
		err := d.Object(func(key []byte) error {
			hashed = hashed || string(key) == "h"
			return d.text(&t, key)
		})
		if err == nil && !hashed {
			err = errors.New("a text has no hash")
		}
		d.e.Texts = append(d.e.Texts, t)
		return errors.Join(err, t.sound())
	})
}

// sound checks that it says one thing.
func (t *Text) sound() error {
	said := 0
	for _, set := range []bool{len(t.Vector) > 0, t.Failed, t.Cleared} {
		if set {
			said++
		}
	}
	if said != 1 {
		return errors.New("a text must have a vector, or have failed, or be cleared")
	}
	return nil
}

func (d *decoder) text(t *Text, key []byte) (err error) {
	switch string(key) {
	case "h":
		hash, err := d.decodeBytes()
		if err == nil && len(hash) != len(t.Hash) {
			err = errors.New("a hash has a wrong length")
		}
		copy(t.Hash[:], hash)
		return err
	case "v":
		t.Vector, err = d.decodeBytes()
		return err
	case "x":
		t.Failed, err = d.Bool()
		return err
	case "y":
		t.Reason, err = d.String()
		return err
	case "c":
		t.Cleared, err = d.Bool()
		return err
	case "w":
		return d.rows(t)
	}
	return unknown(key)
}

func (d *decoder) decodeBytes() ([]byte, error) {
	text, err := d.Bytes()
	if err != nil {
		return nil, err
	}
	if bytes.ContainsAny(text, "\r\n") {
		return nil, errors.New("there are line breaks in base64") // the decoder skips them
	}
	decoded := make([]byte, encoding.DecodedLen(len(text)))
	_, err = encoding.Decode(decoded, text)
	return decoded, err
}

// rows reads [table, id, …].
func (d *decoder) rows(t *Text) error {
	complete := true
	err := d.Array(func(i int) (err error) {
		if complete = i%2 == 1; complete {
			t.Rows[len(t.Rows)-1].ID, err = d.String()
			return err
		}
		var r RowRef
		err = d.small(&r.Table)
		t.Rows = append(t.Rows, r)
		return err
	})
	if err == nil && !complete {
		err = errors.New("a table has no row")
	}
	return err
}
