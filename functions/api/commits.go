package api

import (
	"nanotypedb/shared/audience"
	"nanotypedb/shared/room"
	"nanotypedb/shared/wire"
)

// maxPage bounds the bytes of rows or commits in one answer: what goes through
// a function has at most wire.MaxBody.
const maxPage = wire.MaxBody - 64<<10

func commit(a *API, x *exchange) (any, error) {
	var asked room.Request
	if err := x.body(&asked); err != nil {
		return nil, err
	}
	r, err := a.Rooms.Commit(x.ctx(), x.principal, x.ref(), asked)
	if err != nil {
		return nil, err
	}
	a.announce(x.ctx(), r)
	return audience.Receipt(r, x.principal.User.ID), nil
}

func readLog(a *API, x *exchange) (any, error) {
	since, err := x.integer("since", 0)
	if err != nil {
		return nil, err
	}
	limit, err := x.limit()
	if err != nil {
		return nil, err
	}
	page, err := a.Rooms.Log(x.ctx(), x.principal, x.ref(), since, limit, maxPage)
	return page, err
}

func getSchema(a *API, x *exchange) (any, error) {
	var answer any
	seq, err := x.at(a)
	if err != nil {
		return nil, err
	}
	err = a.Rooms.ReadAt(x.ctx(), x.principal, x.ref(), seq, func(v *room.View) error {
		answer = v.SchemaJSON()
		return nil
	})
	return answer, err
}
