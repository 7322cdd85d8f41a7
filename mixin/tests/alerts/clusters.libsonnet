// Two clusters in one Prometheus, with the same names in each.
local t = import '../promtool.libsonnet';

local in_(cluster) = t.orders { cluster: cluster };

local high(cluster, service, where=' in cluster ' + cluster) = t.firing(
  'SoftDeleteRatioHigh',
  'warning',
  'Most rows of a table are soft-deleted.',
  'At least 52%% of the rows of public.orders in database shop behind db1:10862%s are soft-deleted; the limit is 50%%.' % where,
  (if cluster == null then t.orders else in_(cluster)) { service: service },
);

local stale(cluster) = t.firing(
  'SoftDeleteNumbersStale',
  'warning',
  'The numbers of a table are out of date.',
  "The numbers of public.orders in database shop behind db1:10862 in cluster %s are 1h 0m 0s old; the limit is 3 times the exporter's ttl." % cluster,
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
    'the ttl, the clock and the pending tables of one are not those of another',
    std.flattenArrays([
      t.table({ checked_timestamp_seconds: 0 }, in_(c))
      + [
        t.series('softdelete_exporter_ttl_seconds', { a: 300, b: 3600, c: 300, d: 300 }[c], clusterOnly(c)),
        t.clock(clusterOnly(c), ahead={ a: 0, b: 0, c: 0, d: -3600 }[c]),
        t.series('softdelete_exporter_tables', { a: 0, b: 0, c: 1, d: 0 }[c], clusterOnly(c) { datname: 'shop', state: 'pending' }),
      ]
      for c in ['a', 'b', 'c', 'd']
    ]),
    [t.fires(60, [stale('a')])],
  ),

  t.test(
    'a cluster that is a label of Prometheus itself is named',
    t.table({ deletion_ratio: 0.52 }),
    [t.fires(60, [high(null, 'checkout', ' in cluster north')])],
  ) { external_labels: { cluster: 'north' } },
]
