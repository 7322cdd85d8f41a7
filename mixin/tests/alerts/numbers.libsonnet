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
local live = [ttl, t.clock()];

// checked is a table that was last counted or confirmed at these seconds.
local checked(values) = t.table({ checked_timestamp_seconds: values }) + live + [pending(0)];

local waiting(tables) = t.firing(
  'SoftDeleteTablesWaiting',
  'warning',
  'Tables wait for their turn to be counted.',
  "%s tables of database shop behind db1:10862 have not been counted for more than 12 times the exporter's ttl, or never: the budget of a refresh does not suffice." % tables,
  t.shop,
);
local users = t.shop { schemaname: 'public', relname: 'users' };

local skipped = t.firing(
  'SoftDeleteTablesSkipped',
  'warning',
  'Tables beyond the cap are not watched.',
  '7 tables of database shop behind db1:10862 that use soft delete are not watched: there are more than the exporter watches at most.',
  t.shop,
);
local nothing = t.firing(
  'SoftDeleteNothingWatched',
  'warning',
  'The exporter watches no table of a server.',
  'The exporter has found no table that uses soft delete behind db1:10862.',
  t.target,
);
local tables(state, values, labels=t.shop) = t.series('softdelete_exporter_tables', values, labels { state: state });
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
    marker_unclear: 'what marks its deleted rows is not certain, and `softdelete_exporter check-config --connect` says how to settle it',
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
      // At minute 15, the age is exactly 900 seconds.
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
    'the clock that counts is the one by which they were checked',
    t.table({ checked_timestamp_seconds: '-3600+60x120' }) + [ttl, t.clock(ahead=-3600), pending(0)],
    never(0, 110),
  ),

  t.test(
    'numbers that went because they were too old to show are stale, too',
    checked('0+0x30 stale _x90'),
    [t.fires(60, [stale('gone, because they became too old to show')])],
  ),

  t.test(
    'a table that was never counted is stale as well, unless it waits for its turn',
    [t.info()] + live + [pending('3+0x30 0+0x90')],
    [
      t.quiet(40, 'SoftDeleteNumbersStale'),
      t.fires(60, [stale('gone, because they became too old to show')]),
    ],
  ),

  t.test(
    'in a database where tables wait for their turn the database is told, once',
    t.table({ checked_timestamp_seconds: 0 }, minutes=240)
    + t.table({ checked_timestamp_seconds: -60 }, users, minutes=240)
    + [ttl { values: '300+0x240' }, t.clock(minutes=240), pending('1+0x240')],
    never(0, 230) + [
      // At minute 60, the other table is older than twelve ttl, which is an hour.
      t.quiet(119, 'SoftDeleteTablesWaiting'),
      t.fires(120, [waiting(2)]),
      t.fires(230, [waiting(2)]),
    ],
  ),

  t.test(
    'tables that never had their turn wait, too',
    [t.info(), t.info(users)] + live + [pending(2)],
    [t.quiet(59, 'SoftDeleteTablesWaiting'), t.fires(60, [waiting(2)])],
  ),

  t.test(
    'exactly twelve ttl are not too long',
    t.table({ checked_timestamp_seconds: '-3600+60x240' }, minutes=240) + [ttl { values: '300+0x240' }, t.clock(minutes=240), pending('1+0x240')],
    [t.quiet(m, 'SoftDeleteTablesWaiting') for m in std.range(0, 230)],
  ),

  t.test(
    'tables that take turns do not wait for long',
    t.table({ checked_timestamp_seconds: '0+0x39 2400+0x39 4800+0x39 7200+0x39' }, minutes=160)
    + [ttl { values: '300+0x160' }, t.clock(minutes=160), pending('1+0x160')],
    never(0, 150) + [t.quiet(m, 'SoftDeleteTablesWaiting') for m in std.range(0, 150)],
  ),

  t.test(
    'where none is pending, nobody waits',
    t.table({ checked_timestamp_seconds: 0 }, minutes=240) + [ttl { values: '300+0x240' }, t.clock(minutes=240), pending('0+0x240')],
    [t.quiet(m, 'SoftDeleteTablesWaiting') for m in std.range(0, 230)],
  ),

  t.test(
    'scrapes that fail do not restart the hour of those that wait',
    [t.info(values=t.scraped(1, [30, 9, 60])), pending(t.scraped(2, [30, 9, 60])), ttl, t.clock()],
    [t.fires(60, [waiting(1)])],
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
    t.scrapedTable([17, 4, 60], { checked_timestamp_seconds: 0 }) + [
      ttl { values: t.scraped(300, [17, 4, 60]) },
      t.clock() { values: '0+60x16 stale _x3 1260+60x60' },
      pending(t.scraped(0, [17, 4, 60])),
    ],
    [t.quiet(25, 'SoftDeleteNumbersStale'), t.fires(26, [stale('26m 0s old')])],
  ),

  t.test(
    'nor do they for numbers that are gone',
    [
      t.info(values=t.scraped(1, [7, 4, 60])),
      ttl { values: t.scraped(300, [7, 4, 60]) },
      pending(t.scraped(0, [7, 4, 60])),
    ],
    [t.quiet(9, 'SoftDeleteNumbersStale'), t.fires(10, [stale('gone, because they became too old to show')])],
  ),

  t.test(
    'tables beyond the cap are told',
    [tables('counted', 2000), tables('skipped', '0+0x9 7+0x60')],
    [t.quiet(39, 'SoftDeleteTablesSkipped'), t.fires(40, [skipped])],
  ),

  t.test(
    'a server without a table that uses soft delete is told',
    [tables(state, 0, labels) for state in ['counted', 'pending', 'failed', 'skipped'] for labels in [t.shop, t.shop { datname: 'postgres' }]],
    [t.quiet(59, 'SoftDeleteNothingWatched'), t.fires(60, [nothing])],
  ),

  t.test(
    'one with a table in some database is not, whatever its state',
    [tables('counted', 0), tables('failed', 1), tables('counted', 0, t.shop { datname: 'postgres' })],
    [t.quiet(m, 'SoftDeleteNothingWatched') for m in std.range(0, 110)],
  ),

  t.test(
    'one that could not be looked into has another alert',
    [t.series('db_up', 1)],
    [t.quiet(m, 'SoftDeleteNothingWatched') for m in std.range(0, 110)],
  ),
]
