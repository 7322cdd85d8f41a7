// Cases in which no alert may fire, even with every alert switched on.
local mixin = import '../../mixin.libsonnet';
local t = import '../promtool.libsonnet';

local minutes = 240;
local neverBut(exceptions) = [
  t.quiet(15 * quarter, alert)
  for alert in std.setDiff(std.objectFields(mixin._config.alerts), exceptions)
  for quarter in std.range(0, minutes / 15)
];
local never = neverBut([]);

// healthy is an exporter with one good table that is counted every five minutes. layout says which scrapes succeeded,
// numbers which of them had the table's numbers, and checked at which minute these were counted; null if there are
// none.
local healthy(layout, numbers=layout, checked=function(m) m - m % 5) = [
  t.series('up', t.scraped(1, layout)),
  t.series('db_up', t.scraped(1, layout)),
  t.series('db_response_ms', t.scraped(3, layout)),
  t.series('softdelete_exporter_ttl_seconds', t.scraped(300, layout)),
  t.series('softdelete_exporter_tables', t.scraped(1, layout), t.shop { state: 'counted' }),
  t.series('softdelete_exporter_tables', t.scraped(0, layout), t.shop { state: 'pending' }),
  t.series('softdelete_exporter_tables', t.scraped(0, layout), t.shop { state: 'skipped' }),
  t.series('softdelete_exporter_config_last_reload_successful', t.scraped(1, layout)),
  t.series('softdelete_exporter_time_seconds', std.join(' ', [
    if i % 2 == 1 then 'stale _x%d' % (layout[i] - 1)
    else '%d+60x%d' % [60 * std.sum(layout[:i]), layout[i] - 1]
    for i in std.range(0, std.length(layout) - 1)
  ])),
  t.series('softdelete_index_present', t.scraped(1, numbers), t.orders { purpose: 'purge' }),
] + [
  t.series('softdelete_exporter_check_success', t.scraped(1, layout), t.shop { check: c })
  for c in ['connect', 'discovery', 'counting', 'indexes']
] + [
  t.series('softdelete_checked_timestamp_seconds', std.join(' ', [
    if checked(m) == null then 'stale' else '' + 60 * checked(m)
    for m in std.range(0, minutes)
  ]), t.orders),
] + t.table({
  checked_timestamp_seconds: null,
  active_rows: t.scraped(90000, numbers),
  deleted_rows: t.scraped(20000, numbers),
  old_deleted_rows: t.scraped(500, numbers),
  old_deleted_rows_margin: t.scraped(0, numbers),
  recently_deleted_rows: t.scraped(20, numbers),
  deletion_ratio: t.scraped(0.2, numbers),
  deletion_ratio_margin: t.scraped(0, numbers),
  total_rows: t.scraped(110000, numbers),
})[1:] + [t.info(values=t.scraped(1, layout))];

[
  t.test('a healthy table', healthy([241]), never),
  t.test('a restart of the exporter', healthy([100, 2, 139], [100, 5, 136]), never),
  t.test(
    'a gap in the cache',
    healthy([241], [100, 9, 132], checked=function(m) if m >= 100 && m < 109 then null else m - m % 5),
    never
  ),
  t.test(
    'an hour without a scrape: the first one after it still shows the old numbers',
    healthy(
      [100, 60, 81],
      checked=function(m) if m < 100 then m - m % 5 else if m < 160 then null else if m == 160 then 95 else m - m % 5
    ),
    neverBut(['SoftDeleteExporterAbsent'])
  ),
  t.test('scrapes that fail now and then', healthy([20, 1, 30, 2, 7, 1, 40, 5, 60, 1, 74]), never),
]
