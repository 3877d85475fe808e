package main

import (
	"bytes"
	"context"
	"fmt"
	"strconv"

	"github.com/coder/websocket"
)

// socket is one client connection of a room.
type socket struct {
	conn *websocket.Conn
	id   int
	buf  []byte
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
	return &socket{conn: conn}, nil
}

// request sends one request and reads until its answer, which it returns.
func (s *socket) request(ctx context.Context, method, params string) ([]byte, error) {
	s.id++
	s.buf = append(s.buf[:0], `{"jsonrpc":"2.0","id":`...)
	s.buf = strconv.AppendInt(s.buf, int64(s.id), 10)
	s.buf = append(s.buf, `,"method":"`...)
	s.buf = append(s.buf, method...)
	s.buf = append(s.buf, `","params":`...)
	s.buf = append(s.buf, params...)
	s.buf = append(s.buf, '}')
	if err := s.conn.Write(ctx, websocket.MessageText, s.buf); err != nil {
		return nil, err
	}
	return s.answer(ctx, []byte(fmt.Sprintf(`"id":%d`, s.id)))
}

func (s *socket) answer(ctx context.Context, id []byte) ([]byte, error) {
	for {
		_, frame, err := s.conn.Read(ctx)
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

func (s *socket) insert(ctx context.Context, title string) error {
	_, err := s.request(ctx, "commit", `{"ops":[{"op":"insert","table":"tasks","row":{"title":"`+title+`"}}]}`)
	return err
}

func (s *socket) close() { _ = s.conn.CloseNow() }
