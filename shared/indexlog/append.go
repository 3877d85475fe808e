package indexlog

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"nanotypedb/shared/fault"
	"nanotypedb/shared/store"
)

// maxSlots is how many slots one Append tries: more are taken meanwhile only
// when a great many write to the index of one room at once.
const maxSlots = 1000

// Append puts an entry into the first free slot from after+1 on, and returns
// its n. after is the n of an entry that was the newest a short while ago, or 0: old
// entries are deleted after a day, and a slot of theirs would look free. e.N
// is set. Errors: fault too_large; store.ErrUnknownOutcome when the entry may
// have been appended or not, after which appending it once more is harmless;
// the store's.
func Append(ctx context.Context, st store.Store, room string, e *Entry, after int64) (n int64, err error) {
	for slot := after + 1; slot <= after+maxSlots; slot++ {
		e.N = slot
		data := AppendEntry(nil, e)
		if len(data) > MaxEntryBytes {
			return 0, fault.New(fault.TooLarge, "an index entry of %d bytes; the limit is %d", len(data), MaxEntryBytes)
		}
		won, err := put(ctx, st, store.Item{Key: Key(room, slot), Data: data})
		if err != nil {
			return 0, fmt.Errorf("append to the index log of room %s: %w", room, err)
		}
		if won {
			return slot, nil
		}
	}
	return 0, fault.New(fault.Unavailable, "the index of this room is written too often at the moment; try again")
}

// put writes one slot. When the outcome is unknown it looks: an entry with
// the same bytes is this one, or says the same. A slot that is still empty may
// yet be filled by the first put, and then by no other bytes: so the same are
// put again.
func put(ctx context.Context, st store.Store, item store.Item) (won bool, err error) {
	const attempts = 3
	for range attempts {
		err = st.Write(ctx, store.Write{Action: store.Put, Item: item, If: store.Absent})
		var taken *store.ConditionError
		switch {
		case err == nil:
			return true, nil
		case !errors.As(err, &taken) && !errors.Is(err, store.ErrUnknownOutcome) && !errors.Is(err, store.ErrContended):
			return false, err
		}
		stored, readErr := st.Get(ctx, item.Key, true)
		switch {
		case readErr == nil:
			return bytes.Equal(stored.Data, item.Data), nil
		case !errors.Is(readErr, store.ErrNotFound):
			return false, errors.Join(err, readErr)
		}
	}
	return false, err
}

// AppendAt puts an entry into slot n, the one after what the caller has read,
// or nowhere: won is false when somebody else was faster, so that the entry
// may not fit any more. Errors as Append's.
func AppendAt(ctx context.Context, st store.Store, room string, e *Entry, n int64) (won bool, err error) {
	e.N = n
	won, err = put(ctx, st, store.Item{Key: Key(room, n), Data: AppendEntry(nil, e)})
	if err != nil {
		return false, fmt.Errorf("append to the index log of room %s: %w", room, err)
	}
	return won, nil
}
