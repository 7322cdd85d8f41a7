package conninfo

import (
	"errors"
	"strings"
	"unicode"
	"unicode/utf8"
)

// readURL reads postgres://user:password@host:port,host:port/database?name=value&…
// A separator inside a part must be encoded, even where libpq would accept it. Only then can no part be
// mistaken for another.
func (i *Info) readURL(text string) error {
	_, rest, _ := strings.Cut(text, "://")
	authority, tail := rest, ""
	if n := strings.IndexAny(rest, "/?"); n >= 0 {
		authority, tail = rest[:n], rest[n:]
	}
	switch {
	case strings.Contains(rest, "postgres://"), strings.Contains(rest, "postgresql://"):
		return refuse("contains more than one URL; one exporter watches one server, and /probe watches others")
	case strings.ContainsAny(text[len(text)-1:], "\"'`"):
		return refuse("ends with a quote; remove it")
	case strings.ContainsFunc(rest, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }):
		return refuse("is a URL with a space in it; %s", encoding)
	case strings.Contains(rest, "#"):
		return refuse("is a URL with a # in it; %s", encoding)
	case strings.Count(rest, "@") > 1, strings.Contains(tail, "@"):
		return refuse("is a URL with an @ in the wrong place; %s", encoding)
	}
	if n := strings.IndexByte(authority, '@'); n >= 0 {
		if err := i.readUser(authority[:n]); err != nil {
			return err
		}
		authority = authority[n+1:]
	}
	if err := i.readHosts(authority); err != nil {
		return err
	}
	path, query, _ := strings.Cut(tail, "?")
	path = strings.TrimPrefix(path, "/")
	if strings.Contains(path, "/") {
		return refuse("is a URL with a / in the name of its database; %s", encoding)
	}
	if path != "" {
		if err := i.setEncoded("dbname", path); err != nil {
			return err
		}
	}
	return i.readQuery(query)
}

func (i *Info) readUser(info string) error {
	user, password, _ := strings.Cut(info, ":")
	if user != "" {
		if err := i.setEncoded("user", user); err != nil {
			return err
		}
		// The colon of user:password was encoded too, and the server would log the whole as a name.
		if strings.Contains(i.settings["user"], ":") {
			return refuse("is a URL with an encoded colon in the user; write the colon before the password as it is")
		}
	}
	if password == "" {
		return nil
	}
	return i.setEncoded("password", password)
}

// readHosts reads the list of hosts and ports. As in libpq, an empty one means the default.
func (i *Info) readHosts(list string) error {
	if list == "" {
		return nil
	}
	var hosts, ports []string
	for _, one := range strings.Split(list, ",") {
		host, port, _ := strings.Cut(one, ":")
		if inside, found := strings.CutPrefix(one, "["); found {
			address, behind, closed := strings.Cut(inside, "]")
			if !closed || behind != "" && behind[0] != ':' {
				return refuse("is a URL with a [ without a ]; only an IPv6 address is written in brackets")
			}
			host, port = address, strings.TrimPrefix(behind, ":")
		}
		host, err := decode(host)
		if err != nil {
			return err
		}
		if strings.Contains(host, ",") {
			return refuse("is a URL with an encoded comma in a host; write commas between hosts as they are")
		}
		hosts, ports = append(hosts, host), append(ports, port)
	}
	if all := strings.Join(hosts, ","); all != "" {
		if err := i.set("host", all); err != nil {
			return refuse("is a URL whose %w", err)
		}
	}
	if strings.Join(ports, "") == "" && len(ports) == 1 {
		return nil
	}
	if err := i.set("port", strings.Join(ports, ",")); err != nil {
		return refuse("is a URL whose %w; if it is a piece of the password, %s", err, encoding)
	}
	return nil
}

// readQuery reads the parameters after the question mark.
func (i *Info) readQuery(query string) error {
	if query == "" {
		return nil
	}
	for n, pair := range strings.Split(query, "&") {
		name, value, found := strings.Cut(pair, "=")
		if !found || strings.Contains(value, "=") {
			return refuse("is a URL whose parameter %d is not of the form name=value; encode = as %%3D and & as %%26", n+1)
		}
		name, err := decode(name)
		if err != nil {
			return err
		}
		if name == "ssl" && value == "true" { // as libpq does, for compatibility with JDBC
			name, value = "sslmode", "require"
		}
		if _, known := find(name); !known {
			return refuse("is a URL whose parameter %d is unknown%s; %s", n+1, suggestion(name), serverSettings)
		}
		if err := i.setEncoded(name, value); err != nil {
			return err
		}
	}
	return nil
}

// setEncoded sets an encoded value of a URL.
func (i *Info) setEncoded(name, raw string) error {
	p, _ := find(name)
	read := decode
	if p.secret { // it may be in another encoding
		read = decodeBytes
	}
	value, err := read(raw)
	if err != nil {
		return err
	}
	if p.secret {
		i.written = append(i.written, raw)
	}
	if err := i.set(name, value); err != nil {
		return refuse("is a URL whose %w", err)
	}
	return nil
}

var (
	errPercent = errors.New("the connection string is a URL with a % that is not part of an encoding; " + encoding)
	errDecoded = errors.New("the connection string is a URL that encodes a NUL, or bytes that are not UTF-8")
)

// decode removes the percent-encoding of a text.
func decode(raw string) (string, error) {
	text, err := decodeBytes(raw)
	if err == nil && !utf8.ValidString(text) {
		err = errDecoded
	}
	return text, err
}

// decodeBytes removes the percent-encoding. A plus sign is a plus sign, as in libpq.
func decodeBytes(raw string) (string, error) {
	var b strings.Builder
	for n := 0; n < len(raw); n++ {
		if raw[n] != '%' {
			b.WriteByte(raw[n])
			continue
		}
		if n+2 >= len(raw) || digit(raw[n+1]) < 0 || digit(raw[n+2]) < 0 {
			return "", errPercent
		}
		b.WriteByte(byte(digit(raw[n+1])<<4 | digit(raw[n+2])))
		n += 2
	}
	if strings.ContainsRune(b.String(), 0) {
		return "", errDecoded
	}
	return b.String(), nil
}

// digit returns the value of a hexadecimal digit; -1 if it is not one.
func digit(c byte) int { return strings.IndexByte("0123456789abcdef", c|0x20) }
