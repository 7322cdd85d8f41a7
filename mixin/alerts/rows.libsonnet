// How many deleted rows does a table have, and are they purged?
local alerts = import '../lib/alert.libsonnet';
local promql = import '../lib/promql.libsonnet';

function(config)
  local p = promql.new(config);
  local a = alerts.new(config);
  local times = config.times;

  local last(metric) = function(matchers='') p.last(metric, matchers);

  // A sampled number is compared by its lower bound: the value minus its margin. A number without a margin
  // could be wrong by any amount, so it never fires an alert.
  local atLeast(metric) = p.last(metric) + '\n- ' + p.last(metric + '_margin');

  local bigEnough =
    local total = last('softdelete_total_rows');
    total() + ' >= ' + p.limit(['alert_min_rows'], total);

  local over(metric, path) = '%s\n> %s' % [atLeast(metric), p.limit(path, last(metric))];

  local ofTable(conditions) = p.withService(promql.parens(std.join('\nand ', conditions)));

  local ratio(level) = over('softdelete_deletion_ratio', ['deletion_ratio', level]);
  local ratioText(level) = p.limitText(['deletion_ratio', level], alerts.percent);
  local old(level) = over('softdelete_old_deleted_rows', ['old_deleted_rows', level]);
  local oldText(level) = p.limitText(['old_deleted_rows', level], alerts.rows);

  local ratioDescription(level) =
    'At least {{ $value | humanizePercentage }} of the rows of ' + alerts.table
    + ' are soft-deleted; the limit is ' + ratioText(level) + '.';
  local oldDescription(level) =
    'At least {{ printf "%.0f" $value }} soft-deleted rows of ' + alerts.table
    + ' are past their retention; the limit is ' + oldText(level) + '.';

  // change is the growth of a metric within the recent window. It is used only where the table was counted
  // exactly at both ends, that is, with a margin of 0.
  local change(metric) = '%s - %s' % [p.last(metric), p.last(metric, ago=times.recentWindow)];
  local fell(metric) = '%s - %s' % [p.last(metric, ago=times.recentWindow), p.last(metric)];
  local exact(ago) = p.last('softdelete_deletion_ratio_margin', ago=ago) + ' == 0';
  local bulk = p.limit(['bulk_rows'], last('softdelete_deleted_rows'));

  local recent = last('softdelete_recently_deleted_rows');
  local twoPurgesAgo = 2 * times.purgePeriod;
  [
    a.alert(
      'SoftDeleteRatioHigh',
      ofTable([ratio('poor'), bigEnough]),
      'more than %s of the rows are deleted' % alerts.percent(config.thresholds.deletion_ratio.poor),
      'Most rows of a table are soft-deleted.',
      ratioDescription('poor'),
    ),

    a.alert(
      'SoftDeleteRatioElevated',
      ofTable([ratio('fair'), bigEnough]),
      'more than %s of the rows are deleted' % alerts.percent(config.thresholds.deletion_ratio.fair),
      'Many rows of a table are soft-deleted.',
      ratioDescription('fair'),
    ),

    a.alert(
      'SoftDeleteOldRowsHigh',
      ofTable([old('poor'), bigEnough]),
      'more than %s deleted rows are past retention' % alerts.rows(config.thresholds.old_deleted_rows.poor),
      'A table keeps many soft-deleted rows past their retention.',
      oldDescription('poor'),
    ),

    a.alert(
      'SoftDeleteOldRowsElevated',
      ofTable([old('fair'), bigEnough]),
      'more than %s deleted rows are past retention' % alerts.rows(config.thresholds.old_deleted_rows.fair),
      'A table keeps soft-deleted rows past their retention.',
      oldDescription('fair'),
    ),

    // Fires only if the number has certainly not fallen: the increase is at least both margins together.
    a.alert(
      'SoftDeletePurgeStalled',
      ofTable([
        old('fair'),
        '%s - %s\n>= %s + %s' % [
          p.last('softdelete_old_deleted_rows'),
          p.last('softdelete_old_deleted_rows', ago=twoPurgesAgo),
          p.last('softdelete_old_deleted_rows_margin'),
          p.last('softdelete_old_deleted_rows_margin', ago=twoPurgesAgo),
        ],
        bigEnough,
      ]),
      'more than %s deleted rows are past retention, and not fewer than %s ago'
      % [alerts.rows(config.thresholds.old_deleted_rows.fair), promql.duration(twoPurgesAgo)],
      'The purge of a table makes no progress.',
      'At least {{ printf "%.0f" $value }} soft-deleted rows of ' + alerts.table
      + ' are past their retention, not fewer than ' + promql.duration(twoPurgesAgo)
      + ' ago: the purge does not run, or does not keep up.',
    ),

    // The exporter's own number of recently deleted rows, where it has one, is better than a difference, which
    // an undelete or a purge in between makes smaller.
    a.alert(
      'SoftDeleteBulkDelete',
      ofTable([
        promql.parens(
          recent() + ' > ' + p.limit(['bulk_rows'], recent) + '\nor ' + promql.parens(std.join('\nand ', [
            change('softdelete_deleted_rows') + '\n> ' + bulk,
            exact(0),
            exact(times.recentWindow),
          ]) + '\nunless ' + recent())
        ),
        bigEnough,
      ]),
      'more than %s rows were deleted within %s'
      % [alerts.rows(config.thresholds.bulk_rows), promql.duration(times.recentWindow)],
      'Many rows of a table were soft-deleted at once.',
      '{{ printf "%.0f" $value }} rows of ' + alerts.table + ' were soft-deleted within '
      + promql.duration(times.recentWindow) + '; the limit is ' + p.limitText(['bulk_rows'], alerts.rows) + '.',
    ),

    // A purge also lowers the number of deleted rows; only a restore raises the number of active rows.
    a.alert(
      'SoftDeleteBulkRestore',
      ofTable([
        fell('softdelete_deleted_rows') + '\n> ' + bulk,
        change('softdelete_active_rows') + '\n> ' + bulk,
        exact(0),
        exact(times.recentWindow),
        bigEnough,
      ]),
      'more than %s rows were restored within %s'
      % [alerts.rows(config.thresholds.bulk_rows), promql.duration(times.recentWindow)],
      'Many soft-deleted rows of a table were restored at once.',
      '{{ printf "%.0f" $value }} soft-deleted rows of ' + alerts.table + ' became active again within '
      + promql.duration(times.recentWindow) + '; the limit is ' + p.limitText(['bulk_rows'], alerts.rows) + '.',
    ),

    // Uses exact numbers only: a prediction from sampling noise would be random.
    a.alert(
      'SoftDeleteRatioPredicted',
      ofTable([
        'predict_linear(%s[%s], %d)\n> %s' % [
          p.series('softdelete_deletion_ratio'),
          promql.duration(times.predictHistory),
          times.predictAhead,
          p.limit(['deletion_ratio', 'poor'], last('softdelete_deletion_ratio')),
        ],
        p.last('softdelete_deletion_ratio') + ' <= ' + p.limit(['deletion_ratio', 'poor'], last('softdelete_deletion_ratio')),
        exact(0),
        exact(times.predictHistory),
        bigEnough,
      ]),
      'at the rate of the last %s, more than %s of the rows will be deleted within %s' % [
        promql.duration(times.predictHistory),
        alerts.percent(config.thresholds.deletion_ratio.poor),
        promql.duration(times.predictAhead),
      ],
      'Most rows of a table will soon be soft-deleted.',
      'At the rate of the last ' + promql.duration(times.predictHistory)
      + ', {{ $value | humanizePercentage }} of the rows of ' + alerts.table + ' will be soft-deleted in '
      + promql.duration(times.predictAhead) + '; the limit is ' + ratioText('poor') + '.',
    ),
  ]
