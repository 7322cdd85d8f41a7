// Is the database up, and does it answer in time?
local alerts = import '../lib/alert.libsonnet';
local promql = import '../lib/promql.libsonnet';

function(config)
  local p = promql.new(config);
  local a = alerts.new(config);
  local times = config.times;
  local slow = config.thresholds.response_ms.slow;

  // One failed ping is not an outage, no matter how long there is no other ping.
  local allFailed(time) =
    local range = '%s[%s]' % [p.series('db_up'), promql.duration(time)];
    '%s == 0\nand %s >= 2' % [
      p.by(p.serverLabels, 'max_over_time(%s)' % range),
      p.by(p.serverLabels, 'count_over_time(%s)' % range, 'sum'),
    ];

  local median = p.by(p.serverLabels, 'quantile_over_time(0.5, %s[%s])' % [p.series('db_response_ms'), promql.duration(times.responseMedian)]);
  [
    a.alert(
      'SoftDeleteDatabaseDown',
      // Each failed ping keeps it firing, so that a bad afternoon causes one notification.
      p.orHeld(
        allFailed(times.down) + '\nor ' + allFailed(times.downSlow),
        p.by(p.serverLabels, 'last_over_time(%s[%s])' % [p.series('db_up'), promql.duration(times.down)]) + ' == 0',
        'SoftDeleteDatabaseDown',
        p.serverLabels,
      ),
      'all pings of %s failed, two at least' % promql.duration(times.down),
      'A database does not answer.',
      'The database behind ' + a.server + ' did not answer a single SELECT 1 within the ping timeout for %s.'
                                          % promql.duration(times.down),
    ),

    a.alert(
      'SoftDeletePingsFailing',
      p.failing('db_up', 'SoftDeletePingsFailing', 'SoftDeleteDatabaseDown'),
      'at least %s of the pings of %s failed' % [alerts.percent(config.thresholds.failed_share), promql.duration(times.failing)],
      'A database does not always answer.',
      'Of the pings of the last %s {{ $value | humanizePercentage }} have failed to reach the database behind ' % promql.duration(times.failing)
      + a.server + '; the limit is %s.' % alerts.percent(config.thresholds.failed_share),
    ),

    a.alert(
      'SoftDeleteDatabaseSlow',
      p.over(
        median,
        promql.number(slow),
        '%s > %s' % [median, promql.number(config.thresholds.release_share * slow)],
        'SoftDeleteDatabaseSlow',
        p.serverLabels,
      ),
      'a SELECT 1 takes more than %s ms, the median of %s' % [promql.number(slow), promql.duration(times.responseMedian)],
      'A database answers slowly.',
      'A SELECT 1 on the database behind ' + a.server + ' took {{ printf "%%.0f" $value }} ms, the median of the last %s; the limit is %s ms.'
                                                        % [promql.duration(times.responseMedian), promql.number(slow)],
    ),
  ]
