// The promtool tests: `jsonnet -c -m DIR tests/suites.jsonnet` writes one
// directory for each suite, for `promtool test rules DIR/*/test.json`.
//
// mutation is a patch of _config that changes the rules, while the tests stay as
// they are: those that ask for a changed rule are written, and one that still
// passes does not guard what was changed.
function(mutation={})
  local mixin = import '../mixin.libsonnet';

  local patched(config, patch) = config {
    thresholdOverrides: std.mergePatch(super.thresholdOverrides, std.get(patch, 'thresholds', {})),
    times+: std.get(patch, 'times', {}),
    alerts: std.mergePatch(super.alerts, std.get(patch, 'alerts', {})),
  };
  local rules(patches) =
    local m = mixin { _config+:: std.foldl(patched, patches, super._config) };
    { [r.alert]: r for g in m.prometheusAlerts.groups for r in g.rules }
    + { [r.record]: r for g in m.prometheusRules.groups for r in g.rules };

  // What decides whether a rule holds; its texts stay.
  local decision(rule) = { [k]: rule[k] for k in ['expr', 'for', 'keep_firing_for'] if std.objectHas(rule, k) };

  // configured is a mixin, to be asked for some of its rules. What a patch sets is
  // not what a mutation moves.
  local configured(patch={}) =
    local plain = rules([patch]);
    local mutant = if mutation == {} then plain else rules([mutation, patch]);
    {
      changed(name):: mutation == {} || decision(plain[name]) != decision(mutant[name]),
      rule(name):: plain[name] + decision(mutant[name]),
      records:: std.filter(function(name) std.objectHas(plain[name], 'record'), std.objectFields(plain)),
    };

  // suite evaluates only the rules that it asks for: a day is a thousand steps.
  local suite(name, config, names, tests, interval) =
    if names == [] then {} else {
      [name + '/rules.json']: { groups: [{ name: name, rules: [config.rule(n) for n in names] }] },
      [name + '/test.json']: {
        rule_files: ['rules.json'],
        evaluation_interval: interval,
        tests: [test { interval: interval } for test in tests],
      },
    };

  local alerts(name, tests, config, interval='1m') =
    local asked = std.set([check.alertname for test in tests for check in test.alert_rule_test]);
    local names = std.filter(config.changed, asked);
    local checks(test) = [c for c in test.alert_rule_test if std.member(names, c.alertname)];
    suite(name, config, names, [test { alert_rule_test: checks(test) } for test in tests if checks(test) != []], interval);

  local health(s, config) =
    // Levels build upon each other, in this order.
    local order = ['table', 'service', 'database', 'connection', 'instance'];
    local names = [level + ':softdelete_health:max' for level in order];
    assert std.set(names) == config.records : 'a recording rule that no health case asks for';
    if std.length(std.filter(config.changed, names)) == 0 then {}
    else suite('health_' + std.strReplace(s.name, ' ', '_'), config, names, s.tests, '1m');

  local default = configured();
  local everything = configured({ alerts: std.mapWithKey(function(name, alert) { enabled: true }, mixin._config.alerts) });
  local tables = import 'alerts/tables.libsonnet';
  local optional = import 'alerts/optional.libsonnet';

  alerts('database', import 'alerts/database.libsonnet', default)
  + alerts('rows', import 'alerts/rows.libsonnet', default)
  + alerts('bulk', import 'alerts/bulk.libsonnet', default)
  + alerts('purge', import 'alerts/purge.libsonnet', default, interval='30m')
  + alerts('numbers', import 'alerts/numbers.libsonnet', default)
  + alerts('indexes', import 'alerts/indexes.libsonnet', default)
  + alerts('exporter', import 'alerts/exporter.libsonnet', default)
  + alerts('clusters', import 'alerts/clusters.libsonnet', default)
  + alerts('tables', tables.tests, configured({ thresholds: tables.thresholds }))
  + alerts('optional', optional.quick, everything)
  + alerts('optional_days', optional.slow, everything, interval='30m')
  + alerts('quiet', import 'alerts/quiet.libsonnet', everything)
  + std.foldl(
    function(all, s) all + health(s, if s.thresholds == {} then default else configured({ thresholds: s.thresholds })),
    import 'health.libsonnet',
    {}
  )
