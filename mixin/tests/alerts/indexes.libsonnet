local t = import '../promtool.libsonnet';

local where = 'public.orders in database shop behind db1:10862';
local labels = t.orders { service: 'checkout' };
local ofIndex(problem) = labels { indexrelname: 'orders_email_key', problem: problem };

local duplicates = t.firing(
  'SoftDeleteLiveDuplicatesPossible',
  'warning',
  'A unique index allows duplicates among the live rows.',
  'Index orders_email_key of %s is unique, but the nullable deletion marker is one of its columns: live rows with the same key do not conflict.' % where,
  ofIndex('unique_allows_live_duplicates'),
);

local missing(purpose, words) = t.firing(
  'SoftDeleteIndexMissing',
  'info',
  'An index that would help is missing.',
  '%s has no index for %s, and one would help. The report of that server (`softdelete_exporter report`) has the statement.' % [where, words],
  labels { purpose: purpose },
);

local invalid = t.firing(
  'SoftDeleteIndexInvalid',
  'info',
  'An index is invalid.',
  'Index orders_email_key of %s is invalid: it costs every write, and no query can use it. A CREATE INDEX CONCURRENTLY has probably failed.' % where,
  ofIndex('invalid'),
);

local problem(name, values=1) =
  t.series('softdelete_index_problem', values, t.orders { indexrelname: 'orders_email_key', problem: name }, 600);
local present(purpose, values) = t.series('softdelete_index_present', values, t.orders { purpose: purpose });

[
  t.test(
    'a unique index that allows live duplicates is a warning',
    t.table() + [problem('unique_allows_live_duplicates')],
    [
      t.quiet(14, 'SoftDeleteLiveDuplicatesPossible'),
      t.fires(15, [duplicates]),
      t.quiet(100, 'SoftDeleteIndexInvalid'),
    ],
  ),

  t.test(
    'a missing index is information, for each purpose',
    t.table() + [present('live_rows', 0), present('purge', '0+0x89 1+0x60')],
    [
      t.quiet(59, 'SoftDeleteIndexMissing'),
      t.fires(60, [missing('live_rows', 'reading live rows'), missing('purge', 'the purge of old deleted rows')]),
      t.fires(110, [missing('live_rows', 'reading live rows')]),
    ],
  ),

  t.test(
    'an index that is there, or would not pay, is quiet',
    t.table() + [present('purge', 1)],
    [t.quiet(110, 'SoftDeleteIndexMissing')],
  ),

  t.test(
    'an invalid index is information after six hours',
    t.table(minutes=600) + [problem('invalid')],
    [
      t.quiet(359, 'SoftDeleteIndexInvalid'),
      t.fires(360, [invalid]),
      t.quiet(360, 'SoftDeleteLiveDuplicatesPossible'),
    ],
  ),

  t.test(
    'an index under construction is quiet',
    t.table(minutes=600) + [problem('invalid', '_x60 1+0x180 stale _x300')],
    [t.quiet(m, 'SoftDeleteIndexInvalid') for m in [100, 200, 300, 400, 430]],
  ),

  t.test(
    'other findings are advice and no alert',
    t.table() + [problem(p) for p in ['unused', 'duplicate', 'plain_flag', 'holds_deleted', 'unique_ignores_deleted']],
    [t.quiet(110, a) for a in ['SoftDeleteLiveDuplicatesPossible', 'SoftDeleteIndexInvalid', 'SoftDeleteIndexMissing']],
  ),
]
