// Package push is the port that sends a message to one open connection. The
// embedded adapter is hubpush, the AWS adapter apigwpush; both pass pushtest.
package push

import (
	"context"
	"errors"
)

// MaxMessage is the largest message sent to a client, in bytes: the gateway's
// frame is 32 KB, and a margin stays.
const MaxMessage = 30 << 10

// Pusher sends to connections. Its methods may be called concurrently;
// messages sent one after the other by one caller arrive in that order.
type Pusher interface {
	// Send queues or sends one text message. Errors: ErrGone (the connection
	// is no more, forget it), ErrBusy (throttled or its buffer is full), a
	// *fault.Error too_large above MaxMessage.
	Send(ctx context.Context, connection string, message []byte) error

	// Drop closes a connection. To drop one that is gone is no error.
	Drop(ctx context.Context, connection string) error
}

// Errors of all adapters.
var (
	ErrGone = errors.New("push: connection is gone")
	ErrBusy = errors.New("push: connection is busy")
)
