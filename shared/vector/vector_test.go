package vector

import (
	"bytes"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// units draws a unit vector with directions of all kinds, single axes and large ratios included.
func units(dim int) *rapid.Generator[[]float32] {
	return rapid.Custom(func(t *rapid.T) []float32 {
		v := rapid.SliceOfN(rapid.Float32Range(-1, 1), dim, dim).Draw(t, "components")
		unit, err := Unit(v)
		if err != nil {
			unit = make([]float32, dim)
			unit[rapid.IntRange(0, dim-1).Draw(t, "axis")] = -1
		}
		return unit
	})
}

func TestUnit(t *testing.T) {
	nan, inf := float32(math.NaN()), float32(math.Inf(-1))
	for _, bad := range [][]float32{nil, {}, {0, 0}, {1, nan}, {inf}} {
		if v, err := Unit(bad); !errors.Is(err, ErrNotUnit) {
			t.Errorf("%v became %v, %v", bad, v, err)
		}
	}
	for _, good := range [][]float32{{1}, {-3, 4}, {math.MaxFloat32, math.MaxFloat32}, {1e-30, 0}, {math.SmallestNonzeroFloat32}} {
		if v, err := Unit(good); err != nil || !IsUnit(v) {
			t.Errorf("%v became %v, %v", good, v, err)
		}
	}
}

// Rounding moves no component by more than half a step, and cosines by as much
// as that allows.
func TestQuantize(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		dim := rapid.IntRange(1, 80).Draw(t, "dim")
		a, b := units(dim).Draw(t, "a"), units(dim).Draw(t, "b")
		qa, err := Quantize(a)
		qb, err2 := Quantize(b)
		if err != nil || err2 != nil {
			t.Fatal(err, err2)
		}
		for i, x := range qa.Floats() {
			if math.Abs(float64(x-a[i])) > float64(qa.Scale)*0.501 {
				t.Fatalf("component %d is %v, was %v; the scale is %v", i, x, a[i], qa.Scale)
			}
		}
		var exact float64
		for i := range a {
			exact += float64(a[i]) * float64(b[i])
		}
		bound := math.Sqrt(float64(dim)) * float64(qa.Scale+qb.Scale) * 0.51
		if got := float64(Cosine(qa, qb)); math.Abs(got-exact) > bound+1e-5 {
			t.Fatalf("cosine %v, exactly %v", got, exact)
		}
	})
	for _, bad := range [][]float32{nil, {0.5}, {2, 0}, {float32(math.NaN())}, make([]float32, 3)} {
		if v, err := Quantize(bad); !errors.Is(err, ErrNotUnit) {
			t.Errorf("%v became %v, %v", bad, v, err)
		}
	}
}

func TestDot(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(0, 70).Draw(t, "n")
		a, b := rapid.SliceOfN(rapid.Int8(), n, n).Draw(t, "a"), rapid.SliceOfN(rapid.Int8(), n, n).Draw(t, "b")
		var want int32
		var floats []float32
		for i := range a {
			want += int32(a[i]) * int32(b[i])
			floats = append(floats, float32(b[i]))
		}
		if got := Dot(a, b); got != want {
			t.Fatalf("got %d, want %d", got, want)
		}
		if got := dotFloat(a, floats); math.Abs(float64(got)-float64(want)) > 1 {
			t.Fatalf("got %v, want %d", got, want)
		}
	})
	extreme := slices.Repeat([]int8{-128}, MaxDim)
	if got := Dot(extreme, extreme); got != MaxDim*128*128 {
		t.Errorf("the largest product is %d", got)
	}
}

func TestEncode(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v, err := Quantize(units(rapid.IntRange(1, 80).Draw(t, "dim")).Draw(t, "v"))
		if err != nil {
			t.Fatal(err)
		}
		encoded := v.Encode()
		back, err := Decode(encoded)
		if err != nil || back.Scale != v.Scale || !slices.Equal(back.Values, v.Values) {
			t.Fatalf("%v came back as %v, %v", v, back, err)
		}
		for size := range encoded {
			if _, err := Decode(encoded[:size]); !errors.Is(err, ErrEncoding) {
				t.Fatalf("the first %d bytes: %v", size, err)
			}
		}
	})
}

