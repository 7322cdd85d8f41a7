//go:build unix && !linux

package pgserver

import "syscall"

// sysProcAttr leaves the child in our process group: with no death signal to rely
// on, Ctrl-C at least ends both.
func sysProcAttr(a *account) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Credential: a.credential()}
}
