// Tables with their own limits, in a list in which the last entry that fits wins.
local t = import '../promtool.libsonnet';

local table(database, schema, name) = t.target { datname: database, schemaname: schema, relname: name };
local orders = table('shop', 'public', 'orders');
local archived = table('archive', 'public', 'orders');
local users = table('shop', 'public', 'users');
local coupons = table('shop', 'public', 'coupons');
local ledger = table('shop', 'public', 'ledger');
local slow = table('shop', 'public', 'slow');
local quoted = table('shop', 'public', 'a "b"\\c');

local where(labels) = 'public.%s in database %s behind db1:10862' % [labels.relname, labels.datname];
local warning(alert, summary, description, labels) = t.firing(alert, 'warning', summary, description, labels { service: 'checkout' });

local ratio(labels, percent, limit, severity='warning') = t.firing(
  if severity == 'warning' then 'SoftDeleteRatioHigh' else 'SoftDeleteRatioElevated',
  severity,
  if severity == 'warning' then 'Most rows of a table are soft-deleted.' else 'Many rows of a table are soft-deleted.',
  'At least %s of the rows of %s are soft-deleted; the limit is %s.' % [percent, where(labels), limit],
  labels { service: 'checkout' },
);

local bulk(labels, rows, limit) = warning(
  'SoftDeleteBulkDelete',
  'Many rows of a table were soft-deleted at once.',
  '%s rows of %s were soft-deleted within 1h, more than is usual there; the limit is %s.' % [rows, where(labels), limit],
  labels,
);

local overdue(labels, duration, allowed='125m') = warning(
  'SoftDeletePurgeOverdue',
  'The purge of a table is overdue.',
  'Soft-deleted rows of %s have been past their retention for %s, and a purge has %s to remove them.' % [where(labels), duration, allowed],
  labels,
);

local stale(labels, age, ttls) = warning(
  'SoftDeleteNumbersStale',
  'The numbers of a table are out of date.',
  "The numbers of %s are %s old; the limit is %s times the exporter's ttl." % [where(labels), age, ttls],
  labels,
);

// recently is a table in which rows are deleted at minute 70.
local recently(rows, labels, facts={}) = t.table({
  recently_deleted_rows: '0+0x69 %d+0x50' % rows,
  active_rows: '90000+0x69 %d+0x50' % (90000 - rows),
} + facts, labels);

// Purges, sampled and evaluated every four minutes. A day is an hour, as in purge.libsonnet.
local old(labels, facts, hours=5) = t.table({ old_deleted_rows_margin: 0 } + facts, labels, minutes=hours * 15);
local retention = 90 * 86400;
local aged(labels, facts={}, hours=5) =
  old(labels, { old_deleted_rows: 200, retention_seconds: retention, oldest_deleted_timestamp_seconds: -retention } + facts, hours);

