package postgres

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"unicode"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/softdelete-exporter/softdelete_exporter/queries"
	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// inFunction returns the error if it comes from a function of the database, and nil otherwise. To plan a query,
// PostgreSQL inspects the functions of the table's indexes, statistics and constraints. Such an error says
// nothing about the table, whatever its code is.
func inFunction(err error) *pgconn.PgError {
	var e *pgconn.PgError
	if errors.As(err, &e) && (e.InternalQuery != "" || e.Where != "") {
		return e
	}
	return nil
}

// IsInFunction reports whether an error comes from a function of the database.
func IsInFunction(err error) bool { return inFunction(err) != nil }

// IsGone reports whether a relation of the query no longer exists.
func IsGone(err error) bool { return Code(err) == UndefinedTable && inFunction(err) == nil }

// notFound are the codes of errors about names that are not found under the exporter's search_path.
var notFound = map[string]bool{UndefinedTable: true, undefinedColumn: true, undefinedFunction: true,
	undefinedObject: true, undefinedSchema: true}

// functionProblem returns the problem of a table one of whose functions fails.
func functionProblem(e *pgconn.PgError, message string) softdelete.Problem {
	where, _, _ := strings.Cut(e.Where, "\n")
	p := softdelete.Problem{Reason: softdelete.OtherError, Message: fmt.Sprintf(
		"%s; %s: before PostgreSQL reads a table it inspects the functions of its indexes, here with search_path "+
			""+"= pg_catalog", message, where)}
	if notFound[e.Code] {
		p.Remedy = "write the schema before every name in the function"
	}
	return p
}

// Problem translates an error into the problem of a table. If a function does not find its names, it looks for
// that function among those of the given relations.
func (s *Session) Problem(ctx context.Context, err error, relations ...uint32) softdelete.Problem {
	p := Problem(err)
	e := inFunction(err)
	if e == nil || !notFound[e.Code] || e.InternalQuery == "" || s.Broken() {
		return p
	}
	rows, failed := Query[struct{ Function string }](ctx, s, queries.Function(e.InternalQuery, relations))
	// A statement is not printed if its name contains characters that a terminal acts on.
	if failed == nil && len(rows) > 0 && !strings.ContainsFunc(rows[0].Function, unicode.IsControl) {
		p.Remedy = queries.SetSearchPath(rows[0].Function) + " -- in a session that finds its names; or " + p.Remedy
	}
	return p
}
