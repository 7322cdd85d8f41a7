// Days: sampled and evaluated every half hour.
local t = import '../promtool.libsonnet';

local step = 30;
local hours(h) = h * 60;
local samples(h) = hours(h) / step;

local high(rows) = t.firing(
  'SoftDeleteOldRowsHigh',
  'warning',
  'A table keeps many soft-deleted rows past their retention.',
  'At least %s soft-deleted rows of public.orders in database shop behind db1:10862 are past their retention; the limit is 10000.' % rows,
);

local elevated(rows) = t.firing(
  'SoftDeleteOldRowsElevated',
  'info',
  'A table keeps soft-deleted rows past their retention.',
  'At least %s soft-deleted rows of public.orders in database shop behind db1:10862 are past their retention; the limit is 1000.' % rows,
);

local stalled(rows) = t.firing(
  'SoftDeletePurgeStalled',
  'warning',
  'The purge of a table makes no progress.',
  'At least %s soft-deleted rows of public.orders in database shop behind db1:10862 are past their retention, not fewer than 48h ago: the purge does not run, or does not keep up.' % rows,
);

local names = ['SoftDeleteOldRowsHigh', 'SoftDeleteOldRowsElevated', 'SoftDeletePurgeStalled'];
local never(from, to) = [t.quiet(hours(h), name) for name in names for h in std.range(from, to)];

local days = 5;
local table(old, margin=0, facts={}) = t.table(
  { old_deleted_rows: old, old_deleted_rows_margin: margin } + facts,
  minutes=hours(24 * days) / step,
);
local test = t.test;

// sawtooth grows by perHour, and is purged to nothing after each of the hours.
local sawtooth(perHour, purges) = std.join(' ', [
  '0+%.10gx%d' % [perHour * step / 60, samples(h) - 1]
  for h in purges
]);

[
  test(
    'exactly the limit is no alert',
    table(1000),
    never(24, 110),
  ),

  test(
    'over the fair limit is information once the purge had its chance',
    table(1001),
    [
      t.quiet(hours(25) - step, 'SoftDeleteOldRowsElevated'),
      t.fires(hours(25), [elevated('1001')]),
      t.quiet(hours(100), 'SoftDeleteOldRowsHigh'),
    ],
  ),

  test(
    'exactly the poor limit is no warning',
    table(10000),
    [t.fires(hours(100), [elevated('10000')]), t.quiet(hours(100), 'SoftDeleteOldRowsHigh')],
  ),

  test(
    'over the poor limit is a warning once the purge had its chance',
    table(10001),
    [t.quiet(hours(25) - step, 'SoftDeleteOldRowsHigh'), t.fires(hours(25), [high('10001')])],
  ),

  test(
    'an interval that straddles the limit is not said to be over it',
    table(11000, margin=2000),
    [t.fires(hours(100), [elevated('9000')]), t.quiet(hours(100), 'SoftDeleteOldRowsHigh')],
  ),

  test(
    'a number without a margin raises nothing',
    table(20000, margin=null),
    never(24, 110),
  ),

  test(
    "the old rows of a small table are nobody's business",
    table(1001, facts={ total_rows: 999 }),
    never(24, 110),
  ),

  test(
    'a purge every day is quiet, however much piles up in between',
    table(sawtooth(1000, [24, 24, 24, 24, 24, 24])),
    never(24, 110),
  ),

  test(
    'a purge that ran late once is quiet',
    table(sawtooth(1000, [24, 24, 24, 24.5, 23.5, 24])),
    never(24, 110),
  ),

  test(
    'a purge that was forgotten once is told',
    table(sawtooth(1000, [24, 24, 48, 24])),
    [
      // Over the fair limit an hour after the last purge, and 25 hours since.
      t.quiet(hours(73), 'SoftDeleteOldRowsElevated'),
      t.fires(hours(75), [elevated('27000')]),
    ],
  ),

  test(
    'old rows that are not fewer than two purges ago say that the purge has stalled',
    table(5000),
    [
      t.quiet(hours(48 + 25) - step, 'SoftDeletePurgeStalled'),
      t.fires(hours(48 + 25) + step, [stalled('5000')]),
    ],
  ),

  test(
    'a backlog that a purge works off is not stalled',
    table('50000-30x%d' % samples(24 * days)),
    [t.quiet(hours(h), 'SoftDeletePurgeStalled') for h in std.range(48, 110)] + [t.fires(hours(100), [high('44000')])],
  ),

  test(
    'a stalled purge is not told where the error bars overlap',
    table('5000+3x%d' % samples(24 * days), margin=200),
    [t.quiet(hours(h), 'SoftDeletePurgeStalled') for h in std.range(48, 110)],
  ),

  test(
    'a purge that falls behind by more than both error bars has stalled',
    table('5000+6x%d' % samples(24 * days), margin=250),
    [t.fires(hours(100), [stalled('5950')])],
  ),

  test(
    'few old rows are not a stalled purge',
    table(1000),
    [t.quiet(hours(h), 'SoftDeletePurgeStalled') for h in std.range(72, 110)],
  ),

  test(
    'just over the fair limit they are',
    table(1001),
    [t.fires(hours(100), [stalled('1001')])],
  ),

]
