// Alerts that are off by default, switched on.
local t = import '../promtool.libsonnet';

local where = 'public.orders in database shop behind db1:10862';

local ignores = t.firing(
  'SoftDeleteUniqueIgnoresDeleted',
  'info',
  'A unique index counts soft-deleted rows.',
  'Index orders_email_key of %s is unique over deleted rows too: a deleted row still blocks its key.' % where,
  t.orders { service: 'checkout', indexrelname: 'orders_email_key', problem: 'unique_ignores_deleted' },
);

local restored(rows) = t.firing(
  'SoftDeleteBulkRestore',
  'warning',
  'Many soft-deleted rows of a table were restored at once.',
  '%s soft-deleted rows of %s became active again within 1h; the limit is 10000.' % [rows, where],
);

local predicted(percent) = t.firing(
  'SoftDeleteRatioPredicted',
  'info',
  'Most rows of a table will soon be soft-deleted.',
  'At the rate of the last 1d, %s of the rows of %s will be soft-deleted in 7d; the limit is 50%%.' % [percent, where],
);

local moved(deleted, active, facts={}) = t.table({ deleted_rows: deleted, active_rows: active } + facts, minutes=180);
local noRestore = [t.quiet(m, 'SoftDeleteBulkRestore') for m in std.range(85, 165)];
local notPredicted = [t.quiet(h * 60, 'SoftDeleteRatioPredicted') for h in std.range(24, 39)];

{
  quick: [
    t.test(
      'a unique index that counts deleted rows',
      t.table() + [t.series('softdelete_index_problem', 1, t.orders { indexrelname: 'orders_email_key', problem: 'unique_ignores_deleted' })],
      [t.quiet(59, 'SoftDeleteUniqueIgnoresDeleted'), t.fires(60, [ignores])],
    ),

    t.test(
      'a bulk restore',
      moved('30000+0x89 19999+0x90', '70000+0x89 80001+0x90'),
      [
        t.quiet(89, 'SoftDeleteBulkRestore'),
        t.fires(90, [restored('10001')]),
        t.fires(149, [restored('10001')]),
        t.quiet(162, 'SoftDeleteBulkRestore'),
      ],
    ),

    t.test(
      'exactly the limit is no bulk restore',
      moved('30000+0x89 20000+0x90', '70000+0x89 80000+0x90'),
      noRestore,
    ),

    t.test(
      'a purge is no bulk restore',
      moved('30000+0x89 0+0x90', '70000+0x180'),
      noRestore,
    ),

    t.test(
      'an import beside a purge of fewer is no bulk restore',
      moved('30000+0x89 25000+0x90', '70000+0x89 170000+0x90'),
      noRestore,
    ),

    t.test(
      'sampled numbers are no bulk restore',
      moved('30000+0x89 10000+0x90', '70000+0x89 90000+0x90', { deletion_ratio_margin: '0+0x89 0.01+0x90' }),
      noRestore,
    ),
  ],

  // Samples and evaluations every half hour. The ratio has been known for a day at hour 24, and for six hours more at
  // hour 30. Then it is 0.26, and 0.596 a week later.
  slow: [
    t.test(
      'a ratio that will be over the poor limit within a week',
      t.table({ deletion_ratio: '0.2+0.001x80' }),
      [
        t.quiet(29 * 60 + 30, 'SoftDeleteRatioPredicted'),
        t.fires(30 * 60, [predicted('59.6%')]),
      ],
    ),

    t.test(
      'one that will be later is quiet',
      t.table({ deletion_ratio: '0.28+0.0005x80' }),
      notPredicted,
    ),

    t.test(
      'one that is over it already has another alert',
      t.table({ deletion_ratio: '0.501+0.001x80' }),
      notPredicted,
    ),

    t.test(
      'sampled numbers predict nothing',
      t.table({ deletion_ratio: '0.2+0.001x80', deletion_ratio_margin: 0.01 }),
      notPredicted,
    ),

    t.test(
      'nor do numbers that were sampled a day ago',
      t.table({ deletion_ratio: '0.2+0.001x80', deletion_ratio_margin: '0.01+0x47 0+0x32' }),
      notPredicted,
    ),
  ],
}
