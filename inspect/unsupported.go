package inspect

import (
	"errors"

	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

var (
	// errUnnamed: a connection string cannot contain the name of the database.
	errUnnamed = errors.New("its name is not valid UTF-8")
	// errElsewhere: the statistics of the table do not describe its rows.
	errElsewhere = errors.New("the rows are in other tables, which the statistics do not cover")
)

// unsupported completes the problem of an error that does not come from the server.
func unsupported(p softdelete.Problem, err error) softdelete.Problem {
	switch {
	case p.Reason != softdelete.OtherError:
	case errors.Is(err, errUnnamed):
		p.Reason, p.Remedy = softdelete.Unsupported, "rename it (ALTER DATABASE … RENAME TO …)"
	case errors.Is(err, errElsewhere):
		p.Reason, p.Remedy = softdelete.Unsupported, "use another method than statistics"
	}
	return p
}
