package room_test

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"

	"nanotypedb/shared/access"
	"nanotypedb/shared/commitlog"
	"nanotypedb/shared/fault"
	"nanotypedb/shared/identity"
	"nanotypedb/shared/room"
	"nanotypedb/shared/store"
)

func (w *world) rooms(e *room.Engine, p access.Principal) []room.Info {
	w.tb.Helper()
	infos, next, err := e.Rooms(w.tb.Context(), p, "", 0)
	must(w.tb, err)
	if next != "" {
		w.tb.Fatalf("there is more after %q", next)
	}
	return infos
}

func TestMembers(t *testing.T) {
	w := newWorld(t)
	e := w.engine()
	w.den(e)
	ctx := t.Context()
	dora := access.Principal{User: identity.User{ID: "dora", Name: "Dora", Email: "Dora@Example.com"}}
	refused := func(what string, code fault.Code, _ room.Result, err error) {
		t.Helper()
		if !fault.Is(err, code) {
			t.Errorf("%s: %v", what, err)
		}
	}
	refuse := func(what string, code fault.Code) func(room.Result, error) {
		return func(r room.Result, err error) { t.Helper(); refused(what, code, r, err) }
	}
	before := w.state(e)
	refuse("join uninvited", fault.NotFound)(e.Join(ctx, dora, den))
	refuse("join as a member", fault.Conflict)(e.Join(ctx, bob, den))
	refuse("set by an editor", fault.Forbidden)(e.SetMember(ctx, bob, den, "x", access.Viewer))
	refuse("set by a stranger", fault.NotFound)(e.SetMember(ctx, simon, den, "simon", access.Owner))
	refuse("set to no role", fault.Invalid)(e.SetMember(ctx, ada, den, "x", "admin"))
	refuse("bad user id", fault.Invalid)(e.SetMember(ctx, ada, den, "a#b", access.Viewer))
	refuse("invite by an editor", fault.Forbidden)(e.Invite(ctx, bob, den, "x@y.z", access.Viewer))
	refuse("invite no address", fault.Invalid)(e.Invite(ctx, ada, den, "nobody", access.Viewer))
	refuse("invite with a name", fault.Invalid)(e.Invite(ctx, ada, den, "X <x@y.z>", access.Viewer))
	refuse("withdraw nothing", fault.NotFound)(e.Invite(ctx, ada, den, "x@y.z", access.None))
	refuse("remove by an editor", fault.Forbidden)(e.RemoveMember(ctx, bob, den, "cleo"))
	refuse("remove nobody", fault.NotFound)(e.RemoveMember(ctx, ada, den, "dora"))
	refuse("last owner leaves", fault.Conflict)(e.RemoveMember(ctx, ada, den, "ada"))
	refuse("last owner steps down", fault.Conflict)(e.SetMember(ctx, ada, den, "ada", access.Editor))
	refuse("rename by an editor", fault.Forbidden)(e.Rename(ctx, bob, den, "x"))
	refuse("rename to nothing", fault.Invalid)(e.Rename(ctx, ada, den, "  "))
	refuse("delete by an editor", fault.Forbidden)(e.Delete(ctx, bob, den))
	refuse("delete by a stranger", fault.NotFound)(e.Delete(ctx, simon, den))
	if after := w.state(e); after.Sums != before.Sums {
		t.Error("a refusal changed something")
	}

	_, err := e.Invite(ctx, ada, den, "dora@EXAMPLE.com", access.Editor)
	must(t, err)
	if got := w.rooms(e, dora); len(got) != 1 || !got[0].Invited || got[0].Role != access.Editor || got[0].ID != "den" {
		t.Errorf("invited: %+v", got)
	}
	_, err = e.Join(ctx, dora, den)
	must(t, err)
	if got := w.rooms(e, dora); len(got) != 1 || got[0].Invited || got[0].Role != access.Editor {
		t.Errorf("joined: %+v", got)
	}
	if m := w.state(e).Members["dora"]; m.Name != "Dora" || m.Role != access.Editor {
		t.Errorf("member %+v", m)
	}
	_, err = e.Rename(ctx, ada, den, "The cave")
	must(t, err)
	if got := w.rooms(e, dora); got[0].Name != "The cave" {
		t.Errorf("renamed: %+v", got)
	}
	_, err = e.RemoveMember(ctx, dora, den, "dora")
	must(t, err)
	if got := w.rooms(e, dora); len(got) != 0 {
		t.Errorf("left: %+v", got)
	}
	_, err = e.SetMember(ctx, ada, den, "bob", access.Owner)
	must(t, err)
	_, err = e.SetMember(ctx, ada, den, "ada", access.Viewer)
	must(t, err)
	refuse("former owner", fault.Forbidden)(e.SetMember(ctx, ada, den, "ada", access.Owner))
}

