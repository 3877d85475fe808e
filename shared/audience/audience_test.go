package audience

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"nanotypedb/shared/access"
	"nanotypedb/shared/commitlog"
	"nanotypedb/shared/identity"
	"nanotypedb/shared/push"
	"nanotypedb/shared/replica"
	"nanotypedb/shared/room"
	"nanotypedb/shared/schema"
	"nanotypedb/shared/store"
	"nanotypedb/shared/store/storetest"
)

// post is a Pusher that keeps what it is given; odd decides otherwise.
type post struct {
	mu    sync.Mutex
	boxes map[string][]string
	gone  map[string]bool
	odd   func(ctx context.Context, id string) error
}

func newPost() *post { return &post{boxes: map[string][]string{}, gone: map[string]bool{}} }

func (p *post) Send(ctx context.Context, id string, message []byte) error {
	p.mu.Lock()
	odd, gone := p.odd, p.gone[id]
	p.mu.Unlock()
	if gone {
		return push.ErrGone
	}
	if odd != nil {
		if err := odd(ctx, id); err != nil {
			return err
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.boxes[id] = append(p.boxes[id], string(message))
	return nil
}

func (p *post) Drop(_ context.Context, id string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.gone[id] = true
	return nil
}

func (p *post) take(id string) []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	box := p.boxes[id]
	delete(p.boxes, id)
	return box
}

const theRoom = "01ROOM"

// stand is an audience with listeners and a renderer that says only the seq.
type stand struct {
	t        *testing.T
	store    *storetest.Model
	post     *post
	audience *Audience
	members  map[string]access.Member
}

// State implements States.
func (s *stand) State(_ context.Context, _ string, seq int64) (*replica.State, error) {
	return s.state(seq), nil
}

func (s *stand) state(seq int64) *replica.State {
	return &replica.State{Room: theRoom, Seq: seq, At: schema.Millis(time.Now().UnixMilli()), Schema: &schema.Schema{}, Members: s.members}
}

func newStand(t *testing.T, change func(*Options)) *stand {
	s := &stand{t: t, store: storetest.NewModel(), post: newPost(), members: map[string]access.Member{}}
	o := Options{
		Registry: NewLocal(), Tickets: access.NewTickets(s.store, nil), Pusher: s.post, Store: s.store, States: s,
		Log: slog.New(slog.DiscardHandler), MaxSends: 1 << 30, MaxPeople: -1, Workers: -1,
	}
	if change != nil {
		change(&o)
	}
	s.audience = New(o)
	s.audience.show = func(e *commitlog.Entry, _ *replica.State, v room.Viewer) room.Shown {
		return room.Shown{Commit: fmt.Appendf(nil, `{"seq":%d,"for":%q}`, e.Seq, v.Role)}
	}
	s.audience.class = func(_ *commitlog.Entry, _ *replica.State, v room.Viewer) string { return string(v.Role) }
	return s
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// listen connects a user and subscribes.
func (s *stand) listen(id, user string) *Connection {
	s.t.Helper()
	s.members[user] = access.Member{User: user, Role: access.Editor}
	ctx := context.Background()
	ticket, err := s.audience.Tickets.Issue(ctx, identity.User{ID: user, Name: user}, theRoom)
	must(s.t, err)
	c, err := s.audience.Connect(ctx, id, ticket)
	must(s.t, err)
	_, err = s.audience.Subscribe(ctx, c, nil)
	must(s.t, err)
	s.audience.Started(theRoom, 0)
	for _, c := range s.connections() {
		s.post.take(c.ID)
	}
	return c
}

func (s *stand) connections() []*Connection {
	all, err := s.audience.Registry.InRoom(context.Background(), theRoom)
	must(s.t, err)
	return all
}

// commit is a durable commit, in the log too.
func (s *stand) commit(seq int64) room.Result {
	e := &commitlog.Entry{Format: commitlog.Format, Seq: seq, By: "ada", Attempt: "x"}
	must(s.t, s.store.Write(context.Background(), store.Write{
		Item: store.Item{Key: commitlog.Key(theRoom, seq), Data: commitlog.AppendEntry(nil, e)}, If: store.Absent,
	}))
	return room.Result{Room: theRoom, Entry: e, State: s.state(seq)}
}

// seqs reads the seqs of commit notifications.
func seqs(t *testing.T, frames []string) []int64 {
	t.Helper()
	var list []int64
	for _, frame := range frames {
		var f struct {
			Method string
			Params struct{ Seq int64 }
		}
		must(t, json.Unmarshal([]byte(frame), &f))
		if f.Method == "commit" {
			list = append(list, f.Params.Seq)
		}
	}
	return list
}

func rising(t *testing.T, who string, got []int64, through int64) {
	t.Helper()
	if int64(len(got)) != through {
		t.Errorf("%s got %d commits of %d", who, len(got), through)
		return
	}
	for i, seq := range got {
		if seq != int64(i)+1 {
			t.Errorf("%s got seq %d in place %d", who, seq, i)
			return
		}
	}
}

// Many writers broadcast at once, each after its own acknowledgement and so in
// any order; every listener gets every commit once and in order.
func TestCommitsAreToldInOrder(t *testing.T) {
	for name, workers := range map[string]int{"one after the other": -1, "concurrently": 8} {
		t.Run(name, func(t *testing.T) {
			s := newStand(t, func(o *Options) { o.Workers = workers })
			for n := range 5 {
				s.listen(fmt.Sprint("c", n), fmt.Sprint("u", n))
			}
			const commits = 400
			var next sync.Mutex
			var running sync.WaitGroup
			seq := int64(0)
			for range 16 {
				running.Go(func() {
					for {
						next.Lock()
						if seq == commits {
							next.Unlock()
							return
						}
						seq++
						r := s.commit(seq)
						next.Unlock()
						must(t, s.audience.Broadcast(context.Background(), r))
					}
				})
			}
			running.Wait()
			for n := range 5 {
				rising(t, fmt.Sprint("c", n), seqs(t, s.post.take(fmt.Sprint("c", n))), commits)
			}
		})
	}
}

func TestAGapIsReadFromTheLog(t *testing.T) {
	s := newStand(t, nil)
	s.listen("c", "u")
	must(t, s.audience.Broadcast(t.Context(), s.commit(1)))
	s.commit(2) // whoever made these never broadcasts them
	s.commit(3)
	must(t, s.audience.Broadcast(t.Context(), s.commit(4)))
	rising(t, "c", seqs(t, s.post.take("c")), 4)
	late := room.Result{Room: theRoom, Entry: &commitlog.Entry{Seq: 2}, State: s.state(4)}
	must(t, s.audience.Broadcast(t.Context(), late))
	if again := s.post.take("c"); len(again) != 0 {
		t.Errorf("told again: %v", again)
	}
}

func TestAGapThatCannotBeReadIsLeft(t *testing.T) {
	s := newStand(t, nil)
	s.listen("c", "u")
	s.audience.Store = brokenStore{}
	must(t, s.audience.Broadcast(t.Context(), s.commit(1)))
	must(t, s.audience.Broadcast(t.Context(), s.commit(3)))
	must(t, s.audience.Broadcast(t.Context(), s.commit(4)))
	if got := fmt.Sprint(seqs(t, s.post.take("c"))); got != "[1 3 4]" {
		t.Errorf("got %s", got)
	}
}

type brokenStore struct{ store.Store }

func (brokenStore) Query(context.Context, store.Query) (store.Page, error) {
	return store.Page{}, errors.New("broken")
}

func TestRepeatedCommitsAreNotToldAgain(t *testing.T) {
	s := newStand(t, nil)
	s.listen("c", "u")
	r := s.commit(1)
	must(t, s.audience.Broadcast(t.Context(), r))
	r.Repeated = true
	must(t, s.audience.Broadcast(t.Context(), r))
	rising(t, "c", seqs(t, s.post.take("c")), 1)
}

func TestACommitIsRenderedOnceForEachClass(t *testing.T) {
	s := newStand(t, nil)
	for n := range 20 {
		s.listen(fmt.Sprint("c", n), fmt.Sprint("u", n))
	}
	s.members["u3"] = access.Member{User: "u3", Role: access.Owner}
	rendered, show := 0, s.audience.show
	s.audience.show = func(e *commitlog.Entry, st *replica.State, v room.Viewer) room.Shown {
		rendered++
		return show(e, st, v)
	}
	must(t, s.audience.Broadcast(t.Context(), s.commit(1)))
	if rendered != 2 {
		t.Errorf("rendered %d times for 2 classes", rendered)
	}
	if got := s.post.take("c3"); len(got) != 1 || !strings.Contains(got[0], `"for":"owner"`) {
		t.Errorf("the owner got %v", got)
	}
}

func TestLargeCommitsAreAnnounced(t *testing.T) {
	s := newStand(t, nil)
	s.listen("c", "u")
	s.audience.show = func(*commitlog.Entry, *replica.State, room.Viewer) room.Shown {
		return room.Shown{Commit: json.RawMessage(`"` + strings.Repeat("x", push.MaxMessage) + `"`)}
	}
	must(t, s.audience.Broadcast(t.Context(), s.commit(1)))
	if got := s.post.take("c"); len(got) != 1 || !strings.Contains(got[0], `{"seq":1,"truncated":true}`) {
		t.Errorf("got %.200v", got)
	}
}

// One client whose sends hang until their time-out, one that is busy and one
// that is gone: the others have everything at once.
func TestASlowClientDelaysNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStand(t, func(o *Options) { o.Workers = 4; o.SendTimeout = 2 * time.Second })
		for _, id := range []string{"slow", "busy", "gone", "good"} {
			s.listen(id, id)
		}
		s.post.odd = func(ctx context.Context, id string) error {
			switch id {
			case "slow":
				<-ctx.Done()
				return ctx.Err()
			case "busy":
				return push.ErrBusy
			case "gone":
				return push.ErrGone
			}
			return nil
		}
		began := time.Now()
		var running sync.WaitGroup
		for seq := range int64(50) {
			r := s.commit(seq + 1)
			running.Go(func() { must(t, s.audience.Broadcast(t.Context(), r)) })
			synctest.Wait()
		}
		if now := time.Now(); now.Sub(began) != 0 {
			t.Errorf("telling took %v", now.Sub(began))
		}
		rising(t, "good", seqs(t, s.post.take("good")), 50)
		running.Wait()
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("the slow client held its senders for %v", took)
		}
		for _, c := range s.connections() {
			if c.ID == "gone" {
				t.Error("the gone connection is still registered")
			}
		}
	})
}

