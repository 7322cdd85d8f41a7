// The files that generate.sh writes, by name: `jsonnet -S -m . compile.jsonnet`, which ends each
// with a newline.
local mixin = import 'mixin.libsonnet';

local yaml(document) =
  '# Made by mixin/generate.sh; change mixin.libsonnet instead.\n'
  + std.manifestYamlDoc(document, indent_array_in_object=true, quote_keys=false);

{
  'alerts.yaml': yaml(mixin.prometheusAlerts),
  'rules.yaml': yaml(mixin.prometheusRules),
  'inhibit_rules.yaml': yaml((import 'inhibition.libsonnet')(mixin._config)),
  'README.md': std.rstripChars((import 'readme.libsonnet')(mixin, importstr 'README.md'), '\n'),
} + {
  ['dashboards/' + name]: std.manifestJsonEx(mixin.grafanaDashboards[name], '  ')
  for name in std.objectFields(mixin.grafanaDashboards)
}