// TestTwoOwnersLeaveAtOnce lets two owners leave together, on two engines as
// on one: one of them must stay.
func TestTwoOwnersLeaveAtOnce(t *testing.T) {
	for name, processes := range map[string]int{"one process": 1, "two processes": 2} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			engines := []*room.Engine{w.engine()}
			if processes == 2 {
				engines = []*room.Engine{w.engineOn(shared{w.store}), w.engineOn(shared{w.store})}
			}
			w.den(engines[0])
			_, err := engines[0].SetMember(t.Context(), ada, den, "bob", access.Owner)
			must(t, err)
			var errs [2]error
			var wg sync.WaitGroup
			for i, p := range []access.Principal{ada, bob} {
				wg.Go(func() {
					_, errs[i] = engines[i%len(engines)].RemoveMember(context.Background(), p, den, p.User.ID)
				})
			}
			wg.Wait()
			if (errs[0] == nil) == (errs[1] == nil) || !fault.Is(errs[0], fault.Conflict) && !fault.Is(errs[1], fault.Conflict) {
				t.Errorf("answers: %v and %v", errs[0], errs[1])
			}
		})
	}
}

func TestDeleteAndMakeAgain(t *testing.T) {
	w := newWorld(t)
	one, two := w.engineOn(shared{w.store}), w.engineOn(shared{w.store})
	w.den(one)
	ctx := t.Context()
	w.commit(one, bob, `{"op":"insert","table":"tasks","id":"old","row":{"title":"x"}}`)
	_, err := w.get(two, bob, "tasks", "old") // so that two keeps the name and a replica
	must(t, err)
	old := room.Ref{ULID: w.state(one).Room}
	_, err = one.Create(ctx, ada, "den", "again")
	if f := faultOf(t, err); f.Code != fault.Conflict || f.Path != "id" {
		t.Errorf("taken id: %v", err)
	}
	closed, err := one.Delete(ctx, ada, den)
	must(t, err)
	if closed.Entry.Kind != commitlog.Closed {
		t.Errorf("last commit %+v", closed.Entry)
	}
	for name, e := range map[string]*room.Engine{"deleter": one, "other": two, "fresh": w.engineOn(shared{w.store})} {
		for _, ref := range []room.Ref{den, old} {
			insert := request(`{"op":"insert","table":"tasks","row":{"title":"x"}}`)
			if _, err := e.Commit(ctx, ada, ref, insert); !fault.Is(err, fault.NotFound) {
				t.Errorf("%s: commit after the deletion: %v", name, err)
			}
			if err := e.Read(ctx, ada, ref, func(*room.View) error { return nil }); !fault.Is(err, fault.NotFound) {
				t.Errorf("%s: read after the deletion: %v", name, err)
			}
			if _, err := e.Log(ctx, ada, ref, 0, 0, 0); !fault.Is(err, fault.NotFound) {
				t.Errorf("%s: log after the deletion: %v", name, err)
			}
			if _, err := e.Delete(ctx, ada, ref); !fault.Is(err, fault.NotFound) {
				t.Errorf("%s: delete again: %v", name, err)
			}
		}
	}
	if got := w.rooms(one, bob); len(got) != 0 {
		t.Errorf("rooms of a member: %+v", got)
	}
	_, err = w.get(two, bob, "tasks", "old")
	if !fault.Is(err, fault.NotFound) {
		t.Error(err)
	}
	_, err = one.Create(ctx, ada, "den", "again")
	must(t, err)
	if st := w.state(two); st.Room == old.ULID || st.Rows != 0 {
		t.Errorf("the name means room %s, the old one was %s", st.Room, old.ULID)
	}
	for _, e := range []*room.Engine{one, two} {
		if err := e.Read(ctx, ada, old, func(*room.View) error { return nil }); !fault.Is(err, fault.NotFound) {
			t.Errorf("the old room: %v", err)
		}
	}
}

