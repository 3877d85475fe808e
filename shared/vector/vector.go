// Package vector holds unit vectors in int8, their encoding, and the search for
// the nearest of them by cosine.
package vector

import (
	"errors"
	"fmt"
	"math"
)

// MaxDim is the largest dimension of a vector.
const MaxDim = 8192

// Int8 is a vector whose components are Values times Scale. A unit vector of
// 512 dimensions is kept with an error of about 0.0003 a component.
type Int8 struct {
	Scale  float32
	Values []int8
}

// Errors of this package.
var (
	ErrNotUnit  = errors.New("vector: not a unit vector")
	ErrEncoding = errors.New("vector: malformed encoding")
)

// Unit returns v at length 1. ErrNotUnit when v has no direction: no
// component, all of them zero, or one that is not finite.
func Unit(v []float32) ([]float32, error) {
	var sum float64
	for _, x := range v {
		sum += float64(x) * float64(x)
	}
	if len(v) == 0 || sum == 0 || math.IsNaN(sum) || math.IsInf(sum, 0) {
		return nil, fmt.Errorf("%w: %d components of squared length %v", ErrNotUnit, len(v), sum)
	}
	unit := make([]float32, len(v))
	length := math.Sqrt(sum)
	for i, x := range v {
		unit[i] = float32(float64(x) / length)
	}
	return unit, nil
}

// IsUnit reports whether the length of v is 1, within the rounding of float32.
func IsUnit(v []float32) bool {
	var sum float64
	for _, x := range v {
		sum += float64(x) * float64(x)
	}
	return math.Abs(sum-1) < 1e-4
}

// Quantize rounds a unit vector to int8, its largest component to ±127.
// ErrNotUnit when its length is not 1 or it has more than MaxDim components.
func Quantize(unit []float32) (Int8, error) {
	if !IsUnit(unit) || len(unit) > MaxDim {
		return Int8{}, fmt.Errorf("%w: %d components", ErrNotUnit, len(unit))
	}
	var largest float32
	for _, x := range unit {
		largest = max(largest, x, -x)
	}
	v := Int8{Scale: largest / 127, Values: make([]int8, len(unit))}
	for i, x := range unit {
		v.Values[i] = int8(math.RoundToEven(float64(x / v.Scale)))
	}
	return v, nil
}

// Floats gives the components back.
func (v Int8) Floats() []float32 {
	floats := make([]float32, len(v.Values))
	for i, x := range v.Values {
		floats[i] = float32(x) * v.Scale
	}
	return floats
}

// Cosine is the cosine of the angle between two unit vectors of one dimension.
func Cosine(a, b Int8) float32 {
	return float32(Dot(a.Values, b.Values)) * a.Scale * b.Scale
}

// Dot is the dot product of two vectors of the same number of components, at
// most MaxDim: 2^13 · 2^14 is far from the end of int32.
func Dot(a, b []int8) int32 {
	b = b[:len(a)] // spares a check of bounds a component
	var s0, s1, s2, s3 int32
	for len(a) >= 8 {
		x, y := a[:8:8], b[:8:8]
		s0 += int32(x[0])*int32(y[0]) + int32(x[4])*int32(y[4])
		s1 += int32(x[1])*int32(y[1]) + int32(x[5])*int32(y[5])
		s2 += int32(x[2])*int32(y[2]) + int32(x[6])*int32(y[6])
		s3 += int32(x[3])*int32(y[3]) + int32(x[7])*int32(y[7])
		a, b = a[8:], b[8:]
	}
	for i, x := range a {
		s0 += int32(x) * int32(b[i])
	}
	return s0 + s1 + s2 + s3
}

// dotFloat is the dot product of an int8 row and a query of as many floats.
func dotFloat(a []int8, b []float32) float32 {
	b = b[:len(a)]
	var s0, s1, s2, s3 float32
	for len(a) >= 4 {
		x, y := a[:4:4], b[:4:4]
		s0 += float32(x[0]) * y[0]
		s1 += float32(x[1]) * y[1]
		s2 += float32(x[2]) * y[2]
		s3 += float32(x[3]) * y[3]
		a, b = a[4:], b[4:]
	}
	for i, x := range a {
		s0 += float32(x) * b[i]
	}
	return s0 + s1 + s2 + s3
}
