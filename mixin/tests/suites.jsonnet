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
  // Records first, as the alerts are made of them.
  local rules(patches) =
    local m = mixin { _config+:: std.foldl(patched, patches, super._config) };
    [r for g in m.prometheusRules.groups + m.prometheusAlerts.groups for r in g.rules];

  // A rule's name; conditions are records of one name with a label.
  local name(rule) =
    if std.objectHas(rule, 'alert') then rule.alert
    else rule.record + (if std.objectHas(rule, 'labels') then '{%s}' % rule.labels.condition else '');

  // What decides whether a rule holds; its texts stay.
  local decision(rule) = { [k]: rule[k] for k in ['expr', 'for', 'keep_firing_for'] if std.objectHas(rule, k) };
  // std.findSubstr takes minutes.
  local mentions(rule, text) = std.strReplace(rule.expr, text, '') != rule.expr;

  // needs says whether a record has to be there for an alert.
  local needs(alert, record) =
    if std.objectHas(record, 'labels') then mentions(alert, 'condition="%s"' % record.labels.condition)
    else if record.record == 'table:softdelete_condition:held' then
      mentions(alert, record.record) || mentions(alert, 'table:softdelete_condition:since')
    else mentions(alert, record.record);

  // configured is a mixin, to be asked for some of its rules. What a patch sets is
  // not what a mutation moves.
  local configured(patch={}) =
    local plain = rules([patch]);
    local mutant = if mutation == {} then plain else rules([mutation, patch]);
    local pairs = [{ name: name(plain[i]), plain: plain[i], mutant: mutant[i] } for i in std.range(0, std.length(plain) - 1)];
    local differs(pair) = mutation == {} || decision(pair.plain) != decision(pair.mutant);
    local of(names) = [
      pair
      for pair in pairs
      if std.member(names, pair.name) || std.objectHas(pair.plain, 'record') && std.any([
        needs(alert.plain, pair.plain)
        for alert in pairs
        if std.objectHas(alert.plain, 'alert') && std.member(names, alert.name)
      ])
    ];
    local changed = { [pair.name]: std.any(std.map(differs, of([pair.name]))) for pair in pairs };
    {
      alerts:: [pair.name for pair in pairs if std.objectHas(pair.plain, 'alert')],
      records:: [pair.name for pair in pairs if std.objectHas(pair.plain, 'record')],
      // changed says whether a mutation changes a rule, or what it needs.
      changed(name):: changed[name],
      rules(names):: [pair.plain + decision(pair.mutant) for pair in of(names)],
    };

  // suite evaluates only the rules that it asks for: a day is a thousand steps. Samples
  // are an interval apart, evaluations may be further.
  local suite(name, rules, tests, interval, evaluation=interval) =
    if tests == [] then {} else {
      [name + '/rules.json']: { groups: [{ name: name, rules: rules }] },
      [name + '/test.json']: {
        rule_files: ['rules.json'],
        evaluation_interval: evaluation,
        tests: [test { interval: interval } for test in tests],
      },
    };

  local alerts(name, tests, config, interval='1m', evaluation=interval) =
    local asked = std.set([check.alertname for test in tests for check in test.alert_rule_test]);
    local names = std.filter(config.changed, asked);
    local checks(test) = [c for c in test.alert_rule_test if std.member(names, c.alertname)];
    suite(
      name,
      config.rules(names),
      [test { alert_rule_test: checks(test), promql_expr_test: [] } for test in tests if checks(test) != []],
      interval,
      evaluation
    );

  // sets asks some alerts at once, for exactly those that fire.
  local sets(name, tests, asked, config, interval='1m', evaluation=interval) =
    if std.any(std.map(config.changed, asked)) then suite(name, config.rules(asked), tests, interval, evaluation) else {};
  // whole asks all of them, and every third minute alone: what is there every second
  // time is met and missed in turn.
  local whole(name, tests, config) = sets(name, tests, config.alerts, config, evaluation='3m');

  local health(s, config) =
    // Levels build upon each other, in this order.
    local names = [level + ':softdelete_health:max' for level in ['table', 'service', 'database', 'connection', 'instance']];
    if std.length(std.filter(config.changed, names)) == 0 then {}
    else suite('health_' + std.strReplace(s.name, ' ', '_'), config.rules(names), s.tests, '1m');

  local sums(config) =
    local names = [n for n in config.records if std.startsWith(n, 'database_service:')];
    if mutation != {} then {} else suite('sums', config.rules(names), import 'sums.libsonnet', '1m');

  local default = configured();
  local everything = configured({ alerts: std.mapWithKey(function(name, alert) { enabled: true }, mixin._config.alerts) });
  local purge = import 'alerts/purge.libsonnet';
  local tables = import 'alerts/tables.libsonnet';
  local optional = import 'alerts/optional.libsonnet';
  local failing = import 'alerts/failing.libsonnet';

  alerts('database', import 'alerts/database.libsonnet', default)
  + sets('failing', failing.tests, failing.alerts, default, interval='30s')
  + alerts('rows', import 'alerts/rows.libsonnet', default)
  + alerts('bulk', (import 'alerts/bulk.libsonnet').quick, default)
  + alerts('bulk_days', (import 'alerts/bulk.libsonnet').slow, default, interval='30m')
  + alerts('purge', purge.scaled, configured(purge.config), evaluation='2m')
  + alerts('purge_days', purge.whole, default, interval='4m')
  + alerts('numbers', import 'alerts/numbers.libsonnet', default)
  + alerts('indexes', import 'alerts/indexes.libsonnet', default)
  + alerts('exporter', import 'alerts/exporter.libsonnet', default)
  + alerts('clusters', import 'alerts/clusters.libsonnet', default)
  + alerts('tables', tables.quick, configured(tables.config))
  + alerts('tables_days', tables.slow, configured(tables.config), interval='4m')
  + alerts('optional', optional.quick, everything)
  + alerts('optional_days', optional.slow, everything, interval='30m')
  + alerts('quiet', import 'alerts/quiet.libsonnet', everything, evaluation='3m')
  + whole('identity', import 'alerts/identity.libsonnet', configured(purge.config))
  + whole('cases', import 'alerts/cases.libsonnet', default)
  + sums(default)
  + std.foldl(
    function(all, s) all + health(s, if s.thresholds == {} then default else configured({ thresholds: s.thresholds })),
    import 'health.libsonnet',
    {}
  )
