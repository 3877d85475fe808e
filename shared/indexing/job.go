package indexing

import (
	"crypto/sha256"
	"encoding/base32"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"

	"nanotypedb/shared/id"
	"nanotypedb/shared/indexlog"
	"nanotypedb/shared/schema"
	"nanotypedb/shared/schema/strictjson"
)

// jobFormat is the number of the format of messages.
const jobFormat = 1

// maxJobBytes bounds a message. It holds no text, so it is small.
const maxJobBytes = 2048

// Job asks to embed the text of a row, as long as the row has that text; or,
// without a row, to sweep a room from a cursor.
type Job struct {
	Room  string // ULID
	Table int
	Row   string
	Hash  indexlog.Hash
	Seq   int64 // the row had the text at this seq
	Again bool  // sent again by a person, so that earlier failures may be known
	Sweep *Sweep
}

// ID is the same for the same text of the same row.
func (j Job) ID() string {
	h := sha256.New()
	for _, part := range []string{j.Room, strconv.Itoa(j.Table), j.Row} {
		h.Write([]byte(part))
		h.Write([]byte{0})
	}
	h.Write(j.Hash[:])
	return base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(h.Sum(nil))[:26]
}

// Encode gives the body of a message.
func (j Job) Encode() string {
	dst := append(strconv.AppendInt([]byte(`{"v":`), jobFormat, 10), `,"room":`...)
	dst = strictjson.AppendString(dst, j.Room)
	if j.Sweep != nil {
		return string(append(j.Sweep.append(append(dst, `,"sweep":`...)), '}'))
	}
	dst = strictjson.AppendString(append(dst, `,"id":`...), j.ID())
	dst = strconv.AppendInt(append(dst, `,"table":`...), int64(j.Table), 10)
	dst = strictjson.AppendString(append(dst, `,"row":`...), j.Row)
	dst = base64.RawURLEncoding.AppendEncode(append(dst, `,"hash":"`...), j.Hash[:])
	dst = strconv.AppendInt(append(dst, `","seq":`...), j.Seq, 10)
	if j.Again {
		dst = append(dst, `,"again":true`...)
	}
	return string(append(dst, '}'))
}

// DecodeJob reads the body of a message. The error says in words why it is no
// job: it is for the log and for whoever looks at dead letters.
func DecodeJob(body string) (Job, error) {
	if len(body) > maxJobBytes {
		return Job{}, fmt.Errorf("a job has at most %d bytes, not %d", maxJobBytes, len(body))
	}
	d := jobDecoder{Scanner: strictjson.New([]byte(body))}
	err := d.Object(d.member)
	if err == nil {
		err = d.End()
	}
	if err == nil {
		err = d.check()
	}
	if err != nil {
		return Job{}, fmt.Errorf("not a job: %v", err) // %v: a fault in it is nobody's request
	}
	return d.job, nil
}

type jobDecoder struct {
	*strictjson.Scanner
	job     Job
	version int64
	id      string
}

func (d *jobDecoder) member(key []byte) (err error) {
	switch string(key) {
	case "v":
		d.version, err = schema.ScanInt(d.Scanner)
	case "id":
		d.id, err = d.String()
	case "room":
		d.job.Room, err = d.String()
	case "table":
		var n int64
		n, err = schema.ScanInt(d.Scanner)
		d.job.Table = int(n)
	case "row":
		d.job.Row, err = d.String()
	case "hash":
		err = d.hash()
	case "seq":
		d.job.Seq, err = schema.ScanInt(d.Scanner)
	case "again":
		d.job.Again, err = d.Bool()
	case "sweep":
		d.job.Sweep = &Sweep{}
		err = d.Object(func(key []byte) error { return d.job.Sweep.member(d.Scanner, key) })
	default:
		err = fmt.Errorf("there is an unknown member %.40q", key)
	}
	return err
}

func (d *jobDecoder) hash() error {
	text, err := d.Bytes()
	if err != nil {
		return err
	}
	decoded, err := base64.RawURLEncoding.Strict().DecodeString(string(text))
	if err != nil || len(decoded) != len(d.job.Hash) {
		return errors.New("the hash is none")
	}
	copy(d.job.Hash[:], decoded)
	return nil
}

// check finds messages that were not made here, or not by this version.
func (d *jobDecoder) check() error {
	if d.version != jobFormat {
		return fmt.Errorf("its format is %d, not %d", d.version, jobFormat)
	}
	if _, ok := id.Time(d.job.Room); !ok {
		return fmt.Errorf("%.40q is no room", d.job.Room)
	}
	if d.job.Sweep != nil {
		return d.job.Sweep.check()
	}
	if d.job.Table < 1 || d.job.Row == "" || len(d.job.Row) > 64 || d.job.Seq < 1 {
		return errors.New("it names no row at a seq")
	}
	if d.id != d.job.ID() {
		return errors.New("its id is not that of its row and text")
	}
	return nil
}
