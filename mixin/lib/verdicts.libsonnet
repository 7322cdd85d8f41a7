// The verdict on a table, as conditions in the order in which they decide: from worst to best, with one exception: the
// last numbers of a table that cannot be read do not decide its verdict. Each says why, in the words of the exporter's
// report. The rules and the dashboards use the same conditions, with the selector of their config.
local health = import 'health.libsonnet';
local promql = import 'promql.libsonnet';

// Why a table could not be read, by the label reason of softdelete_table_problem.
local problems = {
  permission_denied: 'permission denied',
  row_security: 'row-level security hides rows',
  locked: 'locked',
  timeout: 'counting timed out',
  marker_missing: 'the table or its marker column is missing',
  marker_unclear: 'it is not certain which rows are deleted',
  unsupported: 'this kind of table cannot be counted',
  'error': 'an error',
};

local missing = {
  purge: 'an index for the purge would help',
  live_rows: 'an index without deleted rows would help',
};

function(config)
  local p = promql.new(config);
  local read(metric) = function(matchers='') p.ofTable(metric, matchers);

  // Every condition ends with only the labels of its table, so that `or` takes the first one that holds. because has
  // the reasons and their conditions; if it is a text, there is one reason.
  local verdict(code, condition, because) = {
    code: code,
    condition: condition,
    because: if std.isString(because) then [{ condition: condition, reason: because }] else because,
  };

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

  local missingIndex(matchers='') = p.by(p.tableLabels, p.series('softdelete_index_present', matchers) + ' == 0');
  local uncounted = '(%s unless %s)' % [watched, p.ofTable(ratio)];
  local checked = p.ofTable('softdelete_checked_timestamp_seconds');

  [
    verdict(health.poor, index('unique_allows_live_duplicates'), 'a unique index allows live duplicates'),
    verdict(health.unknown, p.ofTable('softdelete_table_problem'), [
      { condition: p.ofTable('softdelete_table_problem', 'reason="%s"' % name), reason: problems[name] }
      for name in std.objectFields(problems)
    ]),
    verdict(health.poor, overRatio('poor'), 'high deletion ratio'),
    verdict(health.poor, over(old, ['old_deleted_rows', 'poor']), 'too many old deleted records'),
    verdict(health.unknown, withoutMargin(ratio), 'known from statistics only'),
    verdict(health.unknown, withoutMargin(old), 'known from statistics only'),
    verdict(health.unknown, uncounted, [
      { condition: '(%s unless %s)' % [uncounted, checked], reason: 'not counted yet' },
      { condition: uncounted, reason: 'not confirmed for too long' },
    ]),
    verdict(health.fair, overRatio('fair'), 'cleanup recommended'),
    verdict(health.fair, over(old, ['old_deleted_rows', 'fair']), 'cleanup recommended'),
    verdict(health.fair, index('invalid'), 'an index is invalid'),
    verdict(health.fair, missingIndex(), [
      { condition: missingIndex('purpose="%s"' % purpose), reason: missing[purpose] }
      for purpose in std.objectFields(missing)
    ]),
    verdict(health.good, watched, []),
  ]
