package conninfo

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// check returns what is wrong with a value, without repeating it.
func (p Parameter) check(value string) error {
	switch {
	case p.Treatment == Refused && value != "" && !slices.Contains(p.Harmless, value):
		return fmt.Errorf("is not supported: %s", p.Note)
	case value == "" || p.Treatment != Honoured:
		return nil
	case p.values != nil && !slices.Contains(p.values, value):
		return fmt.Errorf("must be one of %s", strings.Join(p.values, ", "))
	case p.valid != nil:
		return p.valid(value)
	case strings.ContainsFunc(value, unicode.IsControl):
		return errors.New("contains a control character; remove it")
	}
	return nil
}

func anything(value string) error {
	if strings.ContainsRune(value, 0) {
		return errors.New("contains a NUL character")
	}
	return nil
}

// validHosts accepts a comma-separated list of names, addresses and directories of sockets.
func validHosts(list string) error {
	for _, host := range strings.Split(list, ",") {
		if strings.ContainsFunc(host, unicode.IsControl) {
			return errors.New("contains a control character; remove it")
		}
		if strings.HasPrefix(host, "/") { // the directory of a socket
			continue
		}
		if _, err := netip.ParseAddr(host); err == nil {
			continue
		}
		if strings.Contains(host, ":") {
			return errors.New("contains a colon; write the port separately, as port=5432")
		}
		if strings.ContainsAny(host, "@/?#=&%\\\"'` ") {
			return errors.New("contains a character that a host name cannot contain")
		}
	}
	return nil
}

func validAddresses(list string) error {
	for _, address := range strings.Split(list, ",") {
		if _, err := netip.ParseAddr(address); address != "" && err != nil {
			return errors.New("must be an IP address; write host names into host")
		}
	}
	return nil
}

func validPorts(list string) error {
	for _, port := range strings.Split(list, ",") {
		if n, err := strconv.ParseUint(port, 10, 16); port != "" && (err != nil || n == 0) {
			return errors.New("must be a number from 1 to 65535")
		}
	}
	return nil
}

// validDatabase rejects a connection string in place of the name.
func validDatabase(name string) error {
	if strings.ContainsFunc(name, unicode.IsControl) {
		return errors.New("contains a control character; remove it")
	}
	if strings.Contains(name, "://") || strings.Contains(name, "=") {
		return errors.New("contains a connection string; write only the name of the database")
	}
	return nil
}

func validSeconds(value string) error {
	if _, err := strconv.ParseInt(value, 10, 32); err != nil {
		return errors.New("must be a whole number of seconds")
	}
	return nil
}

// validMethods accepts libpq's list of authentication methods, with all or none of them negated.
func validMethods(list string) error {
	names := []string{"password", "md5", "gss", "sspi", "scram-sha-256", "oauth", "none"}
	negated := strings.HasPrefix(list, "!")
	var seen []string
	for _, method := range strings.Split(list, ",") {
		name, not := strings.CutPrefix(method, "!")
		if not != negated || !slices.Contains(names, name) || slices.Contains(seen, name) {
			return fmt.Errorf("must be a list of some of %s, with ! before all of them or none", strings.Join(names, ", "))
		}
		seen = append(seen, name)
	}
	return nil
}

// fits returns which settings contradict each other.
func (i *Info) fits() error {
	hosts, addresses, ports := count(i.Get("host")), count(i.Get("hostaddr")), count(i.Get("port"))
	all := max(hosts, addresses, 1)
	switch {
	case hosts > 0 && addresses > 0 && hosts != addresses:
		return fmt.Errorf("there are %d host and %d hostaddr; write as many of one as of the other", hosts, addresses)
	case ports > 1 && ports != all:
		return fmt.Errorf("there are %d ports for %d hosts; write one for all, or one for each", ports, all)
	case (i.Get("sslcert") == "") != (i.Get("sslkey") == ""):
		return errors.New("sslcert and sslkey belong together; write both or none")
	case i.Get("sslnegotiation") == "direct" && slices.Contains([]string{"disable", "allow"}, i.Get("sslmode")):
		return errors.New("sslnegotiation=direct needs sslmode=require or stricter")
	case less(versions, i.Get("ssl_max_protocol_version"), i.Get("ssl_min_protocol_version")):
		return errors.New("ssl_max_protocol_version must not be lower than ssl_min_protocol_version")
	case less(protocols, i.Get("max_protocol_version"), i.Get("min_protocol_version")):
		return errors.New("max_protocol_version must not be lower than min_protocol_version")
	}
	return nil
}

func less(order []string, a, b string) bool {
	return a != "" && slices.Index(order, a) < slices.Index(order, b)
}

// count returns the number of elements of a comma-separated list; 0 if the list is empty.
func count(list string) int {
	if list == "" {
		return 0
	}
	return strings.Count(list, ",") + 1
}
