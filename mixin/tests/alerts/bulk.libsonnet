local t = import '../promtool.libsonnet';

local bulk(rows) = t.firing(
  'SoftDeleteBulkDelete',
  'warning',
  'Many rows of a table were soft-deleted at once.',
  '%s rows of public.orders in database shop behind db1:10862 were soft-deleted within 1h, more than is usual there; the limit is 10000.' % rows,
);

local quiet(from, to) = [t.quiet(m, 'SoftDeleteBulkDelete') for m in std.range(from, to)];
local never = quiet(0, 170);

// deleted is a table in which rows are deleted at minute 90. At minute 150 they leave the recent window.
local deleted(rows, facts={}) = t.table({
  recently_deleted_rows: '5+0x89 %d+0x59 5+0x60' % rows,
  deleted_rows: '1000+0x89 %d+0x90' % (1000 + rows),
  active_rows: '99000+0x89 %d+0x90' % (99000 - rows),
} + facts, minutes=180);

// compared is the same table if the exporter does not know when rows were deleted.
local compared(rows, facts={}) = deleted(rows, { recently_deleted_rows: null } + facts);

// Days, with samples and evaluations every half hour.
local step = 30;
local hours(h) = h * 60;

// jobs deletes this many rows at noon of each day, and the number stays for an hour. Nothing is inserted, so the
// number of active rows falls.
local jobs(rows, days) =
  local of(day) = if std.objectHas(rows, '' + day) then rows['' + day] else 0;
  local total(day) = std.foldl(function(sum, d) sum + of(d), std.range(0, day - 1), 0);
  t.table({
    total_rows: 1e7,
    recently_deleted_rows: std.join(' ', ['0+0x23 %d+0x1 0+0x21' % of(day) for day in std.range(0, days - 1)]),
    active_rows: std.join(' ', [
      '%d+0x23 %d+0x23' % [9e6 - total(day), 9e6 - total(day + 1)]
      for day in std.range(0, days - 1)
    ]),
  }, minutes=hours(24 * days) / step);
local noon(day) = hours(24 * day + 12);
local daily(rows, days) = { ['' + day]: rows for day in std.range(0, days - 1) };

{
  quick: [
    t.test(
      'what the exporter knows to be deleted recently is told at once, and for ten minutes more',
      deleted(10001),
      [
        t.quiet(89, 'SoftDeleteBulkDelete'),
        t.fires(90, [bulk('10001')]),
        t.fires(159, [bulk('10001')]),
        t.quiet(162, 'SoftDeleteBulkDelete'),
      ],
    ),

    t.test('exactly the limit is no bulk delete', deleted(10000), never),

    t.test(
      'more than the limit is none, either, where it is a hundredth of the table',
      deleted(11000, { total_rows: 1100000 }),
      never,
    ),

    t.test(
      'a little more of the table is',
      deleted(11100, { total_rows: 1100000 }),
      [t.fires(90, [bulk('11100')])],
    ),

    t.test(
      'where it does not know, the deleted rows of one window ago are compared',
      compared(10001),
      [
        t.quiet(89, 'SoftDeleteBulkDelete'),
        t.fires(90, [bulk('10001')]),
        t.fires(149, [bulk('10001')]),
        t.quiet(162, 'SoftDeleteBulkDelete'),
      ],
    ),

    t.test('a difference of exactly the limit is no bulk delete', compared(10000), never),

    t.test(
      'deleting steadily is no bulk delete',
      compared(0, { deleted_rows: '1000+160x180', active_rows: '99000-160x180' }),
      never,
    ),

    t.test(
      'a partition with deleted rows that is attached takes no active rows away',
      deleted(30000, { active_rows: '99000+0x180' }),
      never,
    ),

    t.test(
      'nor does it where the deleted rows are compared, and some are deleted beside',
      compared(30000, { active_rows: '99000+0x89 98990+0x90' }),
      never,
    ),

    t.test(
      'rows that are inserted at the same time hide less than half of what is deleted',
      deleted(30000, { active_rows: '99000+0x89 83999+0x90' }),
      [t.fires(90, [bulk('30000')])],
    ),

    t.test(
      'where it knows, the difference is not asked: a restore may have come between',
      deleted(30000, { recently_deleted_rows: 5 }),
      never,
    ),

    t.test(
      'a method that changed from exact to sampled is no bulk delete',
      compared(30000, { deletion_ratio_margin: '0+0x89 0.02+0x90' }),
      never,
    ),

    t.test(
      'nor is one that changed from sampled to exact',
      compared(30000, { deletion_ratio_margin: '0.02+0x89 0+0x90' }),
      never,
    ),

    t.test('numbers from statistics are no bulk delete', compared(30000, { deletion_ratio_margin: null }), never),

    t.test(
      'a table that is new is no bulk delete',
      t.table({ deleted_rows: '_x90 30000+0x90', active_rows: '_x90 70000+0x90' }, minutes=180),
      never,
    ),

    t.test(
      'a restart of the exporter is no bulk delete',
      t.table({
        deleted_rows: t.scraped(30000, [90, 6, 90]),
        active_rows: t.scraped(70000, [90, 6, 90]),
        recently_deleted_rows: t.scraped(7, [90, 6, 90]),
      }, minutes=180),
      never,
    ),

    t.test(
      'what goes on for hours is usual after two',
      t.table({ total_rows: 1000000, recently_deleted_rows: '5+0x9 20000+0x300', active_rows: '900000-333x310' }, minutes=310),
      // In the first hour there is nothing to compare with.
      [t.quiet(59, 'SoftDeleteBulkDelete')] + [t.fires(m, [bulk('20000')]) for m in [60, 150, 179, 188]]
      + quiet(190, 300),
    ),
  ],

  slow: [
    t.test(
      'what a job does every night is told once, and never again',
      jobs(daily(150000, 6), 6),
      [t.fires(noon(0), [bulk('150000')])] + [t.quiet(noon(day), 'SoftDeleteBulkDelete') for day in std.range(1, 5)],
    ),

    t.test(
      'twice as much is within what varies',
      jobs(daily(150000, 6) { '5': 300000 }, 6),
      [t.quiet(noon(5), 'SoftDeleteBulkDelete')],
    ),

    t.test(
      'more than twice as much is not',
      jobs(daily(150000, 6) { '5': 315000 }, 6),
      [t.quiet(noon(4), 'SoftDeleteBulkDelete'), t.fires(noon(5), [bulk('315000')])],
    ),

    t.test(
      'a weekly job is usual',
      jobs({ '0': 200000, '7': 200000 }, 8),
      [t.fires(noon(0), [bulk('200000')]), t.quiet(noon(7), 'SoftDeleteBulkDelete')],
    ),

    t.test(
      'what happened ten days ago is not',
      jobs({ '0': 200000, '10': 200000 }, 11),
      [t.fires(noon(10), [bulk('200000')])],
    ),
  ],
}
