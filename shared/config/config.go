// Package config reads the settings of every program from the environment:
// the same names in the runner and in the functions. All bad settings are
// reported together, one line each.
package config

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Backend says which adapters are used.
type Backend string

// The backends.
const (
	Embedded Backend = "embedded"
	AWS      Backend = "aws"
)

// Embedder says which model makes vectors.
type Embedder string

// The embedders.
const (
	Static  Embedder = "static"  // compiled in
	Bedrock Embedder = "bedrock" // Titan
	OpenAI  Embedder = "openai"  // any server of that protocol
)

// Config is the settings of a program. Rates are per minute, user and room; 0
// means no limit.
type Config struct {
	Backend     Backend
	Addr        string
	Data        string
	RoomMaxMB   int
	CacheMB     int
	Table       string
	Bucket      string
	EndpointURL string
	RateCommits int
	RateReads   int
	RateAI      int
	LogLevel    string

	Embedder         Embedder
	EmbedderURL      string
	EmbedderModel    string
	EmbedderKey      string        // secret
	EmbedderDim      int           // 0: the model's own
	EmbedderTimeout  time.Duration // of a request to an OpenAI-compatible server
	EmbedConcurrency int           // batches embedded at once
	BackoffBase      time.Duration // 0: the program's own
	EmbeddingsQueue  string
	EmbeddingsDLQ    string
	JobsQueue        string
	RetentionDays    int
	Metrics          string
	LogFormat        string
}

// MaxRoomBytes is how large a room may grow.
func (c Config) MaxRoomBytes() int64 { return int64(c.RoomMaxMB) << 20 }

// Setting describes one environment variable, for --help and for reading it.
type Setting struct {
	Name    string
	Default string
	Meaning string
	set     func(c *Config, value string) error
}

// Settings lists every environment variable that a program reads.
var Settings = []Setting{
	{"NANO_BACKEND", "embedded", "embedded or aws: SQLite and folders, or DynamoDB and S3", func(c *Config, v string) error {
		c.Backend = Backend(v)
		return oneOf(v, string(Embedded), string(AWS))
	}},
	{"NANO_ADDR", "127.0.0.1:8787", "address the runner listens on", func(c *Config, v string) error {
		c.Addr = v
		return address(v)
	}},
	{"NANO_DATA", ".nanotype", "folder of the runner's data", func(c *Config, v string) error {
		c.Data = filepath.Clean(v)
		return nil
	}},
	{"NANO_ROOM_MAX_MB", "256", "how large a room may grow, in MiB (1 to 4096)", func(c *Config, v string) error {
		return number(v, 1, 4096, &c.RoomMaxMB)
	}},
	{"NANO_CACHE_MB", "512", "memory and scratch space for replicas, in MiB (16 to 65536)", func(c *Config, v string) error {
		return number(v, 16, 65536, &c.CacheMB)
	}},
	{"NANO_TABLE", "nanotype", "DynamoDB table", func(c *Config, v string) error {
		c.Table = v
		return nil
	}},
	{"NANO_BUCKET", "nanotype", "S3 bucket of checkpoints and snapshots", func(c *Config, v string) error {
		c.Bucket = v
		return nil
	}},
	{"AWS_ENDPOINT_URL", "", "address of an AWS emulator; empty: AWS itself", func(c *Config, v string) error {
		c.EndpointURL = v
		return webAddress(v)
	}},
	{"NANO_RATE_COMMITS", "0", "operations committed a minute, per user and room; 0: no limit", func(c *Config, v string) error {
		return number(v, 0, 1<<30, &c.RateCommits)
	}},
	{"NANO_RATE_READS", "0", "reads a minute, per user and room; 0: no limit", func(c *Config, v string) error {
		return number(v, 0, 1<<30, &c.RateReads)
	}},
	{"NANO_RATE_AI", "0", "texts embedded a minute, per user and room; 0: no limit", func(c *Config, v string) error {
		return number(v, 0, 1<<30, &c.RateAI)
	}},
	{"NANO_EMBEDDER", "", "static, bedrock or openai: the model that embeds; empty: static, with NANO_BACKEND=aws bedrock", func(c *Config, v string) error {
		c.Embedder = Embedder(v)
		return oneOf(v, string(Static), string(Bedrock), string(OpenAI), "")
	}},
	{"NANO_EMBEDDER_URL", "", "base address of an OpenAI-compatible server, as http://127.0.0.1:11434/v1", func(c *Config, v string) error {
		c.EmbedderURL = v
		return webAddress(v)
	}},
	{"NANO_EMBEDDER_MODEL", "", "what that server calls the model", func(c *Config, v string) error {
		c.EmbedderModel = v
		return nil
	}},
	{"NANO_EMBEDDER_KEY", "", "bearer token for that server; a secret", func(c *Config, v string) error {
		c.EmbedderKey = v
		return nil
	}},
	{"NANO_EMBEDDER_DIM", "0", "components of a vector; 0: 512 with bedrock, what the server answers with openai", func(c *Config, v string) error {
		return number(v, 0, 8192, &c.EmbedderDim)
	}},
	{"NANO_EMBEDDER_TIMEOUT", "30s", "how long that server may take for a request (1s to 40s)", func(c *Config, v string) error {
		return duration(v, time.Second, 40*time.Second, &c.EmbedderTimeout)
	}},
	{"NANO_EMBED_CONCURRENCY", "4", "batches of texts embedded at once by a process (1 to 64)", func(c *Config, v string) error {
		return number(v, 1, 64, &c.EmbedConcurrency)
	}},
	{"NANO_BACKOFF_BASE", "", "what failed is tried again after this, then twice as long, and so on; empty: 2s in the runner, 30s in functions", func(c *Config, v string) error {
		if v == "" {
			return nil
		}
		return duration(v, time.Millisecond, 10*time.Minute, &c.BackoffBase)
	}},
	{"NANO_EMBEDDINGS_QUEUE", "", "address of the SQS queue of texts to embed", func(c *Config, v string) error {
		c.EmbeddingsQueue = v
		return webAddress(v)
	}},
	{"NANO_EMBEDDINGS_DLQ", "", "address of its dead-letter queue", func(c *Config, v string) error {
		c.EmbeddingsDLQ = v
		return webAddress(v)
	}},
	{"NANO_JOBS_QUEUE", "", "address of the queue of long work, with NANO_BACKEND=aws", func(c *Config, v string) error {
		c.JobsQueue = v
		return webAddress(v)
	}},
	{"NANO_RETENTION_DAYS", "35", "how far back a room can be looked at and restored, in days (1 to 3650)", func(c *Config, v string) error {
		return number(v, 1, 3650, &c.RetentionDays)
	}},
	{"NANO_METRICS", "", "off, stdout, or the file that metrics are written to as lines; empty: metrics.jsonl in NANO_DATA", func(c *Config, v string) error {
		c.Metrics = v
		return nil
	}},
	{"NANO_LOG_FORMAT", "text", "text or json", func(c *Config, v string) error {
		c.LogFormat = v
		return oneOf(v, "text", "json")
	}},
	{"NANO_LOG", "info", "debug, info, warn or error", func(c *Config, v string) error {
		c.LogLevel = v
		return oneOf(v, "debug", "info", "warn", "error")
	}},
}

