package indexlog

import (
	"context"
	"fmt"

	"nanotypedb/shared/store"
)

// GapError says that the index log does not go on where it should: an entry
// is missing, or comes twice. The reader loads a checkpoint instead.
type GapError struct {
	Room      string
	Want, Got int64 // the n that should have come, and the one that did
}

// Error names the room and both numbers.
func (e *GapError) Error() string {
	return fmt.Sprintf("index log of room %s: entry %d expected, found %d", e.Room, e.Want, e.Got)
}

// Read returns entries of a room's index log from after+1 on by one query,
// strongly consistent or not: at most limit (0: as many as a page of the store
// holds), perhaps fewer. more tells whether to call again with the last n;
// without it the end is reached. Each entry is checked to be the one before
// + 1; where it is not, nothing is returned but a *GapError. Other errors:
// fault unavailable for a newer format, the store's.
func Read(ctx context.Context, st store.Store, room string, after int64, limit int, strong bool) (entries []*Entry, more bool, err error) {
	page, err := queryPage(ctx, st, store.Query{
		PK: Partition(room), From: sortKey(after + 1), To: sortKey(maxN), Limit: limit, Strong: strong,
	})
	if err != nil {
		return nil, false, fmt.Errorf("read index log of room %s after %d: %w", room, after, err)
	}
	entries = make([]*Entry, len(page.Items))
	for i := range page.Items {
		if entries[i], err = decodeItem(room, after+1+int64(i), &page.Items[i]); err != nil {
			return nil, false, err
		}
	}
	return entries, page.Next != "", nil
}

// queryPage goes on over empty pages, which a store may return before the end.
func queryPage(ctx context.Context, st store.Store, q store.Query) (store.Page, error) {
	for {
		page, err := st.Query(ctx, q)
		if err != nil || len(page.Items) > 0 || page.Next == "" {
			return page, err
		}
		q.After = page.Next
	}
}

func decodeItem(room string, want int64, item *store.Item) (*Entry, error) {
	got, ok := NOf(item.SK)
	if !ok {
		return nil, fmt.Errorf("index log of room %s: %.60q is no key of an entry", room, item.SK)
	}
	if got != want {
		return nil, &GapError{Room: room, Want: want, Got: got}
	}
	e, err := DecodeEntry(item.Data)
	if err != nil {
		return nil, fmt.Errorf("index log of room %s: entry %d: %w", room, want, err)
	}
	if e.N != want {
		return nil, fmt.Errorf("index log of room %s: entry %d says it is %d", room, want, e.N)
	}
	return e, nil
}

// Head is the n of the newest entry by a strongly consistent read, 0 when
// there is none.
func Head(ctx context.Context, st store.Store, room string) (int64, error) {
	page, err := queryPage(ctx, st, store.Query{
		PK: Partition(room), From: sortKey(1), To: sortKey(maxN), Limit: 1, Reverse: true, Strong: true,
	})
	if err != nil {
		return 0, fmt.Errorf("read head of the index log of room %s: %w", room, err)
	}
	if len(page.Items) == 0 {
		return 0, nil
	}
	n, ok := NOf(page.Items[0].SK)
	if !ok {
		return 0, fmt.Errorf("index log of room %s: %.60q is no key of an entry", room, page.Items[0].SK)
	}
	return n, nil
}
