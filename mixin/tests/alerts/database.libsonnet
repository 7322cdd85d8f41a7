local t = import '../promtool.libsonnet';

local down = t.firing(
  'SoftDeleteDatabaseDown',
  'critical',
  'A database does not answer.',
  'The database behind db1:10862 did not answer a single SELECT 1 within the ping timeout for 2m.',
  t.target,
);

local slow(ms) = t.firing(
  'SoftDeleteDatabaseSlow',
  'warning',
  'A database answers slowly.',
  'A SELECT 1 on the database behind db1:10862 took %s ms, the median of the last 5m; the limit is 100 ms.' % ms,
  t.target,
);

local never(alert, from, to) = [t.quiet(m, alert) for m in std.range(from, to)];

[
  t.test(
    'a database that is down raises an alert after two minutes, and resolves ten minutes after its return',
    [t.series('db_up', '1+0x9 0+0x9 1+0x30')],
    [
      t.quiet(10, 'SoftDeleteDatabaseDown'),
      // Up to Prometheus 2, a window includes its far end.
      t.fires(12, [down]),
      t.fires(29, [down]),
      t.quiet(30, 'SoftDeleteDatabaseDown'),
    ],
  ),

  t.test(
    'one failed ping is no alert',
    [t.series('db_up', '1+0x9 0 1+0x9 0 1+0x40')],
    never('SoftDeleteDatabaseDown', 10, 40),
  ),

  t.test(
    'nor is one that nobody repeats for eight minutes',
    [t.series('db_up', '1+0x9 0 stale _x7 1+0x40')],
    never('SoftDeleteDatabaseDown', 10, 40),
  ),

  t.test(
    'two failed pings are, however far apart, if none succeeds in between',
    [t.series('db_up', '1+0x9 _x2 0 _x3 0 _x3 0+0x30')],
    [t.quiet(15, 'SoftDeleteDatabaseDown'), t.fires(16, [down])],
  ),

  t.test(
    'two in eight minutes are too few',
    [t.series('db_up', '1+0x9 0 _x5 0 _x10 1+0x40')],
    never('SoftDeleteDatabaseDown', 10, 40),
  ),

  t.test(
    'a scrape every two minutes is enough',
    [t.series('db_up', '1 _ 1 _ 1 _ 1 _ 0 _ 0 _ 0 _ 0 _ 0 _ 1 _ 1 _ 1')],
    [t.quiet(9, 'SoftDeleteDatabaseDown'), t.fires(12, [down])],
  ),

  t.test(
    'a database last seen down is forgotten ten minutes after the last ping',
    [t.series('db_up', '1+0x9 0+0x3 stale _x30')],
    [t.fires(13, [down]), t.fires(24, [down]), t.quiet(29, 'SoftDeleteDatabaseDown')],
  ),

  t.test(
    'an alert that fires stays while single pings fail, and resolves ten minutes after the last',
    [t.series('db_up', '1+0x9 0+0x2 1+0x5 0 1+0x6 0 1+0x6 0 1+0x30')],
    [t.fires(m, [down]) for m in [13, 23, 30, 44]] + [t.quiet(m, 'SoftDeleteDatabaseDown') for m in [46, 60]],
  ),

  t.test(
    'exactly the limit is not slow',
    [t.series('db_response_ms', 100)],
    [t.quiet(m, 'SoftDeleteDatabaseSlow') for m in [10, 20, 60]],
  ),

  t.test(
    'just over the limit is slow after ten minutes',
    [t.series('db_response_ms', '2+0x5 _x8 101+0x60')],
    [t.quiet(23, 'SoftDeleteDatabaseSlow'), t.fires(24, [slow(101)]), t.fires(30, [slow(101)])],
  ),

  t.test(
    'the median is judged: a few answers that take seconds make no slow database',
    [t.series('db_response_ms', t.again('50+0x2 5000 50 5000', 20))],
    never('SoftDeleteDatabaseSlow', 20, 90),
  ),

  // A window of five minutes has five or six samples. That depends on the version of Prometheus.
  t.test(
    'slow answers count for as long as they are most of five minutes',
    [t.series('db_response_ms', '2+0x19 500+0x9 2+0x60')],
    [t.quiet(m, 'SoftDeleteDatabaseSlow') for m in std.range(20, 31)] + [t.quiet(60, 'SoftDeleteDatabaseSlow')],
  ),

  t.test(
    'slow for ten minutes, after three answers that make the median, is told',
    [t.series('db_response_ms', '2+0x19 500+0x11 2+0x60')],
    [t.quiet(31, 'SoftDeleteDatabaseSlow'), t.fires(32, [slow(500)])],
  ),

  t.test(
    'an answer that swings around the limit is told once, and ends below nine tenths of it',
    [t.series('db_response_ms', '2+0x5 101+0x20 95+0x40 89+0x40')],
    [t.fires(25, [slow(101)]), t.fires(60, [slow(95)]), t.quiet(82, 'SoftDeleteDatabaseSlow')],
  ),
]
