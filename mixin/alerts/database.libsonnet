// Is the database up, and does it answer in time?
local alerts = import '../lib/alert.libsonnet';
local promql = import '../lib/promql.libsonnet';

function(config)
  local p = promql.new(config);
  local a = alerts.new(config);
  local slow = config.thresholds.response_ms.slow;
  [
    a.alert(
      'SoftDeleteDatabaseDown',
      '%s == 0' % p.last('db_up'),
      'the ping fails',
      'A database does not answer.',
      'The database behind {{ $labels.instance }} has not answered a single SELECT 1 within the ping timeout for %s.'
      % promql.duration(config.alerts.SoftDeleteDatabaseDown['for']),
    ),

    a.alert(
      'SoftDeleteDatabaseSlow',
      'avg_over_time(%s[%s]) > %s'
      % [p.series('db_response_ms'), promql.duration(config.times.responseAverage), promql.number(slow)],
      'a SELECT 1 takes more than %s ms on average over %s'
      % [promql.number(slow), promql.duration(config.times.responseAverage)],
      'A database answers slowly.',
      'A SELECT 1 on the database behind {{ $labels.instance }} took {{ printf "%%.0f" $value }} ms on average over the last %s; the limit is %s ms.'
      % [promql.duration(config.times.responseAverage), promql.number(slow)],
    ),
  ]
