// Package data is the demo's database: a shop with ten tables that use soft delete, each for a different case,
// and one that only looks as if it did. schema.sql and data.sql create the same data in every run; only the
// times are relative to the moment of loading.
package data

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"strconv"

	"github.com/jackc/pgx/v5"
)

//go:embed schema.sql
var schema string

//go:embed data.sql
var rows string

// Config is the exporter's configuration file that goes with the data: retentions,
// services, and a short ttl.
//
//go:embed config.yaml
var Config []byte

// Load creates and fills the tables in the empty database that dsn names. At scale 1 they get about a million
// rows, at 0.01 ten thousand, always with the same shares of deleted and old rows.
//
// Deletion times are a number of hours plus half an hour before now, so that the number of rows older than a
// retention of whole hours does not change in the first half hour.
func Load(ctx context.Context, dsn string, scale float64) (err error) {
	if !(scale > 0) {
		return fmt.Errorf("scale of the demo's data: want more than 0, not %g", scale)
	}
	conn, err := pgx.Connect(ctx, dsn)
	if err != nil {
		return fmt.Errorf("load the demo's data: %w", err)
	}
	defer func() { err = errors.Join(err, conn.Close(context.WithoutCancel(ctx))) }()
	// One transaction for all: it has one now(), and a server with wal_level = minimal
	// need not log what it creates itself.
	steps := []struct{ what, sql string }{
		{"begin", "BEGIN; SET LOCAL demo.scale = " + strconv.FormatFloat(scale, 'f', -1, 64)},
		{"schema.sql", schema},
		{"data.sql", rows},
		{"commit", "COMMIT"},
		{"vacuum", "VACUUM (ANALYZE)"},
	}
	for _, step := range steps {
		if _, err := conn.PgConn().Exec(ctx, step.sql).ReadAll(); err != nil {
			return fmt.Errorf("load the demo's data: %s: %w", step.what, err)
		}
	}
	return nil
}

// Table is one table of the demo.
type Table struct {
	Name string
	// Story says in a few words what the table shows.
	Story string
}

// Tables are the tables of the schema public that use soft delete, the most interesting ones first.
var Tables = []Table{
	{"carts", "almost three of four rows are deleted"},
	{"messages", "never purged: rows deleted a year ago are still there"},
	{"newsletter_subscribers", "UNIQUE (email, deleted_at) allows live duplicates"},
	{"reviews", "many deleted rows, and no index on only the live ones"},
	{"sellers", "as GORM creates it: a deleted row blocks its e-mail address for ever"},
	{"products", "a flag and a time, which do not always agree"},
	{"shipments", "partitioned by month, shown as one"},
	{"UserProfile", `as Prisma creates it: "deletedAt", a time without time zone`},
	{"customers", "healthy: few deleted rows, purged in time"},
	{"gift_cards", "empty, to be launched next week"},
}

// Rows returns about how many rows Load creates at a scale.
func Rows(scale float64) int { return int(1_050_000 * scale) }