{
  config: (import 'purge.libsonnet').config {
    thresholds+: { tables: [
      { schema: 'public', table: 'orders', deletion_ratio: { fair: 0.6, poor: 0.8 }, bulk_rows: 50 },
      { database: 'archive', schema: 'public', table: 'orders', deletion_ratio: { poor: 0.9 }, bulk_rows: 60 },
      { database: 'shop', schema: 'public', table: quoted.relname, deletion_ratio: { poor: 0.6 }, alert_min_rows: 5 },
      { schema: 'public', table: 'coupons', deletion_ratio: { poor: 0.3 }, old_deleted_rows: { fair: 100, poor: 100 }, bulk_rows: 50, bulk_share: 0.5 },
      // One purge a month. In one database it may be at most a day late.
      { schema: 'public', table: 'ledger', purge_period_seconds: 31 * 3600 },
      { database: 'shop', schema: 'public', table: 'ledger', purge_grace_seconds: 3600 },
      { schema: 'public', table: 'slow', stale_after_ttls: 6, purge_period_seconds: 1800, purge_grace_seconds: 1800 },
    ] },
  },

  quick: [
    t.test(
      'every table is judged by its own limits, and the text names them',
      t.table({ deletion_ratio: 0.85 }, orders)
      + t.table({ deletion_ratio: 0.85 }, archived)
      + t.table({ deletion_ratio: 0.55 }, users)
      + t.table({ deletion_ratio: 0.65, total_rows: 6 }, quoted),
      [
        t.fires(60, [
          ratio(orders, '85%', '80%'),
          ratio(users, '55%', '50%'),
          ratio(quoted, '65%', '60%'),
        ]),
        t.fires(60, [
          ratio(orders, '85%', '60%', 'info'),
          ratio(archived, '85%', '60%', 'info'),
          ratio(users, '55%', '25%', 'info'),
          ratio(quoted, '65%', '25%', 'info'),
        ]),
      ],
    ),

    t.test(
      'exactly its own limit is the better side',
      t.table({ deletion_ratio: 0.8 }, orders)
      + t.table({ deletion_ratio: 0.9 }, archived)
      + t.table({ deletion_ratio: 0.65, total_rows: 4 }, quoted),
      [t.quiet(110, 'SoftDeleteRatioHigh')],
    ),

    t.test(
      "a ratio of a table's own counts in a small table, too, and no other ratio does",
      t.table({ deletion_ratio: 0.4, total_rows: 20 }, coupons),
      [t.fires(60, [ratio(coupons, '40%', '30%')]), t.quiet(60, 'SoftDeleteRatioElevated')],
    ),

    t.test(
      'a limit of its own for recently deleted rows, whatever part of the table they are',
      recently(51, orders) + recently(51, users),
      [t.quiet(69, 'SoftDeleteBulkDelete'), t.fires(70, [bulk(orders, '51', '50')])],
    ),

    t.test(
      'unless it says what part they have to be',
      recently(51, coupons, { total_rows: 100 }) + recently(60, coupons { datname: 'archive' }, { total_rows: 130 }),
      [t.fires(70, [bulk(coupons, '51', '50')])],
    ),

    t.test(
      'a limit of its own for deleted rows now and one window ago',
      t.table({ deleted_rows: '7+0x69 68+0x50', active_rows: '90000+0x69 89939+0x50' }, archived)
      + t.table({ deleted_rows: '7+0x69 68+0x50', active_rows: '90000+0x69 89939+0x50' }, users),
      [t.quiet(69, 'SoftDeleteBulkDelete'), t.fires(70, [bulk(archived, '61', '60')])],
    ),

    t.test(
      'numbers that are stale later than others',
      t.table({}, users) + t.table({}, slow)
      + [t.series('softdelete_exporter_ttl_seconds', 300), t.clock()],
      [t.fires(30, [stale(users, '30m 0s', 3)]), t.fires(60, [stale(users, '1h 0m 0s', 3), stale(slow, '1h 0m 0s', 6)])],
    ),
  ],

  slow: [
    t.test(
      'a limit of its own for old rows counts where their age is known, too',
      aged(coupons, { oldest_deleted_timestamp_seconds: 18000 - retention }) + aged(users, { oldest_deleted_timestamp_seconds: 18000 - retention }),
      [t.quiet(184, 'SoftDeletePurgeOverdue'), t.fires(192, [overdue(coupons, '3h 12m 0s')])],
    ),

    t.test(
      'a purge once a month may be late by its own grace, of each database',
      aged(ledger, hours=36) + aged(ledger { datname: 'archive' }, hours=36),
      [
        t.quiet(33 * 60, 'SoftDeletePurgeOverdue'),
        t.fires(33 * 60 + 4, [overdue(ledger, '1d 9h 4m 0s', '32h')]),
        t.fires(34 * 60, [
          overdue(ledger, '1d 10h 0m 0s', '32h'),
          overdue(ledger { datname: 'archive' }, '1d 10h 0m 0s', '1925m'),
        ]),
      ],
    ),

    t.test(
      'where the age is not known, too',
      old(slow, { old_deleted_rows: 10001 }) + old(ledger, { old_deleted_rows: 10001 }),
      [
        t.quiet(120, 'SoftDeletePurgeOverdue'),
        t.fires(128, [overdue(slow, '2h 8m 0s', '1h')]),
        t.fires(280, [overdue(slow, '4h 40m 0s', '1h')]),
      ],
    ),
  ],
}
