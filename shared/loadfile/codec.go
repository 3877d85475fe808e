package loadfile

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"unicode/utf8"

	"nanotypedb/shared/schema"
)

// magic begins every blob, of any format.
const magic = "NANOLOAD"

// The kinds of frames beside those of records.
const (
	frameHeader  = 'h'
	frameTrailer = 'z'
)

// Limits of frames, whatever a blob says of itself.
const (
	maxHeader = 1 << 20   // a schema is at most 256 KB
	maxRecord = 256 << 10 // a row is at most 64 KB, a vector some 16 KB
	maxName   = 512       // bytes of an id, creator or model
	maxWindow = 8 << 20   // memory of the decompressor
)

// headerJSON is a Header as written. The format comes first in all of them.
type headerJSON struct {
	Format   int               `json:"format"`
	Room     string            `json:"room"`
	Base     int64             `json:"base"`
	At       schema.Millis     `json:"at"`
	Mode     Mode              `json:"mode"`
	Tables   []json.RawMessage `json:"tables,omitempty"`
	Replaced []int             `json:"replaced,omitempty"`
	Dropped  []int             `json:"dropped,omitempty"`
}

func encodeHeader(h *Header) ([]byte, error) {
	if err := h.check(); err != nil {
		return nil, err
	}
	j := headerJSON{Format: Format, Room: h.Room, Base: h.Base, At: h.At, Mode: h.Mode, Replaced: h.Replaced, Dropped: h.Dropped}
	for i := range h.Tables {
		j.Tables = append(j.Tables, schema.AppendTable(nil, &h.Tables[i]))
	}
	return json.Marshal(j)
}

func decodeHeader(data []byte) (Header, error) {
	var j headerJSON
	if err := json.Unmarshal(data, &j); err != nil {
		return Header{}, damaged("header: %w", err)
	}
	if j.Format > Format {
		return Header{}, newer(j.Format)
	}
	if j.Format < 1 {
		return Header{}, damaged("header: there is no format %d", j.Format)
	}
	h := Header{Room: j.Room, Base: j.Base, At: j.At, Mode: j.Mode, Replaced: j.Replaced, Dropped: j.Dropped}
	if len(j.Tables) > schema.MaxTables {
		return Header{}, damaged("header: there are %d tables", len(j.Tables))
	}
	for _, raw := range j.Tables {
		t, err := schema.DecodeTable(raw)
		if err != nil {
			return Header{}, damaged("header: %w", err)
		}
		h.Tables = append(h.Tables, *t)
	}
	if err := h.check(); err != nil {
		return Header{}, damaged("header: %w", err)
	}
	return h, nil
}

// check is what a header must be in any blob.
func (h *Header) check() error {
	if h.Mode != Replace && h.Mode != Merge {
		return fmt.Errorf("there is no mode %.20q", h.Mode)
	}
	if h.Room == "" || h.Base < 0 {
		return errors.New("the room or the base is missing")
	}
	nums := make([]int, 0, len(h.Tables))
	for i := range h.Tables {
		nums = append(nums, h.Tables[i].Num)
	}
	if !rising(nums) || !rising(h.Replaced) || !rising(h.Dropped) {
		return errors.New("tables are not in order of number")
	}
	for _, num := range h.Replaced {
		if !slices.Contains(nums, num) {
			return fmt.Errorf("table %d is replaced without a definition", num)
		}
	}
	for _, num := range h.Dropped {
		if slices.Contains(nums, num) {
			return fmt.Errorf("table %d is dropped and kept", num)
		}
	}
	return nil
}

func rising(nums []int) bool {
	last := 0
	for _, num := range nums {
		if num <= last {
			return false
		}
		last = num
	}
	return true
}

func appendText(dst []byte, s string) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(s))), s...)
}

// appendRecord appends the content of a record's frame.
func appendRecord(dst []byte, r *Record) []byte {
	if r.Kind == Vector {
		dst = appendText(append(dst, r.Hash[:]...), r.Model)
		return append(dst, r.Vector...)
	}
	dst = appendText(binary.AppendUvarint(dst, uint64(r.Table)), r.ID)
	if r.Kind == Delete {
		return dst
	}
	dst = appendText(dst, r.Creator)
	dst = binary.AppendVarint(dst, int64(r.CreatedAt))
	dst = binary.AppendVarint(dst, int64(r.UpdatedAt))
	for i := range r.Cells {
		dst = binary.AppendUvarint(dst, uint64(r.Cells[i].Num))
		dst = schema.AppendCanonical(dst, r.Cells[i].Value)
	}
	return dst
}

