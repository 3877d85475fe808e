package replica

import (
	"fmt"
	"math"
	"time"

	"zombiezen.com/go/sqlite"

	"nanotypedb/shared/commitlog"
	"nanotypedb/shared/fault"
	"nanotypedb/shared/schema"
)

// Commit ids are known for commitKept by the times of the entries and for the
// next commitWindow entries, whichever ends first. One takes about 280 bytes
// (at most some 600) of the database and is not counted in State.Bytes, where
// it could stand in the way of a delete; the window bounds them all to some
// 300 MB instead, so that they cannot push an image past maxDatabase.
//
// A room of a thousand commits a second forgets after a quarter of an hour:
// State.Forgotten tells up to when, so that an older id, of which nobody knows
// any more whether it was used, is refused instead of used twice.
const (
	commitKept   = schema.Millis(30 * 24 * time.Hour / time.Millisecond)
	commitWindow = 1 << 20
)

// maxExpired is how many expired commit ids an entry removes at most, oldest
// first: an entry brings one at most, so it is enough, and however many expire
// at once, no commit takes long. Those still there count in the sums and are
// not found any more. Frozen under commitlog.Format, with the two above.
const maxExpired = 64

// commitMark is a place in the order of commit ids. Times never go down as
// seq rises, so an id is before a mark by its seq or by its time.
type commitMark struct {
	seq int64
	at  schema.Millis
}

// none is the oldest commit id of a room without any: it never expires.
var none = commitMark{math.MaxInt64, math.MaxInt64}

// expiry gives the mark before which commit ids have expired for an entry, or
// a state, of that seq and time.
func expiry(seq int64, at schema.Millis) commitMark {
	return commitMark{seq: seq - commitWindow, at: at - commitKept}
}

func (m commitMark) before(due commitMark) bool { return m.seq < due.seq || m.at < due.at }

// keepCommit keeps an entry's commit id. One that was used, has expired and
// was not removed yet gives way.
func (d *Draft) keepCommit(e *commitlog.Entry, due commitMark) error {
	if e.CommitID == "" {
		return nil
	}
	if d.work.oldest.before(due) {
		if err := d.dropCommits(due, "DELETE FROM commits WHERE user=?1 AND id=?2 AND (seq<?3 OR at<?4)"+dropped,
			e.By, e.CommitID, due.seq, due.at); err != nil {
			return err
		}
	}
	err := d.conn.exec("INSERT INTO commits(seq,user,id,digest,at) VALUES(?,?,?,?,?)", e.Seq, e.By, e.CommitID, e.Digest, e.At)
	if sqlite.ErrCode(err).ToPrimary() == sqlite.ResultConstraint {
		return fault.New(fault.Conflict, "the commitId %q is in use", e.CommitID)
	}
	if err != nil {
		return fmt.Errorf("keep commit id: %w", err)
	}
	d.work.Sums.State.Add(d.hash.commit(e.By, e.CommitID, e.Digest, e.Seq, e.At))
	if d.work.oldest == none {
		d.work.oldest = commitMark{e.Seq, e.At}
	}
	return nil
}

// expireCommits removes the oldest of the commit ids that have expired, at
// most maxExpired. The oldest are taken by seq before they are asked for their
// age, so that those which stay are not looked through.
func (d *Draft) expireCommits(due commitMark) error {
	if !d.work.oldest.before(due) {
		return nil
	}
	err := d.dropCommits(due, "DELETE FROM commits WHERE seq IN (SELECT seq FROM commits ORDER BY seq LIMIT ?1) AND (seq<?2 OR at<?3)"+dropped,
		maxExpired, due.seq, due.at)
	if err != nil {
		return err
	}
	d.work.oldest, err = oldestCommit(d.conn)
	return err
}

const dropped = " RETURNING user,id,digest,seq,at"

// dropCommits runs a query that removes commit ids, takes them out of the
// sums, and remembers the time of those that the window ended.
func (d *Draft) dropCommits(due commitMark, query string, args ...any) error {
	s, err := d.conn.prepare(query)
	if err != nil {
		return fmt.Errorf("expire commit ids: %w", err)
	}
	bindAll(s, args)
	for {
		more, err := s.Step()
		if err != nil {
			return fmt.Errorf("expire commit ids: %w", err)
		}
		if !more {
			return s.Reset()
		}
		seq, at := s.ColumnInt64(3), schema.Millis(s.ColumnInt64(4))
		d.work.Sums.State.Sub(d.hash.commit(s.ColumnText(0), s.ColumnText(1), s.ColumnText(2), seq, at))
		if seq < due.seq {
			d.work.Forgotten = max(d.work.Forgotten, at)
		}
	}
}

// oldestCommit is the mark of the oldest commit id in the database.
func oldestCommit(c *conn) (commitMark, error) {
	oldest := none
	_, err := c.one("SELECT seq,at FROM commits ORDER BY seq LIMIT 1", func(s *sqlite.Stmt) {
		oldest = commitMark{s.ColumnInt64(0), schema.Millis(s.ColumnInt64(1))}
	})
	if err != nil {
		return none, fmt.Errorf("read oldest commit id: %w", err)
	}
	return oldest, nil
}

// findCommit finds a commit id that has not expired.
func findCommit(c *conn, due commitMark, user, id string) (seq int64, digest string, err error) {
	_, err = c.one("SELECT seq,digest FROM commits WHERE user=?1 AND id=?2 AND seq>=?3 AND at>=?4", func(s *sqlite.Stmt) {
		seq, digest = s.ColumnInt64(0), s.ColumnText(1)
	}, user, id, due.seq, due.at)
	if err != nil {
		return 0, "", fmt.Errorf("find commit id: %w", err)
	}
	return seq, digest, nil
}
