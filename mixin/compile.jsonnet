// What generate.sh writes, by file: `jsonnet -S -m . compile.jsonnet`.
local mixin = import 'mixin.libsonnet';

local yaml(document) =
  '# Made by mixin/generate.sh; change mixin.libsonnet instead.\n'
  + std.manifestYamlDoc(document, indent_array_in_object=true, quote_keys=false) + '\n';

{
  'alerts.yaml': yaml(mixin.prometheusAlerts),
  'rules.yaml': yaml(mixin.prometheusRules),
  'inhibit_rules.yaml': yaml((import 'inhibition.libsonnet')(mixin._config)),
  'README.md': (import 'readme.libsonnet')(mixin, importstr 'README.md'),
} + {
  ['dashboards/' + name]: std.manifestJsonEx(mixin.grafanaDashboards[name], '  ') + '\n'
  for name in std.objectFields(mixin.grafanaDashboards)
}
