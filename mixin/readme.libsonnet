// The list of alerts in the README, made from the rules.
local groups(mixin, enabled) = [
  rule
  for group in (
    mixin { _config+:: { alerts: std.mapWithKey(function(_, alert) alert { enabled: true }, super.alerts) } }
  ).prometheusAlerts.groups
  for rule in group.rules
  if mixin._config.alerts[rule.alert].enabled == enabled
];

local row(rule) = '| [%s](runbook.md#%s) | %s | %s | %s |' % [
  rule.alert,
  std.asciiLower(rule.alert),
  rule.labels.severity,
  rule.limit,
  std.get(rule, 'for', 'at once'),
];

local table(rules) = std.join('\n', ['| alert | severity | fires when | for |', '|---|---|---|---|'] + [row(r) for r in rules]);

function(mixin, readme)
  local parts = std.split(readme, '<!-- alerts -->');
  assert std.length(parts) == 3 : 'README.md: the list of alerts has to stand between two lines <!-- alerts -->';
  parts[0] + '<!-- alerts -->\n' + table(groups(mixin, true))
  + '\n\nOff by default:\n\n' + table(groups(mixin, false))
  + '\n<!-- alerts -->' + parts[2]
