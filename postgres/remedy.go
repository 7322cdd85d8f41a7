package postgres

import (
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/softdelete-exporter/softdelete_exporter/queries"
)

// The class of errors about insufficient resources, and some of its codes.
const (
	insufficientResources = "53"
	diskFull              = "53100"
	outOfMemory           = "53200"
	tooManyConnections    = "53300"
	limitExceeded         = "53400" // temp_file_limit
)

// Remedy returns what to do about an error of the server rather than of a table; it is empty if there is
// nothing to suggest.
func Remedy(err error) string {
	if errors.Is(err, errRoleTimeout) {
		return "raise it (ALTER ROLE … SET statement_timeout = '1s'): each transaction of the exporter sets its own, " +
			"but begins with that of the role"
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
		diskFull:    "free disk space on the server",
		outOfMemory: "find out what uses the memory of the server",
	}[e.Code]
}

// connectionsRemedy returns a remedy for the limit that was reached. It recognizes the limit by the routine,
// because the message may be translated.
func connectionsRemedy(e *pgconn.PgError, err error) string {
	var c *connectError
	if errors.As(err, &c) {
		switch e.Routine {
		case "InitializeSessionUserId":
			return queries.LimitConnections(c.user) + " -- two for each exporter, plus those of others that use the role"
		case "CheckMyDatabase":
			return fmt.Sprintf("raise the connection limit of database %q: the exporter needs two", c.database)
		}
	}
	return "leave two connections for the exporter: close others, or raise max_connections"
}
