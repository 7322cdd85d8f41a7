package inspect

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/softdelete-exporter/softdelete_exporter/internal/pgserver/pgtest"
	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// convention is a way in which applications mark deleted rows.
type convention struct {
	who string
	// columns are the columns of its table, and rows their values.
	columns, rows string
	// rules are the rules that must be switched on.
	rules string
	// want is how the table should be read: "kind: columns [unit] | total deleted old".
	want string
}

// The rows of a time column: one live, one deleted yesterday, one deleted long ago.
const (
	times  = `(NULL), (now() - interval '1 day'), (now() - interval '1 year')`
	flags  = `(true), (false), (true), (false)`
	epochs = `(0), ((extract(epoch FROM now() - interval '1 day') * %[1]d)::int8),
		((extract(epoch FROM now() - interval '1 year') * %[1]d)::int8)`
)

func epochsIn(perSecond int64) string { return fmt.Sprintf(epochs, perSecond) }

var conventions = []convention{
	{"Laravel", `deleted_at timestamp(0)`, times, "", "timestamp: deleted_at | 3 2 1"},
	{"Rails paranoia", `deleted_at timestamp(6)`, times, "", "timestamp: deleted_at | 3 2 1"},
	{"Supabase", `deleted_at timestamptz`, times, "", "timestamp: deleted_at | 3 2 1"},
	{"a date", `deleted_on date`, times, "", "timestamp: deleted_on | 3 2 1"},
	{"a domain", `deleted_at moment`, times, "", "timestamp: deleted_at | 3 2 1"},
	{"GORM soft_delete, seconds", `deleted_at bigint`, epochsIn(1), "", "epoch: deleted_at s | 3 2 1"},
	{"GORM soft_delete, milliseconds", `deleted_at bigint NOT NULL DEFAULT 0`, epochsIn(1e3), "",
		"epoch: deleted_at ms | 3 2 1"},
	{"GORM soft_delete, microseconds", `deleted_at numeric`, epochsIn(1e6), "", "epoch: deleted_at us | 3 2 1"},
	{"GORM soft_delete, nanoseconds", `deleted_at bigint DEFAULT 0`, epochsIn(1e9), "", "epoch: deleted_at ns | 3 2 1"},
	{"GORM soft_delete, flag", `is_del int`, `(0), (1), (NULL)`, "", "number: is_del | 3 1 -"},
	{"GORM soft_delete, mixed", `is_del smallint, deleted_at timestamptz`,
		`(0, '0001-01-01'), (1, now()), (1, now() - interval '1 year'), (1, '0001-01-01'), (0, NULL)`, "",
		"pair: is_del,deleted_at | 5 3 1"},
	{"go-zero",
		`del_state smallint NOT NULL DEFAULT 0, delete_time timestamptz NOT NULL DEFAULT '1970-01-01 00:00:00+00'`,
		`(0, DEFAULT), (1, now()), (1, now() - interval '1 year'), (1, DEFAULT)`, "", "pair: del_state,delete_time | 4 3 1"},
	{"Ent", `delete_time timestamptz`, times, "", "timestamp: delete_time | 3 2 1"},
	{"Sequelize", `"deletedAt" timestamptz`, times, "", "timestamp: deletedAt | 3 2 1"},
	{"Sequelize, a custom name", `"destroyTime" timestamptz`, times, "", "timestamp: destroyTime | 3 2 1"},
	{"Prisma", `"deletedAt" timestamp(3)`, times, "", "timestamp: deletedAt | 3 2 1"},
	{"Prisma, a flag", `deleted boolean NOT NULL DEFAULT false`, flags, "", "flag: deleted | 4 2 -"},
	{"Rails discard", `discarded_at timestamp`, times, "", "timestamp: discarded_at | 3 2 1"},
	{"a sentinel of zero", `deleted_at timestamptz NOT NULL DEFAULT '1970-01-01'`,
		`(DEFAULT), (now()), (now() - interval '1 year')`, "", "sentinel: deleted_at | 3 2 1"},
	{"a sentinel by a call", `deleted_at timestamptz NOT NULL DEFAULT to_timestamp(0)`,
		`(DEFAULT), (now()), (now() - interval '1 year')`, "", "sentinel: deleted_at | 3 2 1"},
	{"a sentinel of infinity", `deleted_at timestamptz NOT NULL DEFAULT 'infinity'`,
		`(DEFAULT), (now()), (now() - interval '1 year')`, "", "sentinel: deleted_at | 3 2 1"},
	{"a local sentinel", `deleted_at timestamp(3) NOT NULL DEFAULT '0001-01-01'`,
		`(DEFAULT), (now()), (now() - interval '1 year')`, "", "sentinel: deleted_at | 3 2 1"},
	{"a sentinel of a date", `deleted_date date NOT NULL DEFAULT '9999-12-31'`,
		`(DEFAULT), (now()), (now() - interval '1 year')`, "", "sentinel: deleted_date | 3 2 1"},
	{"django-safedelete", `deleted timestamptz, deleted_by_cascade boolean NOT NULL DEFAULT false`,
		`(NULL), (now()), (now() - interval '1 year')`, "", "timestamp: deleted | 3 2 1"},
	{"django model-utils", `is_removed boolean NOT NULL DEFAULT false`, flags, "", "flag: is_removed | 4 2 -"},
	{"django-softdelete", `deleted_at timestamptz`, times, "", "timestamp: deleted_at | 3 2 1"},
	{"Django LiveField, alive", `alive boolean DEFAULT true`, `(true), (NULL), (NULL)`, "inverted_flags: {alive: on}",
		"inverted_flag: alive | 3 2 -"},
	{"Django LiveField, live", `live boolean DEFAULT true`, `(true), (NULL), (false)`, "inverted_flags: {live: on}",
		"inverted_flag: live | 3 2 -"},
	{"SQLAlchemy", `is_deleted boolean NOT NULL DEFAULT false, deleted_at timestamptz, deleted_by int`,
		`(false, NULL), (true, now()), (true, now() - interval '1 year')`, "", "pair: is_deleted,deleted_at | 3 2 1"},
	{"ABP", `"IsDeleted" boolean NOT NULL DEFAULT false, "DeletionTime" timestamp, "DeleterId" uuid, "IsActive" boolean`,
		`(false, NULL), (true, now()), (true, now() - interval '1 year')`, "", "pair: IsDeleted,DeletionTime | 3 2 1"},
	{"Hibernate", `deleted boolean NOT NULL`, flags, "", "flag: deleted | 4 2 -"},
	{"Hibernate, Y and N", `deleted char(1) NOT NULL`, `('Y'), ('N'), ('N')`, "", "letter: deleted | 3 1 -"},
	{"Hibernate, T and F", `deleted varchar(1)`, `('T'), ('F'), (NULL)`, "", "letter: deleted | 3 1 -"},
	{"Hibernate, 0 and 1", `deleted int NOT NULL`, `(1), (0), (0)`, "", "number: deleted | 3 1 -"},
	{"Hibernate, TIMESTAMP", `deleted timestamptz`, times, "", "timestamp: deleted | 3 2 1"},
	{"Hibernate, active", `active boolean NOT NULL`, `(true), (false), (false)`, "inverted_flags: {active: on}",
		"inverted_flag: active | 3 2 -"},
	{"Hibernate, active as Y and N", `active char(1) NOT NULL`, `('Y'), ('N'), ('N')`, "inverted_flags: {active: on}",
		"letter: active | 3 2 -"},
	{"Hibernate, active as 0 and 1", `active int NOT NULL`, `(1), (0), (0)`, "inverted_flags: {active: on}",
		"number: active | 3 2 -"},
	{"MyBatis-Plus", `deleted_flag int DEFAULT 0`, `(0), (1), (1), (NULL)`, "", "number: deleted_flag | 4 2 -"},
	{"MyBatis-Plus, the row's id", `deleted bigint NOT NULL DEFAULT 0`, `(0), (17), (4711)`, "",
		"number: deleted | 3 2 -"},
	{"MyBatis-Plus, the row's snowflake", `deleted bigint NOT NULL DEFAULT 0`, `(0), (1787654321098765432)`, "",
		"number: deleted | 2 1 -"},
	{"MyBatis-Plus, a Unix time", `is_deleted bigint NOT NULL DEFAULT 0`, epochsIn(1), "", "epoch: is_deleted s | 3 2 1"},
	{"RuoYi", `del_flag char(1) DEFAULT '0'`, `('0'), ('2'), ('0'), (NULL), ('')`, "", "letter: del_flag | 5 1 -"},
	{"JeecgBoot", `del_flag int`, `(0), (1)`, "", "number: del_flag | 2 1 -"},
	{"Doctrine Gedmo", `"deletedAt" timestamp(0)`, times, "", "timestamp: deletedAt | 3 2 1"},
	{"CakePHP Trash", `trashed timestamp`, times, "", "timestamp: trashed | 3 2 1"},
	{"Craft CMS", `"dateDeleted" timestamp(0)`, times, "", "timestamp: dateDeleted | 3 2 1"},
	{"Yii2", `is_deleted smallint NOT NULL DEFAULT 0`, `(0), (1)`, "", "number: is_deleted | 2 1 -"},
	{"Moodle", `deleted smallint NOT NULL DEFAULT 0`, `(0), (1)`, "", "number: deleted | 2 1 -"},
	{"Mattermost", `deleteat bigint`, epochsIn(1e3), "", "epoch: deleteat ms | 3 2 1"},
	{"SFTPGo", `deleted_at bigint NOT NULL`, epochsIn(1e3), "", "epoch: deleted_at ms | 3 2 1"},
	{"Gitea", `is_deleted boolean, deleted_unix bigint`,
		`(false, 0), (true, extract(epoch FROM now())::int8),
			(true, extract(epoch FROM now() - interval '1 year')::int8), (NULL, NULL)`, "",
		"pair: is_deleted,deleted_unix s | 4 2 1"},
	{"Lemmy", `deleted boolean NOT NULL, removed boolean NOT NULL`,
		`(false, true), (true, true), (true, false), (false, false)`, "", "flag: deleted | 4 2 -"},
	{"Lemmy, moderators too", `deleted boolean NOT NULL, removed boolean NOT NULL`,
		`(false, true), (true, true), (true, false), (false, false)`,
		"flags: {removed: on}", "flag: deleted,removed | 4 3 -"},
	{"Coder", `deleted boolean DEFAULT false NOT NULL`, flags, "", "flag: deleted | 4 2 -"},
	{"PostHog", `deleted boolean DEFAULT false`, `(true), (NULL), (false)`, "", "flag: deleted | 3 1 -"},
	{"OpenStreetMap, visible", `visible boolean NOT NULL DEFAULT true`, `(true), (false), (false)`,
		"inverted_flags: {visible: on}", "inverted_flag: visible | 3 2 -"},
	{"OpenStreetMap, status", `status user_status NOT NULL DEFAULT 'pending'`, `('pending'), ('active'), ('deleted')`,
		"statuses: {status: on}", "status: status | 3 1 -"},
	{"Lago", `deleted_at timestamp`, times, "", "timestamp: deleted_at | 3 2 1"},
	{"RubyGems", `soft_deleted_at timestamp`, times, "", "timestamp: soft_deleted_at | 3 2 1"},
	{"Mastodon", `deleted_at timestamp`, times, "", "timestamp: deleted_at | 3 2 1"},
	{"Odoo", `active boolean`, `(true), (false), (NULL)`, "inverted_flags: {active: on}",
		"inverted_flag: active | 3 2 -"},
	{"Metabase", `archived boolean NOT NULL DEFAULT false`, flags, "flags: {archived: on}", "flag: archived | 4 2 -"},
	{"archived, with its time", `archived boolean, archived_at timestamptz`,
		`(false, NULL), (true, now() - interval '1 year')`,
		"flags: {archived: on}, times: {archivedAt: on}", "pair: archived,archived_at | 2 1 1"},
	{"Directus", `status varchar(255) NOT NULL DEFAULT 'draft'`, `('draft'), ('published'), ('archived'), ('ARCHIVED')`,
		"statuses: {status: on}, status_values: {archived: on}", "status: status | 4 2 -"},
	{"a status with its time", `status text, deleted_at timestamptz`,
		`('active', NULL), ('deleted', now() - interval '1 year'), (NULL, NULL)`,
		"statuses: {status: on}", "pair: status,deleted_at | 3 1 1"},
	{"OpenMRS, voided", `voided boolean NOT NULL DEFAULT false, date_voided timestamp, voided_by int`,
		`(false, NULL), (true, now()), (true, now() - interval '1 year')`, "flags: {voided: on}, times: {date_voided: on}",
		"pair: voided,date_voided | 3 2 1"},
	{"OpenMRS, retired", `retired boolean NOT NULL DEFAULT false, date_retired timestamp`,
		`(false, NULL), (true, now()), (true, now() - interval '1 year')`, "flags: {retired: on}, times: {date_retired: on}",
		"pair: retired,date_retired | 3 2 1"},
	{"Fivetran", `_fivetran_deleted boolean, _fivetran_synced timestamptz`, `(true), (false), (NULL)`, "",
		"flag: _fivetran_deleted | 3 1 -"},
	{"Hevo", `__hevo__marked_deleted boolean`, `(true), (false), (NULL)`, "", "flag: __hevo__marked_deleted | 3 1 -"},
	{"Heroku Connect", `isdeleted boolean`, `(true), (false), (NULL)`, "", "flag: isdeleted | 3 1 -"},
	{"Airbyte", `_ab_cdc_deleted_at timestamptz`, times, "", "timestamp: _ab_cdc_deleted_at | 3 2 1"},
	{"Airbyte, as a text", `_ab_cdc_deleted_at varchar`, `(NULL), ('2024-05-06T07:08:09Z')`, "",
		"timestamp: _ab_cdc_deleted_at | 2 1 -"},
	{"Stitch, Meltano", `_sdc_deleted_at timestamp`, times, "", "timestamp: _sdc_deleted_at | 3 2 1"},
	{"Debezium", `__deleted text`, `('true'), ('false'), (NULL)`, "", "letter: __deleted | 3 1 -"},
	{"dbt", `dbt_valid_to timestamp`, times, "times: {dbt_valid_to: on}", "timestamp: dbt_valid_to | 3 2 1"},
	{"a history", `valid_to timestamptz`, times, "times: {validTo: on}", "timestamp: valid_to | 3 2 1"},
	{"a generated flag", `deleted_at timestamptz, is_deleted boolean GENERATED ALWAYS AS (deleted_at IS NOT NULL) STORED`,
		times, "",
		"pair: is_deleted,deleted_at | 3 2 1"},
	{"a time as an int", `deleted_at int`, epochsIn(1), "", "epoch: deleted_at s | 3 2 1"},
	{"a unit in the name", `deleted_at_ms bigint`, `(NULL), (0)`, "", "epoch: deleted_at_ms ms | 2 0 0"},
	{"a time without values", `deleted_at bigint`, `(NULL), (0)`, "", "epoch: deleted_at | 2 0 -"},
	{"capitals", `"DELETED_AT" timestamptz`, times, "", "timestamp: DELETED_AT | 3 2 1"},
}

