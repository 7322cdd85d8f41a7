// Does the exporter know the numbers of a table, and are they up to date?
local alerts = import '../lib/alert.libsonnet';
local promql = import '../lib/promql.libsonnet';

// What to do about a table that cannot be read, by reason.
local remedies = {
  permission_denied: "the exporter's role lacks a grant; `softdelete_exporter grants` prints it",
  row_security: "row-level security hides rows from the exporter's role, so every count would be too low",
  locked: 'another session holds a lock on it',
  timeout: 'counting it takes longer than the statement timeout',
  marker_unclear: 'what marks its deleted rows is not certain, and `softdelete_exporter check-config --connect` says how to settle it',
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
  local limits = config.thresholds;
  local ttls = p.limitText(['stale_after_ttls'], promql.number);
  local tables(state) = p.by(p.databaseLabels, p.last('softdelete_exporter_tables', 'state="%s"' % state));
  [
    a.ofTable(
      'SoftDeleteTableUnreadable',
      p.recently('unreadable', ['reason']),
      'the table cannot be counted',
      'A table cannot be counted.',
      'The exporter cannot count ' + a.table + ' ({{ $labels.reason }}): ' + remedy + '.',
    ),

    a.ofTable(
      'SoftDeleteNumbersStale',
      p.condition('held', 'stale'),
      "the numbers are older than %s times the exporter's ttl, or gone" % promql.number(limits.stale_after_ttls),
      'The numbers of a table are out of date.',
      'The numbers of ' + a.table
      + ' are {{ if lt $value 0.0 }}gone, because they became too old to show{{ else }}{{ $value | humanizeDuration }} old{{ end }}; the limit is '
      + ttls + " times the exporter's ttl.",
    ),

    // One alert for each database, because the reason why one table waits usually makes others wait, too.
    a.alert(
      'SoftDeleteTablesWaiting',
      'last_over_time(database:softdelete_tables_waiting:count{}[%s])' % promql.duration(config.times.bridge),
      "tables have not had their turn for %s times the exporter's ttl, or never" % promql.number(limits.waiting_after_ttls),
      'Tables wait for their turn to be counted.',
      '{{ $value }} tables of ' + a.database + " have not been counted for more than %s times the exporter's ttl, or never: the budget of a refresh does not suffice."
                                               % promql.number(limits.waiting_after_ttls),
    ),

    a.alert(
      'SoftDeleteTablesSkipped',
      tables('skipped') + ' > 0',
      'the database has more tables than are watched at most',
      'Tables beyond the cap are not watched.',
      '{{ $value }} tables of ' + a.database + ' that use soft delete are not watched: there are more than the exporter watches at most.',
    ),

    // If no database was read there is no number, but SoftDeleteCheckFailing fires.
    a.alert(
      'SoftDeleteNothingWatched',
      p.by(p.serverLabels, p.last('softdelete_exporter_tables'), 'sum') + ' == 0',
      'no table of a server is watched',
      'The exporter watches no table of a server.',
      'The exporter has found no table that uses soft delete behind ' + a.server + '.',
    ),
  ]