// fields reads the content of a frame; err is the first error.
type fields struct {
	rest []byte
	err  error
}

func (f *fields) fail(format string, args ...any) {
	if f.err == nil {
		f.err = fmt.Errorf(format, args...)
	}
	f.rest = nil
}

func (f *fields) num() int {
	n, used := binary.Uvarint(f.rest)
	if used <= 0 || n < 1 || n > 1<<31 {
		f.fail("a number is missing or out of range")
		return 0
	}
	f.rest = f.rest[used:]
	return int(n)
}

func (f *fields) millis() schema.Millis {
	n, used := binary.Varint(f.rest)
	if used <= 0 {
		f.fail("a time is missing")
		return 0
	}
	f.rest = f.rest[used:]
	return schema.Millis(n)
}

func (f *fields) text() string {
	n, used := binary.Uvarint(f.rest)
	if used <= 0 || n > maxName || n > uint64(len(f.rest)-used) {
		f.fail("a text is missing or too long")
		return ""
	}
	s := string(f.rest[used : used+int(n)])
	f.rest = f.rest[used+int(n):]
	if !utf8.ValidString(s) {
		f.fail("a text is not UTF-8")
	}
	return s
}

// decodeRecord reads the content of a frame into r, whose Cells and Vector
// are used again.
func decodeRecord(kind RecordKind, data []byte, r *Record) error {
	f := fields{rest: data}
	*r = Record{Kind: kind, Cells: r.Cells[:0], Vector: r.Vector[:0]}
	switch kind {
	case Vector:
		f.vector(r)
	case Delete:
		r.Table, r.ID = f.num(), f.text()
		if len(f.rest) > 0 {
			f.fail("a deletion has %d bytes too many", len(f.rest))
		}
	case Row:
		r.Table, r.ID, r.Creator = f.num(), f.text(), f.text()
		r.CreatedAt, r.UpdatedAt = f.millis(), f.millis()
		f.cells(r)
	default:
		f.fail("there is no kind %d of record", kind)
	}
	if f.err == nil && kind != Vector {
		f.err = schema.ValidRowID(r.ID)
	}
	if f.err != nil {
		return damaged("record: %v", f.err) // %v: a fault in it is not the user's
	}
	return nil
}

func (f *fields) vector(r *Record) {
	if len(f.rest) < len(r.Hash) {
		f.fail("a hash is missing")
		return
	}
	f.rest = f.rest[copy(r.Hash[:], f.rest):]
	r.Model = f.text()
	if r.Model == "" || len(f.rest) == 0 {
		f.fail("a vector or its model is missing")
		return
	}
	r.Vector = append(r.Vector, f.rest...)
}

func (f *fields) cells(r *Record) {
	for last := 0; len(f.rest) > 0; {
		num := f.num()
		if num <= last {
			f.fail("cell %d is out of order", num)
			return
		}
		last = num
		value, rest, err := schema.DecodeCanonical(f.rest)
		if err != nil || value == nil {
			f.fail("cell %d has no value", num)
			return
		}
		r.Cells, f.rest = append(r.Cells, schema.Cell{Num: num, Value: value}), rest
	}
}

const trailerBytes = 32 + 3*8

func appendTrailer(dst []byte, sum [32]byte, c Counts) []byte {
	dst = append(dst, sum[:]...)
	for _, n := range []int64{c.Rows, c.Deletes, c.Vectors} {
		dst = binary.LittleEndian.AppendUint64(dst, uint64(n))
	}
	return dst
}

func decodeTrailer(data []byte) (sum [32]byte, c Counts, err error) {
	if len(data) != trailerBytes {
		return sum, c, damaged("trailer: it has %d bytes", len(data))
	}
	data = data[copy(sum[:], data):]
	for _, n := range []*int64{&c.Rows, &c.Deletes, &c.Vectors} {
		*n = int64(binary.LittleEndian.Uint64(data))
		data = data[8:]
	}
	return sum, c, nil
}
