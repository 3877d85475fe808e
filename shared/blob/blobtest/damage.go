package blobtest

import (
	"io"
	"strings"
)

var damageCases = []testCase{
	{"damage/a changed byte is noticed", func(s *subject) { testDamage(s, false) }},
	{"damage/a missing end is noticed", func(s *subject) { testDamage(s, true) }},
}

func testDamage(s *subject, cut bool) {
	if s.harness.Damage == nil {
		s.Skip("the adapter's own storage checks what it reads")
	}
	for name, content := range map[string]string{"one": "x", "small": "some content", "large": strings.Repeat("0123456789abcdef", 40_000)} {
		s.put(name, content)
		s.harness.Damage(s.T, s.prefix+name, cut)
		r, _, err := s.Get(s.ctx(), s.prefix+name)
		if err != nil {
			continue // noticed at once
		}
		if _, err := io.ReadAll(r); err == nil {
			s.Errorf("%s was read to its end although it was damaged", name)
		}
		if err := r.Close(); err != nil {
			s.Errorf("close: %v", err)
		}
		s.put(name, content)
		s.has(name, content)
	}
}
