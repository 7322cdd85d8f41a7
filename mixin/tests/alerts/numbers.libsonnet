local t = import '../promtool.libsonnet';

local unreadable(reason, why, labels=t.orders { service: 'checkout' }) = t.firing(
  'SoftDeleteTableUnreadable',
  'warning',
  'A table cannot be counted.',
  'The exporter cannot count public.orders in database shop behind db1:10862 (%s): %s.' % [reason, why],
  labels { reason: reason },
);

local stale(how) = t.firing(
  'SoftDeleteNumbersStale',
  'warning',
  'The numbers of a table are out of date.',
  "The numbers of public.orders in database shop behind db1:10862 are %s; the limit is 3 times the exporter's ttl." % how,
);

local problem(reason, values=1) = t.series('softdelete_table_problem', values, t.orders { reason: reason });
local ttl = t.series('softdelete_exporter_ttl_seconds', 300);
local pending(values) = t.series('softdelete_exporter_tables', values, t.shop { state: 'pending' });

// checked is a table that was last counted, or confirmed, at these seconds.
local checked(values) = t.table({ checked_timestamp_seconds: values }) + [ttl, pending(0)];
local never(from, to) = [t.quiet(m, 'SoftDeleteNumbersStale') for m in std.range(from, to)];

[
  t.test(
    'a table that cannot be read is told after half an hour, with the remedy: ' + reason,
    t.table() + [problem(reason)],
    [t.quiet(29, 'SoftDeleteTableUnreadable'), t.fires(30, [unreadable(reason, remedies[reason])])],
  )
  for remedies in [{
    permission_denied: "the exporter's role lacks a grant; `softdelete_exporter grants` prints it",
    row_security: "row-level security hides rows from the exporter's role, so every count would be too low",
    locked: 'another session holds a lock on it',
    timeout: 'counting it takes longer than the statement timeout',
    marker_missing: 'the table, or the column that marks its deleted rows, does not exist',
    unsupported: 'the exporter cannot count this kind of table',
    'error': "its queries fail; the exporter's log says why",
  }]
  for reason in std.objectFields(remedies)
] + [
  t.test(
    "a migration's lock is quiet",
    t.table() + [problem('locked', '_x20 1+0x15 stale _x80')],
    [t.quiet(m, 'SoftDeleteTableUnreadable') for m in std.range(20, 80)],
  ),

  t.test(
    'a problem that is gone resolves',
    t.table() + [problem('locked', '1+0x39 stale _x80')],
    [
      t.fires(45, [unreadable('locked', 'another session holds a lock on it')]),
      t.quiet(62, 'SoftDeleteTableUnreadable'),
    ],
  ),

  t.test(
    'numbers are stale when older than three ttl for ten minutes',
    checked(0),
    [
      // Exactly 900 seconds at minute 15.
      t.quiet(25, 'SoftDeleteNumbersStale'),
      t.fires(26, [stale('26m 0s old')]),
    ],
  ),

  t.test(
    'numbers that are refreshed every ttl are fresh',
    checked('0+0x4 300+0x4 600+0x4 900+0x4 1200+0x4 1500+0x4 1800+0x4 2100+0x4 2400+0x4 2700+0x4 3000+0x10'),
    never(0, 60),
  ),

  t.test(
    'numbers that went because they were too old to show are stale, too',
    checked('0+0x30 stale _x90'),
    [t.fires(60, [stale('gone, because they became too old to show')])],
  ),

  t.test(
    'a table that was never counted is stale as well, unless it waits for its turn',
    [t.info(), ttl, pending('3+0x30 0+0x90')],
    [
      t.quiet(40, 'SoftDeleteNumbersStale'),
      t.fires(60, [stale('gone, because they became too old to show')]),
    ],
  ),

  t.test(
    'a database where tables wait for their turn is quiet',
    t.table({ checked_timestamp_seconds: 0 }) + [ttl, pending(1)],
    never(0, 110),
  ),

  t.test(
    'a table that cannot be read has its own alert and is quiet here',
    checked(0) + [problem('locked')],
    never(0, 110),
  ),

  t.test(
    'a database that is down has its own alert, and its tables a while to be counted when it is back',
    checked('0+0x68 4140+0x50') + [t.series('db_up', '1+0x4 0+0x54 1+0x60')],
    never(0, 85),
  ),

  t.test(
    'numbers are stale, and not only for the while, when they stay as they were',
    checked(0) + [t.series('db_up', '1+0x4 0+0x54 1+0x60')],
    [t.quiet(69, 'SoftDeleteNumbersStale'), t.fires(70, [stale('1h 10m 0s old')])],
  ),

  t.test(
    'missed scrapes do not restart the for',
    t.table({ checked_timestamp_seconds: '0+0x16 stale _x3 0+0x60' })[1:] + [
      t.info(values='1+0x16 stale _x3 1+0x60'),
      ttl { values: '300+0x16 stale _x3 300+0x60' },
      pending('0+0x16 stale _x3 0+0x60'),
    ],
    [t.fires(26, [stale('26m 0s old')])],
  ),

  t.test(
    'nor do they for numbers that are gone',
    [
      t.info(values='1+0x6 stale _x3 1+0x60'),
      ttl { values: '300+0x6 stale _x3 300+0x60' },
      pending('0+0x6 stale _x3 0+0x60'),
    ],
    [t.quiet(9, 'SoftDeleteNumbersStale'), t.fires(10, [stale('gone, because they became too old to show')])],
  ),
]
