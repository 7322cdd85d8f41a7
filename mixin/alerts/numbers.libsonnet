// Does the exporter know a table's numbers, and are they fresh?
local alerts = import '../lib/alert.libsonnet';
local promql = import '../lib/promql.libsonnet';

// What to do about a table that cannot be read, by reason.
local remedies = {
  permission_denied: "the exporter's role lacks a grant, which `softdelete_exporter grants` prints",
  row_security: "row-level security hides rows from the exporter's role, so that no count would be true",
  locked: 'somebody holds a lock on it',
  timeout: 'counting it takes longer than the statement timeout',
  marker_missing: 'it is gone, or the column that marks its deleted rows is',
  unsupported: 'it is of a kind that the exporter cannot count',
};
local remedy =
  '{{ if ' + std.join('{{ else if ', [
    'eq $labels.reason "%s" }}%s' % [reason, remedies[reason]]
    for reason in std.objectFields(remedies)
  ]) + "{{ else }}its queries fail, and the exporter's log says why{{ end }}";

function(config)
  local p = promql.new(config);
  local a = alerts.new(config);
  local ttls = promql.number(config.thresholds.stale_after_ttls);
  local checked = p.last('softdelete_checked_timestamp_seconds');
  [
    a.alert(
      'SoftDeleteTableUnreadable',
      p.withService(p.last('softdelete_table_problem')),
      'the table cannot be counted',
      'A table cannot be counted.',
      'The exporter cannot count ' + alerts.table + ' ({{ $labels.reason }}): ' + remedy + '.',
    ),

    // The exporter drops numbers that are too old to show, so a table without
    // any is as stale as can be: -1. A table that waits for its turn is not, and
    // one that cannot be read has an alert of its own. So has a database that is
    // down: Alertmanager would silence its tables just until it is back, when none
    // of them has been counted again.
    a.alert(
      'SoftDeleteNumbersStale',
      p.withService(promql.parens(std.join('\n', [
        promql.parens(std.join('\n', [
          'time() - ' + checked,
          '> %s group_left () %s * %s'
          % [p.on(p.instanceLabels), ttls, p.last('softdelete_exporter_ttl_seconds')],
          'or %s' % p.on(p.tableLabels),
          '0 * max without (marker, kind, table_service) %s - 1\nunless %s' % [p.info, checked],
        ])),
        'unless %s %s > 0' % [p.on(p.databaseLabels), p.last('softdelete_exporter_tables', 'state="pending"')],
        'unless %s %s' % [p.on(p.tableLabels), p.last('softdelete_table_problem')],
        'unless %s %s == 0' % [p.on(p.instanceLabels), p.last('db_up')],
      ]))),
      "the numbers are older than %s times the exporter's ttl, or gone" % ttls,
      'The numbers of a table are out of date.',
      'The numbers of ' + alerts.table
      + ' are {{ if lt $value 0.0 }}gone, because they were too old to show{{ else }}{{ $value | humanizeDuration }} old{{ end }}; the limit is '
      + ttls + " times the exporter's ttl.",
    ),
  ]
