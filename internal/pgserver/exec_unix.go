//go:build unix && !linux

package pgserver

import "syscall"

// sysProcAttr leaves the child in the same process group. There is no death signal here, so at least Ctrl-C ends
// both.
func sysProcAttr(a *account) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Credential: a.credential()}
}
