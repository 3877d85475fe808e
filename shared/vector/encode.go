package vector

import (
	"encoding/binary"
	"fmt"
	"math"
)

// The encoding is one byte of format, the dimension in two bytes and the scale
// as a float32 in four, all little endian, then a byte a component.
const (
	format     = 1
	headerSize = 1 + 2 + 4
)

// Encode gives the bytes to store: 7 and one a component.
func (v Int8) Encode() []byte {
	encoded := make([]byte, headerSize, headerSize+len(v.Values))
	encoded[0] = format
	binary.LittleEndian.PutUint16(encoded[1:], uint16(len(v.Values)))
	binary.LittleEndian.PutUint32(encoded[3:], math.Float32bits(v.Scale))
	for _, x := range v.Values {
		encoded = append(encoded, byte(x))
	}
	return encoded
}

// Decode reads what Encode wrote. ErrEncoding for another format, a wrong
// number of bytes, or a vector whose length is not 1.
func Decode(encoded []byte) (Int8, error) {
	if len(encoded) < headerSize || encoded[0] != format {
		return Int8{}, fmt.Errorf("%w: %d bytes that do not begin with format %d", ErrEncoding, len(encoded), format)
	}
	dim := int(binary.LittleEndian.Uint16(encoded[1:]))
	if dim > MaxDim || len(encoded) != headerSize+dim {
		return Int8{}, fmt.Errorf("%w: %d bytes for %d components", ErrEncoding, len(encoded), dim)
	}
	v := Int8{Scale: math.Float32frombits(binary.LittleEndian.Uint32(encoded[3:])), Values: make([]int8, dim)}
	for i, x := range encoded[headerSize:] {
		v.Values[i] = int8(x)
	}
	if length := v.length(); !(v.Scale > 0) || !(math.Abs(length-1) <= rounding(dim)) {
		return Int8{}, fmt.Errorf("%w: a vector of length %v", ErrEncoding, length)
	}
	return v, nil
}

func (v Int8) length() float64 {
	var sum float64
	for _, x := range v.Values {
		sum += float64(x) * float64(x)
	}
	return math.Sqrt(sum) * float64(v.Scale)
}

// rounding bounds how far Quantize moves the length of a unit vector: each
// component by at most half a step, and a step is at most 1/127.
func rounding(dim int) float64 { return 1e-4 + math.Sqrt(float64(dim))/254 }
