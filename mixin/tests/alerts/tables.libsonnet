// Tables with limits of their own, in a list where the last that fits wins.
local t = import '../promtool.libsonnet';

local table(database, schema, name) = t.target { datname: database, schemaname: schema, relname: name };
local orders = table('shop', 'public', 'orders');
local archived = table('archive', 'public', 'orders');
local users = table('shop', 'public', 'users');
local quoted = table('shop', 'public', 'a "b"\\c');

local ratio(labels, percent, limit, severity='warning') = t.firing(
  if severity == 'warning' then 'SoftDeleteRatioHigh' else 'SoftDeleteRatioElevated',
  severity,
  if severity == 'warning' then 'Most rows of a table are soft-deleted.' else 'Many rows of a table are soft-deleted.',
  'At least %s of the rows of public.%s in database %s behind db1:10862 are soft-deleted; the limit is %s.'
  % [percent, labels.relname, labels.datname, limit],
  labels { service: 'checkout' },
);

local bulk(labels, rows, limit) = t.firing(
  'SoftDeleteBulkDelete',
  'warning',
  'Many rows of a table were soft-deleted at once.',
  '%s rows of public.%s in database %s behind db1:10862 were soft-deleted within 1h; the limit is %s.'
  % [rows, labels.relname, labels.datname, limit],
  labels { service: 'checkout' },
);

{
  thresholds: {
    tables: [
      { schema: 'public', table: 'orders', deletion_ratio: { fair: 0.6, poor: 0.8 }, bulk_rows: 50 },
      { database: 'archive', schema: 'public', table: 'orders', deletion_ratio: { poor: 0.9 } },
      { database: 'shop', schema: 'public', table: quoted.relname, deletion_ratio: { poor: 0.6 }, alert_min_rows: 5 },
    ],
  },

  tests: [
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
      'a limit of its own for recently deleted rows',
      t.table({ recently_deleted_rows: 51 }, orders) + t.table({ recently_deleted_rows: 51 }, users),
      [t.fires(5, [bulk(orders, '51', '50')])],
    ),

    t.test(
      'a limit of its own for deleted rows now and one window ago',
      t.table({ deleted_rows: '7+0x69 58+0x50' }, archived) + t.table({ deleted_rows: '7+0x69 58+0x50' }, users),
      [t.quiet(69, 'SoftDeleteBulkDelete'), t.fires(70, [bulk(archived, '51', '50')])],
    ),
  ],
}
