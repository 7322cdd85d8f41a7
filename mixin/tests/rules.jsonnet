// The rules of each configuration that the suites test. mutation is a patch of _config that changes them. With it,
// only the parts that decide whether a rule fires are evaluated, for the named configurations.
local mixin = import '../mixin.libsonnet';
local configs = import 'configs.libsonnet';

local patched(config, patch) = config {
  thresholdOverrides: std.mergePatch(super.thresholdOverrides, std.get(patch, 'thresholds', {})),
  times+: std.get(patch, 'times', {}),
  alerts: std.mergePatch(super.alerts, std.get(patch, 'alerts', {})),
};

local decision(rule) = { [k]: rule[k] for k in ['expr', 'for', 'keep_firing_for'] if std.objectHas(rule, k) };

function(mutation={}, names=std.objectFields(configs)) {
  // A mutation does not change what a configuration sets.
  [name]:
    local patches = [mutation, std.get(configs[name], 'patch', {})];
    local m = mixin { _config+:: std.foldl(patched, patches, super._config) };
    local groups = m.prometheusRules.groups + m.prometheusAlerts.groups;
    local asked = std.get(configs[name], 'groups', [g.name for g in groups]);
    // Recording rules first, because the alerts use them.
    [if mutation == {} then r else decision(r) for g in groups if std.member(asked, g.name) for r in g.rules]
  for name in names
}
