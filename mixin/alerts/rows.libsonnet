// How many deleted rows does a table have, and are they purged?
local alerts = import '../lib/alert.libsonnet';
local promql = import '../lib/promql.libsonnet';

function(config)
  local p = promql.new(config);
  local a = alerts.new(config);
  local times = config.times;
  local limits = config.thresholds;
  local duration = promql.duration;

  local held(condition) = function(matchers='') p.condition('held', condition, matchers);
  local ratio(level, alert) =
    local read = held('ratio_' + level);
    p.over(read(), p.limit(['deletion_ratio', level], read), read(), alert, p.tableLabels);
  local ratioDescription(level) =
    'At least {{ $value | humanizePercentage }} of the rows of ' + a.table
    + ' are soft-deleted; the limit is ' + p.limitText(['deletion_ratio', level], alerts.percent) + '.';

  // Rows have been over their limit for longer than a purge needs.
  local since(level) =
    local condition(matchers='') = p.condition('since', 'old_' + level, matchers);
    'time() - %s > %s' % [condition(), p.purgeTime(condition)];
  local forLong = '{{ $value | humanizeDuration }}, and a purge has ' + p.purgeTimeText + ' to remove them';

  local bulk(matchers='') = p.condition('now', 'bulk', matchers);
  local bulkLimit = p.limitText(['bulk_rows'], alerts.rows);
  // A table's own limit applies, whatever number is usual there.
  local usual = p.choice(
    function(own)
      if std.objectHas(own, 'bulk_times_usual') then own.bulk_times_usual
      else if std.objectHas(own, 'bulk_rows') then 0
      else null,
    limits.bulk_times_usual,
    function(matchers) p.by(p.tableLabels, bulk(matchers)),
  );

  local ofTable = p.ofTable;
  local window = times.recentWindow;
  local rose(metric) = '%s - %s' % [ofTable(metric), ofTable(metric, ago=window)];
  local fell(metric) = '%s - %s' % [ofTable(metric, ago=window), ofTable(metric)];
  local exact(ago) = ofTable('softdelete_deletion_ratio_margin', ago=ago) + ' == 0';
  local all(conditions) = p.withService(promql.parens(std.join('\nand ', conditions)));
  local read(metric) = function(matchers) ofTable(metric, matchers);
  [
    a.ofTable(
      'SoftDeleteRatioHigh',
      ratio('poor', 'SoftDeleteRatioHigh'),
      'more than %s of the rows are deleted' % alerts.percent(limits.deletion_ratio.poor),
      'Most rows of a table are soft-deleted.',
      ratioDescription('poor'),
    ),

    a.ofTable(
      'SoftDeleteRatioElevated',
      ratio('fair', 'SoftDeleteRatioElevated'),
      'more than %s of the rows are deleted' % alerts.percent(limits.deletion_ratio.fair),
      'Many rows of a table are soft-deleted.',
      ratioDescription('fair'),
    ),

    // Uses the age of the oldest row, or the least that a sample shows. If it is not known exactly, or if the table has
    // its own limit, it also uses the number of old rows, which must not have been small at any time.
    a.ofTable(
      'SoftDeletePurgeOverdue',
      '%s\nor %s\n%s' % [p.condition('held', 'overdue'), p.on(p.tableLabels), since('poor')],
      'a deleted row has been past its retention for %s; where no exact age is known, also more than %s rows'
      % [duration(limits.purge_period_seconds + limits.purge_grace_seconds), alerts.rows(limits.old_deleted_rows.poor)],
      'The purge of a table is overdue.',
      'Soft-deleted rows of ' + a.table + ' have been past their retention for ' + forLong + '.',
    ),

    a.ofTable(
      'SoftDeleteOldRowsElevated',
      since('fair'),
      'where no exact age is known, more than %s rows have been past retention for %s'
      % [alerts.rows(limits.old_deleted_rows.fair), duration(limits.purge_period_seconds + limits.purge_grace_seconds)],
      'A table keeps soft-deleted rows past their retention.',
      'More than ' + p.limitText(['old_deleted_rows', 'fair'], alerts.rows) + ' soft-deleted rows of ' + a.table
      + ' have been past their retention for ' + forLong + '.',
    ),

    a.ofTable(
      'SoftDeleteBulkDelete',
      |||
        %(bulk)s > %(limit)s
        unless %(table)s (
          %(now)s
          <= %(times)s * max by (%(labels)s) (max_over_time(%(bulk)s[%(days)s] offset %(ago)s))
        )
      ||| % {
        bulk: bulk(),
        limit: p.limit(['bulk_rows'], bulk),
        table: p.on(p.tableLabels),
        now: p.by(p.tableLabels, bulk()),
        times: usual,
        labels: std.join(', ', p.tableLabels),
        days: duration(times.bulkUsual),
        ago: duration(times.bulkNow),
      },
      'more than %s rows, and %s of the table, were deleted within %s, and more than %s times what is usual' % [
        alerts.rows(limits.bulk_rows),
        alerts.percent(limits.bulk_share),
        duration(window),
        promql.number(limits.bulk_times_usual),
      ],
      'Many rows of a table were soft-deleted at once.',
      '{{ printf "%.0f" $value }} rows of ' + a.table + ' were soft-deleted within '
      + duration(window) + ', more than is usual there; the limit is ' + bulkLimit + '.',
    ),

    // A purge also lowers the number of deleted rows; only a restore raises the number of active rows.
    a.ofTable(
      'SoftDeleteBulkRestore',
      all([
        fell('softdelete_deleted_rows') + '\n> ' + p.limit(['bulk_rows'], read('softdelete_deleted_rows')),
        rose('softdelete_active_rows') + '\n> ' + p.limit(['bulk_rows'], read('softdelete_active_rows')),
        exact(0),
        exact(window),
      ]),
      'more than %s rows were restored within %s' % [alerts.rows(limits.bulk_rows), duration(window)],
      'Many soft-deleted rows of a table were restored at once.',
      '{{ printf "%.0f" $value }} soft-deleted rows of ' + a.table + ' became active again within '
      + duration(window) + '; the limit is ' + bulkLimit + '.',
    ),

    // Uses exact numbers only: a prediction from sampling noise would be random.
    a.ofTable(
      'SoftDeleteRatioPredicted',
      local poor = p.limit(['deletion_ratio', 'poor'], read('softdelete_deletion_ratio'));
      all([
        'predict_linear(%s[%s:%s], %d)\n> %s' % [
          ofTable('softdelete_deletion_ratio'),
          duration(times.predictHistory),
          // A line needs at least this many points.
          duration(std.ceil(times.predictHistory / 48)),
          times.predictAhead,
          poor,
        ],
        '%s <= %s' % [ofTable('softdelete_deletion_ratio'), poor],
        exact(0),
        exact(times.predictHistory),
        p.bigEnough('poor'),
      ]),
      'at the rate of the last %s, more than %s of the rows will be deleted within %s' % [
        duration(times.predictHistory),
        alerts.percent(limits.deletion_ratio.poor),
        duration(times.predictAhead),
      ],
      'Most rows of a table will soon be soft-deleted.',
      'At the rate of the last ' + duration(times.predictHistory)
      + ', {{ $value | humanizePercentage }} of the rows of ' + a.table + ' will be soft-deleted in '
      + duration(times.predictAhead) + '; the limit is ' + p.limitText(['deletion_ratio', 'poor'], alerts.percent) + '.',
    ),
  ]
