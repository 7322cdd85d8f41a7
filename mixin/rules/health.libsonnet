// The health of tables, services, databases and servers, as codes (lib/health): the same verdicts as in the
// exporter's report, from the same limits.
local health = import '../lib/health.libsonnet';
local promql = import '../lib/promql.libsonnet';

function(config)
  local p = promql.new(config);
  local read(metric) = function(matchers='') p.ofTable(metric, matchers);

  // Every condition ends with only the labels of its table, so that `or` takes the first one that holds.
  local code(value, condition) = '0 * ' + condition + (if value == 0 then '' else ' + %d' % value);

  local atLeast(metric) = p.ofTable(metric) + ' - ' + p.ofTable(metric + '_margin');
  local over(metric, path, and='') = '(%s > %s%s)' % [atLeast(metric), p.limit(path, read(metric)), and];
  local old = 'softdelete_old_deleted_rows';
  local ratio = 'softdelete_deletion_ratio';
  local withoutMargin(metric) = '(%s unless %s)' % [p.ofTable(metric), p.ofTable(metric + '_margin')];

  // A table with its own limit is not excluded for being small, unless it also has its own minimum of rows.
  local overRatio(level) =
    local minimum = p.choice(
      function(own)
        local levels = std.get(own, 'deletion_ratio', {});
        if std.objectHas(levels, 'min_rows') then levels.min_rows
        else if std.objectHas(levels, level) then 0
        else null,
      config.thresholds.deletion_ratio.min_rows,
      read('softdelete_total_rows'),
    );
    over(ratio, ['deletion_ratio', level], if minimum == '0' then '' else ' and %s >= %s' % [p.ofTable('softdelete_total_rows'), minimum]);

  local watched = p.ofTable('softdelete_table_info');
  local index(problem) = p.ofTable('softdelete_index_problem', 'problem="%s"' % problem);

  // From worst to best, with one exception: the last numbers of a table that cannot be read do not decide its
  // verdict.
  local table = [
    code(health.poor, index('unique_allows_live_duplicates')),
    code(health.unknown, p.ofTable('softdelete_table_problem')),
    code(health.poor, overRatio('poor')),
    code(health.poor, over(old, ['old_deleted_rows', 'poor'])),
    // Numbers from statistics only.
    code(health.unknown, withoutMargin(ratio)),
    code(health.unknown, withoutMargin(old)),
    // Watched, but not counted yet.
    code(health.unknown, '(%s unless %s)' % [watched, p.ofTable(ratio)]),
    code(health.fair, overRatio('fair')),
    code(health.fair, over(old, ['old_deleted_rows', 'fair'])),
    code(health.fair, index('invalid')),
    code(health.fair, p.by(p.tableLabels, p.series('softdelete_index_present') + ' == 0')),
    code(health.good, watched),
  ];

  // A database whose discovery fails is unknown or worse: its known tables may be gone, and there may be
  // others.
  local looked(labels) =
    p.by(labels, p.series('softdelete_exporter_check_success', 'check=~"connect|discovery"'), 'min');
  local blind = code(health.unknown, '(%s == 0)' % looked(p.databaseLabels));

  local recorded(level) = level + ':softdelete_health:max';
  [
    {
      record: recorded('table'),
      expr: p.withService(promql.parens(std.join('\nor ', table))),
    },
    {
      record: recorded('service'),
      expr: p.by(p.serverLabels + ['table_service'], recorded('table') + '{table_service!=""}'),
    },
    {
      record: recorded('database'),
      // A database that cannot be read has no tables, so it is not covered by their series.
      expr: p.by(p.databaseLabels, '%s{}\nor %s' % [recorded('table'), blind]),
    },
    {
      record: recorded('connection'),
      expr: std.join('\nor ', [
        code(health.poor, '(%s == 0)' % p.ofServer('db_up')),
        code(health.fair, '(%s > %s)' % [p.ofServer('db_response_ms'), promql.number(config.thresholds.response_ms.slow)]),
        code(health.good, p.ofServer('db_up')),
      ]),
    },
    {
      record: recorded('instance'),
      // A server with databases, but without a verdict on any of them, has no watched table.
      local databases = [p.by(p.serverLabels, recorded('database') + '{}'), code(health.unknown, looked(p.serverLabels))],
      expr: '%s\n> %s{}\nor %s{}'
            % [promql.parens(std.join('\nor ', databases)), recorded('connection'), recorded('connection')],
    },
  ]
