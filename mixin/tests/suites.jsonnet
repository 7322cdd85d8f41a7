// The promtool tests: `jsonnet -c -m DIR tests/suites.jsonnet` writes one
// directory for each, for `promtool test rules DIR/*/test.json`.
//
// mutation is a patch of _config: expressions and `for` are then made with it,
// while texts and severities stay. A test that still passes does not guard what
// was changed.
function(mutation={})
  local mixin = import '../mixin.libsonnet';

  local patched(config, patch) = config {
    thresholdOverrides: std.mergePatch(super.thresholdOverrides, std.get(patch, 'thresholds', {})),
    times+: std.get(patch, 'times', {}),
    alerts: std.mergePatch(super.alerts, std.get(patch, 'alerts', {})),
  };
  local groups(patches) =
    local m = mixin { _config+:: std.foldl(patched, patches, super._config) };
    m.prometheusAlerts.groups + m.prometheusRules.groups;

  local decisive = ['expr', 'for', 'keep_firing_for'];
  local mutated(rule, mutant) = rule { [k]: mutant[k] for k in decisive if std.objectHas(mutant, k) };

  // suite evaluates only the rules that it asks for: a day is a thousand steps.
  local suite(name, tests, patch={}, interval='1m') =
    local plain = groups([patch]);
    local mutants = groups([patch, mutation]);
    local asked = std.set([
      check.alertname
      for test in tests
      for check in std.get(test, 'alert_rule_test', [])
    ]);
    {
      [name + '/rules.json']: { groups: [
        plain[i] { rules: [
          mutated(rule, mutants[i].rules[j])
          for j in std.range(0, std.length(plain[i].rules) - 1)
          for rule in [plain[i].rules[j]]
          if !std.objectHas(rule, 'alert') || std.setMember(rule.alert, asked)
        ] }
        for i in std.range(0, std.length(plain) - 1)
      ] },
      [name + '/test.json']: {
        rule_files: ['rules.json'],
        evaluation_interval: interval,
        tests: [test { interval: interval } for test in tests],
      },
    };

  local tables = import 'alerts/tables.libsonnet';
  local optional = import 'alerts/optional.libsonnet';
  local everything = { alerts: std.mapWithKey(function(name, alert) { enabled: true }, mixin._config.alerts) };

  suite('database', import 'alerts/database.libsonnet')
  + suite('rows', import 'alerts/rows.libsonnet')
  + suite('bulk', import 'alerts/bulk.libsonnet')
  + suite('purge', import 'alerts/purge.libsonnet', interval='30m')
  + suite('numbers', import 'alerts/numbers.libsonnet')
  + suite('indexes', import 'alerts/indexes.libsonnet')
  + suite('exporter', import 'alerts/exporter.libsonnet')
  + suite('clusters', import 'alerts/clusters.libsonnet')
  + suite('tables', tables.tests, { thresholds: tables.thresholds })
  + suite('optional', optional.quick, everything)
  + suite('optional_days', optional.slow, everything, interval='30m')
  + suite('quiet', import 'alerts/quiet.libsonnet', everything)
  + std.foldl(
    function(all, s) all + suite('health_' + std.strReplace(s.name, ' ', '_'), s.tests, { thresholds: s.thresholds }),
    import 'health.libsonnet',
    {}
  )
