package sqlitestore

import (
	"context"
	"errors"
	"sync"
	"time"

	"nanotypedb/shared/sqlitefile"
)

const (
	sweepEvery = time.Minute
	sweepItems = 500 // of one write, so that it delays others by little
)

// sweeper removes expired items.
type sweeper struct {
	cancel context.CancelFunc
	done   sync.WaitGroup
	err    error // of the last sweep that failed; read after done
}

func (s *Store) startSweep() {
	ctx, cancel := context.WithCancel(context.Background())
	s.sweeper.cancel = cancel
	s.sweeper.done.Go(func() { s.sweepLoop(ctx) })
}

func (s *Store) stopSweep() error {
	s.sweeper.cancel()
	s.sweeper.done.Wait()
	return s.sweeper.err
}

// sweepLoop sweeps at once when a batch was full.
func (s *Store) sweepLoop(ctx context.Context) {
	timer := time.NewTimer(sweepEvery)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-timer.C:
			n, err := s.Sweep(ctx, now)
			if err != nil && !errors.Is(err, context.Canceled) {
				s.sweeper.err = err
			}
			timer.Reset(sweepEvery)
			if n == sweepItems && err == nil {
				timer.Reset(0)
			}
		}
	}
}

// Sweep removes up to 500 items that expired before now and gives their number.
// The store calls it by itself.
func (s *Store) Sweep(ctx context.Context, now time.Time) (removed int64, err error) {
	err = s.file.SubmitSingle(ctx, func(tx *sqlitefile.Tx) (err error) {
		removed, err = tx.Exec(`DELETE FROM items WHERE (pk, sk) IN
			(SELECT pk, sk FROM items WHERE expires < ? AND sk NOT GLOB 'LOG#*' LIMIT ?)`, now.Unix(), int64(sweepItems))
		return err
	})
	if err != nil {
		return 0, outcome("sweep expired items", err)
	}
	return removed, nil
}
