// Alertmanager's inhibition rules: a notification about a cause silences those about its effects. They are not part of
// the alert rules, so that dashboards still show a silenced alert.
local pairs = import 'lib/pairs.libsonnet';
local promql = import 'lib/promql.libsonnet';
local settings = import 'lib/settings.libsonnet';

function(_config)
  local p = promql.new(settings(_config));
  local labels = { server: p.serverLabels, database: p.databaseLabels, table: p.tableLabels };
  {
    inhibit_rules: [
      {
        source_matchers: ['alertname="%s"' % pair.cause],
        target_matchers: ['alertname=~"%s"' % std.join('|', pair.effects)],
        equal: labels[pair.of],
      }
      for pair in pairs
    ],
  }
