package local

import (
	"bufio"
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/coder/websocket"

	"nanotypedb/shared/push"
	"nanotypedb/shared/push/hubpush"
)

// echo answers each frame with its length, and lets only ticket "good" in.
type echo struct {
	hub *hubpush.Hub
	log chan string
	ids chan string // of connections
}

func (e *echo) Handle(ctx context.Context, event events.APIGatewayWebsocketProxyRequest) (events.APIGatewayProxyResponse, error) {
	id := event.RequestContext.ConnectionID
	switch event.RequestContext.RouteKey {
	case "$connect":
		if event.QueryStringParameters["ticket"] != "good" {
			return events.APIGatewayProxyResponse{StatusCode: 401, Body: "no"}, nil
		}
		e.ids <- id
		return events.APIGatewayProxyResponse{StatusCode: 200}, nil
	case "$disconnect":
		e.log <- "gone"
		return events.APIGatewayProxyResponse{StatusCode: 200}, nil
	}
	return events.APIGatewayProxyResponse{StatusCode: 200}, e.hub.Send(ctx, id, fmt.Appendf(nil, "%d", len(event.Body)))
}

// serveEcho starts sockets on a test server and gives its address.
func serveEcho(t *testing.T) (addr string, gone chan string) {
	t.Helper()
	addr, handler := serveWith(t, hubpush.Options{}, 10*time.Second)
	return addr, handler.log
}

func serveWith(t *testing.T, o hubpush.Options, writeTimeout time.Duration) (addr string, handler *echo) {
	t.Helper()
	hub := hubpush.New(o)
	handler = &echo{hub: hub, log: make(chan string, 8), ids: make(chan string, 8)}
	s := &sockets{live: handler, hub: hub, log: slog.New(slog.DiscardHandler), ctx: context.Background(), writeTimeout: writeTimeout}
	server := httptest.NewServer(s)
	t.Cleanup(func() {
		if err := hub.Close(context.Background()); err != nil {
			t.Error(err)
		}
		server.Close()
		s.wait(t.Context())
	})
	return strings.TrimPrefix(server.URL, "http://"), handler
}

func dial(t *testing.T, addr, ticket string) *websocket.Conn {
	t.Helper()
	conn, resp, err := websocket.Dial(t.Context(), "ws://"+addr+"/ws?ticket="+ticket, nil)
	if err != nil {
		t.Fatal(err)
	}
	if resp.Body != nil {
		_ = resp.Body.Close()
	}
	t.Cleanup(func() { _ = conn.CloseNow() })
	return conn
}

func TestSocketRefusesAHandshakeWithoutATicket(t *testing.T) {
	addr, _ := serveEcho(t)
	_, resp, err := websocket.Dial(t.Context(), "ws://"+addr+"/ws?ticket=bad", nil)
	if err == nil || resp == nil || resp.StatusCode != 401 {
		t.Errorf("got %v, %v", resp, err)
	}
}

func TestSocketClosesWithTheGatewaysCodes(t *testing.T) {
	tests := []struct {
		name   string
		kind   websocket.MessageType
		bytes  int
		closes websocket.StatusCode
	}{
		{"a frame of 32 KB", websocket.MessageText, maxFrame, 0},
		{"a larger frame", websocket.MessageText, maxFrame + 1, websocket.StatusMessageTooBig},
		{"a message above 128 KB", websocket.MessageText, maxMessage + 1, websocket.StatusMessageTooBig},
		{"a binary frame", websocket.MessageBinary, 10, websocket.StatusUnsupportedData},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			addr, gone := serveEcho(t)
			conn := dial(t, addr, "good")
			if err := conn.Write(t.Context(), tt.kind, make([]byte, tt.bytes)); err != nil {
				t.Fatal(err)
			}
			_, answer, err := conn.Read(t.Context())
			if got := websocket.CloseStatus(err); tt.closes != 0 && got != tt.closes {
				t.Fatalf("closed with %d (%v), want %d", got, err, tt.closes)
			}
			if tt.closes == 0 {
				if err != nil || string(answer) != fmt.Sprint(tt.bytes) {
					t.Fatalf("got %q, %v", answer, err)
				}
				_ = conn.CloseNow()
			}
			await(t, gone)
		})
	}
}

func await(t *testing.T, gone chan string) {
	t.Helper()
	select {
	case <-gone:
	case <-time.After(10 * time.Second):
		t.Error("the disconnect was not told")
	}
}

func TestSocketTakesMessagesOfSeveralFrames(t *testing.T) {
	addr, _ := serveEcho(t)
	conn := dial(t, addr, "good")
	w, err := conn.Writer(t.Context(), websocket.MessageText)
	if err != nil {
		t.Fatal(err)
	}
	for range 4 {
		if _, err := w.Write(make([]byte, 20_000)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if _, answer, err := conn.Read(t.Context()); err != nil || string(answer) != "80000" {
		t.Errorf("got %q, %v", answer, err)
	}
}

// A client may send its first frames together with the handshake; the HTTP
// server then has read a part of them before the upgrade.
func TestSocketTakesFramesSentWithTheHandshake(t *testing.T) {
	addr, _ := serveEcho(t)
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	key := make([]byte, 16)
	_, _ = rand.Read(key)
	request := "GET /ws?ticket=good HTTP/1.1\r\nHost: " + addr + "\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " + base64.StdEncoding.EncodeToString(key) + "\r\n\r\n"
	if _, err := conn.Write(append([]byte(request), frame(300)...)); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Write(frame(200)); err != nil {
		t.Fatal(err)
	}
	if err := conn.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	text, err := readUntil(bufio.NewReader(conn), "300", "200")
	if err != nil {
		t.Errorf("got %q, %v", text, err)
	}
}

// readUntil reads until all words were seen, in any order.
func readUntil(r *bufio.Reader, words ...string) (string, error) {
	var seen strings.Builder
	for {
		b, err := r.ReadByte()
		if err != nil {
			return seen.String(), errors.Join(err, io.ErrUnexpectedEOF)
		}
		seen.WriteByte(b)
		left := 0
		for _, w := range words {
			if !strings.Contains(seen.String(), w) {
				left++
			}
		}
		if left == 0 {
			return seen.String(), nil
		}
	}
}

// TestSocketOfAClientThatDoesNotReadIsClosed fills the buffers on the way to a
// client; the server neither waits for it for ever nor when it stops.
func TestSocketOfAClientThatDoesNotReadIsClosed(t *testing.T) {
	fill := func(timeout time.Duration) (*echo, *websocket.Conn) {
		addr, handler := serveWith(t, hubpush.Options{MaxQueue: 64 << 20}, timeout)
		conn := dial(t, addr, "good")
		id, message := <-handler.ids, make([]byte, push.MaxMessage)
		for range 32 << 20 / len(message) {
			if err := handler.hub.Send(t.Context(), id, message); err != nil && !errors.Is(err, push.ErrGone) {
				t.Fatal(err)
			}
		}
		return handler, conn
	}
	t.Run("timeout", func(t *testing.T) {
		handler, _ := fill(50 * time.Millisecond)
		await(t, handler.log)
	})
	t.Run("stop", func(t *testing.T) {
		handler, _ := fill(time.Hour)
		ctx, cancel := context.WithTimeout(t.Context(), 4*time.Second)
		defer cancel()
		if err := handler.hub.Close(ctx); err != nil {
			t.Error(err)
		}
		await(t, handler.log)
	})
}
