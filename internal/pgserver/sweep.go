//go:build unix

package pgserver

import (
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// dirPattern names the directories of servers, as os.MkdirTemp takes it.
const dirPattern = "softdelete_exporter-pg-*"

// logName is the file in such a directory whose lock says that its server is in
// use. The lock is that of the open file, which the server inherits: it is gone
// when both we and the server have ended.
const logName = "server.log"

// unlockedFor is how old an unlocked log must be: a new one is locked at once.
const unlockedFor = time.Minute

// sweep removes what servers left whose process was killed before it could call
// Stop, as a test that runs into its time limit is.
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
			// What cannot be removed stays for the next sweep.
			_ = os.RemoveAll(filepath.Dir(log))
		}
		f.Close()
	}
}
