// Purges. A day is an hour here, so periods, graces and the `for` are a 24th of their real values. Sampled every
// minute, evaluated every second minute.
local t = import '../promtool.libsonnet';

local day = 60;

// A purge has 50 hours: a day, and another day and two hours. The alert waits one more day. Here each of them is a
// 24th.
local purgeTime = 125;
local told = purgeTime + day;

local overdue(duration, labels=t.orders { service: 'checkout' }, time='125m') = t.firing(
  'SoftDeletePurgeOverdue',
  'warning',
  'The purge of a table is overdue.',
  'Soft-deleted rows of public.orders in database shop behind db1:10862 have been past their retention for %s, and a purge has %s to remove them.' % [duration, time],
  labels,
);

local elevated(duration, time='125m') = t.firing(
  'SoftDeleteOldRowsElevated',
  'info',
  'A table keeps soft-deleted rows past their retention.',
  'More than 1000 soft-deleted rows of public.orders in database shop behind db1:10862 have been past their retention for %s, and a purge has %s to remove them.' % [duration, time],
);

local never(to) = [t.quiet(10 * i, name) for name in ['SoftDeletePurgeOverdue', 'SoftDeleteOldRowsElevated'] for i in std.range(0, to / 10)];

// table is a table with old rows whose age is unknown.
local table(old, margin=0, facts={}) = t.table({ old_deleted_rows: old, old_deleted_rows_margin: margin } + facts, minutes=20 * day);

// aged is a table whose oldest deleted row changes at each of these minutes. Rows are deleted all the time. age says,
// in minutes, how long the oldest row is past its retention after each purge.
local retention = 90 * 86400;
local aged(purges, age=0, old=20000, step=1) = table(old, facts={
  retention_seconds: retention,
  oldest_deleted_timestamp_seconds:
    local begins = [0] + purges;
    local ends = purges + [20 * day * step];
    std.join(' ', [
      '%d+0x%d' % [60 * (begins[i] - age) - retention, (ends[i] - begins[i]) / step - 1]
      for i in std.range(0, std.length(ends) - 1)
    ]),
});

// sawtooth grows by a number of rows each minute. At the end of each day it is purged down to the rest.
local sawtooth(perMinute, days, left=0) = t.again('%d+%.10gx%d' % [left, perMinute, day - 1], days);

