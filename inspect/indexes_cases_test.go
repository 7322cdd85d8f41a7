package inspect

import "fmt"

// indexCase is a table with the expected findings about its indexes.
type indexCase struct {
	// table is its name, which replaces %[1]s in ddl.
	table, ddl string
	// aged makes the statistics 45 days old.
	aged bool
	// want are the findings, "index problem", and the presences, "purpose=present".
	want []string
	// mend is run before the advice is followed: it does what a person must do.
	mend string
	// left is what is still reported after all advice was followed.
	left []string
}

// users creates a table of n rows with a percentage of deleted ones, and with constraints.
func users(n, percent int, constraints string) string {
	return fmt.Sprintf(`CREATE TABLE %%[1]s (id bigint NOT NULL, tenant_id bigint, email text, name text, token text,
		deleted_at timestamptz%s);
		INSERT INTO %%[1]s SELECT i, i %%%% 1000, 'user' || i || '@' || repeat('x', 200), 'User ' || i, md5(i::text),
			CASE WHEN i %%%% 100 < %d THEN now() - interval '1 day' END FROM generate_series(1, %d) i;`, constraints,
		percent, n)
}

// flagged is the same with a flag.
func flagged(n, percent int) string {
	return fmt.Sprintf(`CREATE TABLE %%[1]s (id bigint NOT NULL, tenant_id bigint, is_deleted boolean NOT NULL);
		INSERT INTO %%[1]s SELECT i, i %%%% 1000, i %%%% 100 < %d FROM generate_series(1, %d) i;`, percent, n)
}

