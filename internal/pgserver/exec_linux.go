package pgserver

import "syscall"

// sysProcAttr makes the child end with us even when we are killed: SIGQUIT is
// PostgreSQL's immediate shutdown. In a process group of its own, it does not get
// the Ctrl-C that is meant for us.
func sysProcAttr(a *account) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Credential: a.credential(), Pdeathsig: syscall.SIGQUIT, Setpgid: true}
}
