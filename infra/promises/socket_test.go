package promises

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// socket is one WebSocket connection to a room. Its answers are matched to
// their requests; notifications wait in notes.
type socket struct {
	conn *websocket.Conn
	tcp  net.Conn // below conn, to be cut
	done chan struct{}

	mu      sync.Mutex
	next    int
	pending map[string]chan message
	notes   []message
	arrived chan struct{} // has one token when there may be new notes
	err     error         // why the connection ended
}

// message is anything the server says.
type message struct {
	ID     json.RawMessage
	Method string
	Params json.RawMessage
	Result json.RawMessage
	Error  *rpcError
}

// rpcError is a refusal over a socket.
type rpcError struct {
	Code    int
	Message string
	Data    struct {
		Code, Path, Reason string
		UseHTTP            bool `json:"useHttp"`
		RetryAfterMs       int64
	}
}

func (e *rpcError) Error() string {
	return fmt.Sprintf("%d %s %s %s", e.Code, e.Data.Code, e.Data.Path, e.Data.Reason)
}

// errCut is the error of a request whose answer did not come.
var errCut = errors.New("the connection ended")

// ticket asks for the address of a socket.
func (w *person) ticket(ctx context.Context, room string) (string, error) {
	var ticket struct{ URL string }
	err := w.call(ctx, "POST", "/v1/rooms/"+room+"/tickets", nil, &ticket)
	return ticket.URL, err
}

// dial opens a socket to a room.
func (w *person) dial(ctx context.Context, room string) (*socket, error) {
	url, err := w.ticket(ctx, room)
	if err != nil {
		return nil, err
	}
	return open(ctx, url)
}

// socket is dial in a test.
func (w *person) socket(t *testing.T, room string) *socket {
	t.Helper()
	s, err := w.dial(t.Context(), room)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.close)
	return s
}

func open(ctx context.Context, url string) (*socket, error) {
	s := &socket{done: make(chan struct{}), pending: map[string]chan message{}, arrived: make(chan struct{}, 1)}
	transport := &http.Transport{DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
		conn, err := new(net.Dialer).DialContext(ctx, network, addr)
		s.tcp = conn
		return conn, err
	}}
	conn, resp, err := websocket.Dial(ctx, url, &websocket.DialOptions{HTTPClient: &http.Client{Transport: transport}})
	if err != nil {
		if resp != nil && resp.StatusCode != http.StatusSwitchingProtocols {
			return nil, &problem{Status: resp.StatusCode, Detail: err.Error()}
		}
		return nil, err
	}
	s.conn = conn
	conn.SetReadLimit(1 << 20)
	go s.read()
	return s, nil
}

// read ends with the connection.
func (s *socket) read() {
	defer close(s.done)
	for {
		_, frame, err := s.conn.Read(context.Background())
		var m message
		if err == nil {
			err = json.Unmarshal(frame, &m)
		}
		if err != nil {
			s.end(err)
			return
		}
		s.take(m)
	}
}

func (s *socket) take(m message) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if m.Method == "" {
		if waiting, ok := s.pending[string(m.ID)]; ok {
			delete(s.pending, string(m.ID))
			waiting <- m
			return
		}
	}
	s.notes = append(s.notes, m)
	select {
	case s.arrived <- struct{}{}:
	default:
	}
}

func (s *socket) end(err error) {
	_ = s.conn.CloseNow()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.err = err
	for id, waiting := range s.pending {
		delete(s.pending, id)
		close(waiting)
	}
}

// status is the close code that the server ended the connection with, or -1.
func (s *socket) status() websocket.StatusCode {
	<-s.done
	s.mu.Lock()
	defer s.mu.Unlock()
	return websocket.CloseStatus(s.err)
}

func (s *socket) close() {
	_ = s.conn.CloseNow() // it may have ended
	<-s.done
}

// cut ends the connection as a lost network does, from the client's side.
func (s *socket) cut() {
	if tcp, ok := s.tcp.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = s.tcp.Close()
	<-s.done
}

// halfClose ends the client's direction only.
func (s *socket) halfClose() {
	_ = s.tcp.(*net.TCPConn).CloseWrite() // it may have ended
}

// call makes one request. The error is an *rpcError when the server refused,
// and another one when the outcome is unknown.
func (s *socket) call(ctx context.Context, method string, params, out any) error {
	text, err := json.Marshal(params)
	if err != nil {
		return err
	}
	s.mu.Lock()
	s.next++
	id := strconv.Itoa(s.next)
	s.mu.Unlock()
	m, err := s.raw(ctx, id, fmt.Sprintf(`{"jsonrpc":"2.0","id":%s,"method":%q,"params":%s}`, id, method, text))
	switch {
	case err != nil:
		return err
	case m.Error != nil:
		return m.Error
	case out == nil:
		return nil
	}
	return json.Unmarshal(m.Result, out)
}

// raw sends a frame and waits for the answer with the id, "null" for a frame
// that has none to be read.
func (s *socket) raw(ctx context.Context, id, frame string) (message, error) {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	answer := make(chan message, 1)
	s.mu.Lock()
	if s.err != nil {
		s.mu.Unlock()
		return message{}, errCut
	}
	s.pending[id] = answer
	s.mu.Unlock()
	if err := s.conn.Write(ctx, websocket.MessageText, []byte(frame)); err != nil {
		return message{}, err
	}
	select {
	case m, ok := <-answer:
		if !ok {
			return m, errCut
		}
		return m, nil
	case <-ctx.Done():
		return message{}, ctx.Err()
	}
}

// heard takes the notifications that have come.
func (s *socket) heard() []message {
	s.mu.Lock()
	defer s.mu.Unlock()
	notes := s.notes
	s.notes = nil
	return notes
}

// await calls fn for each notification, in order, until fn says that it is
// enough, or the connection ends.
func (s *socket) await(ctx context.Context, fn func(message) (enough bool)) error {
	for {
		for _, m := range s.heard() {
			if fn(m) {
				return nil
			}
		}
		select {
		case <-s.arrived:
		case <-s.done:
			return errCut
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
