package audience

import (
	"context"
	"fmt"
	"time"

	"nanotypedb/shared/commitlog"
	"nanotypedb/shared/push"
	"nanotypedb/shared/replica"
	"nanotypedb/shared/room"
	"nanotypedb/shared/wire"
)

// ResetRemoved is the reason of the last message to somebody who is no longer
// a member.
const ResetRemoved = "removed"

const (
	// gapWait is how long a commit waits for one before it, which another
	// goroutine of this process is about to bring, before the log is read.
	gapWait = 5 * time.Millisecond

	// announceEvery is the pace of announcements above MaxSends.
	announceEvery = 250 * time.Millisecond

	// maxCatchUp is how many commits before an announced one are told with it.
	maxCatchUp = 100

	// maxRead is how many bytes of entries are read for a broadcast.
	maxRead = 4 << 20

	// logTimeout bounds the reads of log and state for a broadcast.
	logTimeout = 5 * time.Second
)

// Broadcast tells the room's listeners about a commit, after those before it:
// all of them when every commit is made in this process, else those that wait
// here, for the others are told elsewhere.
//
// It returns when everything it sent was taken by the Pusher or given up; when
// another call is telling the room already, it leaves the commit to that one
// and returns at once. The end of ctx does not stop it. Errors: only that the
// listeners could not be found.
func (a *Audience) Broadcast(ctx context.Context, r room.Result) error {
	if r.Repeated {
		return nil // told when it was made
	}
	ctx = context.WithoutCancel(ctx)
	if a.Registry.Alone() { // asking is free
		if listeners, err := a.Registry.InRoom(ctx, r.Room); err != nil || len(listeners) == 0 {
			a.pass(r.Room, r.Entry.Seq)
			return err
		}
	}
	a.tell(ctx, a.streams.of(r.Room, r.Entry.Seq-1, a.Now()), r)
	return nil
}

// pass notes a commit that nobody listened to.
func (a *Audience) pass(ulid string, seq int64) {
	if s := a.streams.known(ulid); s != nil {
		s.pass(seq)
	}
}

// Started says that a subscriber has read the room's log up to head: the
// stream of a room that had none begins there.
func (a *Audience) Started(ulid string, head int64) { a.streams.of(ulid, head, a.Now()) }

// Announce tells the listeners about commits that were made elsewhere, up to
// seq: those after what this process told last, or the one at seq. It reads
// them from the log.
func (a *Audience) Announce(ctx context.Context, ulid string, seq int64) error {
	ctx = context.WithoutCancel(ctx)
	listeners, err := a.Registry.InRoom(ctx, ulid)
	if err != nil {
		return err
	}
	if len(listeners) == 0 {
		a.pass(ulid, seq)
		return nil
	}
	s := a.streams.of(ulid, seq-1, a.Now())
	from := s.newest()
	if from >= seq {
		return nil
	}
	if seq-from > maxCatchUp {
		from = seq - 1
	}
	results, err := a.read(ctx, ulid, from, seq)
	a.tell(ctx, s, results...)
	if err != nil {
		a.Log.WarnContext(ctx, "commits were announced without their content", "room", ulid, "seq", seq, "error", err)
		a.mention(ctx, s, seq, listeners)
	}
	return nil
}

// mention tells that there are commits up to seq, which could not be read
// here: whoever is told reads the log.
func (a *Audience) mention(ctx context.Context, s *stream, seq int64, listeners []*Connection) {
	var sending sends
	defer a.settle(ctx, &sending)
	l := letter{frames: [][]byte{wire.AppendTruncated(nil, seq)}}
	for _, c := range listeners {
		if c.Subscribed {
			a.enqueue(ctx, c, l, &sending)
		}
	}
	s.pass(seq)
}

