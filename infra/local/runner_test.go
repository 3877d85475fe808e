package local

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/coder/websocket"

	"nanotypedb/shared/awstest"
	"nanotypedb/shared/config"
)

// running is a runner that serves, and one person's way to talk to it.
type running struct {
	t     *testing.T
	url   string
	token string
	stop  func()
}

func run(t *testing.T, c config.Config) *running {
	t.Helper()
	runner, err := Open(t.Context(), c, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- runner.Serve(ctx) }()
	stopped := false
	r := &running{t: t, url: runner.URL(), stop: func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("stop: %v", err)
		}
	}}
	t.Cleanup(r.stop)
	var session struct{ Token string }
	r.call("POST", "/v1/dev/session", `{"name":"ada"}`, 200, &session)
	r.token = session.Token
	return r
}

func (r *running) call(method, path, body string, status int, out any) {
	r.t.Helper()
	req, err := http.NewRequestWithContext(r.t.Context(), method, r.url+path, strings.NewReader(body))
	if err != nil {
		r.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+r.token)
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		r.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != status {
		r.t.Fatalf("%s %s: %s %s %v", method, path, resp.Status, text, err)
	}
	if out == nil {
		return
	}
	if err := json.Unmarshal(text, out); err != nil {
		r.t.Fatalf("%s %s: %v in %s", method, path, err, text)
	}
}

func (r *running) open(room string) *websocket.Conn {
	r.t.Helper()
	var ticket struct{ URL string }
	r.call("POST", "/v1/rooms/"+room+"/tickets", "", 200, &ticket)
	conn, resp, err := websocket.Dial(r.t.Context(), ticket.URL, nil)
	if err != nil {
		r.t.Fatal(err)
	}
	if resp.Body != nil {
		_ = resp.Body.Close()
	}
	r.t.Cleanup(func() { _ = conn.CloseNow() })
	return conn
}

func (r *running) send(conn *websocket.Conn, frame string) {
	r.t.Helper()
	if err := conn.Write(r.t.Context(), websocket.MessageText, []byte(frame)); err != nil {
		r.t.Fatal(err)
	}
}

// until reads frames until one holds a text.
func (r *running) until(conn *websocket.Conn, text string) []byte {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(r.t.Context(), 20*time.Second)
	defer cancel()
	for {
		_, frame, err := conn.Read(ctx)
		if err != nil {
			r.t.Fatalf("waiting for %s: %v", text, err)
		}
		if bytes.Contains(frame, []byte(text)) {
			return frame
		}
	}
}

// testRunner is what two programs see that share a room, also after the
// runner was stopped and started again.
func testRunner(t *testing.T, c config.Config) {
	r := run(t, c)
	r.call("GET", "/healthz", "", 200, nil)
	r.call("POST", "/v1/rooms", `{"id":"plans","name":"Plans"}`, 201, nil)
	one, two := r.open("plans"), r.open("plans")
	for _, conn := range []*websocket.Conn{one, two} {
		r.send(conn, `{"jsonrpc":"2.0","id":1,"method":"subscribe","params":{}}`)
		r.until(conn, `"id":1`)
	}
	r.send(one, `{"jsonrpc":"2.0","id":2,"method":"commit","params":{"ops":[{"op":"insert","table":"tasks","id":"a","row":{"title":"seen by both"}}]}}`)
	r.until(one, `"id":2`)
	if got := r.until(two, "seen by both"); !bytes.Contains(got, []byte(`"method":"commit"`)) {
		t.Errorf("the other program got %s", got)
	}
	r.call("POST", "/v1/rooms/plans/commits", `{"ops":[{"op":"update","table":"tasks","id":"a","set":{"status":"completed"}}]}`, 200, nil)
	r.until(two, "completed")
	for n := range 3 {
		r.call("POST", "/v1/rooms/plans/commits", manyRows(n), 200, nil)
	}
	for _, conn := range []*websocket.Conn{one, two} {
		_ = conn.CloseNow()
	}
	r.stop()

	again := run(t, c)
	var page struct{ Rows []map[string]any }
	again.call("GET", "/v1/rooms/plans/tables/tasks/rows?limit=1000", "", 200, &page)
	if len(page.Rows) != 601 || page.Rows[0]["title"] != "seen by both" || page.Rows[0]["status"] != "completed" {
		t.Errorf("%d rows after the restart, the first %v", len(page.Rows), page.Rows[0])
	}
	again.call("DELETE", "/v1/rooms/plans", "", 204, nil)
	again.call("GET", "/v1/rooms/plans", "", 404, nil)
}

func manyRows(n int) string {
	var ops []string
	for i := range 200 {
		ops = append(ops, fmt.Sprintf(`{"op":"insert","table":"tasks","id":"r-%d-%03d","row":{"title":%q}}`, n, i, strings.Repeat("x", 300)))
	}
	return `{"ops":[` + strings.Join(ops, ",") + `]}`
}

func TestRunnerOnEmbeddedParts(t *testing.T) {
	testRunner(t, config.Config{Backend: config.Embedded, Addr: "127.0.0.1:0", Data: t.TempDir(), RoomMaxMB: 64, CacheMB: 64})
}

func TestRunnerOnAWS(t *testing.T) {
	table, bucket := awstest.DynamoDBLocal.Table(t), awstest.Second.Bucket(t)
	dynamo := os.Getenv("NANO_TEST_DYNAMODB")
	for name, value := range map[string]string{
		"AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test",
		"AWS_ENDPOINT_URL_DYNAMODB": dynamo, "AWS_ENDPOINT_URL_DYNAMODB_STREAMS": dynamo,
	} {
		t.Setenv(name, value)
	}
	testRunner(t, config.Config{Backend: config.AWS, Addr: "127.0.0.1:0", Data: t.TempDir(), RoomMaxMB: 64, CacheMB: 64,
		Table: table, Bucket: bucket, EndpointURL: os.Getenv("NANO_TEST_AWS"), Embedder: config.Static,
		EmbeddingsQueue: makeQueue(t), EmbeddingsDLQ: makeQueue(t), JobsQueue: makeQueue(t)})
}

func makeQueue(t *testing.T) (url string) {
	t.Helper()
	made, err := sqs.NewFromConfig(awstest.Second.Config(t)).CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: aws.String("test-" + rand.Text())})
	if err != nil {
		t.Fatalf("create queue: %v", err)
	}
	return *made.QueueUrl
}

func TestRunnerOnAWSNeedsItsQueues(t *testing.T) {
	c := config.Config{Backend: config.AWS, Addr: "127.0.0.1:0", Data: t.TempDir()}
	if _, err := Open(t.Context(), c, slog.New(slog.DiscardHandler)); err == nil || !strings.Contains(err.Error(), "NANO_EMBEDDINGS_QUEUE") {
		t.Errorf("got %v", err)
	}
}

func TestRunnerRefusesADataFolderInUse(t *testing.T) {
	c := config.Config{Backend: config.Embedded, Addr: "127.0.0.1:0", Data: t.TempDir(), RoomMaxMB: 64, CacheMB: 64}
	run(t, c)
	if _, err := Open(t.Context(), c, slog.New(slog.DiscardHandler)); err == nil || !strings.Contains(err.Error(), "in use") {
		t.Errorf("a second runner on the same folder: %v", err)
	}
}
