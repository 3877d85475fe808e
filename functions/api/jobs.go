package api

import (
	"encoding/json"
	"net/http"

	"nanotypedb/shared/access"
	"nanotypedb/shared/job"
)

type (
	// Job is a piece of long work.
	Job struct {
		ID        string          `json:"id"`
		Kind      string          `json:"kind"`
		By        string          `json:"by"`
		State     job.State       `json:"state"`
		Progress  float64         `json:"progress"`
		Step      string          `json:"step,omitempty"`
		Result    json.RawMessage `json:"result,omitempty"`
		Error     *job.Failure    `json:"error,omitempty"`
		CreatedAt Time            `json:"createdAt"`
		UpdatedAt Time            `json:"updatedAt"`
	}

	// JobList is a page of jobs, the newest first.
	JobList struct {
		Jobs   []Job  `json:"jobs"`
		Cursor string `json:"cursor,omitempty"`
	}
)

const jobsPath = "/v1/rooms/{room}/jobs"

var jobRoutes = []Route{
	{Method: "GET", Path: jobsPath, Role: access.Viewer, Summary: "Long work in the room, newest first: the user's own, to owners all.", Query: page,
		Status: http.StatusOK, Answer: JobList{}, call: listJobs},
	{Method: "GET", Path: jobsPath + "/{id}", Role: access.Viewer, Summary: "How far a job is, and its result.",
		Status: http.StatusOK, Answer: Job{}, call: getJob},
	{Method: "DELETE", Path: jobsPath + "/{id}", Role: access.Viewer, Summary: "Asks a job to stop before its next step.",
		Status: http.StatusOK, Answer: Job{}, call: cancelJob},
}

func jobAnswer(j job.Job) Job {
	return Job{j.ID, j.Kind, j.By.ID, j.State, j.Progress, j.Phase, j.Result, j.Error, Time(j.CreatedAt), Time(j.UpdatedAt)}
}

func listJobs(a *API, x *exchange) (any, error) {
	limit, err := x.pageLimit()
	if err != nil {
		return nil, err
	}
	jobs, next, err := a.Backups.ListJobs(x.ctx(), x.principal, x.ref(), x.query.Get("cursor"), limit)
	list := JobList{Jobs: make([]Job, len(jobs)), Cursor: next}
	for i, j := range jobs {
		list.Jobs[i] = jobAnswer(j)
	}
	return list, err
}

// pageLimit reads the parameter limit, or gives its default.
func (x *exchange) pageLimit() (int, error) {
	const usual = 100
	n, err := x.limit()
	if n == 0 {
		n = usual
	}
	return n, err
}

func getJob(a *API, x *exchange) (any, error) {
	j, err := a.Backups.GetJob(x.ctx(), x.principal, x.ref(), x.r.PathValue("id"))
	return jobAnswer(j), err
}

func cancelJob(a *API, x *exchange) (any, error) {
	j, err := a.Backups.CancelJob(x.ctx(), x.principal, x.ref(), x.r.PathValue("id"))
	return jobAnswer(j), err
}

// work is the answer of a call that may take long: what it came to, or a job
// that will have it.
func work(j job.Job, err error, result func(json.RawMessage) (any, error)) (any, error) {
	if err != nil {
		return nil, err
	}
	if j.State != job.Done {
		return accepted{&j}, nil
	}
	return result(j.Result)
}
