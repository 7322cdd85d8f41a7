// Does the exporter know the numbers of a table, and are they up to date?
local alerts = import '../lib/alert.libsonnet';
local promql = import '../lib/promql.libsonnet';

// What to do about a table that cannot be read, by reason.
local remedies = {
  permission_denied: "the exporter's role lacks a grant; `softdelete_exporter grants` prints it",
  row_security: "row-level security hides rows from the exporter's role, so every count would be too low",
  locked: 'another session holds a lock on it',
  timeout: 'counting it takes longer than the statement timeout',
  marker_missing: 'the table, or the column that marks its deleted rows, does not exist',
  unsupported: 'the exporter cannot count this kind of table',
};
local remedy =
  '{{ if ' + std.join('{{ else if ', [
    'eq $labels.reason "%s" }}%s' % [reason, remedies[reason]]
    for reason in std.objectFields(remedies)
  ]) + "{{ else }}its queries fail; the exporter's log says why{{ end }}";

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

    // The exporter removes numbers that are too old to show. A table without numbers is therefore stale, too:
    // its value is -1. Left out are tables that wait for their turn, and tables and databases that cannot be
    // read, which have alerts of their own. Inhibition in Alertmanager would not be enough for a database that
    // is down: it would end when the database is back, before any table is counted again.
    a.alert(
      'SoftDeleteNumbersStale',
      p.withService(promql.parens(std.join('\n', [
        promql.parens(std.join('\n', [
          'time() - ' + checked,
          '> %s group_left () %s * %s'
          % [p.on(p.instanceLabels), ttls, p.last('softdelete_exporter_ttl_seconds')],
          'or %s' % p.on(p.tableLabels),
          '0 * max without (marker, kind, service) %s - 1\nunless %s' % [p.info, checked],
        ])),
        'unless %s %s > 0' % [p.on(p.databaseLabels), p.last('softdelete_exporter_tables', 'state="pending"')],
        'unless %s %s' % [p.on(p.tableLabels), p.last('softdelete_table_problem')],
        'unless %s %s == 0' % [p.on(p.instanceLabels), p.last('db_up')],
      ]))),
      "the numbers are older than %s times the exporter's ttl, or gone" % ttls,
      'The numbers of a table are out of date.',
      'The numbers of ' + alerts.table
      + ' are {{ if lt $value 0.0 }}gone, because they became too old to show{{ else }}{{ $value | humanizeDuration }} old{{ end }}; the limit is '
      + ttls + " times the exporter's ttl.",
    ),
  ]
