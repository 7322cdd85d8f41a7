//go:build unix

package pgserver

import (
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// dirPattern names the directories of servers, in the form of os.MkdirTemp.
const dirPattern = "softdelete_exporter-pg-*"

// logName is a file in such a directory. If it is locked, its server is in use. The lock belongs to the open file,
// which the server inherits, so it ends when both we and the server have ended.
const logName = "server.log"

// unlockedFor is how old an unlocked log must be to be swept: a new one will be locked in a moment.
const unlockedFor = time.Minute

// sweep removes the files of servers whose process was killed before it could call Stop, like a test that ran out of
// time.
func sweep(dir string) {
	logs, _ := filepath.Glob(filepath.Join(dir, dirPattern, logName)) // the pattern is well-formed
	for _, log := range logs {
		f, err := os.OpenFile(log, os.O_RDWR|syscall.O_NOFOLLOW, 0)
		if err != nil {
			continue // another user's, or just removed
		}
		info, err := f.Stat()
		if err == nil && time.Since(info.ModTime()) > unlockedFor &&
			syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil {
			// Files that cannot be removed stay for the next sweep.
			_ = os.RemoveAll(filepath.Dir(log))
		}
		f.Close()
	}
}
