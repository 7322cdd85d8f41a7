// The promtool tests, by name: the configuration that each of them tests (rules.jsonnet), the rules that it needs, and
// its file.
local rules = (import 'rules.jsonnet')();

// suite evaluates only the rules that it needs, because a day has more than a thousand steps. Evaluations can be
// further apart than samples.
local suite(config, asked, tests, interval, evaluation=interval) = {
  config: config,
  asked: asked,
  file: {
    rule_files: ['rules.json'],
    evaluation_interval: evaluation,
    tests: [test { interval: interval } for test in tests],
  },
};

// alerts tests each alert separately.
local alerts(tests, config, interval='1m', evaluation=interval) = suite(
  config,
  null,
  [test for test in tests if test.alert_rule_test != []],
  interval,
  evaluation
);

// whole tests all alerts together, evaluated every third minute. So a fault in every second sample is sometimes seen
// and sometimes missed.
local whole(tests, config) =
  suite(config, [r.alert for r in rules[config] if std.objectHas(r, 'alert')], tests, '1m', evaluation='3m');

// records tests the recording rules whose names begin or end this way.
local records(tests, config, named) =
  suite(config, [r.record for r in rules[config] if std.objectHas(r, 'record') && named(r.record)], tests, '1m');

local bulk = import 'alerts/bulk.libsonnet';
local failing = import 'alerts/failing.libsonnet';
local optional = import 'alerts/optional.libsonnet';
local purge = import 'alerts/purge.libsonnet';
local tables = import 'alerts/tables.libsonnet';

{
  database: alerts(import 'alerts/database.libsonnet', 'default'),
  failing: suite('default', failing.alerts, failing.tests, '30s'),
  rows: alerts(import 'alerts/rows.libsonnet', 'default'),
  bulk: alerts(bulk.quick, 'default'),
  bulk_days: alerts(bulk.slow, 'default', interval='30m'),
  purge: alerts(purge.scaled, 'purge', evaluation='2m'),
  purge_days: alerts(purge.whole, 'default', interval='4m'),
  numbers: alerts(import 'alerts/numbers.libsonnet', 'default'),
  indexes: alerts(import 'alerts/indexes.libsonnet', 'default'),
  exporter: alerts(import 'alerts/exporter.libsonnet', 'default'),
  clusters: alerts(import 'alerts/clusters.libsonnet', 'default'),
  tables: alerts(tables.quick, 'tables'),
  tables_days: alerts(tables.slow, 'tables', interval='4m'),
  optional: alerts(optional.quick, 'everything'),
  optional_days: alerts(optional.slow, 'everything', interval='30m'),
  quiet: alerts(import 'alerts/quiet.libsonnet', 'everything', evaluation='3m'),
  identity: whole(import 'alerts/identity.libsonnet', 'purge'),
  cases: whole(import 'alerts/cases.libsonnet', 'default'),
  sums: records(import 'sums.libsonnet', 'default', function(name) std.startsWith(name, 'database_service:')),
} + {
  ['health_' + std.strReplace(s.name, ' ', '_')]:
    records(s.tests, s.config, function(name) std.endsWith(name, ':softdelete_health:max'))
  for s in import 'health.libsonnet'
}
