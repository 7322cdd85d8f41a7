package conninfo

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// WithDefaults fills in missing settings as libpq does: from the service that the string names, then from the
// variables that lookup returns, then from the files in ~. They are checked like the string: a connection
// string in PGDATABASE is refused, and so is PGREQUIREPEER.
func (i *Info) WithDefaults(lookup func(string) string) (*Info, error) {
	next := i.clone()
	get := func(name string) string {
		p, _ := find(name)
		return cmp.Or(next.Get(name), lookup(p.Variable))
	}
	if service := get("service"); service != "" {
		file, settings, err := readService(get("servicefile"), lookup("PGSYSCONFDIR"), service)
		if err != nil {
			return nil, err
		}
		next.settings["service"], next.settings["servicefile"] = service, file
		for _, name := range slices.Sorted(maps.Keys(settings)) {
			if err := next.fill(name, settings[name]); err != nil {
				return nil, fmt.Errorf("in the service file: %w", err)
			}
		}
	}
	for _, p := range parameters {
		if value := lookup(p.Variable); p.Variable != "" && value != "" {
			if err := next.fill(p.Name, value); err != nil {
				return nil, fmt.Errorf("%s %w", p.Variable, errors.Unwrap(err))
			}
		}
	}
	if err := next.fits(); err != nil {
		return nil, err
	}
	next.fillFromHome()
	return next, nil
}

// fillFromHome sets the files that libpq looks for in the user's home.
func (i *Info) fillFromHome() {
	home, err := os.UserHomeDir()
	if err != nil {
		return
	}
	file := func(name string) (string, bool) {
		path := filepath.Join(home, name)
		_, err := os.Stat(path)
		return path, err == nil
	}
	certificate, isThere := file(".postgresql/postgresql.crt")
	key, too := file(".postgresql/postgresql.key")
	if i.Get("sslcert") == "" && i.Get("sslkey") == "" && isThere && too {
		i.settings["sslcert"], i.settings["sslkey"] = certificate, key
	}
	for name, path := range map[string]string{"sslrootcert": ".postgresql/root.crt", "passfile": ".pgpass"} {
		if path, isThere := file(path); isThere && i.Get(name) == "" {
			i.settings[name] = path
		}
	}
}

// fill sets a value that is not set yet. An empty value counts as set, as in libpq.
func (i *Info) fill(name, value string) error {
	if _, set := i.settings[name]; set {
		return nil
	}
	return i.set(name, value)
}

// ForAnyServer returns the variables without those that name a particular server or log in to it, because they
// do not apply to other servers.
func ForAnyServer(lookup func(string) string) func(string) string {
	return func(variable string) string {
		for _, p := range parameters {
			if p.bound && p.Variable == variable {
				return ""
			}
		}
		return lookup(variable)
	}
}

// errService is the error for a missing service. It does not name the file or the service, which may be misread
// pieces of a password.
var errService = errors.New("the service was not found: the exporter looks in the file of servicefile or " +
	"PGSERVICEFILE, or else in ~/.pg_service.conf, and then in pg_service.conf in PGSYSCONFDIR")

// readService returns the settings of a service, and the file that contains them: the user's, or else the
// system's.
func readService(file, directory, service string) (in string, settings map[string]string, err error) {
	if home, err := os.UserHomeDir(); file == "" && err == nil {
		file = filepath.Join(home, ".pg_service.conf")
	}
	files := []string{file}
	if directory != "" {
		files = append(files, filepath.Join(directory, "pg_service.conf"))
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			continue
		}
		if settings, err := section(string(text), service); settings != nil || err != nil {
			return file, settings, err
		}
	}
	return "", nil, errService
}

// section returns the settings of one section of a service file; nil if there is none.
func section(text, name string) (settings map[string]string, err error) {
	line := 0
	for one := range strings.Lines(text) {
		line++
		one = Trim(one)
		switch {
		case one == "" || strings.HasPrefix(one, "#"):
		case strings.HasPrefix(one, "["):
			if settings != nil {
				return settings, nil
			}
			if one == "["+name+"]" {
				settings = map[string]string{}
			}
		case settings != nil:
			key, value, found := strings.Cut(one, "=")
			if !found {
				return nil, fmt.Errorf("line %d of the service file is not of the form name=value", line)
			}
			key, value = Trim(key), Trim(value)
			// If a name appears more than once, the first counts, as in libpq.
			if _, twice := settings[key]; !twice {
				settings[key] = value
			}
		}
	}
	return settings, nil
}
