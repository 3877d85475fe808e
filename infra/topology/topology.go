// Package topology says what a deployment consists of, as plain values: the
// stack makes resources of them, and tests and documents read them.
package topology

// The functions of a deployment.
const (
	API     = "api"
	Live    = "live"
	Relay   = "relay"
	Embed   = "embed"
	Jobs    = "jobs"
	Deliver = "deliver"
)

// Functions lists all functions.
var Functions = []string{API, Live, Relay, Embed, Jobs, Deliver}

// The queues of a deployment. Each has a dead-letter queue of its name and Dead.
const (
	Embeddings = "embeddings"
	Work       = "jobs"
	Webhooks   = "webhooks"
	Dead       = "-dead"
)

// Queues lists all queues but the dead-letter queues.
var Queues = []string{Embeddings, Work, Webhooks}
