package commitlog

import (
	"encoding/base64"
	"errors"
	"fmt"

	"nanotypedb/shared/fault"
	"nanotypedb/shared/schema"
	"nanotypedb/shared/schema/strictjson"
)

// DecodeEntry reads what AppendEntry wrote. It ignores nothing: an unknown
// member or kind is an error, as skipping what other code meant would make
// replicas differ. Errors: fault unavailable for a newer format; any other
// means that the entry is damaged.
func DecodeEntry(data []byte) (*Entry, error) {
	d := decoder{Scanner: strictjson.New(data)}
	err := d.Object(d.entry)
	if err == nil {
		err = d.End()
	}
	if err == nil {
		err = d.complete()
	}
	switch {
	case errors.Is(err, errNewer):
		return nil, newer(d.e.Format)
	case err != nil:
		return nil, fmt.Errorf("decode entry: %v", err) // %v: a fault in it is not the user's
	}
	return &d.e, nil
}

var errNewer = errors.New("the format is newer")

func newer(format int) error {
	return fault.New(fault.Unavailable,
		"this room was written by a newer version of Nanotype DB (log format %d, this server reads up to %d); try again when the server is up to date",
		format, Format)
}

// decoder reads one entry. The methods named like parts of the format read
// the member key of that part.
type decoder struct {
	*strictjson.Scanner
	e    Entry
	sums int // how many were read
}

func (d *decoder) complete() error {
	if d.e.Seq < 1 || d.sums != 2 {
		return errors.New("seq or sums are missing")
	}
	return nil
}

func (d *decoder) entry(key []byte) error {
	if d.e.Format == 0 {
		return d.format(key)
	}
	e := &d.e
	switch string(key) {
	case "s":
		return d.int64(&e.Seq)
	case "a":
		return d.millis(&e.At)
	case "b":
		return text(d, &e.By)
	case "i":
		return text(d, &e.CommitID)
	case "d":
		return text(d, &e.Digest)
	case "x":
		return text(d, &e.Attempt)
	case "k":
		return d.kind()
	case "z":
		return d.int64(&e.Undoes)
	case "w":
		return d.int64(&e.Pause)
	case "o":
		return d.ops()
	case "p":
		return d.readSums(&e.Before)
	case "q":
		return d.readSums(&e.After)
	}
	return unknown(key)
}

func unknown(key []byte) error { return fmt.Errorf("there is an unknown member %.40q", key) }

// format reads the first member; the others cannot be understood before it.
func (d *decoder) format(key []byte) error {
	if string(key) != "f" {
		return errors.New("the format does not come first")
	}
	err := d.num(&d.e.Format)
	switch {
	case err != nil:
		return err
	case d.e.Format > Format:
		return errNewer
	case d.e.Format < 1:
		return fmt.Errorf("there is no format %d", d.e.Format)
	}
	return nil
}

func (d *decoder) kind() error {
	err := text(d, &d.e.Kind)
	switch d.e.Kind {
	case Create, Closed, Load, Check, Undo:
		return err
	}
	return errors.Join(err, fmt.Errorf("there is no kind of entry %.20q", d.e.Kind))
}

func (d *decoder) int64(n *int64) (err error) {
	*n, err = schema.ScanInt(d.Scanner)
	return err
}

func (d *decoder) millis(m *schema.Millis) error { return d.int64((*int64)(m)) }

// num reads a number of a table, column or format.
func (d *decoder) num(n *int) error {
	v, err := schema.ScanInt(d.Scanner)
	if err == nil && (v < 0 || v > 1<<31) {
		err = fmt.Errorf("the number %d is out of range", v)
	}
	*n = int(v)
	return err
}

func text[T ~string](d *decoder, t *T) error {
	s, err := d.String()
	*t = T(s)
	return err
}

func (d *decoder) flag(set *bool) (err error) {
	*set, err = d.Bool()
	return err
}

func (d *decoder) readSums(s *Sums) error {
	d.sums++
	return d.Array(func(i int) error {
		switch i {
		case 0:
			return d.sum(&s.Content)
		case 1:
			return d.sum(&s.State)
		}
		return errors.New("there are more than two sums")
	})
}

var strictBase64 = base64.RawStdEncoding.Strict()

func (d *decoder) sum(s *Sum) error {
	b, err := d.Bytes()
	if err != nil {
		return err
	}
	if strictBase64.DecodedLen(len(b)) != len(s) {
		return errors.New("a sum has a wrong length")
	}
	n, err := strictBase64.Decode(s[:], b)
	if err == nil && n != len(s) {
		err = errors.New("a sum has a wrong length") // the decoder skips line breaks
	}
	return err
}

