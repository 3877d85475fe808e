package promises

func init() {
	routeTrials["GET /v1/rooms/{room}/export"] = routeTrial{"/v1/rooms/%s/export?format=ndjson", "", viewers(200)}
}
