package blob

import (
	"context"
	"strings"
	"time"
	"unicode"

	"nanotypedb/shared/fault"
)

// MaxAddressLife is how long an address works at most. On AWS it ends earlier
// when the credentials that signed it do.
const MaxAddressLife = time.Hour

// Address lets whoever has it move one blob without credentials of ours, by
// one HTTP request and until it expires.
type Address struct {
	Method  string
	URL     string            // absolute, or a path on the host of the API
	Headers map[string]string // to be sent along, exactly
	Expires time.Time
}

// Download is how a browser keeps what it loads: a file name of printable ASCII
// and a media type; both may be empty.
type Download struct{ Name, Type string }

// Presigner is an optional ability of a blob store: addresses for what is too
// large to pass through a function. Arguments are checked by ValidateAddress.
type Presigner interface {
	// PresignGet gives an address to download a blob from. Whether there is
	// one is not checked.
	PresignGet(ctx context.Context, key string, as Download, life time.Duration) (Address, error)

	// PresignPut gives an address to upload exactly size bytes to, once: when
	// the key is taken by then, the upload is refused (412).
	PresignPut(ctx context.Context, key string, size int64, life time.Duration) (Address, error)
}

// ValidateAddress refuses what no Presigner may sign.
func ValidateAddress(key string, as Download, size int64, life time.Duration) error {
	if err := ValidateKey(key); err != nil {
		return err
	}
	unsafe := func(r rune) bool { return r > '~' || unicode.IsControl(r) || strings.ContainsRune(`"\`, r) }
	switch {
	case life < time.Second || life > MaxAddressLife:
		return fault.At(fault.Invalid, "life", "an address works for 1 s to %v, not %v", MaxAddressLife, life)
	case size < 0:
		return fault.At(fault.Invalid, "size", "an upload has 0 bytes or more")
	case strings.ContainsFunc(as.Name+as.Type, unsafe):
		return fault.At(fault.Invalid, "name", "a file name and a media type are printable ASCII without quotes and backslashes")
	}
	return nil
}

// Disposition is the header Content-Disposition of a download.
func (d Download) Disposition() string {
	if d.Name == "" {
		return "attachment"
	}
	return `attachment; filename="` + d.Name + `"`
}
