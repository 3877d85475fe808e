//go:build unix

package sqlitefile

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// ErrLocked: another process has the data folder open.
var ErrLocked = errors.New("the data folder is in use")

// lockFolder takes the exclusive lock of a data folder, which the operating
// system gives free when the process ends, however it ends. The lock file holds
// the process's id for the message to the next one.
func lockFolder(folder string) (unlock func() error, err error) {
	path := filepath.Join(folder, "lock")
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock data folder: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil, errors.Join(lockError(folder, f, err), f.Close())
	}
	err = f.Truncate(0)
	if err == nil {
		_, err = f.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("lock data folder: %w", err), f.Close())
	}
	return f.Close, nil
}

func lockError(folder string, f io.Reader, err error) error {
	if !errors.Is(err, syscall.EWOULDBLOCK) {
		return fmt.Errorf("lock data folder %s: %w", folder, err)
	}
	owner, err := io.ReadAll(io.LimitReader(f, 32))
	if err != nil || len(owner) == 0 {
		owner = []byte("unknown")
	}
	return fmt.Errorf("%w: %s is open in process %s; stop that or use another folder", ErrLocked, folder, strings.TrimSpace(string(owner)))
}
