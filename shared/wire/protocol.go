// Package wire is the form of everything that crosses the network: JSON-RPC
// frames, problem documents, the tables from fault codes to numbers, and the
// strict decoding of what clients send. Its golden frames in testdata are read
// by the Go tests and by the TypeScript client's.
package wire

// Protocol is the number of the protocol that this server speaks. A client
// reads it from GET /healthz. It rises when a client that was right before
// would be wrong afterwards; new methods and new members do not raise it.
//
// Diary:
//
//	1  2026-11-23  the first: ping, subscribe, unsubscribe, commit, rows.list,
//	               rows.get, log.read, presence.set, cursor.set; notifications
//	               commit, reset, presence
//	   2026-11-24  added: search, sql, alerts.set, alerts.delete, alerts.list,
//	               alerts.inbox; indexed of subscribe; _vector of rows;
//	               notifications index, alert
const Protocol = 1

// Limits of what a client may send. The gateway enforces the first two as
// well: a larger frame or message closes the connection with 1009.
const (
	MaxFrame   = 32 << 10  // bytes of one WebSocket frame
	MaxMessage = 128 << 10 // bytes of one message, all its frames together
	MaxBody    = 4 << 20   // bytes of an HTTP body
	MaxDepth   = 128       // arrays and objects inside each other
	MaxID      = 128       // bytes of a request id
	MaxMethod  = 64        // bytes of a method name
)

// Close codes of a connection, from RFC 6455 and its registry.
const (
	CloseGoingAway   = 1001 // the server stops: reconnect
	CloseUnsupported = 1003 // a binary frame: stop
	ClosePolicy      = 1008 // dropped, no longer a member: ask for a new ticket
	CloseTooBig      = 1009 // a frame or message above the limit: use HTTP
	CloseTooSlow     = 1013 // messages were not read in time: reconnect
)
