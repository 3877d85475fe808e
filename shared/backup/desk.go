package backup

import (
	"context"

	"nanotypedb/shared/access"
	"nanotypedb/shared/fault"
	"nanotypedb/shared/job"
	"nanotypedb/shared/replica"
	"nanotypedb/shared/room"
)

// ListJobs gives a page of a room's jobs, the newest first: to owners all, to
// others their own.
func (k *Keeper) ListJobs(ctx context.Context, p access.Principal, ref room.Ref, cursor string, limit int) ([]job.Job, string, error) {
	st, err := k.admit(ctx, p, ref, access.Viewer)
	if err != nil {
		return nil, "", err
	}
	if cursor != "" && !validID(cursor) {
		return nil, "", fault.At(fault.Invalid, "cursor", "this is no cursor of this list")
	}
	var page []job.Job
	for {
		jobs, next, err := k.Jobs.List(ctx, st.Room, cursor, limit)
		if err != nil {
			return nil, "", err
		}
		for i := range jobs {
			if !mayFollow(st, p, &jobs[i]) {
				continue
			}
			if len(page) == limit {
				return page, page[limit-1].ID, nil
			}
			page = append(page, jobs[i])
		}
		if cursor = next; cursor == "" {
			return page, "", nil
		}
	}
}

// mayFollow tells whether somebody may see a job: its result tells of content
// that its owner alone may be allowed to see.
func mayFollow(st *replica.State, p access.Principal, j *job.Job) bool {
	return j.By.ID == p.User.ID || st.Members[p.User.ID].Role == access.Owner
}

// GetJob gives one job (who started it, and owners). Errors: not_found.
func (k *Keeper) GetJob(ctx context.Context, p access.Principal, ref room.Ref, id string) (job.Job, error) {
	j, _, err := k.findJob(ctx, p, ref, id)
	return j, err
}

// CancelJob asks for the end of a job (who started it, and owners). Errors:
// not_found, conflict when it has ended.
func (k *Keeper) CancelJob(ctx context.Context, p access.Principal, ref room.Ref, id string) (job.Job, error) {
	j, st, err := k.findJob(ctx, p, ref, id)
	if err != nil {
		return job.Job{}, err
	}
	return k.Jobs.Cancel(ctx, st.Room, j.ID)
}

func (k *Keeper) findJob(ctx context.Context, p access.Principal, ref room.Ref, id string) (job.Job, *replica.State, error) {
	none := fault.At(fault.NotFound, "id", "there is no such job, or somebody else started it")
	st, err := k.admit(ctx, p, ref, access.Viewer)
	if err != nil {
		return job.Job{}, nil, err
	}
	if !validID(id) {
		return job.Job{}, nil, none
	}
	j, err := k.Jobs.Get(ctx, st.Room, id)
	if fault.Is(err, fault.NotFound) || err == nil && !mayFollow(st, p, &j) {
		return job.Job{}, nil, none
	}
	return j, st, err
}
