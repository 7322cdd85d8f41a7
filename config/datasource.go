package config

import (
	"errors"
	"fmt"
	"os"
	"strings"
)

// The environment variables that hold the connection string, or the file that does.
const (
	dataSourceName     = "DATA_SOURCE_NAME"
	dataSourceNameFile = "DATA_SOURCE_NAME_FILE"
)

// ErrNoDataSource tells that nothing in the environment says which server to watch.
var ErrNoDataSource = errors.New("no database is configured: set " + dataSourceName + ", " + dataSourceNameFile + ", or PGHOST and libpq's other variables")

// HasDataSource tells whether the environment says which server to watch: by a
// connection string, or by one of libpq's variables that name a server.
func HasDataSource() bool {
	for _, name := range []string{dataSourceName, dataSourceNameFile, "PGHOST", "PGHOSTADDR", "PGPORT", "PGDATABASE", "PGUSER", "PGSERVICE"} {
		if os.Getenv(name) != "" {
			return true
		}
	}
	return false
}

// DataSourceName is the connection string, read anew at each call so that a secret
// can be renewed. It is empty where libpq's variables alone say where to connect.
func DataSourceName() (string, error) {
	if file := os.Getenv(dataSourceNameFile); file != "" {
		if os.Getenv(dataSourceName) != "" {
			return "", fmt.Errorf("%s and %s are both set; unset one", dataSourceName, dataSourceNameFile)
		}
		text, err := os.ReadFile(file)
		if err != nil {
			return "", fmt.Errorf("%s: %w", dataSourceNameFile, err)
		}
		return strings.TrimSpace(string(text)), nil
	}
	return os.Getenv(dataSourceName), nil
}