func TestManySendsBecomeAnnouncements(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStand(t, func(o *Options) { o.MaxSends = 100 })
		for n := range 10 {
			s.listen(fmt.Sprint("c", n), fmt.Sprint("u", n))
		}
		began := time.Now()
		var running sync.WaitGroup
		for seq := range int64(200) { // 2,000 sends within a second
			r := s.commit(seq + 1)
			running.Go(func() { must(t, s.audience.Broadcast(context.Background(), r)) })
			<-time.After(5 * time.Millisecond) // of the bubble's clock
		}
		running.Wait()
		frames := s.post.take("c0")
		got := seqs(t, frames)
		announced := 0
		for _, frame := range frames {
			if strings.Contains(frame, "truncated") {
				announced++
			}
		}
		if whole := len(got) - announced; whole > 10 || announced > 6 || announced < 3 {
			t.Errorf("%d whole commits and %d announcements in %v", whole, announced, time.Since(began))
		}
		if got[len(got)-1] != 200 {
			t.Errorf("the last seq told is %d", got[len(got)-1])
		}
		<-time.After(3 * time.Second)
		must(t, s.audience.Broadcast(context.Background(), s.commit(201)))
		if frames := s.post.take("c0"); len(frames) != 1 || strings.Contains(frames[0], "truncated") {
			t.Errorf("when it is quiet again: %v", frames)
		}
	})
}

