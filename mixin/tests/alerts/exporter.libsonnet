local t = import '../promtool.libsonnet';

local down = t.firing(
  'SoftDeleteExporterDown',
  'warning',
  'The exporter cannot be scraped.',
  'The scrape of softdelete_exporter at db1:10862 has failed for 15m: nothing is known about its database.',
  t.target,
);

local failing(check) = t.firing(
  'SoftDeleteCheckFailing',
  'warning',
  'The exporter cannot look into a database.',
  'The server behind db1:10862 answers, but the check %s of database shop has failed for 30m: its tables are not watched.' % check,
  t.shop { check: check },
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
    [t.quiet(m, 'SoftDeleteExporterDown') for m in std.range(10, 60)],
  ),

  t.test(
    'an exporter that cannot look for tables is told after half an hour',
    [t.series('db_up', 1), check('discovery', 0), check('connect', 1)],
    [t.quiet(29, 'SoftDeleteCheckFailing'), t.fires(30, [failing('discovery')])],
  ),

  t.test(
    'nor one that cannot connect, though an old connection still answers the ping',
    [t.series('db_up', 1), check('discovery', 0), check('connect', 0)],
    [t.fires(30, [failing('connect'), failing('discovery')])],
  ),

  t.test(
    'a database that is down has its own alert',
    [t.series('db_up', 0), check('discovery', 0), check('connect', 0)],
    [t.quiet(m, 'SoftDeleteCheckFailing') for m in [30, 60, 110]],
  ),

  t.test(
    'checks that fail table by table have their own alerts',
    [t.series('db_up', 1), check('counting', 0), check('indexes', 0)],
    [t.quiet(m, 'SoftDeleteCheckFailing') for m in [30, 60, 110]],
  ),
]