{
  config: {
    thresholds: { purge_period_seconds: 3600, purge_grace_seconds: 3900 },
    alerts: { SoftDeletePurgeOverdue: { 'for': 3600 }, SoftDeleteOldRowsElevated: { 'for': 3600 } },
  },

  scaled: [
    t.test('the oldest row is as old as a purge may let it be', aged([told]), never(300)),

    t.test(
      'one that is older is told, whatever the number of rows',
      aged([], old=1),
      [
        t.quiet(told, 'SoftDeletePurgeOverdue'),
        t.fires(told + 1, [overdue('3h 6m 0s')]),
        t.fires(300, [overdue('5h 0m 0s')]),
        t.quiet(300, 'SoftDeleteOldRowsElevated'),
      ],
    ),

    t.test(
      'a purge resolves it',
      aged([240]),
      [t.fires(238, [overdue('3h 58m 0s')]), t.fires(248, [overdue('3h 58m 0s')]), t.quiet(250, 'SoftDeletePurgeOverdue')],
    ),

    t.test(
      'a purge every night is quiet, though it always leaves some, and there are many in between',
      aged([5 + day * d for d in std.range(0, 4)], age=50, old=1500),
      never(300),
    ),

    t.test('one on weekdays is quiet, too', aged([5, 65, 125, 185, 365, 425]), never(480)),

    t.test(
      'what an import or a restore brings back has its next purge',
      table(20000, facts={
        retention_seconds: retention,
        oldest_deleted_timestamp_seconds: '%d+0x29 %d+0x54 %d+0x300' % [-retention, -3 * retention, 85 * 60 - retention],
      }),
      never(200),
    ),

    t.test('where nothing is ever purged, nothing is overdue', table(0, facts={ oldest_deleted_timestamp_seconds: -1e8 }), never(210)),

    t.test('nor where nothing is deleted any more', table(0, facts={ retention_seconds: retention }), never(210)),

    t.test(
      'the old rows of a small table are to be purged, too',
      aged([], old=3) + [t.series('softdelete_active_rows', 4, t.orders, 10 * day)],
      [t.fires(210, [overdue('3h 30m 0s')])],
    ),

    // If a sample shows how old the oldest is at least.
    t.test(
      'one that is at least so old is told, too',
      table(1, facts={ retention_seconds: retention, oldest_deleted_timestamp_bound_seconds: -retention }),
      [t.quiet(told, 'SoftDeletePurgeOverdue'), t.fires(told + 1, [overdue('3h 6m 0s')])],
    ),

    t.test(
      'the exact age is used where both are there',
      aged([told]) + [t.series('softdelete_oldest_deleted_timestamp_bound_seconds', -2 * retention, t.orders, 20 * day)],
      never(300),
    ),

    t.test(
      'one in the sample that may still be kept says nothing of the others',
      table(10001, facts={ retention_seconds: retention, oldest_deleted_timestamp_bound_seconds: '0+60x1000' }),
      [t.quiet(told, 'SoftDeletePurgeOverdue'), t.fires(told + 1, [overdue('3h 6m 0s')])],
    ),

    // If the age is unknown.
    t.test('exactly the limit is no alert', table(1000), never(250)),

    t.test(
      'over the fair limit is information once the purge had its chance',
      table(1001),
      [
        t.quiet(told, 'SoftDeleteOldRowsElevated'),
        t.fires(told + 1, [elevated('3h 6m 0s')]),
        t.quiet(250, 'SoftDeletePurgeOverdue'),
      ],
    ),

    t.test(
      'exactly the poor limit is no warning',
      table(10000),
      [t.fires(250, [elevated('4h 10m 0s')]), t.quiet(250, 'SoftDeletePurgeOverdue')],
    ),

    t.test(
      'over the poor limit is a warning once the purge had its chance',
      table(10001, facts={ total_rows: 10001 }),
      [t.quiet(told, 'SoftDeletePurgeOverdue'), t.fires(told + 1, [overdue('3h 6m 0s')])],
    ),

    t.test(
      'an interval that straddles the limit is not said to be over it',
      table(11000, margin=2000),
      [t.fires(250, [elevated('4h 10m 0s')]), t.quiet(250, 'SoftDeletePurgeOverdue')],
    ),

    t.test(
      'a margin that swings does not begin anew',
      table(11000, margin=t.again('500 2000', 150)),
      [t.fires(250, [overdue('4h 10m 0s')])],
    ),

    t.test(
      'rows that fall to below nine tenths of the limit do',
      table('11000+0x99 8999+0x10 11000+0x300'),
      [t.quiet(112 + told - 1, 'SoftDeletePurgeOverdue'), t.fires(112 + told + 1, [overdue('3h 6m 0s')])],
    ),

    t.test(
      'rows that fall to above them do not',
      table('11000+0x99 9001+0x10 11000+0x300'),
      [t.fires(250, [overdue('4h 10m 0s')])],
    ),

    t.test('a number without a margin raises nothing', table(20000, margin=null), never(250)),

    t.test(
      'a purge every day is quiet, however much piles up in between',
      table(sawtooth(400, 5)),
      never(290),
    ),

    t.test('so is one that always leaves some', table(sawtooth(400, 5, left=800)), never(290)),

    t.test(
      'scrapes that fail do not begin anew',
      t.scrapedTable([80, 5, 40, 9, 400], { old_deleted_rows: 10001, old_deleted_rows_margin: 0 }),
      [t.quiet(told, 'SoftDeletePurgeOverdue'), t.fires(told + 1, [overdue('3h 6m 0s')])],
    ),

    t.test(
      'a table that moves to another service takes its time along',
      table(10001)[1:] + [
        t.info(service='checkout', values='1+0x79 stale'),
        t.info(service='orders', values='_x80 1+0x500'),
      ],
      [t.fires(told + 1, [overdue('3h 6m 0s', t.orders { service: 'orders' })])],
    ),
  ],

  // Sampled and evaluated every four minutes. Times are still in minutes.
  whole: [
    t.test(
      '74 hours by the age of the oldest',
      aged([], step=4),
      [t.quiet(74 * 60, 'SoftDeletePurgeOverdue'), t.fires(74 * 60 + 4, [overdue('3d 2h 4m 0s', time='50h')])],
    ),

    t.test(
      'or by rows where that is not known',
      t.table({ old_deleted_rows: 10001, old_deleted_rows_margin: 0 }, minutes=1200),
      [
        t.quiet(74 * 60, 'SoftDeletePurgeOverdue'),
        t.quiet(74 * 60, 'SoftDeleteOldRowsElevated'),
        t.fires(74 * 60 + 4, [overdue('3d 2h 4m 0s', time='50h')]),
        t.fires(74 * 60 + 4, [elevated('3d 2h 4m 0s', '50h')]),
      ],
    ),
  ],
}
