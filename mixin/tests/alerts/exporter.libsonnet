local t = import '../promtool.libsonnet';

local down = t.firing(
  'SoftDeleteExporterDown',
  'warning',
  'The exporter cannot be scraped.',
  'The scrape of db1:10862 has failed for 15m: nothing is known about its database.',
  t.target,
);

local checks = {
  connect: 'the exporter cannot connect to it, and its tables are not watched',
  discovery: 'the exporter cannot discover its tables, and new ones are not watched',
  counting: 'the exporter does not come to the end of its tables',
  indexes: 'the exporter does not read its indexes',
};
local failing(check) = t.firing(
  'SoftDeleteCheckFailing',
  'warning',
  'The exporter does not see all of a database.',
  'For 30m the check %s of database shop behind db1:10862 has failed, though the server answers: %s.' % [check, checks[check]],
  t.shop { check: check },
);

local reload = t.firing(
  'SoftDeleteReloadFailed',
  'warning',
  'The exporter could not load its changed configuration.',
  'The last reload of the configuration of the exporter at db1:10862 failed: it goes on with the one before, and would not start with the new one. Its log says what is wrong.',
  t.target,
);

local skewed(by) = t.firing(
  'SoftDeleteClockSkewed',
  'warning',
  "The exporter's clock and that of Prometheus differ.",
  'The clock of the exporter at db1:10862 and that of Prometheus are %s apart; the limit is 1m.' % by,
  t.target,
);

local evicted = t.firing(
  'SoftDeleteConnectionsEvicted',
  'info',
  'The exporter has more targets than connections.',
  'The exporter at db1:10862 closed 15 connections within 15m to make room for others: it has more targets than limits.connections has room for, and has to connect anew for their scrapes.',
  t.target,
);

local absent = t.firing(
  'SoftDeleteExporterAbsent',
  'warning',
  'No exporter is a target of this Prometheus.',
  'Prometheus has had no target with job=~"softdelete.*" for 15m.',
  {},
);

local check(name, values) = t.series('softdelete_exporter_check_success', values, t.shop { check: name });

[
  t.test(
    'an exporter that cannot be scraped is told after a quarter of an hour',
    [t.series('up', '1+0x9 0+0x60')],
    [t.quiet(24, 'SoftDeleteExporterDown'), t.fires(25, [down])],
  ),

  t.test(
    'a target that was taken away while it was down is forgotten',
    [t.series('up', '1+0x9 0+0x1 stale _x60')],
    [t.quiet(m, 'SoftDeleteExporterDown') for m in std.range(10, 60)],
  ),

  t.test(
    'a restart is quiet',
    [t.series('up', '1+0x9 0+0x3 1+0x60')],
    [t.quiet(m, a) for m in std.range(10, 60) for a in ['SoftDeleteExporterDown', 'SoftDeleteScrapesFailing']],
  ),

  t.test(
    'an exporter that is no target',
    [t.series('up', '1+0x9 stale _x90')],
    [t.quiet(33, 'SoftDeleteExporterAbsent'), t.fires(36, [absent])],
  ),

  t.test(
    'the exporter of another job does not count',
    [t.series('up', 1, { job: 'node', instance: 'db1:9100' })],
    [t.fires(15, [absent])],
  ),

  t.test(
    'where nothing works, the first check is told',
    [t.series('db_up', 1)] + [check(c, 0) for c in std.objectFields(checks)],
    [t.quiet(29, 'SoftDeleteCheckFailing'), t.fires(30, [failing('connect')])],
  ),
] + [
  t.test(
    'an exporter whose check fails is told after half an hour: ' + name,
    [t.series('db_up', 1)] + [check(c, if c == name then 0 else 1) for c in std.objectFields(checks)],
    [t.quiet(29, 'SoftDeleteCheckFailing'), t.fires(30, [failing(name)])],
  )
  for name in std.objectFields(checks)
] + [
  t.test(
    'a database that is down has its own alert',
    [t.series('db_up', 0), check('discovery', 0), check('connect', 0)],
    [t.quiet(m, 'SoftDeleteCheckFailing') for m in [30, 60, 110]],
  ),

  t.test(
    'scrapes that fail do not restart the for',
    [t.series('db_up', t.scraped(1, [10, 9, 60])), check('indexes', t.scraped(0, [10, 9, 60]))],
    [t.quiet(29, 'SoftDeleteCheckFailing'), t.fires(30, [failing('indexes')])],
  ),

  t.test(
    'a reload that failed is told, until one succeeds',
    [t.series('softdelete_exporter_config_last_reload_successful', '1+0x9 0+0x29 1+0x60')],
    [
      t.quiet(14, 'SoftDeleteReloadFailed'),
      t.fires(15, [reload]),
      t.fires(49, [reload]),
      t.quiet(50, 'SoftDeleteReloadFailed'),
    ],
  ),

  t.test(
    'connections that go round are told',
    [t.series('softdelete_exporter_connections_evicted_total', '0+0x9 1+1x120')],
    [t.quiet(69, 'SoftDeleteConnectionsEvicted'), t.fires(110, [evicted])],
  ),

  t.test(
    'those of one burst are not',
    [t.series('softdelete_exporter_connections_evicted_total', '0+0x9 1+1x30 31+0x120')],
    [t.quiet(m, 'SoftDeleteConnectionsEvicted') for m in std.range(0, 130)],
  ),

  t.test(
    'a clock that is exactly a minute ahead is no alert',
    [t.clock(ahead=60)],
    [t.quiet(m, 'SoftDeleteClockSkewed') for m in std.range(0, 110)],
  ),

  t.test(
    'one that is further ahead is',
    [t.clock(ahead=61)],
    [t.quiet(9, 'SoftDeleteClockSkewed'), t.fires(10, [skewed('1m 1s')])],
  ),

  t.test(
    'so is one that is behind',
    [t.clock(ahead=-3600)],
    [t.fires(70, [skewed('1h 0m 0s')])],
  ),
]
