// Alertmanager's inhibition rules: who has been told of the cause need not be
// told of its effects. They are not part of the rules themselves, so that an
// alert that is silenced still shows on the dashboards.
function(config)
  local instance = config.clusterLabels + ['job', 'instance'];
  local ours(matcher) = ['alertname=~"SoftDelete.+"', matcher];
  {
    inhibit_rules: [
      // A table's warning silences its information. Both name the same table:
      // Alertmanager takes a label that neither has for equal.
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
