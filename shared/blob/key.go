package blob

import (
	"strings"

	"nanotypedb/shared/fault"
)

// Limits of keys. A segment becomes a file name in dirblob.
const (
	MaxKeyBytes     = 512
	MaxSegmentBytes = 200
)

// ValidateKey refuses a key that breaks the rules of Store with fault.Invalid.
// All adapters call it before anything else.
func ValidateKey(key string) error {
	if key == "" || len(key) > MaxKeyBytes {
		return fault.At(fault.Invalid, "key", "a blob key must be 1 to %d bytes long", MaxKeyBytes)
	}
	for segment := range strings.SplitSeq(key, "/") {
		if segment == "" || len(segment) > MaxSegmentBytes || segment == "." || segment == ".." || strings.ContainsFunc(segment, isForbidden) {
			return fault.At(fault.Invalid, "key", "the blob key %q breaks the rules of a key", key)
		}
	}
	return nil
}

func isForbidden(r rune) bool {
	switch {
	case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9':
		return false
	default:
		return !strings.ContainsRune("._=-", r)
	}
}
