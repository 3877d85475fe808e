package store

import (
	"strings"
	"unicode/utf8"

	"nanotypedb/shared/fault"
)

// Limits of keys, from DynamoDB.
const (
	MaxPKBytes = 2048
	MaxSKBytes = 1024
)

// LogPrefix begins the sort key of every log entry; it is what Feed tells.
const LogPrefix = "LOG#"

// counterBytes is what a counter's value counts for: the largest number of
// DynamoDB's own encoding that an int64 needs.
const counterBytes = 12

// Size is what an item counts for against MaxItemBytes. The 9,600 bytes
// between that limit and DynamoDB's are left for attribute names.
func (i Item) Size() int {
	n := len(i.PK) + len(i.SK) + len(i.Data)
	for name := range i.Counters {
		n += len(name) + counterBytes
	}
	return n
}

// Validate refuses a key that an adapter cannot store: each part is 1 to
// MaxPKBytes or MaxSKBytes bytes of UTF-8.
func (k Key) Validate() error {
	if err := validatePart("pk", k.PK, MaxPKBytes); err != nil {
		return err
	}
	return validatePart("sk", k.SK, MaxSKBytes)
}

func validatePart(name, part string, limit int) error {
	switch {
	case part == "":
		return fault.At(fault.Invalid, name, "a key must not be empty")
	case len(part) > limit:
		return fault.At(fault.TooLarge, name, "a key of %d bytes is above the limit of %d", len(part), limit)
	case !utf8.ValidString(part):
		return fault.At(fault.Invalid, name, "a key must be UTF-8")
	}
	return nil
}

// ValidateWrites refuses what no adapter may apply: a bad key, a key twice, a
// Check without a condition, an item or a transaction above its limit. All
// adapters call it before anything else. maxAppend is the adapter's own
// Appender limit, or 1. When it is more, so many puts if Absent of LOG# items of
// one partition do not count against MaxWrites and MaxTransactSize; what else
// is in the same transaction does.
func ValidateWrites(writes []Write, maxAppend int) error {
	appended, counted, total := 0, 0, 0
	log := -1 // the first of what is appended
	for i := range writes {
		w := &writes[i]
		size, err := w.validate()
		if err != nil {
			return err
		}
		if maxAppend > 1 && w.appends() && (log < 0 || w.Item.PK == writes[log].Item.PK) {
			log = i
			appended++
			continue
		}
		counted++
		total += size
	}
	switch {
	case appended > max(maxAppend, MaxWrites):
		return fault.New(fault.TooLarge, "an append of %d entries is above the limit of %d", appended, maxAppend)
	case counted > MaxWrites:
		return fault.New(fault.TooLarge, "a transaction of %d writes is above the limit of %d", counted, MaxWrites)
	case total > MaxTransactSize:
		return fault.New(fault.TooLarge, "a transaction of %d bytes is above the limit of %d", total, MaxTransactSize)
	}
	return validateDistinct(writes)
}

// appends tells a new log entry.
func (w *Write) appends() bool {
	return w.Action == Put && w.If == Absent && strings.HasPrefix(w.Item.SK, LogPrefix)
}

func (w *Write) validate() (size int, err error) {
	if err := w.Item.Validate(); err != nil {
		return 0, err
	}
	switch {
	case w.Action < Put || w.Action > Check:
		return 0, fault.New(fault.Invalid, "action %d is unknown", w.Action)
	case w.If < Always || w.If > Unchanged:
		return 0, fault.New(fault.Invalid, "condition %d is unknown", w.If)
	case w.Action == Check && w.If == Always:
		return 0, fault.New(fault.Invalid, "a check needs a condition")
	case w.Action != Put:
		return len(w.Item.PK) + len(w.Item.SK), nil
	}
	size = w.Item.Size()
	if size > MaxItemBytes {
		return 0, fault.New(fault.TooLarge, "an item of %d bytes is above the limit of %d", size, MaxItemBytes)
	}
	return size, nil
}

func validateDistinct(writes []Write) error {
	if len(writes) < 2 {
		return nil
	}
	seen := make(map[Key]struct{}, len(writes))
	for i := range writes {
		if _, twice := seen[writes[i].Item.Key]; twice {
			return fault.New(fault.Invalid, "a transaction must not write the key %q twice", writes[i].Item.SK)
		}
		seen[writes[i].Item.Key] = struct{}{}
	}
	return nil
}
