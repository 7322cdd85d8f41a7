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

// inFunction is an error of the server that comes out of a function of the database;
// nil if it is none. Whoever plans a query, PostgreSQL looks into the functions of the
// indexes, statistics and constraints of the table. Such an error says nothing of the
// table, whatever its code is.
func inFunction(err error) *pgconn.PgError {
	var e *pgconn.PgError
	if errors.As(err, &e) && (e.InternalQuery != "" || e.Where != "") {
		return e
	}
	return nil
}

// IsInFunction tells that an error comes out of a function of the database.
func IsInFunction(err error) bool { return inFunction(err) != nil }

// IsGone tells that a relation of the question is not there any more.
func IsGone(err error) bool { return Code(err) == UndefinedTable && inFunction(err) == nil }

// notFound are the errors of a name that is not found under our search_path.
var notFound = map[string]bool{UndefinedTable: true, undefinedColumn: true, undefinedFunction: true,
	undefinedObject: true, undefinedSchema: true}

// functionProblem is the problem with a table of which a function fails.
func functionProblem(e *pgconn.PgError, message string) softdelete.Problem {
	where, _, _ := strings.Cut(e.Where, "\n")
	p := softdelete.Problem{Reason: softdelete.OtherError, Message: fmt.Sprintf(
		"%s; %s: before it reads a table PostgreSQL looks into the functions of its indexes, here under search_path "+
			"= pg_catalog", message, where)}
	if notFound[e.Code] {
		p.Remedy = "write their schemas before all names in the function"
	}
	return p
}

// Problem says what went wrong with a table. Where that is a function which does not
// find its names, it finds the function among those of the given relations.
func (s *Session) Problem(ctx context.Context, err error, relations ...uint32) softdelete.Problem {
	p := Problem(err)
	e := inFunction(err)
	if e == nil || !notFound[e.Code] || e.InternalQuery == "" || s.Broken() {
		return p
	}
	rows, failed := Query[struct{ Function string }](ctx, s, queries.Function(e.InternalQuery, relations))
	// A statement with a name that a terminal obeys is not printed.
	if failed == nil && len(rows) > 0 && !strings.ContainsFunc(rows[0].Function, unicode.IsControl) {
		p.Remedy = queries.SetSearchPath(rows[0].Function) + " -- where its names are found; or " + p.Remedy
	}
	return p
}
