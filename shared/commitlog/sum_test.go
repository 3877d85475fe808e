package commitlog

import (
	"math/big"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func number(b [32]byte) *big.Int {
	slices.Reverse(b[:])
	return new(big.Int).SetBytes(b[:])
}

func TestSumsAddModulo2To256(t *testing.T) {
	modulus := new(big.Int).Lsh(big.NewInt(1), 256)
	rapid.Check(t, func(t *rapid.T) {
		a, h := drawSum(t), drawSum(t)
		sum, difference := a, a
		sum.Add(h)
		difference.Sub(h)
		want := new(big.Int).Add(number(a), number(h))
		if number(sum).Cmp(want.Mod(want, modulus)) != 0 {
			t.Fatalf("%x + %x = %x", a, h, sum)
		}
		want = new(big.Int).Sub(number(a), number(h))
		if number(difference).Cmp(want.Mod(want, modulus)) != 0 {
			t.Fatalf("%x - %x = %x", a, h, difference)
		}
	})
}

func TestSumsDoNotDependOnOrder(t *testing.T) {
	var ones, s, r Sum
	for i := range ones {
		ones[i] = 0xff
	}
	one := [32]byte{1}
	s.Add(ones)
	s.Add(one)
	if s != (Sum{}) {
		t.Errorf("2^256-1 + 1 = %x", s)
	}
	r.Sub(one)
	if r != ones {
		t.Errorf("0 - 1 = %x", r)
	}
}