// read makes results of the entries after from, up to seq, as the log has
// them, each with the names of its time. With an error it gives those before
// what could not be read.
func (a *Audience) read(ctx context.Context, ulid string, from, seq int64) ([]room.Result, error) {
	ctx, cancel := context.WithTimeout(ctx, logTimeout)
	defer cancel()
	entries, err := a.entries(ctx, ulid, from, seq)
	if len(entries) == 0 {
		return nil, err
	}
	last := entries[len(entries)-1].Seq
	st, stateErr := a.States.State(ctx, ulid, last)
	if stateErr != nil {
		return nil, fmt.Errorf("find state of room %s at %d: %w", ulid, last, stateErr)
	}
	results := make([]room.Result, len(entries))
	states := room.Rewind(entries, st)
	for i := range results {
		results[i] = room.Result{Room: ulid, Entry: entries[i], State: states[i]}
	}
	return results, err
}

// entries reads the log after from, up to seq and about maxRead bytes. With an
// error it gives those before what could not be read.
func (a *Audience) entries(ctx context.Context, ulid string, from, seq int64) (all []*commitlog.Entry, err error) {
	for size := 0; from < seq; {
		page, sizes, _, err := commitlog.Read(ctx, a.Store, ulid, from, int(seq-from))
		if err != nil {
			return all, fmt.Errorf("read log of room %s after %d: %w", ulid, from, err)
		}
		for _, n := range sizes {
			size += n
		}
		if len(page) == 0 || size > maxRead {
			return all, fmt.Errorf("read log of room %s after %d: %d bytes of entries do not reach %d", ulid, from, size, seq)
		}
		all = append(all, page...)
		from += int64(len(page))
	}
	return all, nil
}

// tell adds commits to a stream and, when nobody does so already, tells what
// waits in it.
func (a *Audience) tell(ctx context.Context, s *stream, results ...room.Result) {
	if !s.add(a.Now(), a.Registry.Alone(), results...) {
		return
	}
	var sending sends
	defer a.settle(ctx, &sending)
	ended := false
	defer func() {
		if !ended { // a panic: let others go on
			s.abandon()
		}
	}()
	for !ended {
		ended = a.tellSome(ctx, s, &sending)
	}
}

// tellSome tells the next run and reports whether nothing is left.
func (a *Audience) tellSome(ctx context.Context, s *stream, sending *sends) bool {
	r := s.peek(a.Registry.Alone())
	if r.gap {
		r = a.close(ctx, s, r)
	}
	if r.done {
		return true
	}
	if err := a.deliver(ctx, s, r, sending); err != nil {
		// Who listens is not known: these commits are gaps that the clients
		// notice. Go on with what comes after.
		a.Log.WarnContext(ctx, "commits were not broadcast", "room", s.room, "error", err)
		s.told(r.results)
	}
	return false
}

// close waits a moment for the commit that is missing before those that wait,
// and then reads it from the log.
func (a *Audience) close(ctx context.Context, s *stream, r run) run {
	deadline := time.Now().Add(gapWait)
	for left := gapWait; r.gap && left > 0; left = time.Until(deadline) {
		s.await(left)
		r = s.peek(true)
	}
	if r.gap {
		r = a.fill(ctx, s, r)
	}
	return r
}

// await waits until a commit arrives, for at most d.
func (s *stream) await(d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-s.arrived:
	case <-timer.C:
	}
}

// fill reads the missing commits of a gap from the log. When they cannot be
// read, the gap is left to the clients.
func (a *Audience) fill(ctx context.Context, s *stream, r run) run {
	missing, err := a.read(ctx, s.room, r.last, r.behind)
	if err != nil {
		a.Log.WarnContext(ctx, "gap in a broadcast was not filled", "room", s.room, "after", r.last, "error", err)
	}
	s.add(a.Now(), true, missing...)
	if r = s.peek(true); r.gap {
		r = s.peek(false)
	}
	return r
}

// deliver sends a run to the listeners, or only its newest seq when the room
// causes too many sends.
func (a *Audience) deliver(ctx context.Context, s *stream, r run, sending *sends) error {
	listeners, err := a.Registry.InRoom(ctx, s.room)
	if err != nil {
		return err
	}
	if s.meter.add(a.Now(), len(listeners)*len(r.results)) > a.MaxSends {
		return a.announce(ctx, s, sending)
	}
	b := batch{audience: a, results: r.results, state: r.state}
	for _, c := range listeners {
		a.enqueue(ctx, c, b.frames(c), sending)
	}
	s.told(r.results)
	return nil
}

