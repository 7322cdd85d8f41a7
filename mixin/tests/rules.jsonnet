// The rules of each configuration that the suites test. mutation is a patch of _config
// that changes them: then only what decides whether a rule holds is evaluated, for the
// configurations of those names.
local mixin = import '../mixin.libsonnet';
local configs = import 'configs.libsonnet';

local patched(config, patch) = config {
  thresholdOverrides: std.mergePatch(super.thresholdOverrides, std.get(patch, 'thresholds', {})),
  times+: std.get(patch, 'times', {}),
  alerts: std.mergePatch(super.alerts, std.get(patch, 'alerts', {})),
};

local decision(rule) = { [k]: rule[k] for k in ['expr', 'for', 'keep_firing_for'] if std.objectHas(rule, k) };

function(mutation={}, names=std.objectFields(configs)) {
  // What a configuration sets is not what a mutation moves.
  [name]:
    local patches = [mutation, std.get(configs[name], 'patch', {})];
    local m = mixin { _config+:: std.foldl(patched, patches, super._config) };
    local groups = m.prometheusRules.groups + m.prometheusAlerts.groups;
    local asked = std.get(configs[name], 'groups', [g.name for g in groups]);
    // Records first, as the alerts are made of them.
    [if mutation == {} then r else decision(r) for g in groups if std.member(asked, g.name) for r in g.rules]
  for name in names
}
