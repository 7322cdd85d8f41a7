// Pings and scrapes that fail sometimes; two samples a minute. The version of Prometheus decides how many of them a
// window has, so the share in the text is not compared.
local t = import '../promtool.libsonnet';

local told(alert) = [t.target { alertname: alert }];
local pings = told('SoftDeletePingsFailing');
local scrapes = told('SoftDeleteScrapesFailing');
local quiet(from, to) = [t.exactly(m, []) for m in std.range(from, to)];

// four of fifteen, which is more than a quarter, and seven of thirty, which is not.
local four = '1 1 1 0 1 1 1 0 1 1 1 0 1 1 0';
local seven = t.again('1 1 1 0', 6) + ' 1 1 1 1 1 0';

{
  alerts: ['SoftDeletePingsFailing', 'SoftDeleteScrapesFailing', 'SoftDeleteDatabaseDown', 'SoftDeleteExporterDown'],

  tests: [
    t.test(
      'every second ping fails, and for three hours nobody else would say so',
      [t.series('db_up', t.again('1 0', 180))],
      quiet(0, 4) + [t.exactly(m, pings) for m in [6, 60, 120, 170]],
    ),

    t.test(
      'a quarter is enough',
      [t.series('db_up', t.again(four, 20))],
      [t.exactly(m, pings) for m in [60, 120]],
    ),

    t.test(
      'seven of thirty are fewer',
      [t.series('db_up', t.again(seven, 10))],
      quiet(0, 140),
    ),

    t.test(
      'what failed a quarter of an hour ago is over',
      [t.series('db_up', '1+0x39 0+0x2 1+0x16 0+0x2 1+0x16 0+0x2 1+0x16 0+0x2 1+0x100')],
      quiet(0, 90),
    ),

    t.test(
      'one that swings around a quarter is told once',
      [t.series('db_up', t.again(four, 6) + ' ' + t.again(seven, 10))],
      [t.exactly(m, pings) for m in std.range(40, 180)],
    ),

    t.test(
      'two minutes of failed pings are an outage',
      [t.series('db_up', '1+0x39 0+0x39')],
      quiet(0, 20) + [t.exactly(22, told('SoftDeleteDatabaseDown'))],
    ),

    t.test(
      'an outage that was told is not told again when it is over',
      [t.series('db_up', '1+0x39 0+0x39 1+0x100')],
      [t.exactly(30, told('SoftDeleteDatabaseDown'))] + quiet(51, 80),
    ),

    t.test(
      'a server that is being started is quiet',
      [t.series('db_up', '0 1 1 0 1+0x100')],
      quiet(0, 50),
    ),

    t.test(
      'every second scrape fails, and for three hours nobody else would say so',
      [t.series('up', t.again('1 0', 180))],
      quiet(0, 14) + [t.exactly(m, scrapes) for m in [60, 120, 170]],
    ),

    t.test(
      'a restart of seven minutes is quiet',
      [t.series('up', '1+0x39 0+0x13 1+0x100')],
      quiet(0, 70),
    ),

    t.test(
      'one of ten minutes is too long to be within',
      [t.series('up', '1+0x39 0+0x19 1+0x100')],
      quiet(0, 37) + [t.exactly(40, scrapes)] + quiet(56, 70),
    ),

    t.test(
      'an exporter that is down is not told twice',
      [t.series('up', '1+0x39 0+0x99 1+0x100')],
      [t.exactly(60, told('SoftDeleteExporterDown'))] + quiet(81, 110),
    ),
  ],
}
