package inspect

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/softdelete-exporter/softdelete_exporter/config"
	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// obstacle is a problem that is known without asking the server.
type obstacle struct{ softdelete.Problem }

func (o *obstacle) Error() string { return o.Message }

// reasons are the problems that PostgreSQL's error codes stand for
// (PostgreSQL documentation, appendix A).
var reasons = map[string]softdelete.Reason{
	"42501": softdelete.PermissionDenied, // insufficient_privilege
	"55P03": softdelete.Locked,           // lock_not_available
	"57014": softdelete.TimedOut,         // query_canceled: by statement_timeout
	"42703": softdelete.MarkerMissing,    // undefined_column
}

// undefinedTable is the code for a relation that is not there any more.
const undefinedTable = "42P01"

// problem says what went wrong with a table in the terms of the domain.
func problem(err error) *softdelete.Problem {
	if o := (*obstacle)(nil); errors.As(err, &o) {
		return &o.Problem
	}
	p := &softdelete.Problem{Reason: softdelete.OtherError, Message: config.Redact(err.Error())}
	if reason, known := reasons[code(err)]; known {
		p.Reason = reason
	} else if errors.Is(err, context.DeadlineExceeded) {
		p.Reason = softdelete.TimedOut
	}
	return p
}

// code is the SQLSTATE of an error of the server, empty for any other error.
func code(err error) string {
	var e *pgconn.PgError
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}
