package audience

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"nanotypedb/shared/access"
	"nanotypedb/shared/blob/dirblob"
	"nanotypedb/shared/commitlog"
	"nanotypedb/shared/identity"
	"nanotypedb/shared/replica"
	"nanotypedb/shared/room"
	"nanotypedb/shared/store"
	"nanotypedb/shared/store/storetest"
)

// An announcer that is slow finds the room changed since: each commit is told
// with the names that it was made with.
func TestAnnouncedCommitsHaveTheNamesOfTheirTime(t *testing.T) {
	ctx, st, post := t.Context(), storetest.NewModel(), newPost()
	blobs, err := dirblob.Open(t.TempDir())
	must(t, err)
	replicas, err := replica.NewCache(replica.Options{Store: st, Blobs: blobs, Dir: t.TempDir(), Log: slog.New(slog.DiscardHandler)})
	must(t, err)
	defer func() { must(t, replicas.Close()) }()
	rooms := room.New(room.Options{Store: st, Replicas: replicas})
	a := New(Options{Registry: NewLocal(), Tickets: access.NewTickets(st, nil), Pusher: post, Store: st, States: Replicas{replicas}, Workers: -1})

	ada := access.Principal{User: identity.User{ID: "ada", Name: "Ada"}}
	info, err := rooms.Create(ctx, ada, "den", "Den")
	must(t, err)
	ticket, err := a.Tickets.Issue(ctx, ada.User, info.ULID)
	must(t, err)
	c, err := a.Connect(ctx, "c", ticket)
	must(t, err)
	_, err = a.Subscribe(ctx, c, nil)
	must(t, err)
	a.Started(info.ULID, info.Seq)
	post.take("c")

	commit := func(op string) int64 {
		r, err := rooms.Commit(ctx, ada, room.Ref{ID: "den"}, room.Request{Ops: []json.RawMessage{json.RawMessage(op)}})
		must(t, err)
		return r.Entry.Seq
	}
	seq := commit(`{"op":"insert","table":"tasks","id":"a","row":{"title":"x"}}`)
	commit(`{"op":"alterTable","table":"tasks","rename":{"title":"later"},"name":"other"}`)
	commit(`{"op":"insert","table":"other","id":"b","row":{"later":"y"}}`)
	last := commit(`{"op":"alterTable","table":"other","rename":{"later":"latest"}}`)
	must(t, a.Announce(ctx, info.ULID, seq))
	if got := strings.Join(post.take("c"), ""); !strings.Contains(got, `"table":"tasks","id":"a"`) || !strings.Contains(got, `"title":"x"`) {
		t.Errorf("told as %s", got)
	}
	must(t, a.Announce(ctx, info.ULID, last))
	if got := strings.Join(post.take("c"), ""); !strings.Contains(got, `"table":"tasks","rename":{"title":"later"}`) || !strings.Contains(got, `"later":"y"`) {
		t.Errorf("told as %s", got)
	}
}

// heavy writes commits of nearly the largest size into the log.
func (s *stand) heavy(through int64) {
	for seq := int64(1); seq <= through; seq++ {
		e := &commitlog.Entry{Format: commitlog.Format, Seq: seq, By: "ada", Attempt: "x",
			Ops: []commitlog.Op{{Kind: commitlog.SetRoom, Name: strings.Repeat("x", 340<<10)}}}
		must(s.t, s.store.Write(context.Background(), store.Write{
			Item: store.Item{Key: commitlog.Key(theRoom, seq), Data: commitlog.AppendEntry(nil, e)}, If: store.Absent,
		}))
	}
}

// Commits that take several pages of the log are told all the same; where
// there are too many, the first ones and the newest seq.
func TestLargeCommitsAreAnnouncedOverPages(t *testing.T) {
	s := newStand(t, nil)
	s.listen("c", "u")
	s.heavy(30)
	must(t, s.audience.Announce(t.Context(), theRoom, 8))
	rising(t, "c", seqs(t, s.post.take("c")), 8)
	must(t, s.audience.Announce(t.Context(), theRoom, 30))
	got := seqs(t, s.post.take("c"))
	if len(got) < 3 || len(got) > 15 || got[0] != 9 || got[len(got)-1] != 30 {
		t.Errorf("got %d", got)
	}
}

// What cannot be read is mentioned, so that clients fetch it.
func TestCommitsThatCannotBeReadAreMentioned(t *testing.T) {
	s := newStand(t, nil)
	s.listen("c", "u")
	s.audience.Store = brokenStore{}
	must(t, s.audience.Announce(t.Context(), theRoom, 2))
	if got := fmt.Sprint(s.post.take("c")); !strings.Contains(got, `"seq":2,"truncated":true`) {
		t.Errorf("got %s", got)
	}
}
