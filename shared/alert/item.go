package alert

import (
	"context"
	"crypto/sha256"
	"encoding/base32"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"nanotypedb/shared/fault"
	"nanotypedb/shared/schema"
	"nanotypedb/shared/store"
	"nanotypedb/shared/vector"
)

// Everything is in the room's partition META#<ulid>. A user id has no #.
//
//	ALERT#<user>#<topic>        an alert
//	ALERTS#<user>               the topics of a user, which bounds their number
//	MATCH#<user>#<ms>#<match>   an entry of the inbox, by the time it came
//	MATCHED#<user>#<match>      says that a match was kept
//
// <match> is a hash of topic, table, row and version.

func partition(ulid string) string { return "META#" + ulid }

func alertKey(ulid, user, topic string) store.Key {
	return store.Key{PK: partition(ulid), SK: "ALERT#" + user + "#" + topic}
}

func topicsKey(ulid, user string) store.Key {
	return store.Key{PK: partition(ulid), SK: "ALERTS#" + user}
}

func inboxPrefix(user string) string { return "MATCH#" + user + "#" }

func matchKey(ulid, user, id string) store.Key {
	return store.Key{PK: partition(ulid), SK: inboxPrefix(user) + id}
}

func matchedKey(ulid, user, match string) store.Key {
	return store.Key{PK: partition(ulid), SK: "MATCHED#" + user + "#" + match}
}

// matchLength is how much of the hash names a match: 130 bits.
const matchLength = 26

func matchName(topic string, table int, row string, version int64) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s#%d#%s#%d", topic, table, row, version))
	return strings.ToLower(base32.StdEncoding.EncodeToString(sum[:]))[:matchLength]
}

// itemID is the id of an entry of the inbox: ids rise with time.
func itemID(at schema.Millis, match string) string { return fmt.Sprintf("%013d", at) + "-" + match }

// validID tells what itemID may have given.
func validID(id string) bool {
	at, match, ok := strings.Cut(id, "-")
	if _, err := strconv.ParseUint(at, 10, 64); err != nil || !ok || len(at) != 13 || len(match) != matchLength {
		return false
	}
	return !strings.ContainsFunc(match, func(c rune) bool { return (c < 'a' || c > 'z') && (c < '2' || c > '7') })
}

// stored is an alert as it is kept. Since is the seq after which rows are
// compared with it.
type stored struct {
	Topic       string        `json:"topic"`
	Description string        `json:"description"`
	Threshold   float64       `json:"threshold"`
	Table       int           `json:"table,omitempty"`
	Name        string        `json:"name,omitempty"` // of the table, when the alert was set
	CreatedAt   schema.Millis `json:"createdAt"`
	Since       int64         `json:"since"`
	Model       string        `json:"model"`
	Vector      []byte        `json:"vector"` // of vector.Int8.Encode
}

// kept is a stored alert with its place and decoded vector.
type kept struct {
	stored
	user   string
	item   store.Item
	vector vector.Int8
}

func (s *stored) encode() ([]byte, error) {
	data, err := json.Marshal(s)
	if err != nil {
		return nil, fmt.Errorf("encode alert: %w", err)
	}
	return data, nil
}

// decodeAlert reads an item under ALERT#.
func decodeAlert(item store.Item) (*kept, error) {
	k := &kept{item: item}
	rest := strings.TrimPrefix(item.SK, "ALERT#")
	user, topic, ok := strings.Cut(rest, "#")
	if !ok {
		return nil, fmt.Errorf("alert: the key %q names no user and topic", item.SK)
	}
	if err := json.Unmarshal(item.Data, &k.stored); err != nil {
		return nil, fmt.Errorf("decode alert %s: %w", topic, err)
	}
	k.user = user
	var err error
	if k.vector, err = vector.Decode(k.Vector); err != nil {
		return nil, fmt.Errorf("decode alert %s: %w", topic, err)
	}
	return k, nil
}

// match is an entry of the inbox as it is kept. Own and Creator are those of
// the row when it matched.
type match struct {
	Topic      string        `json:"topic"`
	Similarity float64       `json:"similarity"`
	Table      int           `json:"table"`
	Name       string        `json:"name"` // of the table, when the row matched
	Row        string        `json:"row"`
	Version    int64         `json:"version"`
	Own        bool          `json:"own,omitempty"`
	Creator    string        `json:"creator"`
	At         schema.Millis `json:"at"`
	Read       bool          `json:"read,omitempty"`
}

func decodeMatch(data []byte) (*match, error) {
	var m match
	if err := json.Unmarshal(data, &m); err != nil {
		return nil, fmt.Errorf("decode match: %w", err)
	}
	return &m, nil
}

// all reads every item from a sort key to another, strongly.
func all(ctx context.Context, st store.Store, pk, from, to string, fn func(store.Item) error) error {
	q := store.Query{PK: pk, From: from, To: to, Strong: true}
	for {
		page, err := st.Query(ctx, q)
		if err != nil {
			return unavailable("query "+from, err)
		}
		for _, item := range page.Items {
			if err := fn(item); err != nil {
				return err
			}
		}
		if q.After = page.Next; q.After == "" {
			return nil
		}
	}
}

// conditional reports whether err is that a condition was not met, or that
// another write was in flight: read again and decide anew.
func conditional(err error) bool {
	var condition *store.ConditionError
	return errors.As(err, &condition) || errors.Is(err, store.ErrContended)
}

// unavailable translates a failure of the store, which trying again may cure.
func unavailable(doing string, err error) error {
	return fault.New(fault.Unavailable, "The service is busy; try again.").Because(fmt.Errorf("%s: %w", doing, err))
}