func (d *decoder) ops() error {
	return d.Array(func(int) error {
		var op Op
		if err := d.Object(func(key []byte) error { return d.op(&op, key) }); err != nil {
			return err
		}
		d.e.Ops = append(d.e.Ops, op)
		return errors.Join(known(op.Kind), defined(&op))
	})
}

func known(kind OpKind) error {
	switch kind {
	case Insert, Update, Delete, CreateTable, AlterTable, DropTable, SetMember, SetInvite, SetRoom, LoadBlob:
		return nil
	}
	return fmt.Errorf("there is no kind of operation %.20q", kind)
}

// defined checks that an operation on a table says what the table is or
// becomes, which all who read the log go by.
func defined(op *Op) error {
	switch {
	case (op.Kind == CreateTable || op.Kind == DropTable) && op.Def == nil,
		op.Kind == AlterTable && op.Alter == nil:
		return errors.New("an operation on a table has no definition")
	case op.Kind == DropTable && op.Def.Num != op.Table:
		return errors.New("a table is dropped by the definition of another")
	case (op.Kind == LoadBlob) != (op.Load != nil):
		return errors.New("a load does not say what it brings")
	}
	return nil
}

func (d *decoder) op(op *Op, key []byte) error {
	switch string(key) {
	case "k":
		return text(d, &op.Kind)
	case "t":
		return d.num(&op.Table)
	case "r":
		return text(d, &op.ID)
	case "c":
		return text(d, &op.Creator)
	case "s":
		return d.cells(&op.Set)
	case "p":
		return d.cells(&op.Old)
	case "v":
		return d.int64(&op.OldVersion)
	case "w":
		return d.millis(&op.OldUpdated)
	case "y":
		return d.millis(&op.OldCreated)
	case "z":
		return d.flag(&op.OldOmitted)
	}
	return d.opRest(op, key)
}

// opRest reads what operations on schema and members have.
func (d *decoder) opRest(op *Op, key []byte) error {
	switch string(key) {
	case "d":
		return d.definition(op)
	case "a":
		return d.alteration(op)
	case "g":
		return d.flag(&op.Rewrites)
	case "h":
		return d.flag(&op.Own)
	case "u":
		return text(d, &op.User)
	case "n":
		return text(d, &op.Name)
	case "e":
		return text(d, &op.Email)
	case "l":
		return text(d, &op.Role)
	case "i":
		return d.millis(&op.CreatedAt)
	case "j":
		return d.millis(&op.UpdatedAt)
	case "b":
		op.Load = &Bulk{}
		return d.Object(func(key []byte) error { return d.load(op.Load, key) })
	}
	return unknown(key)
}

func (d *decoder) load(l *Bulk, key []byte) error {
	switch string(key) {
	case "b":
		return text(d, &l.Blob)
	case "x":
		return d.sum((*Sum)(&l.SHA256))
	case "m":
		return text(d, &l.Mode)
	case "s":
		return d.int64(&l.Base)
	case "t":
		return d.nums(&l.Tables)
	case "n":
		return d.nums(&l.Made)
	case "w":
		return d.Array(func(int) error { return d.was(l) })
	case "r":
		return d.int64(&l.Rows)
	case "d":
		return d.int64(&l.Deletes)
	}
	return unknown(key)
}

func (d *decoder) nums(nums *[]int) error {
	return d.Array(func(int) error {
		var n int
		err := d.num(&n)
		*nums = append(*nums, n)
		return err
	})
}

func (d *decoder) was(l *Bulk) error {
	raw, err := d.Raw()
	if err != nil {
		return err
	}
	t, err := schema.DecodeTable(raw)
	if err == nil {
		l.Was = append(l.Was, *t)
	}
	return err
}

func (d *decoder) definition(op *Op) error {
	raw, err := d.Raw()
	if err == nil {
		op.Def, err = schema.DecodeTable(raw)
	}
	return err
}

func (d *decoder) alteration(op *Op) error {
	raw, err := d.Raw()
	if err == nil {
		op.Alter, err = schema.DecodeAlteration(raw)
	}
	return err
}

// cells reads [number, value, …], in order of number.
func (d *decoder) cells(cells *[]Cell) error {
	list, last := []Cell{}, 0
	even := true
	err := d.Array(func(int) (err error) {
		if even = !even; even {
			list[len(list)-1].Value, err = schema.ScanStored(d.Scanner)
			return err
		}
		var c Cell
		if err = d.num(&c.Num); err == nil && c.Num <= last {
			err = fmt.Errorf("cell %d is out of order", c.Num)
		}
		last = c.Num
		list = append(list, c)
		return err
	})
	if err == nil && !even {
		err = errors.New("a cell has no value")
	}
	*cells = list
	return err
}
