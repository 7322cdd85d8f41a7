package postgres

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// The error codes of PostgreSQL (its documentation, appendix A) that the exporter distinguishes.
const (
	InsufficientPrivilege = "42501"
	lockNotAvailable      = "55P03"
	QueryCanceled         = "57014" // by statement_timeout
	undefinedColumn       = "42703"
	UndefinedTable        = "42P01"
	Untranslatable        = "22P05" // from one encoding into the other
	undefinedFunction     = "42883"
	undefinedObject       = "42704"
	undefinedSchema       = "3F000"
	featureNotSupported   = "0A000" // an unlogged table on a standby
	serializationFailure  = "40001" // a conflict with recovery on a standby
	UndefinedDatabase     = "3D000"
	invalidPassword       = "28P01"
	adminShutdown         = "57P01"
	crashShutdown         = "57P02"
	cannotConnectNow      = "57P03" // it is starting up, or shutting down
)

var reasons = map[string]softdelete.Reason{
	InsufficientPrivilege: softdelete.PermissionDenied,
	lockNotAvailable:      softdelete.Locked,
	QueryCanceled:         softdelete.TimedOut,
	undefinedColumn:       softdelete.MarkerMissing,
	featureNotSupported:   softdelete.Unsupported,
}

// Problem translates an error into the problem of a table.
func Problem(err error) softdelete.Problem {
	p := softdelete.Problem{Reason: softdelete.OtherError, Message: softdelete.Legible(err.Error()), Remedy: Remedy(err)}
	if reason, known := reasons[Code(err)]; known {
		p.Reason = reason
	} else if errors.Is(err, context.DeadlineExceeded) {
		p.Reason = softdelete.TimedOut
	}
	if e := inFunction(err); e != nil && p.Reason != softdelete.Locked && p.Reason != softdelete.TimedOut {
		return functionProblem(e, p.Message)
	}
	if p.Reason == softdelete.PermissionDenied {
		p.Remedy = "run the statements that softdelete_exporter grants prints"
		// Row-level security has the same code; the name of the routine is never translated.
		if e := (*pgconn.PgError)(nil); errors.As(err, &e) && e.Routine == "check_enable_rls" {
			p.Reason, p.Remedy = softdelete.RowSecurity, ""
		}
	}
	return p
}

// Code returns the SQLSTATE of an error of the server, and an empty text for any other error.
func Code(err error) string {
	var e *pgconn.PgError
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}

// IsConflict reports whether a standby cancelled the query to continue recovery. That says nothing about the
// table, and the query may succeed at once when repeated.
func IsConflict(err error) bool { return Code(err) == serializationFailure }

// IsServerWide reports whether a connect error concerns the whole server, not only one of its databases. An
// error without a code comes from the network. A password that one database rejects is not tried on the others.
// A timeout may concern a single database whose catalogs are locked.
func IsServerWide(err error) bool {
	switch Code(err) {
	case "":
		return err != nil && !errors.Is(err, context.DeadlineExceeded)
	case invalidPassword, adminShutdown, crashShutdown, cannotConnectNow:
		return err != nil
	default:
		return false
	}
}
