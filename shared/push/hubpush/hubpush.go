// Package hubpush is the push adapter of the runner: the connections are in
// this process. An idle connection costs one small struct here: the goroutine
// that writes to it exists only while there is something to write.
package hubpush

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"nanotypedb/shared/fault"
	"nanotypedb/shared/push"
	"nanotypedb/shared/wire"
)

// Socket is the sending half of a WebSocket connection.
type Socket interface {
	// Write sends one text message. It is not called concurrently. A peer that
	// does not read is an error after a time that the socket knows. After an
	// error the socket is closed and not used again.
	Write(message []byte) error

	// Close ends the connection with a code of RFC 6455 and a reason of at
	// most 123 bytes. It may be called concurrently with Write, which then
	// fails, and more than once. It returns soon whatever the peer does.
	Close(code int, reason string) error
}

// Options set the limits of a Hub. The zero value has good ones.
type Options struct {
	MaxQueue int // bytes waiting for one connection; 0: 1 MiB
	Log      *slog.Logger
}

// Hub keeps the open sockets. It implements push.Pusher, and its Send never
// blocks.
type Hub struct {
	options Options
	writers sync.WaitGroup

	mu          sync.RWMutex
	connections map[string]*connection
	closed      bool
}

// connection is a socket and what waits for it.
type connection struct {
	id      string
	socket  Socket
	mu      sync.Mutex
	queue   [][]byte
	bytes   int
	writing bool
	ended   bool
	code    int // with reason: how the socket is closed behind what waits
	reason  string
}

// New returns a hub without connections.
func New(o Options) *Hub {
	if o.MaxQueue == 0 {
		o.MaxQueue = 1 << 20
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	return &Hub{options: o, connections: map[string]*connection{}}
}

// Attach takes a socket under an id that no other has. Who attaches detaches,
// when reading from the socket has ended.
func (h *Hub) Attach(id string, socket Socket) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return errors.New("hubpush: the hub is closed")
	}
	if h.connections[id] != nil {
		return errors.New("hubpush: connection " + id + " is already there")
	}
	h.connections[id] = &connection{id: id, socket: socket}
	return nil
}

// Detach forgets a connection whose socket has ended.
func (h *Hub) Detach(id string) {
	if c := h.take(id); c != nil {
		c.end()
	}
}

// take removes a connection from the hub; of several callers one gets it.
func (h *Hub) take(id string) *connection {
	h.mu.Lock()
	defer h.mu.Unlock()
	c := h.connections[id]
	delete(h.connections, id)
	return c
}

// Len is the number of connections.
func (h *Hub) Len() int {
	h.mu.RLock()
	defer h.mu.RUnlock()
	return len(h.connections)
}

// Send implements push.Pusher. It keeps message until it is written: the
// caller must not change it. A connection whose queue would overflow is closed
// as too slow, and the answer is ErrBusy.
func (h *Hub) Send(ctx context.Context, id string, message []byte) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if len(message) > push.MaxMessage {
		return fault.New(fault.TooLarge, "A message to a client has at most %d bytes.", push.MaxMessage)
	}
	h.mu.RLock()
	c := h.connections[id]
	h.mu.RUnlock()
	if c == nil {
		return push.ErrGone
	}
	start, err := c.enqueue(message, h.options.MaxQueue)
	if errors.Is(err, push.ErrBusy) {
		h.shut(id, wire.CloseTooSlow, "too slow: messages were not read in time")
	}
	if start {
		h.writers.Go(func() { h.write(c) })
	}
	return err
}

// Drop implements push.Pusher. What was sent before is still written.
func (h *Hub) Drop(_ context.Context, id string) error {
	if c := h.take(id); c != nil {
		h.finish(c, wire.ClosePolicy, "dropped")
	}
	return nil
}

// finish closes a connection behind the messages that wait.
func (h *Hub) finish(c *connection, code int, reason string) {
	if c.enqueueEnd(code, reason) {
		h.writers.Go(func() { h.write(c) })
	}
}

// shut closes a connection at once, whatever waits.
func (h *Hub) shut(id string, code int, reason string) {
	if c := h.take(id); c != nil {
		c.end()
		h.writers.Go(func() { h.close(c, code, reason) })
	}
}

func (h *Hub) close(c *connection, code int, reason string) {
	if err := c.socket.Close(code, reason); err != nil {
		h.options.Log.Debug("close socket", "connection", c.id, "error", err)
	}
}

// flushTime is how long Close lets waiting messages be written; a client that
// does not read is not waited for any longer.
const flushTime = time.Second

// Close ends all connections, as going away, behind the messages that wait for
// them, and waits for the writers, at most until ctx ends.
func (h *Hub) Close(ctx context.Context) error {
	ended := h.finishAll()
	flushed, cancel := context.WithTimeout(ctx, flushTime)
	defer cancel()
	if h.wait(flushed) == nil {
		return nil
	}
	for _, c := range ended {
		h.writers.Go(func() { h.close(c, c.code, c.reason) })
	}
	return h.wait(ctx)
}

// finishAll closes all connections behind what waits for them.
func (h *Hub) finishAll() []*connection {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.closed = true
	ended := slices.Collect(maps.Values(h.connections))
	clear(h.connections)
	for _, c := range ended {
		h.finish(c, wire.CloseGoingAway, "the server stops")
	}
	return ended
}

// wait returns when nothing is written any more, or ctx ends.
func (h *Hub) wait(ctx context.Context) error {
	done := make(chan struct{})
	go func() { h.writers.Wait(); close(done) }()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// enqueue adds a message and reports whether a writer must be started.
func (c *connection) enqueue(message []byte, limit int) (start bool, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ended {
		return false, push.ErrGone
	}
	if c.bytes+len(message) > limit {
		return false, push.ErrBusy
	}
	c.queue = append(c.queue, message)
	c.bytes += len(message)
	start = !c.writing
	c.writing = true
	return start, nil
}

// enqueueEnd adds the mark (nil) behind which the socket is closed.
func (c *connection) enqueueEnd(code int, reason string) (start bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ended {
		return false
	}
	c.ended, c.code, c.reason = true, code, reason
	c.queue = append(c.queue, nil)
	start = !c.writing
	c.writing = true
	return start
}

// end lets the writer stop and keeps others from starting.
func (c *connection) end() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ended = true
	c.queue, c.bytes = nil, 0
}

// next takes what waits; nothing ends the writer.
func (c *connection) next() [][]byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	batch := c.queue
	c.queue = nil
	c.writing = len(batch) > 0
	return batch
}

// wrote makes room in the queue.
func (c *connection) wrote(n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.bytes -= min(n, c.bytes)
}

// write is the one writer of a connection while messages wait.
func (h *Hub) write(c *connection) {
	for batch := c.next(); len(batch) > 0; batch = c.next() {
		for _, message := range batch {
			if message == nil {
				h.close(c, c.code, c.reason)
				return
			}
			if err := c.socket.Write(message); err != nil {
				h.options.Log.Debug("write to socket", "connection", c.id, "error", err)
				h.failed(c)
				return
			}
			c.wrote(len(message))
		}
	}
}

// failed closes a socket that could not be written. Its reader notices and
// detaches it.
func (h *Hub) failed(c *connection) {
	h.mu.Lock()
	if h.connections[c.id] == c {
		delete(h.connections, c.id)
	}
	h.mu.Unlock()
	c.end()
	h.close(c, wire.CloseTooSlow, "too slow: messages were not read in time")
}
