package promises

func init() {
	routeTrials["GET /v1/rooms/{room}/export"] = routeTrial{"/v1/rooms/%s/export?format=ndjson", "", viewers(200)}
	routeTrials["POST /v1/rooms/{room}/tables/{table}/import"] = routeTrial{"/v1/rooms/%s/tables/tasks/import?format=csv", "title\nFrom a file\n", editors(200)}
	routeTrials["POST /v1/rooms/{room}/uploads"] = routeTrial{"/v1/rooms/%s/uploads", `{"bytes":5}`, editors(201)}
	routeTrials["GET /v1/rooms/{room}/backups/{id}/download"] = routeTrial{"/v1/rooms/%s/backups/x/download?format=ndjson", "", viewers(404)}
}
