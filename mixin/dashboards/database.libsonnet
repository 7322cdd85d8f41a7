// Is the database up, which of its tables have problems, and what should be done?
local dashboard = import '../lib/dashboard.libsonnet';
local g = import '../lib/g.libsonnet';

function(config)
  local d = dashboard.new(config);
  local plain = g.thresholds(g.steps('blue', []));

  local up = [
    g.stat('Connection', 'Whether the server answers the ping, and the exporter answers Prometheus; the worst of the selected servers.', [
      g.now('min(%s)' % d.connected),
    ]) + g.unit('none') + g.mappings(d.upMappings) + g.thresholds(g.steps('red', [])) + g.noValue('no data'),

    g.stat('Response', 'Response time of the last SELECT 1 on an open connection; the slowest of the selected servers.', [
      g.now('max(%s)' % d.ofServer('db_response_ms')),
    ]) + g.unit('ms') + g.thresholds(d.responseSteps) + g.noValue('no answer'),

    g.stat('Health', 'The worst verdict of the tables in the selected databases; unknown or worse if discovery fails.', [
      g.now('max(%s)' % d.ofDatabase('database:softdelete_health:max')),
    ]) + d.healthColors + g.noValue('no data'),

    g.stat('Tables', 'Watched tables in the selected databases.', [
      g.now('count(%s)' % d.ofDatabase('softdelete_table_info')),
    ]) + g.unit('none') + plain + g.noValue('no data'),

    g.stat('Deleted rows', 'Soft-deleted rows in all of these tables.', [
      g.now('sum(%s)' % d.ofDatabase('softdelete_deleted_rows')),
    ]) + plain + g.noValue('unknown'),

    g.stat('Dead weight', 'Estimated size of the deleted rows in the heap.', [
      g.now('sum(%s)' % d.ofDatabase('softdelete_deleted_bytes')),
    ]) + g.unit('bytes') + plain + g.noValue('unknown'),

    g.timeseries('Response time', 'Response time of a SELECT 1 on an open connection. A gap means that a ping was not answered.', [
      g.query(d.ofServer('db_response_ms'), '{{%s}}' % d.server),
    ]) + g.unit('ms') + g.thresholds(d.responseSteps, 'line') + g.size(12, 7),

    g.stateTimeline('Health of the databases', "The worst verdict of each database's tables over time; unknown or worse while discovery fails.", [
      g.query(d.ofDatabase('database:softdelete_health:max'), '{{datname}} on {{%s}}' % d.server),
    ]) + d.healthColors + g.size(12, 7),
  ];

  local which = [
    g.row('Tables'),

    g.table(
      'Tables, worst first',
      'Every watched table, and the reason of its verdict; if there are several, the first. The margin is the distance to the farther end of the 95% confidence interval: 0 when exact, none when known from statistics only. Click a table to see its history.',
      [
        g.tableQuery(d.by(['datname', 'schemaname', 'relname', 'table_service'], d.ofDatabase('table:softdelete_health:max')), 'health'),
        g.tableQuery(d.reasonOfTables('database'), 'why'),
        g.tableQuery(d.byTable(d.ofDatabase('softdelete_deleted_rows')), 'deleted'),
        g.tableQuery(d.byTable(d.ofDatabase('softdelete_deletion_ratio')), 'ratio'),
        g.tableQuery(d.byTable(d.ofDatabase('softdelete_deletion_ratio_margin')), 'margin'),
        g.tableQuery(d.byTable(d.ofDatabase('softdelete_old_deleted_rows')), 'old'),
        g.tableQuery(d.byTable('time() - ' + d.ofDatabase('softdelete_checked_timestamp_seconds')), 'age'),
      ],
      [
        { field: 'health', title: 'Health', mappings: d.healthMappings, width: 90 },
        { field: 'reason', title: 'Why', width: 270 },
        { field: 'relname', title: 'Table', links: [d.tableLink] },
        { field: 'schemaname', title: 'Schema' },
        { field: 'datname', title: 'Database' },
        { field: d.server, title: 'Server', links: d.reportLinks },
        { field: 'table_service', title: 'Service' },
        { field: 'deleted', title: 'Deleted rows', unit: 'short', width: 115 },
        { field: 'ratio', title: 'Deleted', unit: 'percentunit', steps: d.ratioSteps, width: 90 },
        { field: 'margin', title: 'Margin', unit: 'percentunit', width: 80 },
        { field: 'old', title: 'Past retention', unit: 'short', steps: d.oldSteps, width: 125 },
        { field: 'age', title: 'Age', unit: 's', width: 80 },
      ],
      'Health',
    ),

    g.bargauge('Highest ratio of deleted rows', 'The ten tables with the highest share of deleted rows.', [
      g.now('topk(10, %s)' % d.byTable(d.ofDatabase('softdelete_deletion_ratio')), d.tableLegend),
    ]) + g.unit('percentunit') + g.max(1) + g.thresholds(d.ratioSteps) + g.noValue('no data'),

    g.bargauge('Most deleted rows past retention', 'The ten tables with the most rows that should have been purged.', [
      g.now('topk(10, %s)' % d.byTable(d.ofDatabase('softdelete_old_deleted_rows')), d.tableLegend),
    ]) + g.thresholds(d.oldSteps) + g.noValue('no data'),
  ];

  local todo = [
    g.row('What to do'),

    g.table(
      'Index findings',
      "Indexes that do not suit soft delete. The server's report has the reason and the statement for each.",
      [g.tableQuery(d.by(['datname', 'schemaname', 'relname', 'indexrelname', 'problem'], d.ofDatabase('softdelete_index_problem')), 'present')],
      [
        { field: 'problem', title: 'Problem' },
        { field: 'indexrelname', title: 'Index' },
        { field: 'relname', title: 'Table', links: [d.tableLink] },
        { field: 'schemaname', title: 'Schema' },
        { field: 'datname', title: 'Database' },
        { field: d.server, title: 'Server', links: d.reportLinks },
      ],
    ) + g.size(24, 6) + g.noRows('none, or no data'),

    g.table(
      'Missing indexes',
      "Indexes that would help but do not exist. The server's report has the statement for each.",
      [g.tableQuery(d.by(['datname', 'schemaname', 'relname', 'purpose'], '%s == 0' % d.ofDatabase('softdelete_index_present')), 'present')],
      [
        { field: 'purpose', title: 'Purpose' },
        { field: 'relname', title: 'Table', links: [d.tableLink] },
        { field: 'schemaname', title: 'Schema' },
        { field: 'datname', title: 'Database' },
        { field: d.server, title: 'Server', links: d.reportLinks },
      ],
    ) + g.size(12, 6) + g.noRows('none, or no data'),

    g.table(
      'Tables that cannot be counted',
      'Why the exporter cannot count them.',
      [g.tableQuery(d.by(['datname', 'schemaname', 'relname', 'reason'], d.ofDatabase('softdelete_table_problem')), 'present')],
      [
        { field: 'reason', title: 'Reason' },
        { field: 'relname', title: 'Table', links: [d.tableLink] },
        { field: 'schemaname', title: 'Schema' },
        { field: 'datname', title: 'Database' },
        { field: d.server, title: 'Server', links: d.reportLinks },
      ],
    ) + g.size(12, 6) + g.noRows('none, or no data'),

    g.text('What to do first', 'In which order to work on what the other panels show.', |||
      1. **Down or slow**: nothing else matters until the server answers.
      2. **Live duplicates possible**: wrong data may be written right now.
      3. **Tables that cannot be counted**: usually a grant or a setting is missing.
      4. **Past retention**: repair the purge if it does not run.
      5. **Deleted**: if the purge runs and the ratio stays high, the retention is too long.
      6. **Indexes**: create the missing ones before a purge of many rows.

      The [runbook](%s) has the queries, and the exporter's `/report` has the statements.
    ||| % std.rstripChars(config.runbookURL, '#')) + g.size(24, 7),
  ];

  d.dashboard(
    'Database',
    'softdelete-database',
    'Is the database up, which of its tables have problems, and what should be done?',
    d.databaseVariables,
    up + which + todo,
    // Those of the servers themselves have no database.
    function(metric, matchers) d.ofServer(metric, 'datname=~"|$datname",' + matchers),
  )
