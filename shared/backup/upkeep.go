package backup

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"nanotypedb/shared/id"
	"nanotypedb/shared/room"
	"nanotypedb/shared/store"
)

// How often the schedule looks after a room: one that changed each time, the
// others once a day, when also unnamed blobs are swept.
const (
	upkeepEvery = 23 * time.Hour
	hourlyEvery = 50 * time.Minute // between two snapshots that nobody asked for
)

// Message is what the queue "jobs" carries for a room that is to be looked
// after.
type Message struct {
	Version int    `json:"v"`
	Upkeep  string `json:"upkeep"` // ULID of the room
}

const messageVersion = 1

// Encode gives the body of the message.
func (m Message) Encode() (string, error) {
	m.Version = messageVersion
	data, err := json.Marshal(m)
	return string(data), err
}

// DecodeMessage reads a message; ok is false when it is one of a job.
func DecodeMessage(body string) (m Message, ok bool) {
	err := json.Unmarshal([]byte(body), &m)
	return m, err == nil && m.Version == messageVersion && m.Upkeep != ""
}

// Due calls fn for each room that the schedule has to look after, until it
// returns an error.
func (k *Keeper) Due(ctx context.Context, fn func(ulid string) error) error {
	for shard := range room.Shards {
		q := store.Query{PK: room.ShardPartition(shard), Strong: true}
		for {
			page, err := k.Store.Query(ctx, q)
			if err != nil {
				return fmt.Errorf("list rooms of shard %d: %w", shard, err)
			}
			for _, item := range page.Items {
				m, err := decodeMark(item)
				if err != nil {
					return err
				}
				silent := k.Now().Sub(time.UnixMilli(int64(m.Kept.At)))
				if m.Relayed <= m.Kept.Seq && silent < upkeepEvery {
					continue
				}
				if err := fn(item.SK); err != nil {
					return err
				}
			}
			if q.After = page.Next; q.After == "" {
				break
			}
		}
	}
	return nil
}

// Upkeep looks after one room: it takes the hourly snapshot when the room has
// changed, archives and trims its log, removes what the retention no longer
// covers, once a day sweeps unnamed blobs, and purges the room a day after it
// was deleted. Each part can be repeated, and the failure of one holds up none
// but those that need it.
func (k *Keeper) Upkeep(ctx context.Context, ulid string) error {
	m, err := k.readMark(ctx, ulid)
	if err != nil {
		return err
	}
	closed, since, seq, err := k.closed(ctx, ulid)
	switch {
	case err != nil:
		return err
	case seq == 0:
		return k.forgetRoom(ctx, ulid) // it was never made, or purged and lost its last entry
	case closed && m.Relayed < seq:
		return errNotRelayed
	case closed && k.Now().Sub(since) < purgeAge:
		return nil
	case closed:
		return k.purge(ctx, ulid, seq)
	}
	kept := keptMark{Seq: seq, At: k.millis(), Swept: m.Kept.Swept}
	if k.Now().Sub(time.UnixMilli(int64(kept.Swept))) >= upkeepEvery {
		err = k.Sweep(ctx, ulid) // before Retain: what that leaves unnamed is still there for those who read it
		kept.Swept = k.millis()
	}
	err = errors.Join(err, k.hourly(ctx, ulid, seq), k.Archive(ctx, ulid, false))
	if err == nil {
		err = errors.Join(k.Trim(ctx, ulid), k.Retain(ctx, ulid))
	}
	if k.Jobs != nil {
		_, reviveErr := k.Jobs.Revive(ctx, ulid)
		err = errors.Join(err, reviveErr)
	}
	if err != nil {
		return fmt.Errorf("look after room %s: %w", ulid, err)
	}
	return k.writeMark(ctx, ulid, kept)
}

// hourly takes a snapshot of a room that has changed since the last.
func (k *Keeper) hourly(ctx context.Context, ulid string, head int64) error {
	all, err := k.Catalog.all(ctx, ulid)
	if err != nil {
		return err
	}
	for i := len(all) - 1; i >= 0; i-- {
		if all[i].Seq >= head {
			return nil
		}
		if all[i].Kind == Hourly && k.Now().Sub(all[i].time()) < hourlyEvery {
			return nil
		}
	}
	_, err = k.take(ctx, ulid, id.New(k.Now()), Hourly, "", "")
	return err
}

// forgetRoom takes a room from the list of all rooms.
func (k *Keeper) forgetRoom(ctx context.Context, ulid string) error {
	if err := k.Store.Write(ctx, store.Write{Action: store.Delete, Item: store.Item{Key: room.ShardKey(ulid)}}); err != nil {
		return fmt.Errorf("forget room %s: %w", ulid, err)
	}
	return nil
}
