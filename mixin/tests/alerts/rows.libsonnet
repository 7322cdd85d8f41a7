local t = import '../promtool.libsonnet';

local high(percent, labels=t.orders { service: 'checkout' }) = t.firing(
  'SoftDeleteRatioHigh',
  'warning',
  'Most rows of a table are soft-deleted.',
  'At least %s of the rows of public.orders in database shop behind db1:10862 are soft-deleted; the limit is 50%%.' % percent,
  labels,
);

local elevated(percent) = t.firing(
  'SoftDeleteRatioElevated',
  'info',
  'Many rows of a table are soft-deleted.',
  'At least %s of the rows of public.orders in database shop behind db1:10862 are soft-deleted; the limit is 25%%.' % percent,
);

local quiet(minute) = [t.quiet(minute, 'SoftDeleteRatioHigh'), t.quiet(minute, 'SoftDeleteRatioElevated')];

local scraped(layout) = t.scrapedTable(layout, { deletion_ratio: 0.52, total_rows: 5000 });

[
  t.test(
    'a ratio exactly at its limit is no alert',
    t.table({ deletion_ratio: 0.25 }),
    quiet(60) + quiet(100),
  ),

  t.test(
    'a ratio over the fair limit is information, after an hour',
    t.table({ deletion_ratio: 0.26 }),
    [t.quiet(59, 'SoftDeleteRatioElevated'), t.fires(60, [elevated('26%')]), t.quiet(100, 'SoftDeleteRatioHigh')],
  ),

  t.test(
    'a ratio exactly at the poor limit is no warning',
    t.table({ deletion_ratio: 0.5 }),
    [t.fires(100, [elevated('50%')]), t.quiet(100, 'SoftDeleteRatioHigh')],
  ),

  t.test(
    'a ratio over the poor limit is a warning, after an hour, and resolves ten minutes after the purge',
    t.table({ deletion_ratio: '0.52+0x69 0.1+0x50' }),
    [
      t.quiet(59, 'SoftDeleteRatioHigh'),
      t.fires(60, [high('52%')]),
      t.fires(79, [high('52%')]),
      t.quiet(80, 'SoftDeleteRatioHigh'),
    ],
  ),

  t.test(
    "a small table at 90% is nobody's business",
    t.table({ total_rows: 999, deletion_ratio: 0.9 }),
    quiet(100),
  ),

  t.test(
    'a table of a thousand rows is big enough',
    t.table({ total_rows: 1000, deletion_ratio: 0.9 }),
    [t.fires(100, [high('90%')]), t.fires(100, [elevated('90%')])],
  ),

  t.test(
    'a sampled ratio whose interval straddles the poor limit is not said to be over it',
    t.table({ deletion_ratio: 0.6, deletion_ratio_margin: 0.15 }),
    [t.fires(100, [elevated('45%')]), t.quiet(100, 'SoftDeleteRatioHigh')],
  ),

  t.test(
    'a sampled ratio whose interval straddles the fair limit is quiet',
    t.table({ deletion_ratio: 0.3, deletion_ratio_margin: 0.1 }),
    quiet(100),
  ),

  t.test(
    'a sampled ratio whose whole interval is over the limit is told by its lower end',
    t.table({ deletion_ratio: 0.75, deletion_ratio_margin: 0.125 }),
    [t.fires(100, [high('62.5%')])],
  ),

  t.test(
    'a ratio from statistics, without a margin, raises nothing',
    t.table({ deletion_ratio: 0.9, deletion_ratio_margin: null }),
    quiet(100),
  ),

  t.test(
    'once told, a margin that grows does not resolve it',
    t.table({ deletion_ratio: 0.6, deletion_ratio_margin: '0.05+0x69 0.2+0x90' }, minutes=160),
    [t.fires(60, [high('55%')]), t.fires(100, [high('40%')]), t.fires(150, [high('40%')])],
  ),

  t.test(
    'nor does a ratio that swings around the limit, down to nine tenths of it',
    t.table({ deletion_ratio: '0.51+0x69 0.46+0x19 0.51+0x19 0.455+0x39 0.445+0x60' }, minutes=210),
    [t.fires(m, [high('51%')]) for m in [60, 95, 100]]
    + [t.fires(m, [high('46%')]) for m in [75, 89]]
    + [t.fires(m, [high('45.5%')]) for m in [115, 149, 158]]
    + [t.quiet(160, 'SoftDeleteRatioHigh')],
  ),

  t.test(
    'one that is between nine tenths and the limit was never told',
    t.table({ deletion_ratio: 0.49 }, minutes=200),
    [t.quiet(m, 'SoftDeleteRatioHigh') for m in std.range(60, 200)],
  ),

  t.test(
    'a table of no service has an alert without one',
    t.table({ deletion_ratio: 0.52 }, service=''),
    [t.fires(100, [high('52%', t.orders)])],
  ),

  t.test(
    'a gap in the scrapes does not restart the for',
    scraped([20, 9, 60]),
    [t.quiet(59, 'SoftDeleteRatioHigh'), t.fires(60, [high('52%')]), t.fires(80, [high('52%')])],
  ),

  t.test(
    'a second gap soon after the first does not either',
    scraped([20, 4, 2, 4, 60]),
    [t.fires(60, [high('52%')])],
  ),

  t.test(
    'nor does every second scrape that fails',
    scraped(std.repeat([1, 1], 45) + [30]),
    [t.quiet(59, 'SoftDeleteRatioHigh'), t.fires(60, [high('52%')]), t.fires(85, [high('52%')])],
  ),

  t.test(
    'a long gap starts the for anew',
    scraped([20, 13, 90]),
    [t.quiet(60, 'SoftDeleteRatioHigh'), t.quiet(92, 'SoftDeleteRatioHigh'), t.fires(93, [high('52%')])],
  ),

  t.test(
    'a restart of the exporter does not restart the for',
    scraped([20, 6, 90])[1:] + [t.info(values='1+0x19 stale _x2 1+0x90')],
    [t.quiet(59, 'SoftDeleteRatioHigh'), t.fires(60, [high('52%')])],
  ),

  t.test(
    'a purge while nothing could be scraped resolves it',
    t.table({
      deletion_ratio: '0.52+0x69 stale _x4 0.1+0x50',
      deletion_ratio_margin: t.scraped(0, [70, 5, 50]),
      total_rows: t.scraped(5000, [70, 5, 50]),
      checked_timestamp_seconds: t.scraped(0, [70, 5, 50]),
    }),
    [t.fires(70, [high('52%')]), t.fires(84, [high('52%')]), t.quiet(85, 'SoftDeleteRatioHigh')],
  ),

  t.test(
    'a table that moves to another service is reported there, and never under both',
    t.table({ deletion_ratio: 0.52 })[1:] + [
      t.info(service='checkout', values='1+0x29 stale'),
      t.info(service='orders', values='_x30 1+0x90'),
    ],
    [
      t.quiet(60, 'SoftDeleteRatioHigh'),
      t.fires(95, [high('52%', t.orders { service: 'orders' })]),
    ],
  ),

  t.test(
    'a table that moves to another service in a gap of the scrapes is reported too',
    scraped([30, 4, 5, 6, 80])[1:] + [
      t.info(service='checkout', values='1+0x29 stale'),
      t.info(service='orders', values='_x34 1+0x4 stale _x5 1+0x90'),
    ],
    [
      t.quiet(60, 'SoftDeleteRatioHigh'),
      t.fires(99, [high('52%', t.orders { service: 'orders' })]),
    ],
  ),
]
