package conninfo

import (
	"strconv"
	"strings"
	"time"
)

// Host is one of the servers that a connection may go to.
type Host struct {
	// Name is a host name, an address, or the directory of a socket; empty for the default. Address, if not
	// empty, is used instead of looking up the name. Port may be empty for the default.
	Name, Address, Port string
}

// Hosts returns the servers to try, in order. There is at least one.
func (i *Info) Hosts() []Host {
	list := func(name string) []string { return strings.Split(i.Get(name), ",") }
	names, addresses, ports := list("host"), list("hostaddr"), list("port")
	hosts := make([]Host, max(len(names), len(addresses)))
	for n := range hosts {
		hosts[n] = Host{Name: nth(names, n), Address: nth(addresses, n), Port: nth(ports, n)}
		if len(ports) == 1 {
			hosts[n].Port = ports[0] // one for all
		}
	}
	return hosts
}

func nth(list []string, n int) string {
	if n < len(list) {
		return list[n]
	}
	return ""
}

// ConnectTimeout returns how long to wait for one host at most; 0 if it is not set.
func (i *Info) ConnectTimeout() time.Duration {
	seconds, _ := strconv.Atoi(i.Get("connect_timeout"))
	return time.Duration(max(seconds, 0)) * time.Second
}
