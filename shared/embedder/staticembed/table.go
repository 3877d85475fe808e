package staticembed

import (
	_ "embed" // of the table
	"encoding/binary"
	"errors"
	"fmt"
	"math"
)

// file is the model as infra/distill writes it, all little endian:
//
//	8 bytes  NANOEMB1
//	4, 4     number of tokens n, dimension d
//	n        length of each token in bytes
//	…        the tokens, UTF-8, one after the other
//	4 n      scale of each row, float32
//	d n      the rows, int8
//
//go:embed model.bin
var file string

const magic = "NANOEMB1"

// table finds the rows of tokens. Tokens and rows stay in the file, which the
// operating system reads where it is touched; only the index is memory of its
// own, about 1.5 MB.
type table struct {
	dim     int
	longest int // bytes of the longest token
	index   map[string]uint16
	scales  string
	rows    string
}

var errTable = errors.New("staticembed: malformed model")

// load reads the head of a model.
func load(file string) (*table, error) {
	const head = len(magic) + 8
	if len(file) < head || file[:len(magic)] != magic {
		return nil, fmt.Errorf("%w: it does not begin with %s", errTable, magic)
	}
	n, dim := int(number(file[len(magic):])), int(number(file[len(magic)+4:]))
	if n < 1 || n > math.MaxUint16 || dim < 1 || dim > 4096 || len(file) < head+n {
		return nil, fmt.Errorf("%w: %d tokens of %d dimensions", errTable, n, dim)
	}
	t := &table{dim: dim, longest: 2, index: make(map[string]uint16, n)}
	lengths, rest := file[head:head+n], file[head+n:]
	for i := range n {
		size := int(lengths[i])
		if size > len(rest) {
			return nil, fmt.Errorf("%w: token %d is cut", errTable, i)
		}
		t.index[rest[:size]] = uint16(i)
		t.longest = max(t.longest, size)
		rest = rest[size:]
	}
	if len(rest) != n*(4+dim) || len(t.index) != n {
		return nil, fmt.Errorf("%w: %d bytes for %d rows, %d different tokens", errTable, len(rest), n, len(t.index))
	}
	t.scales, t.rows = rest[:4*n], rest[4*n:]
	return t, nil
}

func number(s string) uint32 { return binary.LittleEndian.Uint32([]byte(s[:4])) }

// addTo adds the row of a token to sum.
func (t *table) addTo(sum []float32, token int) {
	scale := math.Float32frombits(number(t.scales[4*token:]))
	row := t.rows[token*t.dim : (token+1)*t.dim]
	sum = sum[:len(row)]
	for i := range len(row) {
		sum[i] += scale * float32(int8(row[i]))
	}
}
