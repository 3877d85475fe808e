package api

import (
	"encoding/json"
	"net/http"
	"time"

	"nanotypedb/shared/access"
	"nanotypedb/shared/backup"
	"nanotypedb/shared/fault"
)

type (
	// RestoreRequest says what to go back to, by one of backup, seq and at, and
	// with how much.
	RestoreRequest struct {
		Backup string           `json:"backup,omitempty"`
		Seq    int64            `json:"seq,omitempty"`
		At     string           `json:"at,omitempty"`
		Tables []string         `json:"tables,omitempty"`
		Rows   []backup.RowName `json:"rows,omitempty"`
		Into   *backup.NewRoom  `json:"into,omitempty"`
		DryRun bool             `json:"dryRun,omitempty"`
	}

	// Restored is what a restore did, or would do.
	Restored = backup.Restored
)

var restoreRoutes = []Route{
	{Method: "POST", Path: "/v1/rooms/{room}/restore", Role: access.Owner,
		Summary: "Brings the room, tables or rows back to a backup, seq or time by one commit, after a safety snapshot; or into a new room. With dryRun it only counts.",
		Body:    RestoreRequest{}, Status: http.StatusOK, Answer: Restored{}, Also: alsoJob, call: restore},
}

func restore(a *API, x *exchange) (any, error) {
	var asked RestoreRequest
	if err := x.body(&asked); err != nil {
		return nil, err
	}
	r := backup.Restore{Backup: asked.Backup, Seq: asked.Seq, Tables: asked.Tables, Rows: asked.Rows, Into: asked.Into, DryRun: asked.DryRun}
	if asked.At != "" {
		var err error
		if r.At, err = time.Parse(time.RFC3339, asked.At); err != nil {
			return nil, fault.At(fault.Invalid, "at", "A time is written as in 2026-11-23T20:21:00Z.")
		}
	}
	j, err := a.Backups.Restore(x.ctx(), x.principal, x.ref(), r)
	return work(j, err, func(result json.RawMessage) (any, error) { return backup.ReadRestored(result) })
}
