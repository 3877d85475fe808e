package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"

	"github.com/coder/websocket"
)

// socket is one client connection of a room. Its operations end when the
// context it was opened with does; none watches a context of its own, and
// frames are read into one buffer, to leave the processors to the server.
type socket struct {
	conn  *websocket.Conn
	id    int
	buf   []byte
	frame []byte // the last that was read
}

// read reads one frame, which is valid until the next.
func (s *socket) read() ([]byte, error) {
	_, r, err := s.conn.Reader(context.Background())
	if err != nil {
		return nil, err
	}
	s.frame = s.frame[:0]
	for {
		if len(s.frame) == cap(s.frame) {
			s.frame = slices.Grow(s.frame, 1024)
		}
		n, err := r.Read(s.frame[len(s.frame):cap(s.frame)])
		s.frame = s.frame[:len(s.frame)+n]
		if errors.Is(err, io.EOF) {
			return s.frame, nil
		}
		if err != nil {
			return nil, err
		}
	}
}

func (s *server) dial(ctx context.Context, room string) (*socket, error) {
	var ticket struct{ URL string }
	if err := s.call("POST", "/v1/rooms/"+room+"/tickets", nil, &ticket); err != nil {
		return nil, err
	}
	conn, resp, err := websocket.Dial(ctx, ticket.URL, nil)
	if err != nil {
		return nil, fmt.Errorf("open a socket: %w", err)
	}
	if resp.Body != nil {
		_ = resp.Body.Close()
	}
	conn.SetReadLimit(1 << 20)
	context.AfterFunc(ctx, func() { _ = conn.CloseNow() })
	return &socket{conn: conn}, nil
}

// request sends one request and reads until its answer, which it returns.
func (s *socket) request(method, params string) ([]byte, error) {
	s.id++
	s.buf = append(s.buf[:0], `{"jsonrpc":"2.0","id":`...)
	s.buf = strconv.AppendInt(s.buf, int64(s.id), 10)
	s.buf = append(s.buf, `,"method":"`...)
	s.buf = append(s.buf, method...)
	s.buf = append(s.buf, `","params":`...)
	s.buf = append(s.buf, params...)
	s.buf = append(s.buf, '}')
	if err := s.conn.Write(context.Background(), websocket.MessageText, s.buf); err != nil {
		return nil, err
	}
	return s.answer([]byte(fmt.Sprintf(`"id":%d`, s.id)))
}

func (s *socket) answer(id []byte) ([]byte, error) {
	for {
		frame, err := s.read()
		if err != nil {
			return nil, err
		}
		head := frame[:min(len(frame), 60)]
		if !bytes.Contains(head, id) {
			continue
		}
		if bytes.Contains(head, []byte(`"error"`)) {
			return nil, fmt.Errorf("refused: %s", frame)
		}
		return frame, nil
	}
}

func (s *socket) insert(title string) error {
	_, err := s.request("commit", `{"ops":[{"op":"insert","table":"tasks","row":{"title":"`+title+`"}}]}`)
	return err
}

func (s *socket) close() { _ = s.conn.CloseNow() }
