package sqlitequeue

import (
	"context"
	"database/sql/driver"
	"fmt"
	"time"

	"nanotypedb/shared/faultpoint"
	"nanotypedb/shared/queue"
	"nanotypedb/shared/sqlitefile"
)

// maxLooks bounds how many batches of dead or old messages one write passes
// over, so that it delays others by little. Who found nothing looks again.
const maxLooks = 20

// never is so far away that a receiver waits for the signal alone.
const never = 24 * time.Hour

// Receive implements queue.Queue. It is never empty when a message is visible.
func (q *Queue) Receive(ctx context.Context, r queue.Request) ([]queue.Message, error) {
	if err := r.Validate(); err != nil {
		return nil, err
	}
	timeout := time.NewTimer(r.Wait)
	defer timeout.Stop()
	visible := time.NewTimer(never)
	defer visible.Stop()
	for {
		changed := q.changed.wait() // before the look, so that nothing comes unseen
		messages, next, err := q.look(ctx, r)
		if err != nil {
			return nil, q.outcome("receive from", err)
		}
		if len(messages) > 0 || r.Wait == 0 {
			return messages, nil
		}
		visible.Reset(next)
		select {
		case <-changed:
		case <-visible.C:
		case <-timeout.C:
			return nil, nil
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// look receives what is visible. When nothing is, it says how long nothing will
// be, unless the signal comes.
func (q *Queue) look(ctx context.Context, r queue.Request) (messages []queue.Message, next time.Duration, err error) {
	for {
		if next, err = q.next(ctx); err != nil || next > 0 {
			return nil, next, err
		}
		moved := false
		err = q.file.Submit(ctx, func(tx *sqlitefile.Tx) (err error) {
			messages, moved, err = q.receive(tx, r)
			return err
		})
		if err != nil {
			return nil, 0, err
		}
		faultpoint.Reach(PointAfterReceive)
		if moved {
			q.dead.announce()
		}
		if len(messages) > 0 {
			return messages, 0, nil
		}
	}
}

// next is how long it takes until a message is visible: 0 or less when one is.
// It spares those who find nothing the writer.
func (q *Queue) next(ctx context.Context) (next time.Duration, err error) {
	next = never
	err = q.file.Read(ctx, func(tx *sqlitefile.Tx) error {
		return tx.Query("SELECT min(visible) FROM messages WHERE queue = ?", func(row []driver.Value) error {
			if visible, ok := row[0].(int64); ok {
				next = min(time.Until(time.UnixMilli(visible)), never)
			}
			return nil
		}, q.options.Name)
	})
	return next, err
}

// candidate is a visible message as it is stored.
type candidate struct {
	receipt
	body        string
	sent, first int64
}

// receive counts and hides what is visible. What was received often enough it
// moves, and what is too old it removes.
func (q *Queue) receive(tx *sqlitefile.Tx, r queue.Request) (messages []queue.Message, moved bool, err error) {
	now := time.Now()
	until := visibleAt(now, r.Visibility)
	for range maxLooks {
		found, err := q.visible(tx, now, r.Max-len(messages))
		if err != nil || len(found) == 0 {
			return messages, moved, err
		}
		for _, c := range found {
			fate := q.fate(c, now)
			if fate == live {
				c.receives++
				messages = append(messages, c.message())
			}
			if err := q.settle(tx, c, fate, now, until); err != nil {
				return nil, false, err
			}
			moved = moved || fate == dead
		}
		if len(messages) == r.Max {
			break
		}
	}
	return messages, moved, nil
}

// fate is what a receive does with a visible message.
type fate int

const (
	live fate = iota // gives it out
	dead             // moves it to the dead-letter queue
	old              // removes it
)

func (q *Queue) fate(c candidate, now time.Time) fate {
	switch {
	case c.sent <= now.Add(-q.options.Retention).UnixMilli():
		return old
	case q.options.MaxReceives > 0 && c.receives >= int64(q.options.MaxReceives):
		return dead
	default:
		return live
	}
}

func (q *Queue) settle(tx *sqlitefile.Tx, c candidate, f fate, now time.Time, until int64) (err error) {
	switch f {
	case old:
		_, err = tx.Exec("DELETE FROM messages WHERE id = ?", c.id)
	case dead:
		_, err = tx.Exec("UPDATE messages SET queue = ?, visible = ? WHERE id = ?", q.options.DeadLetter, now.UnixMilli(), c.id)
	case live:
		_, err = tx.Exec("UPDATE messages SET receives = ?, visible = ?, first_received = ? WHERE id = ?", c.receives, until, c.first, c.id)
	}
	return err
}

// visible gives messages in the order in which they became visible. The first
// receive of one that has none is now.
func (q *Queue) visible(tx *sqlitefile.Tx, now time.Time, limit int) (found []candidate, err error) {
	err = tx.Query(`SELECT id, body, sent, receives, coalesce(first_received, ?) FROM messages
		WHERE queue = ? AND visible <= ? ORDER BY visible LIMIT ?`, func(row []driver.Value) error {
		var c candidate
		var ok [5]bool
		c.id, ok[0] = row[0].(string)
		c.body, ok[1] = row[1].(string)
		c.sent, ok[2] = row[2].(int64)
		c.receives, ok[3] = row[3].(int64)
		c.first, ok[4] = row[4].(int64)
		if ok != [5]bool{true, true, true, true, true} {
			return fmt.Errorf("message %v cannot be read", row[0])
		}
		found = append(found, c)
		return nil
	}, now.UnixMilli(), q.options.Name, now.UnixMilli(), int64(limit))
	return found, err
}

func (c candidate) message() queue.Message {
	return queue.Message{
		ID: c.id, Receipt: c.receipt.String(), Body: c.body, Receives: int(c.receives),
		Sent: time.UnixMilli(c.sent).UTC(), FirstReceived: time.UnixMilli(c.first).UTC(),
	}
}