// reading describes how a table was read, in the form of want.
func reading(t softdelete.Table) string {
	words := t.Markers.KindLabel() + ": " + t.Markers.Label()
	for _, m := range t.Markers {
		if m.Time != nil && m.Time.Unit != "" {
			words += " " + string(m.Time.Unit)
		}
	}
	s := &softdelete.Snapshot{Databases: []softdelete.Database{{Tables: []softdelete.Table{t}}}}
	return words + " | " + told(s)[t.Schema+"."+t.Name]
}

// Tables of ORMs and real applications are found, and read as they are meant.
func TestEveryConventionIsRead(t *testing.T) {
	t.Parallel()
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	script := strings.Builder{}
	script.WriteString(`CREATE DOMAIN moment AS timestamptz;
		CREATE TYPE user_status AS ENUM ('pending', 'active', 'deleted');`)
	for _, c := range conventions {
		fmt.Fprintf(&script, `CREATE TABLE "%s" (%s); INSERT INTO "%[1]s" VALUES %[3]s;`, c.who, c.columns, c.rows)
	}
	pgtest.Exec(t, dsn, script.String())
	// One refresh for all conventions that need the same rules.
	read := map[string]map[string]string{}
	for _, c := range conventions {
		if read[c.rules] == nil {
			read[c.rules] = map[string]string{}
			for _, d := range first(t, inspector(t, dsn, "discovery: {rules: {"+c.rules+"}}")).Databases {
				for _, table := range d.Tables {
					read[c.rules][table.Name] = reading(table)
				}
			}
		}
		if diff := cmp.Diff(c.want, read[c.rules][c.who]); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.who, diff)
		}
		if _, found := read[""][c.who]; found && c.rules != "" && !strings.Contains(c.who, "Lemmy") &&
			c.who != "a status with its time" {
			t.Errorf("%s is read without its rules", c.who)
		}
	}
}

