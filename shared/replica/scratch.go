package replica

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// scratch is a folder of this process. A lock on a file in it tells other
// processes that its owner lives; the system drops the lock with the process,
// so folders of crashed ones are found and removed.
type scratch struct {
	dir  string
	lock *os.File
}

const (
	scratchPattern = "nanotype-replicas-*"
	lockName       = "lock"
)

func openScratch(parent string) (*scratch, error) {
	if parent == "" {
		parent = os.TempDir()
	}
	if err := os.MkdirAll(parent, 0o700); err != nil {
		return nil, fmt.Errorf("make scratch folder: %w", err)
	}
	if err := sweepScratch(parent); err != nil {
		return nil, err
	}
	for {
		s, err := makeScratch(parent)
		if err != nil || s != nil {
			return s, err
		}
	}
}

// makeScratch makes and locks a folder. It returns nil when another process
// took it for an abandoned one before it was locked.
func makeScratch(parent string) (*scratch, error) {
	dir, err := os.MkdirTemp(parent, scratchPattern)
	if err != nil {
		return nil, fmt.Errorf("make scratch folder: %w", err)
	}
	name := filepath.Join(dir, lockName)
	lock, err := os.OpenFile(name, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock scratch folder: %w", err)
	}
	err = syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if err == nil {
		if _, err = os.Stat(name); err == nil {
			return &scratch{dir: dir, lock: lock}, nil
		}
	}
	if errors.Is(err, syscall.EWOULDBLOCK) || errors.Is(err, os.ErrNotExist) {
		return nil, lock.Close()
	}
	return nil, errors.Join(fmt.Errorf("lock scratch folder: %w", err), lock.Close())
}

// sweepScratch removes the folders whose owner is gone. A folder without a
// lock file is one that is being made, or whose maker died at that moment;
// such a one is empty and stays.
func sweepScratch(parent string) error {
	dirs, err := filepath.Glob(filepath.Join(parent, scratchPattern))
	if err != nil {
		return fmt.Errorf("sweep scratch folder: %w", err)
	}
	for _, dir := range dirs {
		if !abandoned(dir) {
			continue
		}
		if err := os.RemoveAll(dir); err != nil {
			return fmt.Errorf("sweep scratch folder: %w", err)
		}
	}
	return nil
}

func abandoned(dir string) bool {
	lock, err := os.OpenFile(filepath.Join(dir, lockName), os.O_RDWR, 0)
	if err != nil {
		return false
	}
	defer lock.Close()
	return syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil
}

func (s *scratch) close() error {
	return errors.Join(os.RemoveAll(s.dir), s.lock.Close())
}
