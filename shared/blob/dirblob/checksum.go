package dirblob

import (
	"encoding/binary"
	"fmt"
	"hash"
	"hash/crc32"
	"io"
	"os"

	"nanotypedb/shared/blob"
)

// A file ends with these eight bytes and the CRC-32C of what is before them.
const (
	footerMagic = "~blob/1\n"
	footerSize  = int64(len(footerMagic) + crc32.Size)
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func footer(sum uint32) []byte { return binary.BigEndian.AppendUint32([]byte(footerMagic), sum) }

// openContent reads a file's footer and gives a reader of what is before it.
func openContent(key string, f *os.File) (io.ReadCloser, blob.Info, error) {
	stat, err := f.Stat()
	if err != nil {
		return nil, blob.Info{}, err
	}
	info := infoOf(key, stat)
	var end [footerSize]byte
	if stat.Size() < footerSize {
		return nil, blob.Info{}, fmt.Errorf("%w: it is cut off", blob.ErrDamaged)
	}
	if _, err := f.ReadAt(end[:], info.Size); err != nil {
		return nil, blob.Info{}, err
	}
	if string(end[:len(footerMagic)]) != footerMagic {
		return nil, blob.Info{}, fmt.Errorf("%w: it does not end as it should", blob.ErrDamaged)
	}
	return &content{f: f, left: info.Size, sum: crc32.New(castagnoli), want: binary.BigEndian.Uint32(end[len(footerMagic):])}, info, nil
}

// content reads what is before a footer and compares the checksum at the end.
type content struct {
	f    *os.File
	left int64
	sum  hash.Hash32
	want uint32
}

// Read implements io.Reader.
func (c *content) Read(p []byte) (int, error) {
	if c.left == 0 {
		if c.sum.Sum32() != c.want {
			return 0, fmt.Errorf("%w: its checksum is another", blob.ErrDamaged)
		}
		return 0, io.EOF
	}
	n, err := c.f.Read(p[:min(int64(len(p)), c.left)])
	c.sum.Write(p[:n])
	c.left -= int64(n)
	if err == io.EOF && c.left > 0 {
		err = fmt.Errorf("%w: it is cut off", blob.ErrDamaged)
	}
	return n, err
}

// Close implements io.Closer.
func (c *content) Close() error { return c.f.Close() }
