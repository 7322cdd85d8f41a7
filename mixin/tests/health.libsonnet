// Each case of health_cases.json as series of a separate instance, and its verdicts as checks of the recording rules.
// README.md describes the cases.
local health = import '../lib/health.libsonnet';
local t = import 'promtool.libsonnet';

local connections = { healthy: health.good, slow: health.fair, unhealthy: health.poor };

local seriesOf(table, labels) =
  local of = labels { datname: table.database, schemaname: table.schema, relname: table.table };
  local n = std.get(table, 'numbers');
  local total = n.active_rows + n.deleted_rows;
  local facts = if n == null then {} else {
    active_rows: n.active_rows,
    deleted_rows: n.deleted_rows,
    total_rows: total,
    deletion_ratio: if total == 0 then 0 else n.deleted_rows / total,
    deletion_ratio_margin: n.deletion_ratio_margin,
    old_deleted_rows: std.get(n, 'old_deleted_rows'),
    old_deleted_rows_margin: std.get(n, 'old_deleted_rows_margin'),
  };
  local series(metric, extra, value) = t.series('softdelete_' + metric, value, of + extra, 0);
  [t.info(of, std.get(table, 'service', ''), 0)]
  + [series(f, {}, facts[f]) for f in std.objectFields(facts) if facts[f] != null]
  + [series('count_info', { method: n.method }, 1) for _ in [0] if n != null]
  + [series('table_problem', { reason: table.problem }, 1) for _ in [0] if std.objectHas(table, 'problem')]
  + [series('index_problem', { indexrelname: p + '_idx', problem: p }, 1) for p in std.get(table, 'index_problems', [])]
  + [series('index_present', { purpose: p }, 0) for p in std.get(table, 'missing_indexes', [])]
  + [series('index_present', { purpose: p }, 1) for p in std.get(table, 'present_indexes', [])];

local test(case) =
  local labels = t.target { instance: case.name };
  local pings = std.get(case, 'pings', [{ up: true, response_ms: 2 }]);
  local minutes = std.length(pings) - 1;
  local samples(value) = std.join(' ', [value(p) for p in pings]);

  local record(level) = level + ':softdelete_health:max';
  local sample(level, extra, code) = { metric: record(level), labels: labels + extra, value: code };
  local check(level, samples) = t.holds(minutes, '%s{instance="%s"}' % [record(level), case.name], samples);
  local named(level, label, verdicts) =
    check(level, [sample(level, { [label]: n }, health[verdicts[n]]) for n in std.objectFields(verdicts) if verdicts[n] != null]);
  {
    name: case.name,
    input_series: [
      t.series('db_up', samples(function(p) if p.up then '1' else '0'), labels),
      t.series('db_response_ms', samples(function(p) if p.up then '%.10g' % p.response_ms else 'stale'), labels),
    ] + [
      local failed = std.get(std.get(case, 'failed_checks', {}), database, []);
      t.series('softdelete_exporter_check_success', if std.member(failed, c) then 0 else 1, labels { datname: database, check: c }, 0)
      for database in std.objectFields(std.get(case, 'databases', {}))
      for c in ['connect', 'discovery', 'counting', 'indexes']
    ] + std.flattenArrays([seriesOf(table, labels) for table in case.tables]),
    promql_expr_test: [
      check('table', [
        sample('table', {
          datname: table.database,
          schemaname: table.schema,
          relname: table.table,
          [if std.objectHas(table, 'service') then 'table_service']: table.service,
        }, health[table.health])
        for table in case.tables
      ]),
      named('service', 'table_service', std.get(case, 'services', {})),
      named('database', 'datname', std.get(case, 'databases', {})),
      check('connection', [sample('connection', {}, connections[std.get(case, 'connection', 'healthy')])]),
      check('instance', [sample('instance', {}, health[case.instance])]),
    ],
  };

// One server with two pods. The second replaces the first.
local pods = {
  name: 'pods',
  thresholds: {},
  tests: [
    local orders = { database: 'shop', schema: 'public', table: 'orders', service: 'checkout', numbers: {
      method: 'exact',
      active_rows: 40,
      deleted_rows: 60,
      deletion_ratio_margin: 0,
    } };
    local verdict(level, labels) = t.holds(0, level + ':softdelete_health:max', [
      { metric: level + ':softdelete_health:max', labels: labels, value: health.poor },
    ]);
    t.test(
      'a table has one verdict, whoever speaks of it',
      std.flattenArrays([
        seriesOf(orders, t.target { pod: pod, service: 'exporter' }) + [t.series('db_up', 1, t.target { pod: pod, service: 'exporter' })]
        for pod in ['a', 'b']
      ]),
      [
        verdict('table', t.orders { table_service: 'checkout' }),
        verdict('service', t.target { table_service: 'checkout' }),
        verdict('database', t.shop),
        verdict('instance', t.target),
      ],
    ),
  ],
};

[
  suite { config: if suite.thresholds == {} then 'default' else suite.name }
  for suite in [pods] + [
    suite { tests: [test(case) for case in suite.cases] }
    for suite in (import 'health_cases.json').suites
  ]
]