// Read fills a Config from lookup (os.LookupEnv). The error, if any, joins one
// line for each bad setting.
func Read(lookup func(string) (string, bool)) (Config, error) {
	var c Config
	var bad []error
	for _, s := range Settings {
		value, ok := lookup(s.Name)
		if !ok || strings.TrimSpace(value) == "" {
			value = s.Default
		}
		if err := s.set(&c, strings.TrimSpace(value)); err != nil {
			bad = append(bad, fmt.Errorf("%s=%q: %w", s.Name, value, err))
		}
	}
	if len(bad) == 0 {
		bad = append(bad, c.settleEmbedder())
	}
	return c, errors.Join(bad...)
}

// settleEmbedder chooses the embedder when none is named, and checks what it
// needs.
func (c *Config) settleEmbedder() error {
	if c.Embedder == "" {
		c.Embedder = Static
		if c.Backend == AWS {
			c.Embedder = Bedrock
		}
	}
	switch {
	case c.Embedder == OpenAI && (c.EmbedderURL == "" || c.EmbedderModel == ""):
		return errors.New("NANO_EMBEDDER=openai needs NANO_EMBEDDER_URL and NANO_EMBEDDER_MODEL")
	case c.Embedder != OpenAI && (c.EmbedderURL != "" || c.EmbedderModel != "" || c.EmbedderKey != ""):
		return fmt.Errorf("NANO_EMBEDDER_URL, NANO_EMBEDDER_MODEL and NANO_EMBEDDER_KEY are for NANO_EMBEDDER=openai, not %s", c.Embedder)
	case c.Embedder == Bedrock && !slices.Contains([]int{0, 256, 512, 1024}, c.EmbedderDim):
		return fmt.Errorf("NANO_EMBEDDER_DIM=%d: with bedrock it must be 256, 512 or 1024", c.EmbedderDim)
	case c.Embedder == Static && c.EmbedderDim != 0:
		return errors.New("NANO_EMBEDDER_DIM is not for NANO_EMBEDDER=static, whose vectors have a fixed size")
	case (c.EmbeddingsQueue == "") != (c.EmbeddingsDLQ == ""):
		return errors.New("NANO_EMBEDDINGS_QUEUE and NANO_EMBEDDINGS_DLQ need each other")
	}
	return nil
}

func oneOf(value string, allowed ...string) error {
	for _, a := range allowed {
		if value == a {
			return nil
		}
	}
	return fmt.Errorf("must be one of %s", strings.Join(allowed, ", "))
}

func number(value string, low, high int, into *int) error {
	n, err := strconv.Atoi(value)
	if err != nil || n < low || n > high {
		return fmt.Errorf("must be a whole number from %d to %d", low, high)
	}
	*into = n
	return nil
}

func duration(value string, low, high time.Duration, into *time.Duration) error {
	d, err := time.ParseDuration(value)
	if err != nil || d < low || d > high {
		return fmt.Errorf("must be a time from %v to %v, as 2s or 500ms", low, high)
	}
	*into = d
	return nil
}

func address(value string) error {
	host, port, err := net.SplitHostPort(value)
	if err != nil {
		return errors.New("must be host:port, as 127.0.0.1:8787")
	}
	if n, err := strconv.Atoi(port); err != nil || n < 0 || n > 65535 {
		return fmt.Errorf("port %q of host %q must be a number up to 65535", port, host)
	}
	return nil
}

func webAddress(value string) error {
	if value == "" {
		return nil
	}
	u, err := url.Parse(value)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return errors.New("must be an http or https address")
	}
	return nil
}