var indexCases = []indexCase{
	{table: "unused", aged: true,
		ddl:  users(60_000, 1, "") + `CREATE INDEX %[1]s_i ON %[1]s (tenant_id, id)`,
		want: []string{"unused_i unused"}},
	{table: "unused_young",
		ddl: users(60_000, 1, "") + `CREATE INDEX %[1]s_i ON %[1]s (tenant_id, id)`},
	{table: "unused_read", aged: true,
		ddl: users(60_000, 1, "") + `CREATE INDEX %[1]s_i ON %[1]s (id); SET enable_seqscan = off;
			SELECT count(tenant_id) FROM %[1]s WHERE id = 7; RESET enable_seqscan`},
	{table: "unused_small", aged: true,
		ddl: users(600, 1, "") + `CREATE INDEX %[1]s_i ON %[1]s (tenant_id, id)`},
	{table: "unused_unique", aged: true,
		ddl: users(60_000, 1, "") + `CREATE UNIQUE INDEX %[1]s_i ON %[1]s (tenant_id, id)`},
	{table: "unused_foreign_key", aged: true,
		ddl: `CREATE TABLE %[1]s_parent (id bigint PRIMARY KEY); INSERT INTO %[1]s_parent SELECT generate_series(0, 999);` +
			users(60_000, 1, `, FOREIGN KEY (tenant_id) REFERENCES %[1]s_parent`) +
			`CREATE INDEX %[1]s_i ON %[1]s (tenant_id, id)`},

	{table: "duplicate",
		ddl: users(100, 1, "") + `CREATE INDEX %[1]s_a ON %[1]s (tenant_id, lower(email)) WHERE deleted_at IS NULL;
			CREATE INDEX %[1]s_b ON %[1]s (tenant_id, lower(email)) WHERE deleted_at IS NULL`,
		want: []string{"duplicate_b duplicate"}},
	{table: "duplicate_of_constraint",
		ddl: users(100, 1, "") +
			`CREATE UNIQUE INDEX %[1]s_a ON %[1]s (id); ALTER TABLE %[1]s ADD UNIQUE (id); CREATE INDEX %[1]s_c ON %[1]s (id)`,
		want: []string{"duplicate_of_constraint_a duplicate", "duplicate_of_constraint_c duplicate"}},
	{table: "duplicate_not",
		ddl: users(100, 1, ", PRIMARY KEY (id)") +
			`CREATE INDEX ON %[1]s (name); CREATE INDEX ON %[1]s (name text_pattern_ops);
				CREATE INDEX ON %[1]s (name COLLATE "C");
			CREATE INDEX ON %[1]s (name DESC); CREATE INDEX ON %[1]s (name) INCLUDE (id);
				CREATE INDEX ON %[1]s (name) WHERE deleted_at IS NULL;
			CREATE INDEX ON %[1]s USING hash (name); CREATE INDEX ON %[1]s (lower(name)); CREATE INDEX ON %[1]s (name, id);
				CREATE INDEX ON %[1]s (id, name);
			CREATE UNIQUE INDEX ON %[1]s (id, tenant_id) NULLS NOT DISTINCT;
			CREATE UNIQUE INDEX ON %[1]s (id, tenant_id) INCLUDE (token)`},
	{table: "duplicate_constraint",
		ddl: users(100, 1, ", PRIMARY KEY (id), CONSTRAINT %[1]s_a UNIQUE (token)") +
			`ALTER TABLE %[1]s ADD CONSTRAINT %[1]s_b UNIQUE (token), ADD CONSTRAINT %[1]s_c UNIQUE (id);
			ALTER TABLE %[1]s ADD CONSTRAINT %[1]s_d UNIQUE (name) DEFERRABLE;
			ALTER TABLE %[1]s ADD CONSTRAINT %[1]s_e UNIQUE (name)`,
		want: []string{"duplicate_constraint_b duplicate", "duplicate_constraint_c duplicate",
			"duplicate_constraint_d duplicate"}},

	{table: "plain_flag", aged: true,
		ddl:  flagged(60_000, 40) + `CREATE INDEX %[1]s_i ON %[1]s (is_deleted) WITH (deduplicate_items = off)`,
		want: []string{"plain_flag_i plain_flag"}},
	{table: "plain_flag_rare", aged: true, // unused, but not because it is on a flag
		ddl:  flagged(60_000, 4) + `CREATE INDEX %[1]s_i ON %[1]s (is_deleted) WITH (deduplicate_items = off)`,
		want: []string{"plain_flag_rare_i unused"}},
	{table: "plain_flag_read", aged: true,
		ddl: flagged(60_000, 40) + `CREATE INDEX %[1]s_i ON %[1]s (is_deleted) WITH (deduplicate_items = off);
			SET enable_seqscan = off; SELECT count(*) FROM %[1]s WHERE is_deleted; RESET enable_seqscan`},

	{table: "holds_deleted",
		ddl: users(15_000, 60, ", PRIMARY KEY (id)") +
			`CREATE INDEX %[1]s_i ON %[1]s (lower(email) COLLATE "C" DESC, tenant_id) INCLUDE (name)`,
		want: []string{"holds_deleted_i holds_deleted", "live_rows=false"},
		left: []string{"live_rows=true"}},
	{table: "holds_deleted_half", // no problem yet, but an index without deleted rows would help
		ddl:  users(15_000, 40, ", PRIMARY KEY (id)") + `CREATE INDEX %[1]s_i ON %[1]s (email)`,
		want: []string{"live_rows=false"},
		left: []string{"live_rows=true"}},
	{table: "holds_deleted_few",
		ddl: users(15_000, 10, ", PRIMARY KEY (id)") + `CREATE INDEX ON %[1]s (email)`},
	{table: "holds_deleted_small",
		ddl: users(1000, 60, ", PRIMARY KEY (id)") + `CREATE INDEX ON %[1]s (email)`},
	{table: "holds_deleted_foreign_key",
		ddl: `CREATE TABLE %[1]s_parent (id bigint PRIMARY KEY); INSERT INTO %[1]s_parent SELECT generate_series(0, 999);` +
			users(15_000, 60, `, FOREIGN KEY (tenant_id) REFERENCES %[1]s_parent`) +
			`CREATE INDEX ON %[1]s (tenant_id, email)`},
	{table: "holds_deleted_marker_in_key",
		ddl: users(15_000, 60, "") + `CREATE INDEX ON %[1]s (email, deleted_at)`},
	{table: "holds_deleted_needed",
		ddl: users(15_000, 60, ", PRIMARY KEY (id)") + `CREATE UNIQUE INDEX %[1]s_token ON %[1]s (token);
			ALTER TABLE %[1]s ALTER token SET NOT NULL, REPLICA IDENTITY USING INDEX %[1]s_token`},
	{table: "holds_deleted_hot", // the cost of being the first to mention the marker is larger than the gain
		ddl: users(8_000, 60,
			", PRIMARY KEY (id), UNIQUE (token), UNIQUE (id, token), UNIQUE (token, id), UNIQUE (id, token, name)") +
			`CREATE INDEX ON %[1]s (email)`},

	{table: "unique_email",
		ddl:  users(1000, 10, ", UNIQUE (email)"),
		want: []string{"unique_email_email_key unique_ignores_deleted"}},
	{table: "unique_sister",
		ddl: users(1000, 10, "") + `CREATE UNIQUE INDEX %[1]s_a ON %[1]s (tenant_id, name) WHERE deleted_at IS NULL;
			CREATE UNIQUE INDEX %[1]s_b ON %[1]s (tenant_id, id); CREATE UNIQUE INDEX %[1]s_c ON %[1]s (id)`,
		want: []string{"unique_sister_b unique_ignores_deleted"}},
	{table: "unique_sister_advised", // the index that our own advice made is no evidence
		ddl: users(1000, 10, "") + `CREATE UNIQUE INDEX %[1]s_a ON %[1]s (tenant_id, name);
			CREATE UNIQUE INDEX %[1]s_b ON %[1]s (tenant_id, id)`,
		want: []string{"unique_sister_advised_a unique_ignores_deleted"}},
	{table: "unique_equal",
		ddl: users(1000, 10, ", CONSTRAINT %[1]s_a UNIQUE (email), CONSTRAINT %[1]s_b UNIQUE (email, tenant_id)") +
			`ALTER TABLE %[1]s ADD CONSTRAINT %[1]s_c UNIQUE (email), ADD CONSTRAINT %[1]s_d UNIQUE (tenant_id, email);
			CREATE UNIQUE INDEX %[1]s_e ON %[1]s (email) INCLUDE (name)`,
		want: []string{"unique_equal_a unique_ignores_deleted", "unique_equal_b unique_ignores_deleted",
			"unique_equal_c duplicate", "unique_equal_d unique_ignores_deleted", "unique_equal_e unique_ignores_deleted"}},
	{table: "unique_deferrable",
		ddl:  users(1000, 10, ", UNIQUE (email) DEFERRABLE INITIALLY DEFERRED"),
		want: []string{"unique_deferrable_email_key unique_ignores_deleted"}},
	{table: "unique_federated",
		ddl: users(1000, 10, "") + `ALTER TABLE %[1]s RENAME token TO ap_id; ALTER TABLE %[1]s ADD actor_url text;
			CREATE UNIQUE INDEX ON %[1]s (ap_id); CREATE UNIQUE INDEX ON %[1]s (actor_url, name)`},
	{table: "unique_chosen",
		ddl: users(1000, 10, "") + `ALTER TABLE %[1]s RENAME token TO "promoCode";
			ALTER TABLE %[1]s ADD reset_code text, ADD encoded text;
			CREATE UNIQUE INDEX %[1]s_a ON %[1]s ("promoCode"); CREATE UNIQUE INDEX ON %[1]s (reset_code);
			CREATE UNIQUE INDEX ON %[1]s (encoded)`,
		want: []string{"unique_chosen_a unique_ignores_deleted"}},
	{table: "unique_empty", ddl: users(0, 0, ", UNIQUE (email, deleted_at), UNIQUE (token), UNIQUE (deleted_at, email)")},
	{table: "unique_generated", // sound: NULL in deleted rows, the same in live ones
		ddl: users(1000, 10, ", alive boolean GENERATED ALWAYS AS (CASE WHEN deleted_at IS NULL THEN true END) STORED, "+
			"UNIQUE (email, alive), UNIQUE (email, deleted_at)")},
	{table: "unique_expression_sound",
		ddl: users(1000, 10, "") + `CREATE UNIQUE INDEX ON %[1]s (email, (CASE WHEN deleted_at IS NULL THEN 1 END))`},
	{table: "unique_token",
		ddl: users(1000, 10, "") +
			`CREATE UNIQUE INDEX ON %[1]s (token); CREATE UNIQUE INDEX ON %[1]s (id, name) WHERE deleted_at IS NULL`},
	{table: "unique_referenced",
		ddl: users(1000, 10, ", UNIQUE (email)") + `CREATE TABLE %[1]s_child (email text REFERENCES %[1]s (email))`},
	{table: "unique_primary",
		ddl: users(1000, 10, ", PRIMARY KEY (email)")},
	{table: "unique_none_deleted",
		ddl: users(1000, 0, ", UNIQUE (email)")},
	{table: "unique_lone_name",
		ddl: users(1000, 10, ", UNIQUE (name)")},
	{table: "unique_expression",
		ddl: users(1000, 10, "") + `CREATE UNIQUE INDEX ON %[1]s (email, coalesce(deleted_at, 'infinity'))`},

	{table: "allows",
		ddl: users(1000, 10, ", UNIQUE (tenant_id, email, deleted_at)") +
			`INSERT INTO %[1]s (id, tenant_id, email) VALUES (2000, 1, 'twin'), (2001, 1, 'twin')`,
		want: []string{"allows_tenant_id_email_deleted_at_key unique_allows_live_duplicates"},
		mend: `DELETE FROM allows WHERE id = 2001`},
	{table: "allows_some",
		ddl:  users(1000, 10, "") + `CREATE UNIQUE INDEX %[1]s_i ON %[1]s (email, deleted_at) WHERE tenant_id > 5`,
		want: []string{"allows_some_i unique_allows_live_duplicates"}},
	{table: "allows_enforced",
		ddl: users(1000, 10, ", UNIQUE (email, deleted_at)") +
			`CREATE UNIQUE INDEX ON %[1]s (email) WHERE deleted_at IS NULL`},
	{table: "allows_key",
		ddl: users(1000, 10, ", PRIMARY KEY (id), UNIQUE (id, deleted_at)")},
	{table: "allows_deleted",
		ddl: users(1000, 10, "") + `CREATE UNIQUE INDEX ON %[1]s (email, deleted_at) WHERE deleted_at IS NOT NULL`},
	{table: "allows_equal",
		ddl: users(1000, 10, ", UNIQUE (tenant_id, email, deleted_at), UNIQUE (email, tenant_id, deleted_at)") +
			`CREATE UNIQUE INDEX %[1]s_i ON %[1]s (deleted_at, email, tenant_id)`,
		want: []string{"allows_equal_email_tenant_id_deleted_at_key unique_allows_live_duplicates",
			"allows_equal_i unique_allows_live_duplicates",
			"allows_equal_tenant_id_email_deleted_at_key unique_allows_live_duplicates"}},
	{table: "allows_generated",
		ddl: users(1000, 10,
			", day timestamp GENERATED ALWAYS AS (date_trunc('day', deleted_at AT TIME ZONE 'UTC')) STORED, "+
				"UNIQUE (email, day)") +
			`CREATE UNIQUE INDEX %[1]s_i ON %[1]s (tenant_id, email, (deleted_at AT TIME ZONE 'UTC'))`,
		want: []string{"allows_generated_email_day_key unique_allows_live_duplicates",
			"allows_generated_i unique_allows_live_duplicates"}},
	{table: "allows_deferrable",
		ddl:  users(1000, 10, ", UNIQUE (email, deleted_at) DEFERRABLE"),
		want: []string{"allows_deferrable_email_deleted_at_key unique_allows_live_duplicates"}},
	{table: "allows_enforced_by_expression",
		ddl: users(1000, 10, ", UNIQUE (email, deleted_at)") +
			`CREATE UNIQUE INDEX ON %[1]s (email, COALESCE(deleted_at, 'infinity'))`},

	{table: "second",
		ddl: flagged(1000, 10) + `ALTER TABLE %[1]s ADD UNIQUE (id, tenant_id, is_deleted);
			CREATE UNIQUE INDEX %[1]s_i ON %[1]s (is_deleted, tenant_id, id) WHERE tenant_id <> 7`,
		want: []string{"second_i unique_blocks_second_delete",
			"second_id_tenant_id_is_deleted_key unique_blocks_second_delete"}},
	{table: "second_generated",
		ddl:  users(1000, 10, ", alive boolean GENERATED ALWAYS AS (deleted_at IS NULL) STORED, UNIQUE (email, alive)"),
		want: []string{"second_generated_email_alive_key unique_blocks_second_delete"}},
	{table: "second_expression",
		ddl:  flagged(1000, 10) + `CREATE UNIQUE INDEX %[1]s_i ON %[1]s (id, (is_deleted::int))`,
		want: []string{"second_expression_i unique_blocks_second_delete"}},
	{table: "second_live",
		ddl: flagged(1000, 10) + `CREATE UNIQUE INDEX ON %[1]s (id, is_deleted) WHERE NOT is_deleted;
			CREATE UNIQUE INDEX ON %[1]s (tenant_id, id, is_deleted) WHERE is_deleted`},
	{table: "second_permanent",
		ddl: flagged(1000, 10) +
			`ALTER TABLE %[1]s ADD token uuid DEFAULT gen_random_uuid();
			ALTER TABLE %[1]s ADD UNIQUE (token, is_deleted)`},
	{table: "second_key",
		ddl: flagged(1000, 10) + `ALTER TABLE %[1]s ADD PRIMARY KEY (id), ADD UNIQUE (id, tenant_id, is_deleted)`},
	{table: "second_time",
		ddl: flagged(1000, 10) +
			`ALTER TABLE %[1]s ADD deleted_at timestamptz; UPDATE %[1]s SET deleted_at = now() WHERE is_deleted;
			CREATE UNIQUE INDEX ON %[1]s (id, is_deleted, COALESCE(deleted_at, 'infinity'))`},
	{table: "allows_flag",
		ddl:  flagged(1000, 10) + `CREATE UNIQUE INDEX %[1]s_i ON %[1]s (id, is_deleted)`,
		want: []string{"allows_flag_i unique_blocks_second_delete"}},

	{table: "purge",
		ddl: `CREATE TABLE %[1]s (pad char(300), deleted_at timestamptz);
			INSERT INTO %[1]s SELECT '', CASE WHEN i %% 2 = 0 THEN now() - interval '1 year' END FROM generate_series(1,
				50000) i`,
		want: []string{"purge=false"}, left: []string{"purge=true"}},
	{table: "purge_full_index",
		ddl: `CREATE TABLE %[1]s (pad char(300), deleted_at timestamptz);
			INSERT INTO %[1]s SELECT '', CASE WHEN i %% 2 = 0 THEN now() - interval '1 year' END FROM generate_series(1,
				50000) i; CREATE INDEX ON %[1]s (deleted_at)`,
		want: []string{"purge=true"}, left: []string{"purge=true"}},
	{table: "purge_nothing",
		ddl: `CREATE TABLE %[1]s (pad char(300), deleted_at timestamptz);
			INSERT INTO %[1]s SELECT '', CASE WHEN i < 10 THEN now() - interval '1 year' END FROM generate_series(1, 50000) i`},
	{table: "purge_in_time", // nothing is past retention, and few rows become so in a day
		ddl: `CREATE TABLE %[1]s (pad char(300), deleted_at timestamptz);
			INSERT INTO %[1]s SELECT '', CASE WHEN i %% 2 = 0 THEN now() END FROM generate_series(1, 50000) i`},

	{table: `"Odd ""näme"`,
		ddl: `CREATE TABLE %[1]s ("E-Mail" text, "deletedAt" timestamptz, UNIQUE ("E-Mail", "deletedAt"));
			INSERT INTO %[1]s VALUES ('a')`,
		want: []string{`Odd "näme_E-Mail_deletedAt_key unique_allows_live_duplicates`}},
}
