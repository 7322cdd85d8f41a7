// Two clusters in one Prometheus, with the same names in each.
local t = import '../promtool.libsonnet';

local in_(cluster) = t.orders { cluster: cluster };

local high(cluster, service) = t.firing(
  'SoftDeleteRatioHigh',
  'warning',
  'Most rows of a table are soft-deleted.',
  'At least 52% of the rows of public.orders in database shop behind db1:10862 are soft-deleted; the limit is 50%.',
  in_(cluster) { service: service },
);

local stale(cluster) = t.firing(
  'SoftDeleteNumbersStale',
  'warning',
  'The numbers of a table are out of date.',
  "The numbers of public.orders in database shop behind db1:10862 are 1h 0m 0s old; the limit is 3 times the exporter's ttl.",
  in_(cluster) { service: 'checkout' },
);

local clusterOnly(cluster) = t.target { cluster: cluster };

[
  t.test(
    'tables of the same name are told apart',
    t.table({ deletion_ratio: 0.52 }, in_('a'), 'checkout')
    + t.table({ deletion_ratio: 0.52 }, in_('b'), 'billing')
    + t.table({ deletion_ratio: 0.1 }, in_('c'), 'archive'),
    [t.fires(60, [high('a', 'checkout'), high('b', 'billing')])],
  ),

  t.test(
    'the ttl and the pending tables of one are not those of another',
    std.flattenArrays([
      t.table({ checked_timestamp_seconds: 0 }, in_(c))
      + [
        t.series('softdelete_exporter_ttl_seconds', { a: 300, b: 3600, c: 300 }[c], clusterOnly(c)),
        t.series('softdelete_exporter_tables', { a: 0, b: 0, c: 1 }[c], clusterOnly(c) { datname: 'shop', state: 'pending' }),
      ]
      for c in ['a', 'b', 'c']
    ]),
    [t.fires(60, [stale('a')])],
  ),

  t.test(
    'an external label that joins do not name stays on the alert',
    t.table({ deletion_ratio: 0.52 }, in_('a') { environment: 'production' }),
    [t.fires(60, [high('a', 'checkout') { exp_labels+: { environment: 'production' } }])],
  ),
]
