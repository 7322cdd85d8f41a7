package pgserver

import "syscall"

// sysProcAttr makes the child end with this process, even if that is killed: SIGQUIT is PostgreSQL's immediate
// shutdown. The child has its own process group, so that it does not get a Ctrl-C.
func sysProcAttr(a *account) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Credential: a.credential(), Pdeathsig: syscall.SIGQUIT, Setpgid: true}
}
