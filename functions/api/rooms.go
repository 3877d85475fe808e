package api

import (
	"nanotypedb/shared/access"
	"nanotypedb/shared/replica"
	"nanotypedb/shared/room"
	"nanotypedb/shared/wire"
)

func health(*API, *exchange) (any, error) {
	return Health{Status: "ok", Protocol: wire.Protocol}, nil
}

func me(_ *API, x *exchange) (any, error) {
	u := x.principal.User
	return Me{ID: u.ID, Name: u.Name, Email: u.Email, EmailVerified: u.Email != ""}, nil
}

func summary(info room.Info) RoomSummary {
	return RoomSummary{info.ID, info.Name, info.Role, Time(info.CreatedAt), info.Invited}
}

func listRooms(a *API, x *exchange) (any, error) {
	limit, err := x.limit()
	if err != nil {
		return nil, err
	}
	infos, next, err := a.Rooms.Rooms(x.ctx(), x.principal, x.query.Get("cursor"), limit)
	if err != nil {
		return nil, err
	}
	list := RoomList{Rooms: make([]RoomSummary, len(infos)), Cursor: next}
	for i, info := range infos {
		list.Rooms[i] = summary(info)
	}
	return list, nil
}

func createRoom(a *API, x *exchange) (any, error) {
	var asked NewRoom
	if err := x.body(&asked); err != nil {
		return nil, err
	}
	info, err := a.Rooms.Create(x.ctx(), x.principal, asked.ID, asked.Name)
	if err != nil {
		return nil, err
	}
	x.w.Header().Set("Location", "/v1/rooms/"+info.ID)
	return summary(info), nil
}

func detail(st *replica.State, role access.Role) RoomDetail {
	return RoomDetail{
		ID: st.ID, Name: st.Name, Role: role, CreatedAt: Time(st.CreatedAt),
		Seq: st.Seq, Rows: st.Rows, Bytes: st.Bytes, Tables: len(st.Schema.Tables),
	}
}

func getRoom(a *API, x *exchange) (any, error) {
	var answer RoomDetail
	err := a.Rooms.Read(x.ctx(), x.principal, x.ref(), func(v *room.View) error {
		answer = detail(v.State(), v.Grant().Role)
		return nil
	})
	return answer, err
}

func renameRoom(a *API, x *exchange) (any, error) {
	var asked RoomName
	if err := x.body(&asked); err != nil {
		return nil, err
	}
	r, err := a.Rooms.Rename(x.ctx(), x.principal, x.ref(), asked.Name)
	if err != nil {
		return nil, err
	}
	a.announce(x.ctx(), r)
	return detail(r.State, r.State.Members[x.principal.User.ID].Role), nil
}

func deleteRoom(a *API, x *exchange) (any, error) {
	r, err := a.Rooms.Delete(x.ctx(), x.principal, x.ref())
	if err != nil {
		return nil, err
	}
	a.announce(x.ctx(), r)
	return nil, nil
}