func TestAPanicWhileTellingStopsNobody(t *testing.T) {
	s := newStand(t, nil)
	s.listen("c", "u")
	show := s.audience.show
	s.audience.show = func(*commitlog.Entry, *replica.State, room.Viewer) room.Shown { panic("render") }
	func() {
		defer func() { _ = recover() }()
		_ = s.audience.Broadcast(t.Context(), s.commit(1))
	}()
	s.audience.show = show
	must(t, s.audience.Broadcast(t.Context(), s.commit(2)))
	if got := fmt.Sprint(seqs(t, s.post.take("c"))); got != "[2]" {
		t.Errorf("got %s", got)
	}
}

func TestAMemberOfALaterStateIsNotDropped(t *testing.T) {
	s := newStand(t, nil)
	s.listen("c", "u")
	r := s.commit(1)
	r.State.Members = map[string]access.Member{"u": s.members["u"]}
	r.State.At -= 1000
	s.listen("new", "newcomer") // joined by a commit after the state of r
	must(t, s.audience.Broadcast(t.Context(), r))
	if got := s.post.take("new"); len(got) != 0 || s.post.gone["new"] {
		t.Errorf("got %v, dropped %v", got, s.post.gone["new"])
	}
	rising(t, "c", seqs(t, s.post.take("c")), 1)
}

func TestBackgroundIsWaitedFor(t *testing.T) {
	s := newStand(t, nil)
	s.listen("c", "u")
	b := NewBackground(s.audience)
	for seq := range int64(20) {
		s.commit(seq + 1)
		must(t, b.Announce(t.Context(), theRoom, seq+1))
	}
	must(t, b.Close())
	rising(t, "c", seqs(t, s.post.take("c")), 20)
}
