// The health of tables, services, databases and servers, as codes (lib/health): the same verdicts as in the
// exporter's report, from the same limits.
local health = import '../lib/health.libsonnet';
local promql = import '../lib/promql.libsonnet';
local verdicts = import '../lib/verdicts.libsonnet';

function(config)
  local p = promql.new(config);

  local code(value, condition) = '0 * ' + condition + (if value == 0 then '' else ' + %d' % value);

  // A database whose discovery fails is unknown or worse: its known tables may be gone, and there may be
  // others.
  local looked(labels) =
    p.by(labels, p.series('softdelete_exporter_check_success', 'check=~"connect|discovery"'), 'min');
  local blind = code(health.unknown, '(%s == 0)' % looked(p.databaseLabels));

  local recorded(level) = level + ':softdelete_health:max';
  [
    {
      record: recorded('table'),
      expr: p.withService(promql.parens(std.join('\nor ', [code(v.code, v.condition) for v in verdicts(config)]))),
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
