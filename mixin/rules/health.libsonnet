// The health of tables, services, databases and servers, as codes (lib/health): the same verdicts as in the
// exporter's report, from the same limits.
local health = import '../lib/health.libsonnet';
local promql = import '../lib/promql.libsonnet';

function(config)
  local p = promql.new(config);
  local series(metric) = function(matchers='') p.series(metric, matchers);

  // Every condition ends with only the labels of its table, so that `or` takes the first one that holds.
  local code(value, condition) = '0 * ' + condition + (if value == 0 then '' else ' + %d' % value);

  local atLeast(metric) = p.series(metric) + ' - ' + p.series(metric + '_margin');
  local over(metric, path) = '(%s > %s)' % [atLeast(metric), p.limit(path, series(metric))];
  local ratio = 'softdelete_deletion_ratio';
  local old = 'softdelete_old_deleted_rows';
  local withoutMargin(metric) = '(%s unless %s)' % [p.series(metric), p.series(metric + '_margin')];

  local watched = 'max without (marker, kind, service) (%s)' % p.series('softdelete_table_info');
  local index(problem) =
    'max without (indexrelname, problem) (%s)' % p.series('softdelete_index_problem', 'problem="%s"' % problem);

  // From worst to best, with one exception: the last numbers of a table that cannot be read do not decide its
  // verdict.
  local table = [
    code(health.poor, index('unique_allows_live_duplicates')),
    code(health.unknown, 'max without (reason) (%s)' % p.series('softdelete_table_problem')),
    code(health.poor, over(ratio, ['deletion_ratio', 'poor'])),
    code(health.poor, over(old, ['old_deleted_rows', 'poor'])),
    // Known from statistics only.
    code(health.unknown, withoutMargin(ratio)),
    code(health.unknown, withoutMargin(old)),
    // Watched, and not counted yet.
    code(health.unknown, '(%s unless %s)' % [watched, p.series(ratio)]),
    code(health.fair, over(ratio, ['deletion_ratio', 'fair'])),
    code(health.fair, over(old, ['old_deleted_rows', 'fair'])),
    code(health.fair, index('invalid')),
    code(health.fair, 'max without (purpose) (%s == 0)' % p.series('softdelete_index_present')),
    code(health.good, watched),
  ];

  // A database whose discovery fails is unknown or worse: its known tables may be gone, and there may be
  // others.
  local blind = '%d * (%s == bool 0)'
                % [health.unknown, p.series('softdelete_exporter_check_success', 'check=~"connect|discovery"')];

  local worst(labels, of) = 'max without (%s) (%s)' % [std.join(', ', labels), of];
  [
    {
      record: 'table:softdelete_health:max',
      expr: '%s\n* %s group_left (service) max without (marker, kind) (%s)'
            % [promql.parens(std.join('\nor ', table)), p.on(p.tableLabels), p.series('softdelete_table_info')],
    },
    {
      record: 'service:softdelete_health:max',
      expr: worst(['datname', 'schemaname', 'relname'], 'table:softdelete_health:max{%s,service!=""}' % config.selector),
    },
    {
      record: 'database:softdelete_health:max',
      expr: worst(
        ['schemaname', 'relname', 'service', 'check'],
        'table:softdelete_health:max{%s}\nor %s' % [config.selector, blind]
      ),
    },
    {
      record: 'connection:softdelete_health:max',
      expr: std.join('\nor ', [
        code(health.poor, '(%s == 0)' % p.series('db_up')),
        code(health.fair, '(%s > %s)' % [p.series('db_response_ms'), promql.number(config.thresholds.response_ms.slow)]),
        code(health.good, p.series('db_up')),
      ]),
    },
    {
      record: 'instance:softdelete_health:max',
      expr: '%s > %s\nor connection:softdelete_health:max{%s}' % [
        worst(['datname'], 'database:softdelete_health:max{%s}' % config.selector),
        'connection:softdelete_health:max{%s}' % config.selector,
        config.selector,
      ],
    },
  ]
