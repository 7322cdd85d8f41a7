// Alertmanager's inhibition rules: a notification about a cause silences those about its effects. They are not
// part of the alert rules, so that a silenced alert still shows on the dashboards.
function(config)
  local instance = config.clusterLabels + ['job', 'instance'];
  local ours(matcher) = ['alertname=~"SoftDelete.+"', matcher];
  {
    inhibit_rules: [
      // A warning about a table silences the info alert about it. Both name the same table: Alertmanager treats
      // a label that neither has as equal.
      {
        source_matchers: ours('severity="warning"'),
        target_matchers: ours('severity="info"'),
        equal: instance + ['datname', 'schemaname', 'relname'],
      },
      // A database that is down silences everything else about it.
      {
        source_matchers: ['alertname="SoftDeleteDatabaseDown"'],
        target_matchers: ours('severity=~"warning|info"'),
        equal: instance,
      },
    ],
  }