// Tables that only look like soft delete are not watched, and each of their columns is explained.
func TestEveryLookAlikeIsLeftAlone(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ name, ddl string }{
		{"a log of deletions", `CREATE TABLE t (deleted_at timestamptz NOT NULL DEFAULT now())`},
		{"a log of deletions without a default", `CREATE TABLE t (deleted_at timestamp NOT NULL)`},
		{"an audit", `CREATE TABLE user_audit (deleted_at timestamptz NOT NULL DEFAULT now())`},
		{"tombstones", `CREATE TABLE user_tombstone (deleted_at timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP)`},
		{"deleted things", `CREATE TABLE deleted_users (deleted_at date NOT NULL DEFAULT CURRENT_DATE)`},
		{"a plan", `CREATE TABLE t (delete_at timestamptz, scheduled_deletion_at timestamptz, delete_after timestamptz,
			marked_for_deletion_at timestamptz)`},
		{"a plan in progress", `CREATE TABLE t (deletes_at timestamptz, deleting_at timestamptz)`},
		{"numbers", `CREATE TABLE t (deleted_count int, deleted_rows bigint, num_deleted int, max_deleted_id bigint)`},
		{"who and why", `CREATE TABLE t (deleted_by int, deleted_by_id bigint, deleter_id uuid, deletion_reason text)`},
		{"permissions", `CREATE TABLE t (delete_branch boolean, can_delete boolean, allow_delete boolean,
			is_deletable boolean, on_delete text, delete_enabled boolean)`},
		{"a detail", `CREATE TABLE t (deleted_by_cascade boolean)`},
		{"life cycle", `CREATE TABLE t (revoked_at timestamptz, expires_at timestamptz, archived_at timestamptz,
			closed_at timestamptz, is_active boolean)`},
		{"payload", `CREATE TABLE t (deleted jsonb, "Deleted" text[], deleted_at uuid, is_deleted bytea)`},
		{"something else's deletion", `CREATE TABLE t (record_deleted_at timestamptz, external_deleted_at timestamptz,
			document_deleted_at timestamptz)`},
		{"copies", `CREATE TABLE post_versions (deleted boolean); CREATE TABLE post_revisions (deleted boolean);
			CREATE TABLE post_history (deleted_at timestamptz)`},
		{"copies that a trigger makes", `CREATE TABLE post_histories (id int, deleted_at timestamptz);
			CREATE FUNCTION copy() RETURNS trigger LANGUAGE plpgsql AS
				'BEGIN INSERT INTO post_histories SELECT (OLD).*; RETURN NULL; END';
			CREATE TABLE source (id int, removed_when timestamptz);
			CREATE TRIGGER copy AFTER UPDATE ON source FOR EACH ROW EXECUTE FUNCTION copy()`},
		{"copies in capitals", `CREATE TABLE "PostHistories" (deleted boolean); CREATE TABLE "PostVersions" (deleted int8)`},
		{"what tools leave behind", `CREATE SCHEMA repack; CREATE TABLE repack.table_16390 (deleted_at timestamptz);
			CREATE SCHEMA partman; CREATE TABLE partman.template_public_orders (deleted_at timestamptz);
			CREATE TABLE pgosc_st_orders_1a2b3c (deleted_at timestamptz)`},
		{"deletions to come", `CREATE TABLE pending_deletions (is_deleted boolean)`},
		{"a counter", `CREATE TABLE t (soft_deleted bigint)`},
		{"jobs", `CREATE TABLE good_job_executions (discarded_at timestamptz)`},
		{"not in use", `CREATE TABLE t (deleted boolean); COMMENT ON COLUMN t.deleted IS 'No longer used, see state'`},
		{"views", `CREATE TABLE base (id int); CREATE VIEW v AS SELECT now() AS deleted_at;
			CREATE MATERIALIZED VIEW m AS SELECT now() AS deleted_at`},
		{"a status that cannot be deleted", `CREATE TYPE s AS ENUM ('new', 'old'); CREATE TABLE t (status s)`},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
			pgtest.Exec(t, dsn, test.ddl)
			i := inspector(t, dsn, "")
			if got := told(first(t, i)); len(got) > 0 {
				t.Errorf("was found: %v", got)
			}
			found, err := i.Explain(t.Context())
			explained := found.Tables
			if err != nil {
				t.Fatal(err)
			}
			if len(explained) == 0 && test.name != "views" {
				t.Error("is not explained")
			}
			for _, e := range explained {
				for _, d := range e.Decision.Decisions {
					if d.Taken || d.Why == "" {
						t.Errorf("%s is taken %v because %q", d.Column, d.Taken, d.Why)
					}
				}
			}
		})
	}
}
