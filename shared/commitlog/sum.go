package commitlog

import (
	"encoding/binary"
	"math/bits"
)

// Add adds a hash, modulo 2^256. Sums do not depend on the order of adding.
func (s *Sum) Add(h [32]byte) { s.combine(h, bits.Add64) }

// Sub takes a hash back that was added before.
func (s *Sum) Sub(h [32]byte) { s.combine(h, bits.Sub64) }

func (s *Sum) combine(h [32]byte, step func(x, y, carry uint64) (uint64, uint64)) {
	var word, carry uint64
	for i := 0; i < len(s); i += 8 {
		word, carry = step(binary.LittleEndian.Uint64(s[i:]), binary.LittleEndian.Uint64(h[i:]), carry)
		binary.LittleEndian.PutUint64(s[i:], word)
	}
}
