//go:build unix

package pgserver

import (
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
)

// account is the account that the server runs as; nil means the current one.
type account struct {
	name     string
	uid, gid uint32
}

// serverAccount returns nobody if the current user is root, because PostgreSQL does not run as root.
func serverAccount() (*account, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	u, err := user.Lookup("nobody")
	if err != nil {
		return nil, fmt.Errorf("PostgreSQL refuses to run as root, and there is no user to run it as instead: %w", err)
	}
	// The number of nobody is -2 on macOS.
	uid, err := strconv.ParseInt(u.Uid, 10, 64)
	if err != nil {
		return nil, fmt.Errorf("user id of nobody: %w", err)
	}
	gid, err := strconv.ParseInt(u.Gid, 10, 64)
	if err != nil {
		return nil, fmt.Errorf("group id of nobody: %w", err)
	}
	return &account{name: u.Username, uid: uint32(uid), gid: uint32(gid)}, nil
}

func (a *account) credential() *syscall.Credential {
	if a == nil {
		return nil
	}
	return &syscall.Credential{Uid: a.uid, Gid: a.gid}
}

// own gives a file or directory to the account.
func (a *account) own(path string) error {
	if a == nil {
		return nil
	}
	return os.Lchown(path, int(a.uid), int(a.gid))
}

func (a *account) describe() string {
	if a == nil {
		return ""
	}
	return " as user " + a.name
}

// tempDir returns the directory for servers: the usual one, unless it is root's and closed to others.
func tempDir() string {
	if dir := os.TempDir(); openToServer(dir) {
		return dir
	}
	return "/var/tmp"
}

// openToServer reports whether the server's account can enter path, which may not exist yet. Without root, that
// account is the current one, so it always can.
func openToServer(path string) bool {
	if os.Geteuid() != 0 {
		return true
	}
	for dir := filepath.Clean(path); ; dir = filepath.Dir(dir) {
		if info, err := os.Stat(dir); err == nil && info.Mode().Perm()&0o001 == 0 {
			return false
		}
		if dir == filepath.Dir(dir) {
			return true
		}
	}
}