// announce waits for the pace of announcements and then tells only the newest
// seq. What the clients must not go on with, the log tells them when they read.
func (a *Audience) announce(ctx context.Context, s *stream, sending *sends) error {
	s.rest(announceEvery - a.Now().Sub(s.announced))
	r := s.peek(false)
	if r.done {
		return nil
	}
	listeners, err := a.Registry.InRoom(ctx, s.room)
	if err != nil {
		return err
	}
	s.announced = a.Now()
	frame := wire.AppendTruncated(nil, max(r.behind, r.last))
	b := batch{audience: a, results: r.results, state: r.state}
	for _, c := range listeners {
		a.enqueue(ctx, c, b.only(c, frame), sending)
	}
	s.told(r.results)
	return nil
}

// rest waits for d, whatever arrives.
func (s *stream) rest(d time.Duration) {
	if d > 0 {
		timer := time.NewTimer(d)
		defer timer.Stop()
		<-timer.C
	}
}

// batch renders a run once for each class of viewers.
type batch struct {
	audience *Audience
	results  []room.Result
	state    *replica.State
	rendered []map[string][]byte // by place in results, then class
}

// letter is what one connection is sent.
type letter struct {
	frames [][]byte
	drop   bool // and then the connection is closed
}

// frames are the messages for one connection. A member who was removed, and
// everybody when the room is closed, is told so and dropped.
func (b *batch) frames(c *Connection) letter {
	if l, out := b.farewell(c); out {
		return l
	}
	if !c.Subscribed {
		return letter{}
	}
	viewer := c.viewer(b.state)
	frames := make([][]byte, len(b.results))
	for i := range b.results {
		frames[i] = b.frame(i, viewer)
	}
	return letter{frames: frames}
}

// only is frames with one message in place of the commits.
func (b *batch) only(c *Connection, frame []byte) letter {
	if l, out := b.farewell(c); out {
		return l
	}
	if !c.Subscribed {
		return letter{}
	}
	return letter{frames: [][]byte{frame}}
}

// farewell is for those who must go. A connection that was opened after the
// state came to be may be of a member who joined since: it gets nothing of this
// run, which its catch-up has covered.
func (b *batch) farewell(c *Connection) (letter, bool) {
	_, member := b.state.Members[c.User.ID]
	reason := ResetRemoved
	switch {
	case b.state.Closed:
		reason = room.ResetClosed
	case member:
		return letter{}, false
	case c.Opened.UnixMilli() > int64(b.state.At):
		return letter{}, true
	}
	seq := b.results[len(b.results)-1].Entry.Seq
	return letter{frames: [][]byte{wire.AppendReset(nil, seq, reason)}, drop: true}, true
}

func (b *batch) frame(i int, viewer room.Viewer) []byte {
	if b.rendered == nil {
		b.rendered = make([]map[string][]byte, len(b.results))
	}
	r := b.results[i]
	if r.State == nil {
		r.State = b.state
	}
	class := b.audience.class(r.Entry, r.State, viewer)
	frame, done := b.rendered[i][class]
	if !done {
		frame = b.render(r, viewer)
		if b.rendered[i] == nil {
			b.rendered[i] = map[string][]byte{}
		}
		b.rendered[i][class] = frame
	}
	return frame
}

func (b *batch) render(r room.Result, viewer room.Viewer) []byte {
	shown := b.audience.show(r.Entry, r.State, viewer)
	if shown.Reset != "" {
		return wire.AppendReset(nil, r.Entry.Seq, shown.Reset)
	}
	frame := wire.AppendNotification(nil, "commit", shown.Commit)
	if len(frame) > push.MaxMessage {
		return wire.AppendTruncated(nil, r.Entry.Seq)
	}
	return frame
}
