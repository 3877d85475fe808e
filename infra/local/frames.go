package local

import (
	"bufio"
	"encoding/binary"
	"io"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// The gateway's limits: a frame of 32 KB, a message (all its frames) of 128 KB.
const (
	maxFrame   = 32 << 10
	maxMessage = 128 << 10
)

// frameMeter reads along with a connection and finds frames that are larger
// than the gateway lets through, which a WebSocket library that hands out
// whole messages cannot tell.
type frameMeter struct {
	net.Conn
	scan    frameScan
	tooBig  func()
	tripped atomic.Bool

	timeout time.Duration // of a write
	mu      sync.Mutex
	until   time.Time // the deadline that is set for writes
	closing bool
}

// Write bounds how long a peer that does not read is waited for. A context for
// each message would do so too, for a third of what a message costs. The
// deadline is moved when an eighth of the time has gone, not by each message.
func (m *frameMeter) Write(p []byte) (int, error) {
	if err := m.extend(time.Now()); err != nil {
		return 0, err
	}
	return m.Conn.Write(p)
}

func (m *frameMeter) extend(now time.Time) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closing || m.until.Sub(now) > m.timeout-m.timeout/8 {
		return nil
	}
	m.until = now.Add(m.timeout)
	return m.SetWriteDeadline(m.until)
}

// hurry leaves what is being written, and the closing frame behind it, little
// time from now on.
func (m *frameMeter) hurry() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.closing = true
	_ = m.SetWriteDeadline(time.Now().Add(min(m.timeout, closeTime))) // a closed connection needs none
}

// Read passes bytes on and follows the frames in them.
func (m *frameMeter) Read(p []byte) (int, error) {
	n, err := m.Conn.Read(p)
	m.see(p[:n])
	return n, err
}

func (m *frameMeter) see(p []byte) {
	if !m.tripped.Load() && m.scan.feed(p) > maxFrame {
		m.tripped.Store(true)
		m.tooBig()
	}
}

// closeTime is how long a closing connection may write.
const closeTime = 2 * time.Second

// How long, and how much, a refused frame is read on: closing with bytes
// unread resets the connection, and the client would not learn why.
const (
	lingerTime  = time.Second
	lingerBytes = 4 << 20
)

// Close closes the connection; after a refused frame it first takes what the
// client has sent.
func (m *frameMeter) Close() error {
	if half, ok := m.Conn.(interface{ CloseWrite() error }); ok && m.tripped.Load() {
		_ = half.CloseWrite() // Close follows and tells
		_ = m.SetReadDeadline(time.Now().Add(lingerTime))
		_, _ = io.CopyN(io.Discard, m.Conn, lingerBytes)
	}
	return m.Conn.Close()
}

// frameScan follows frame headers (RFC 6455, section 5.2) in a byte stream.
type frameScan struct {
	header [14]byte
	have   int
	skip   uint64 // payload bytes still to come
}

// feed returns the largest payload length announced in p.
func (s *frameScan) feed(p []byte) uint64 {
	var largest uint64
	for len(p) > 0 {
		if s.skip > 0 {
			n := min(s.skip, uint64(len(p)))
			s.skip -= n
			p = p[n:]
			continue
		}
		s.header[s.have] = p[0]
		s.have++
		p = p[1:]
		if s.have < 2 || s.have < s.headerSize() {
			continue
		}
		s.skip = s.payload()
		s.have = 0
		largest = max(largest, s.skip)
	}
	return largest
}

func (s *frameScan) headerSize() int {
	size := 2
	switch s.header[1] & 0x7f {
	case 126:
		size += 2
	case 127:
		size += 8
	}
	if s.header[1]&0x80 != 0 {
		size += 4
	}
	return size
}

func (s *frameScan) payload() uint64 {
	switch n := s.header[1] & 0x7f; n {
	case 126:
		return uint64(binary.BigEndian.Uint16(s.header[2:]))
	case 127:
		return binary.BigEndian.Uint64(s.header[2:])
	default:
		return uint64(n)
	}
}

// meteredWriter hands out the connection of an upgrade with a meter around it.
type meteredWriter struct {
	http.ResponseWriter
	meter *frameMeter
}

// Hijack takes the connection over, as the upgrade does.
func (w *meteredWriter) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, rw, err := http.NewResponseController(w.ResponseWriter).Hijack()
	if err != nil {
		return nil, nil, err
	}
	w.meter.Conn = conn
	rw.Writer.Reset(w.meter)
	// A client that does not wait for the handshake's answer has sent bytes
	// that the HTTP server read already.
	early, err := rw.Reader.Peek(rw.Reader.Buffered())
	if err != nil {
		return nil, nil, err
	}
	w.meter.see(early)
	return w.meter, rw, nil
}
