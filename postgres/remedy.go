package postgres

import (
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/softdelete-exporter/softdelete_exporter/queries"
)

// The class of errors in which the server lacks something, and some of them.
const (
	insufficientResources = "53"
	diskFull              = "53100"
	outOfMemory           = "53200"
	tooManyConnections    = "53300"
	limitExceeded         = "53400" // temp_file_limit
)

// Remedy is what to do about an error that is the server's and not a table's; empty
// where there is nothing to name.
func Remedy(err error) string {
	if errors.Is(err, errRoleTimeout) {
		return "raise it (ALTER ROLE … SET statement_timeout = '1s'): each transaction of the exporter has its own, but " +
			"begins under that of the role"
	}
	var e *pgconn.PgError
	if !errors.As(err, &e) || !strings.HasPrefix(e.Code, insufficientResources) {
		return ""
	}
	switch e.Code {
	case tooManyConnections:
		return connectionsRemedy(e, err)
	case limitExceeded:
		return "give the role more memory (ALTER ROLE … SET work_mem = '16MB'), or let it write temporary files " +
			"(temp_file_limit)"
	}
	if e.Hint != "" {
		return strings.TrimSuffix(e.Hint, ".")
	}
	return map[string]string{
		diskFull:    "make room on the disk of the server",
		outOfMemory: "find out what takes the memory of the server",
	}[e.Code]
}

// connectionsRemedy tells whose limit was reached. The words of the error are in the language of
// the server, the routine that found it is not.
func connectionsRemedy(e *pgconn.PgError, err error) string {
	var c *connectError
	if errors.As(err, &c) {
		switch e.Routine {
		case "InitializeSessionUserId":
			return queries.LimitConnections(c.user) + " -- two for each exporter, and those of others that use the role"
		case "CheckMyDatabase":
			return fmt.Sprintf("raise the connection limit of database %q: the exporter needs two", c.database)
		}
	}
	return "leave room for two connections of the exporter: close others, or raise max_connections"
}
