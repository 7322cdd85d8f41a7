package inspect

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

// isGone tells that a relation of the question is not there any more.
func isGone(err error) bool { return code(err) == undefinedTable && inFunction(err) == nil }

// unfound are the errors of a name that is not found under our search_path.
var unfound = map[string]bool{undefinedTable: true, undefinedColumn: true, undefinedFunction: true, undefinedObject: true, undefinedSchema: true}

// ofFunction is the problem with a table of which a function fails.
func ofFunction(e *pgconn.PgError, message string) softdelete.Problem {
	where, _, _ := strings.Cut(e.Where, "\n")
	p := softdelete.Problem{Reason: softdelete.OtherError, Message: fmt.Sprintf(
		"%s; %s: before it reads a table PostgreSQL looks into the functions of its indexes, here under search_path = pg_catalog", message, where)}
	if unfound[e.Code] {
		p.Remedy = "write their schemas before all names in the function"
	}
	return p
}

// problem says what went wrong with a table. Where that is a function which does not
// find its names, it finds the function among those of the given relations.
func (s *session) problem(ctx context.Context, err error, r *relation) softdelete.Problem {
	p := problem(err)
	e := inFunction(err)
	if e == nil || !unfound[e.Code] || e.InternalQuery == "" || s.broken() {
		return p
	}
	relations := []uint32{r.OID}
	for _, l := range r.leaves {
		relations = append(relations, l.OID)
	}
	rows, failed := query[struct{ Function string }](ctx, s, queries.Function(e.InternalQuery, relations))
	// A statement with a name that a terminal obeys is not printed.
	if failed == nil && len(rows) > 0 && !strings.ContainsFunc(rows[0].Function, unicode.IsControl) {
		p.Remedy = queries.SetSearchPath(rows[0].Function) + " -- where its names are found; or " + p.Remedy
	}
	return p
}
