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
	"strconv"
	"strings"
)

// Backend says which adapters are used.
type Backend string

// The backends.
const (
	Embedded Backend = "embedded"
	AWS      Backend = "aws"
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
	return c, errors.Join(bad...)
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
