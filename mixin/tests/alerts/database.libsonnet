local t = import '../promtool.libsonnet';

local down = t.firing(
  'SoftDeleteDatabaseDown',
  'critical',
  'A database does not answer.',
  'The database behind db1:10862 has not answered a single SELECT 1 within the ping timeout for 2m.',
  t.target,
);

local slow = t.firing(
  'SoftDeleteDatabaseSlow',
  'warning',
  'A database answers slowly.',
  'A SELECT 1 on the database behind db1:10862 took 101 ms on average over the last 5m; the limit is 100 ms.',
  t.target,
);

[
  t.test(
    'a database that is down raises an alert after two minutes, and resolves ten minutes after its return',
    [t.series('db_up', '1+0x9 0+0x9 1+0x30')],
    [
      t.quiet(11, 'SoftDeleteDatabaseDown'),
      t.fires(12, [down]),
      t.fires(29, [down]),
      t.quiet(30, 'SoftDeleteDatabaseDown'),
    ],
  ),

  t.test(
    'one failed ping is no alert',
    [
      t.series('db_up', '1+0x9 0 1+0x9 0 1+0x40'),
      t.series('db_response_ms', '2+0x9 _ 2+0x9 _ 2+0x40'),
    ],
    [t.quiet(m, 'SoftDeleteDatabaseDown') for m in std.range(10, 24)],
  ),

  t.test(
    'missed scrapes do not restart the for of a database that is down',
    [t.series('db_up', '1+0x9 0 stale stale stale 0+0x30')],
    [t.quiet(11, 'SoftDeleteDatabaseDown'), t.fires(12, [down]), t.fires(15, [down])],
  ),

  t.test(
    'a database last seen down is forgotten after ten minutes without a scrape',
    [t.series('db_up', '1+0x9 0 stale _x30')],
    [t.fires(19, [down]), t.fires(29, [down]), t.quiet(32, 'SoftDeleteDatabaseDown')],
  ),

  t.test(
    'exactly the limit is not slow',
    [t.series('db_response_ms', 100)],
    [t.quiet(m, 'SoftDeleteDatabaseSlow') for m in [10, 20, 60]],
  ),

  t.test(
    'just over the limit is slow after ten minutes',
    [t.series('db_response_ms', '2+0x5 _x8 101+0x60')],
    [t.quiet(23, 'SoftDeleteDatabaseSlow'), t.fires(24, [slow]), t.fires(30, [slow])],
  ),

  t.test(
    'the average of five minutes is judged, not one answer',
    [t.series('db_response_ms', '50+0x19 2000 50+0x60')],
    [t.quiet(m, 'SoftDeleteDatabaseSlow') for m in std.range(20, 40)],
  ),

  // A window of five minutes holds five samples or six, as the version of
  // Prometheus counts its ends; both make 1000 of these at the half hour.
  t.test(
    'slow answers count for five minutes',
    [t.series('db_response_ms', '0+0x19 2500+0x4 1000 2500 2500 0+0x60')],
    [
      t.quiet(29, 'SoftDeleteDatabaseSlow'),
      t.fires(30, [slow { exp_annotations+: {
        description: 'A SELECT 1 on the database behind db1:10862 took 1000 ms on average over the last 5m; the limit is 100 ms.',
      } }]),
    ],
  ),

  t.test(
    'slow answers do not count for longer',
    [t.series('db_response_ms', '0+0x19 2500+0x4 0+0x60')],
    [t.quiet(m, 'SoftDeleteDatabaseSlow') for m in std.range(20, 40)],
  ),
]