func TestCreateDerivesID(t *testing.T) {
	w := newWorld(t)
	e := w.engine()
	for name, want := range map[string]string{"Ärger & Co. 7": "rger-co-7", "日本": "room", strings.Repeat("ab ", 40): strings.Repeat("ab-", 15) + "ab"} {
		info, err := e.Create(t.Context(), ada, "", name)
		must(t, err)
		again, err := e.Create(t.Context(), ada, "", name)
		must(t, err)
		if info.ID != want || !strings.HasPrefix(again.ID, want+"-") {
			t.Errorf("%q: %s, then %s", name, info.ID, again.ID)
		}
	}
	if _, err := e.Create(t.Context(), ada, "Bad Id", "x"); !fault.Is(err, fault.Invalid) {
		t.Errorf("bad id: %v", err)
	}
}

func TestRoomsPages(t *testing.T) {
	w := newWorld(t)
	e := w.engine()
	var want []string
	for _, id := range []string{"a", "b", "c", "d", "e"} {
		_, err := e.Create(t.Context(), ada, id, id)
		must(t, err)
		want = append(want, id)
	}
	for _, id := range []string{"f", "g", "h"} {
		_, err := e.Create(t.Context(), bob, id, id)
		must(t, err)
		_, err = e.Invite(t.Context(), bob, room.Ref{ID: id}, ada.User.Email, access.Viewer)
		must(t, err)
		want = append(want, id)
	}
	for limit := 1; limit <= len(want)+1; limit++ {
		var got []string
		after := ""
		for {
			infos, next, err := e.Rooms(t.Context(), ada, after, limit)
			must(t, err)
			for _, info := range infos {
				got = append(got, info.ID)
				if info.Invited != (info.Role == access.Viewer) {
					t.Errorf("%+v", info)
				}
			}
			if next == "" {
				break
			}
			after = next
		}
		if !slices.Equal(got, want) {
			t.Errorf("limit %d: %v", limit, got)
		}
	}
	if _, _, err := e.Rooms(t.Context(), ada, "nonsense", 0); !fault.Is(err, fault.Invalid) {
		t.Errorf("bad cursor: %v", err)
	}
}

// failingIndexes loses every write of an index after a commit.
type failingIndexes struct{ store.Store }

func (f failingIndexes) Write(ctx context.Context, writes ...store.Write) error {
	if pk := writes[0].Item.PK; strings.HasPrefix(pk, "USER#") || strings.HasPrefix(pk, "EMAIL#") {
		return store.ErrUnknownOutcome
	}
	return f.Store.Write(ctx, writes...)
}

