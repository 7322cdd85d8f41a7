package config

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/softdelete-exporter/softdelete_exporter/conninfo"
)

// The environment variables that say which server to watch: either one whole connection string, or its address,
// user and password separately. For each there is a second variable, ending in _FILE, that names a file
// instead.
const (
	dataSourceName = "DATA_SOURCE_NAME"
	dataSourceURI  = "DATA_SOURCE_URI"
	dataSourceUser = "DATA_SOURCE_USER"
	dataSourcePass = "DATA_SOURCE_PASS"
	inFile         = "_FILE"
)

// ErrNoDataSource is the error if no environment variable says which server to watch.
var ErrNoDataSource = errors.New("no database is configured: set " + dataSourceName + ", " +
	dataSourceName + inFile + ", " + dataSourceURI + ", or PGHOST and libpq's other variables")

// HasDataSource reports whether the environment says which server to watch, by the exporter's variables or by
// one of libpq's that name a server.
func HasDataSource() bool {
	for _, name := range []string{dataSourceName, dataSourceURI, dataSourceUser, dataSourcePass} {
		if conninfo.Trim(os.Getenv(name)) != "" || os.Getenv(name+inFile) != "" {
			return true
		}
	}
	for _, name := range []string{"PGHOST", "PGHOSTADDR", "PGPORT", "PGDATABASE", "PGUSER", "PGSERVICE"} {
		if os.Getenv(name) != "" {
			return true
		}
	}
	return false
}

// DataSource returns the server to watch. It reads the variables and files at each call, so that a password can
// be changed. Parameters that the exporter's variables leave out are taken from libpq's variables. Its errors
// repeat no value, because a value may be a password in the wrong variable.
func DataSource() (*conninfo.Info, error) {
	var values [4]string
	var faults error
	names := [...]string{dataSourceName, dataSourceURI, dataSourceUser, dataSourcePass}
	for n, name := range names {
		var err error
		values[n], err = variable(name)
		faults = errors.Join(faults, err)
	}
	if faults != nil {
		return nil, faults
	}
	name, uri, user, pass := values[0], values[1], values[2], values[3]
	var info *conninfo.Info
	var err error
	switch {
	case name != "" && (uri != "" || user != "" || pass != ""):
		return nil,
			fmt.Errorf(
				"%s is the whole connection string, so %s, %s and %s must not be set with it: unset either it or the others",
				dataSourceName, dataSourceURI, dataSourceUser, dataSourcePass)
	case uri != "":
		info, err = apart(uri, user, pass)
	case user != "" || pass != "":
		return nil, fmt.Errorf("%s and %s need %s, which says where the server is, as in db.example.com:5432/postgres",
			dataSourceUser, dataSourcePass, dataSourceURI)
	default:
		if info, err = conninfo.Parse(name); err != nil {
			err = fmt.Errorf("%s: %w", dataSourceName, err)
		}
	}
	if err != nil {
		return nil, err
	}
	return info.WithDefaults(os.Getenv)
}

// apart combines address, user and password. Only the address is URL-encoded.
func apart(uri, user, pass string) (*conninfo.Info, error) {
	if !strings.Contains(uri, "://") {
		uri = "postgresql://" + uri
	}
	info, err := conninfo.Parse(uri)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", dataSourceURI, err)
	}
	if info.Get("user") != "" || info.Get("password") != "" {
		return nil, fmt.Errorf("%s holds a user or a password; move them to %s and %s",
			dataSourceURI, dataSourceUser, dataSourcePass)
	}
	login := map[string]string{}
	if user != "" {
		login["user"] = user
	}
	if pass != "" {
		login["password"] = pass
	}
	return info.With(login)
}

// variable returns the value of a variable, or the content of the file that its _FILE variable names.
func variable(name string) (string, error) {
	value := os.Getenv(name)
	if name != dataSourcePass {
		value = conninfo.Trim(value)
	}
	file := os.Getenv(name + inFile)
	switch {
	case file == "":
		return value, nil
	case value != "":
		return "", fmt.Errorf("%s and %s are both set; unset one", name, name+inFile)
	}
	text, err := readSecret(file)
	if err != nil {
		return "", fmt.Errorf("%s: %w", name+inFile, err)
	}
	if text = conninfo.Trim(text); text == "" {
		return "", fmt.Errorf("%s: the file that it names is empty", name+inFile)
	}
	return text, nil
}

// readSecret reads a file. Its error does not repeat the name, because people put passwords there by mistake.
func readSecret(file string) (string, error) {
	text, err := os.ReadFile(file)
	if e := (*os.PathError)(nil); errors.As(err, &e) {
		err = fmt.Errorf("the file that it names cannot be read: %w", e.Err)
	}
	return string(text), err
}
