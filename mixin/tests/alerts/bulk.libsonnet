local t = import '../promtool.libsonnet';

local bulk(rows) = t.firing(
  'SoftDeleteBulkDelete',
  'warning',
  'Many rows of a table were soft-deleted at once.',
  '%s rows of public.orders in database shop behind db1:10862 were soft-deleted within 1h; the limit is 10000.' % rows,
);

local never = [t.quiet(m, 'SoftDeleteBulkDelete') for m in std.range(0, 150)];

[
  t.test(
    'what the exporter knows to be deleted recently is told at once, and for ten minutes more',
    t.table({ recently_deleted_rows: '5+0x9 10001+0x59 5+0x60', deleted_rows: 30000 }),
    [
      t.quiet(9, 'SoftDeleteBulkDelete'),
      t.fires(10, [bulk('10001')]),
      t.fires(79, [bulk('10001')]),
      t.quiet(80, 'SoftDeleteBulkDelete'),
    ],
  ),

  t.test(
    'exactly the limit is no bulk delete',
    t.table({ recently_deleted_rows: 10000 }),
    never,
  ),

  t.test(
    'where it does not know, the deleted rows of one window ago are compared',
    t.table({ deleted_rows: '1000+0x89 11001+0x90' }, minutes=180),
    [
      t.quiet(89, 'SoftDeleteBulkDelete'),
      t.fires(90, [bulk('10001')]),
      t.fires(149, [bulk('10001')]),
      t.quiet(162, 'SoftDeleteBulkDelete'),
    ],
  ),

  t.test(
    'a difference of exactly the limit is no bulk delete',
    t.table({ deleted_rows: '1000+0x89 11000+0x90' }, minutes=180),
    never,
  ),

  t.test(
    'deleting steadily is no bulk delete',
    t.table({ deleted_rows: '1000+160x180' }, minutes=180),
    never,
  ),

  t.test(
    'where it knows, the difference is not asked: a restore may have come between',
    t.table({ recently_deleted_rows: 5, deleted_rows: '1000+0x89 30000+0x90' }, minutes=180),
    never,
  ),

  t.test(
    'a method that changed from exact to sampled is no bulk delete',
    t.table({
      deleted_rows: '1000+0x89 30000+0x90',
      deletion_ratio_margin: '0+0x89 0.02+0x90',
    }, minutes=180),
    never,
  ),

  t.test(
    'nor is one that changed from sampled to exact',
    t.table({
      deleted_rows: '1000+0x89 30000+0x90',
      deletion_ratio_margin: '0.02+0x89 0+0x90',
    }, minutes=180),
    never,
  ),

  t.test(
    'numbers from statistics are no bulk delete',
    t.table({ deleted_rows: '1000+0x89 30000+0x90', deletion_ratio_margin: null }, minutes=180),
    never,
  ),

  t.test(
    'a table that is new is no bulk delete',
    t.table({ deleted_rows: '_x90 30000+0x90' }, minutes=180),
    never,
  ),

  t.test(
    'a restart of the exporter is no bulk delete',
    t.table({ deleted_rows: '30000+0x89 stale _x5 30000+0x90', recently_deleted_rows: '7+0x89 stale _x5 7+0x90' }, minutes=180),
    never,
  ),
]