// TestRepairIndexes applies the repairs of a log in any order, twice, and from
// any state that the relay may have: the indexes end as the log says.
func TestRepairIndexes(t *testing.T) {
	w := newWorld(t)
	e := w.engineOn(failingIndexes{shared{w.store}})
	w.den(e)
	ctx := t.Context()
	var results []room.Result
	keep := func(r room.Result, err error) { t.Helper(); must(t, err); results = append(results, r) }
	keep(e.SetMember(ctx, ada, den, "bob", access.Viewer))
	keep(e.Invite(ctx, ada, den, simon.User.Email, access.Viewer))
	keep(e.Join(ctx, simon, den))
	keep(e.RemoveMember(ctx, ada, den, "cleo"))
	keep(e.Rename(ctx, ada, den, "The cave"))
	keep(e.SetMember(ctx, ada, den, "bob", access.Owner))
	if got := w.rooms(e, bob); len(got) != 0 {
		t.Fatalf("the indexes were written: %+v", got)
	}
	relay := w.engine()
	for _, i := range []int{4, 0, 5, 2, 1, 3, 0, 4, 2} {
		must(t, relay.RepairIndexes(ctx, results[i].State, results[i].Entry))
	}
	want := map[string]access.Role{"ada": access.Owner, "bob": access.Owner, "cleo": access.None, "vera": access.Viewer, "simon": access.Viewer}
	got := map[string]access.Role{}
	for _, p := range []access.Principal{ada, bob, cleo, vera, simon} {
		got[p.User.ID] = access.None
		for _, info := range w.rooms(relay, p) {
			got[p.User.ID] = info.Role
			if info.Invited || info.Name != "The cave" {
				t.Errorf("%s: %+v", p.User.ID, info)
			}
		}
	}
	if !maps.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestWhatStrangersAreTold(t *testing.T) {
	w := newWorld(t)
	e := w.engine()
	w.den(e)
	nowhere := room.Ref{ID: "nowhere"}
	asks := map[string]func(room.Ref) error{
		"read": func(ref room.Ref) error {
			return e.Read(t.Context(), simon, ref, func(*room.View) error { return nil })
		},
		"log": func(ref room.Ref) error { _, err := e.Log(t.Context(), simon, ref, 0, 0, 0); return err },
		"commit": func(ref room.Ref) error {
			_, err := e.Commit(t.Context(), simon, ref, request(`{"op":"dropTable","table":"x"}`))
			return err
		},
		"join":     func(ref room.Ref) error { _, err := e.Join(t.Context(), simon, ref); return err },
		"delete":   func(ref room.Ref) error { _, err := e.Delete(t.Context(), simon, ref); return err },
		"bad id":   func(room.Ref) error { return e.Read(t.Context(), simon, room.Ref{ID: "A B"}, nil) },
		"bad ulid": func(room.Ref) error { return e.Read(t.Context(), simon, room.Ref{ULID: "LOG#1"}, nil) },
	}
	for name, ask := range asks {
		there, missing := faultOf(t, ask(den)), faultOf(t, ask(nowhere))
		a, _ := json.Marshal(there)
		b, _ := json.Marshal(missing)
		if there.Code != fault.NotFound || string(a) != string(b) || there.Error() != missing.Error() {
			t.Errorf("%s: %v, but of no room %v", name, there, missing)
		}
	}
}

// TestARemovedMemberIsNotInvited: an invitation that waits for a member does
// not let him in again once he is removed.
func TestARemovedMemberIsNotInvited(t *testing.T) {
	w := newWorld(t)
	e := w.engine()
	w.den(e)
	ctx, dora := t.Context(), user("dora")
	dora.User.Email = "Dora@example.com"
	invite := func(role access.Role) {
		_, err := e.Invite(ctx, ada, den, "dora@example.com", role)
		must(t, err)
	}
	for name, by := range map[string]access.Principal{"removed": ada, "left": dora} {
		invite(access.Viewer)
		_, err := e.Join(ctx, dora, den)
		must(t, err)
		invite(access.Editor)
		_, err = e.RemoveMember(ctx, by, den, "dora")
		must(t, err)
		if _, err := e.Join(ctx, dora, den); !fault.Is(err, fault.NotFound) {
			t.Errorf("%s, and joined again: %v", name, err)
		}
		if got := w.rooms(e, dora); len(got) != 0 {
			t.Errorf("%s: still listed: %+v", name, got)
		}
	}
}
