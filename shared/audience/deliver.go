package audience

import (
	"context"
	"errors"
	"slices"
	"sync"

	"nanotypedb/shared/push"
	"nanotypedb/shared/usage"
)

// maxOutbox is how many bytes may wait for one connection here. What exceeds
// it is not sent: the client notices the gap.
const maxOutbox = 256 << 10

// outboxes keep the messages of each connection in order while several calls
// send to many connections at once. One call at a time sends to a connection;
// the others leave their messages to it, so that a slow client delays nobody.
type outboxes struct {
	mu    sync.Mutex
	byID  map[string]*outbox // only of connections that are being sent to
	slots chan struct{}      // bounds the sends that run at once
}

type outbox struct {
	letters []letter
	bytes   int
}

// sends are the goroutines that one call has started and waits for, and the
// connections it found gone.
type sends struct {
	running sync.WaitGroup
	mu      sync.Mutex
	gone    []*Connection
}

func (s *sends) lost(c *Connection) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.gone = append(s.gone, c)
}

// enqueue sends a letter to a connection, or leaves it to the call that is
// sending to it.
func (a *Audience) enqueue(ctx context.Context, c *Connection, l letter, sending *sends) {
	if len(l.frames) == 0 {
		return
	}
	if a.Workers < 0 {
		a.post(ctx, c, l, sending)
		return
	}
	if a.outboxes.put(c.ID, l) {
		sending.running.Go(func() { a.drain(ctx, c, sending) })
	}
}

// put adds a letter and reports whether the caller must drain the outbox.
func (o *outboxes) put(id string, l letter) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	box, busy := o.byID[id]
	if !busy {
		box = &outbox{}
		o.byID[id] = box
	}
	size := 0
	for _, frame := range l.frames {
		size += len(frame)
	}
	if box.bytes+size <= maxOutbox || l.drop {
		box.letters = append(box.letters, l)
		box.bytes += size
	}
	return !busy
}

// take empties the outbox of a connection; when it is empty, the connection is
// no longer being sent to.
func (o *outboxes) take(id string) []letter {
	o.mu.Lock()
	defer o.mu.Unlock()
	box := o.byID[id]
	if len(box.letters) == 0 {
		delete(o.byID, id)
		return nil
	}
	letters := box.letters
	box.letters, box.bytes = nil, 0
	return letters
}

// abandon throws away what waits for a connection, and reports whether it was
// to be dropped.
func (o *outboxes) abandon(id string) (drop bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, l := range o.byID[id].letters {
		drop = drop || l.drop
	}
	delete(o.byID, id)
	return drop
}

// drain sends what waits for a connection, and what is added meanwhile.
func (a *Audience) drain(ctx context.Context, c *Connection, sending *sends) {
	a.outboxes.slots <- struct{}{}
	defer func() { <-a.outboxes.slots }()
	for letters := a.outboxes.take(c.ID); letters != nil; letters = a.outboxes.take(c.ID) {
		for i, l := range letters {
			if a.post(ctx, c, l, sending) {
				continue
			}
			later := slices.ContainsFunc(letters[i+1:], func(l letter) bool { return l.drop })
			if a.outboxes.abandon(c.ID) || later {
				sending.lost(c)
			}
			return
		}
	}
}

// post sends one letter and reports whether the connection is worth another.
func (a *Audience) post(ctx context.Context, c *Connection, l letter, sending *sends) bool {
	for _, frame := range l.frames {
		err := a.send(ctx, c.ID, frame)
		switch {
		case err == nil:
			a.count(c, len(frame))
			continue
		case errors.Is(err, push.ErrGone):
			sending.lost(c)
			return false
		case l.drop: // dropped all the same
		default:
			// Busy, throttled or too slow: this client alone misses what
			// waits for it, sees the gap and reads the log.
			a.Log.DebugContext(ctx, "message skipped", "connection", c.ID, "error", err)
			return false
		}
	}
	if l.drop {
		sending.lost(c)
		return false
	}
	return true
}

// count notes a message for the room: counted for each who receives it, a
// broadcast to many would be followed by as many writes of usage.
func (a *Audience) count(c *Connection, bytes int) {
	if a.Usage == nil {
		return
	}
	counts := usage.Of(usage.Messages, 1)
	counts[usage.Bytes] = int64(bytes)
	a.Usage.Count(c.Ref().ULID, usage.System, counts)
}

func (a *Audience) send(ctx context.Context, id string, frame []byte) error {
	if a.Workers > 0 { // else Send does not block
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, a.SendTimeout)
		defer cancel()
	}
	return a.Pusher.Send(ctx, id, frame)
}

// settle waits for the sends of a call and forgets the connections it found
// gone or has to drop: first all of them, so that none is told of another.
func (a *Audience) settle(ctx context.Context, sending *sends) {
	sending.running.Wait()
	var missed []*Connection
	for _, lost := range sending.gone {
		c, err := a.forget(ctx, lost.ID)
		if err = errors.Join(err, a.Pusher.Drop(ctx, lost.ID)); err != nil {
			a.Log.WarnContext(ctx, "connection was not removed", "connection", lost.ID, "error", err)
		}
		if c != nil {
			missed = append(missed, c)
		}
	}
	for _, c := range missed {
		if err := a.left(ctx, c); err != nil {
			a.Log.WarnContext(ctx, "leaving was not told", "connection", c.ID, "error", err)
		}
	}
}
