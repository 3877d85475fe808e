package room

import (
	"context"

	"nanotypedb/shared/access"
	"nanotypedb/shared/fault"
	"nanotypedb/shared/replica"
	"nanotypedb/shared/schema"
	"nanotypedb/shared/usage"
)

// Scan calls fn for every row of a table that its reader may see, in order of
// id, until fn returns an error. The Row is fn's until it returns. Export and
// import read by it.
func (v *View) Scan(ctx context.Context, table string, fn func(*replica.Row) error) error {
	return v.ScanAfter(ctx, table, "", fn)
}

// ScanAfter is Scan of the rows whose id comes after another.
func (v *View) ScanAfter(ctx context.Context, table, after string, fn func(*replica.Row) error) error {
	t, err := v.table(table)
	if err != nil {
		return err
	}
	q := replica.ListQuery{Table: t, OrderBy: "id"}
	if t.Access == schema.Own && v.grant.Role != access.Owner {
		q.Creator = v.grant.Principal.User.ID
	}
	if after != "" {
		q.After = &replica.Position{ID: after}
	}
	var row replica.Row
	var scanned int64
	defer func() { usage.From(ctx).Add(usage.Reads, scanned) }()
	return v.view.List(ctx, q, func(c *replica.Cells) (bool, error) {
		c.Row(&row)
		scanned++
		return true, fn(&row)
	})
}

// Row finds a row as Get does; false when there is none that its reader may
// see.
func (v *View) Row(ctx context.Context, table, id string) (replica.Row, bool, error) {
	t, err := v.table(table)
	if err != nil {
		return replica.Row{}, false, err
	}
	if err := schema.ValidRowID(id); err != nil {
		return replica.Row{}, false, fault.Under("id", err)
	}
	row, found, err := v.view.Row(ctx, t.Num, id)
	if err != nil || !found || !v.grant.SeesRow(t.Access == schema.Own, row.CreatedBy) {
		return replica.Row{}, false, err
	}
	return row, true, nil
}
