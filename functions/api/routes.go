package api

import (
	"net/http"
	"slices"

	"nanotypedb/shared/access"
	"nanotypedb/shared/room"
)

// Route is one operation of the API. Role is what it takes in the room of the
// path; without one it takes to be signed in, and nothing when Open. Body and
// Answer are examples of the types that are read and written; nil: none.
type Route struct {
	Method  string
	Path    string // as http.ServeMux takes it
	Role    access.Role
	Open    bool
	Summary string
	Query   []Param
	Filters bool // further query parameters are conditions on columns
	Body    any
	Status  int
	Answer  any
	Takes   []string       // media types of the body instead of JSON
	Gives   []string       // media types of the answer beside JSON
	Also    map[int]string // further answers by status
	call    func(*API, *exchange) (any, error)
}

// Param is a query parameter.
type Param struct {
	Name    string
	Integer bool
	Summary string
}

var page = []Param{
	{"limit", true, "How many at most: 100 by default, 1000 at most."},
	{"cursor", false, "Where to go on, as the page before says."},
}

// Routes is every operation. OpenAPI is made from it, and a test tries each
// with every role.
var Routes = slices.Concat(
	coreRoutes,
	alertRoutes,
	queueRoutes,
	searchRoutes,
	sqlRoutes,
	analyticsRoutes,
	transferRoutes,
	backupRoutes,
	restoreRoutes,
	jobRoutes,
	timeRoutes,
)

var coreRoutes = []Route{
	{Method: "GET", Path: "/healthz", Open: true, Summary: "Whether the service runs, and its protocol.",
		Status: http.StatusOK, Answer: Health{}, call: health},
	{Method: "GET", Path: "/openapi.json", Open: true, Summary: "This description.",
		Status: http.StatusOK, Answer: map[string]any{}, call: openAPI},
	{Method: "GET", Path: "/v1/me", Summary: "Who is signed in.",
		Status: http.StatusOK, Answer: Me{}, call: me},

	{Method: "GET", Path: "/v1/rooms", Summary: "The rooms of the user and those he is invited to.", Query: page,
		Status: http.StatusOK, Answer: RoomList{}, call: listRooms},
	{Method: "POST", Path: "/v1/rooms", Summary: "Makes a room; the user is its owner.",
		Body: NewRoom{}, Status: http.StatusCreated, Answer: RoomSummary{}, call: createRoom},
	{Method: "GET", Path: "/v1/rooms/{room}", Role: access.Viewer, Summary: "One room.",
		Status: http.StatusOK, Answer: RoomDetail{}, call: getRoom},
	{Method: "PATCH", Path: "/v1/rooms/{room}", Role: access.Owner, Summary: "Renames a room.",
		Body: RoomName{}, Status: http.StatusOK, Answer: RoomDetail{}, call: renameRoom},
	{Method: "DELETE", Path: "/v1/rooms/{room}", Role: access.Owner, Summary: "Deletes a room for good.",
		Status: http.StatusNoContent, call: deleteRoom},

	{Method: "GET", Path: "/v1/rooms/{room}/members", Role: access.Viewer, Summary: "Members and invitations.",
		Status: http.StatusOK, Answer: MemberList{}, call: listMembers},
	{Method: "PUT", Path: "/v1/rooms/{room}/members/{user}", Role: access.Owner,
		Summary: "Gives a user a role, or invites an e-mail address.",
		Body:    MemberRole{}, Status: http.StatusOK, Answer: Membership{}, call: putMember},
	{Method: "DELETE", Path: "/v1/rooms/{room}/members/{user}", Role: access.Owner,
		Summary: "Removes a member or withdraws an invitation; \"me\" leaves the room, which every member may.",
		Status:  http.StatusNoContent, call: deleteMember},
	{Method: "POST", Path: "/v1/rooms/{room}/join", Summary: "Accepts the invitation to the user's verified address.",
		Status: http.StatusOK, Answer: Membership{}, call: join},

	{Method: "POST", Path: "/v1/rooms/{room}/tickets", Role: access.Viewer, Summary: "A ticket to open one socket with, within a minute.",
		Status: http.StatusOK, Answer: TicketAnswer{}, call: issueTicket},
	{Method: "GET", Path: "/v1/rooms/{room}/schema", Role: access.Viewer, Summary: "The tables and their columns.", Query: atParams,
		Status: http.StatusOK, Answer: SchemaAnswer{}, call: getSchema},
	{Method: "POST", Path: "/v1/rooms/{room}/commits", Role: access.Editor, Summary: "Makes one commit.",
		Body: room.Request{}, Status: http.StatusOK, Answer: Commit{}, call: commit},
	{Method: "GET", Path: "/v1/rooms/{room}/log", Role: access.Viewer, Summary: "The commits after since.",
		Query: []Param{
			{"since", true, "The seq after which to begin; 0 by default."},
			{"limit", true, "How many at most: 100 by default, 1000 at most."},
		},
		Status: http.StatusOK, Answer: LogAnswer{}, call: readLog},

	{Method: "GET", Path: "/v1/rooms/{room}/tables/{table}/rows", Role: access.Viewer, Summary: "A page of rows.",
		Query: append([]Param{{"order", false, "A column, id, _createdAt, _updatedAt or _version; with - before it descending."}}, slices.Concat(page, atParams)...), Filters: true,
		Status: http.StatusOK, Answer: RowsAnswer{}, call: listRows},
	{Method: "GET", Path: "/v1/rooms/{room}/tables/{table}/rows/{id}", Role: access.Viewer, Summary: "One row.", Query: atParams,
		Status: http.StatusOK, Answer: RowAnswer{}, call: getRow},
}