func FuzzDecode(f *testing.F) {
	v, _ := Quantize([]float32{0.6, -0.8})
	good := v.Encode()
	f.Add(good)
	f.Add(append(bytes.Clone(good), 0))
	f.Add([]byte{format, 1, 0, 0, 0, 0xc0, 0x7f, 127}) // a scale that is not a number
	f.Add([]byte{format, 1, 0, 0, 0, 0, 0, 0})
	f.Add([]byte{2, 0, 0, 0, 0, 0, 0})
	f.Fuzz(func(t *testing.T, encoded []byte) {
		v, err := Decode(encoded)
		if err != nil {
			if !errors.Is(err, ErrEncoding) {
				t.Fatal(err)
			}
			return
		}
		if again := v.Encode(); !bytes.Equal(again, encoded) {
			t.Fatalf("%x became %x", encoded, again)
		}
		if c := Cosine(v, v); c < 0.2 || c > 4 || c != c {
			t.Fatalf("a cosine of %v with itself", c)
		}
	})
}

// Below the number where approximation begins, Search is a sort of all.
func TestSearchIsExactWhenSmall(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const dim = 12
		x := NewIndex(dim)
		n := rapid.IntRange(0, 40).Draw(t, "n")
		vectors := make([]Int8, n)
		for i := range n {
			vectors[i], _ = Quantize(units(dim).Draw(t, "v"))
			if err := x.Put(i, vectors[i]); err != nil {
				t.Fatal(err)
			}
		}
		for range rapid.IntRange(0, 10).Draw(t, "changes") {
			if n == 0 {
				break
			}
			i := rapid.IntRange(0, n-1).Draw(t, "slot")
			vectors[i], _ = Quantize(units(dim).Draw(t, "v"))
			if err := x.Put(i, vectors[i]); err != nil {
				t.Fatal(err)
			}
		}
		query, k := units(dim).Draw(t, "query"), rapid.IntRange(1, 50).Draw(t, "k")
		odd := func(slot int) bool { return slot%2 == 1 }
		checkExact(t, x.Search(query, k, nil), vectors, query, k, func(int) bool { return true })
		checkExact(t, x.Search(query, k, odd), vectors, query, k, odd)
	})
}

func checkExact(t *rapid.T, got []Hit, vectors []Int8, query []float32, k int, keep func(int) bool) {
	var want []Hit
	for slot, v := range vectors {
		if keep(slot) {
			want = append(want, Hit{slot, dotFloat(v.Values, query) * v.Scale})
		}
	}
	slices.SortFunc(want, func(a, b Hit) int {
		if worse(b, a) {
			return -1
		}
		return 1
	})
	if want = want[:min(k, len(want))]; !slices.Equal(got, want) {
		t.Fatalf("got %v, want %v", got, want)
	}
}

func TestSearchRefuses(t *testing.T) {
	x := NewIndex(2)
	v, _ := Quantize([]float32{0.6, 0.8})
	if err := x.Put(0, v); err != nil {
		t.Fatal(err)
	}
	for name, hits := range map[string][]Hit{
		"another dimension": x.Search([]float32{1}, 1, nil), "no unit": x.Search([]float32{3, 4}, 1, nil),
		"no hit wanted": x.Search([]float32{1, 0}, 0, nil), "nothing kept": x.Search([]float32{1, 0}, 1, func(int) bool { return false }),
	} {
		if len(hits) != 0 {
			t.Errorf("%s: %v", name, hits)
		}
	}
	longer, _ := Quantize([]float32{0, 0, 1})
	if x.Put(1, longer) == nil || x.Put(2, v) == nil || x.Put(-1, v) == nil || x.Len() != 1 {
		t.Error("a wrong vector or slot was taken")
	}
}

// Where Search approximates it must find what an exact ranking by float32
// finds, of all vectors and of a filtered tenth.
func TestRecall(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 1))
	all := sets[0].make(r, 10_030, 256)
	all, queries := all[:10_000], all[10_000:]
	x := filled(t, all)
	if got := recall(x, all, queries, 10); got < 0.975 {
		t.Errorf("recall@10 is %.3f", got)
	}
	for _, query := range queries {
		hits := x.Search(query, 10, func(slot int) bool { return slot%10 == 3 })
		if len(hits) != 10 || slices.ContainsFunc(hits, func(h Hit) bool { return h.Slot%10 != 3 }) {
			t.Fatalf("filtered: %v", hits)
		}
	}
}

// A vector finds itself first, also one put when others had long been there,
// and one that changed.
func TestChangesAreFound(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 1))
	all := sets[0].make(r, 5_000, 64)
	x := filled(t, all[:4_500])
	for i, v := range all[4_500:] {
		q, _ := Quantize(v)
		if err := x.Put(i*7, q); err != nil {
			t.Fatal(err)
		}
		if hits := x.Search(v, 1, nil); len(hits) != 1 || hits[0].Slot != i*7 {
			t.Fatalf("slot %d is not found: %v", i*7, hits)
		}
	}
}
