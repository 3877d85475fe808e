package dynamostore

import (
	"unicode/utf8"

	"nanotypedb/shared/fault"
	"nanotypedb/shared/store"
)

// checkAdd refuses a bad key and counters that no item could hold.
func checkAdd(item store.Item) error {
	if err := item.Validate(); err != nil {
		return err
	}
	if n := item.Size(); n > store.MaxItemBytes {
		return fault.New(fault.TooLarge, "an item of %d bytes is above the limit of %d", n, store.MaxItemBytes)
	}
	return nil
}

// checkQuery refuses an empty partition and invalid UTF-8, which the SDK would
// silently replace.
func checkQuery(q store.Query) error {
	if q.PK == "" {
		return fault.At(fault.Invalid, "pk", "a key must not be empty")
	}
	for _, s := range []string{q.PK, q.From, q.To, q.After} {
		if !utf8.ValidString(s) {
			return fault.New(fault.Invalid, "a query's key must be UTF-8")
		}
	}
	return nil
}
