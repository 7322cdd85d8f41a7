// One table: its deleted rows, how accurate the numbers are, and their history.
local dashboard = import '../lib/dashboard.libsonnet';
local g = import '../lib/g.libsonnet';

function(config)
  local d = dashboard.new(config);
  local plain = g.thresholds(g.steps('blue', []));
  local of(metric) = d.ofTable('softdelete_' + metric);

  // interval is a number with the ends of its confidence interval: equal to the number when exact, absent when
  // it is known from statistics only.
  local interval(metric, name) = [
    g.query(of(metric), name),
    g.query('clamp_min(%s - %s, 0)' % [of(metric), of(metric + '_margin')], 'at least'),
    g.query('%s + %s' % [of(metric), of(metric + '_margin')], 'at most'),
  ];
  local lines = { fieldConfig+: { defaults+: { custom+: { fillOpacity: 0 } } } };

  local verdict = [
    g.stat('Health', 'The worst verdict of its rows and its indexes.', [
      g.now(d.ofTable('table:softdelete_health:max')),
    ]) + d.healthColors + g.noValue('not watched'),

    g.stat('Deleted', 'Share of its rows that are soft-deleted.', [
      g.now(of('deletion_ratio')),
    ]) + g.unit('percentunit') + g.thresholds(d.ratioSteps) + g.noValue('unknown'),

    g.stat('Past retention', 'Soft-deleted rows that should have been purged. Unknown if the retention is none or the deletion time is not known.', [
      g.now(of('old_deleted_rows')),
    ]) + g.thresholds(d.oldSteps) + g.noValue('unknown'),

    g.stat('Dead weight', 'Estimated size of the deleted rows in the heap.', [
      g.now(of('deleted_bytes')),
    ]) + g.unit('bytes') + plain + g.noValue('unknown'),

    g.stat('Age of the numbers', 'Time since they were last counted or confirmed.', [
      g.now('time() - ' + of('checked_timestamp_seconds')),
    ]) + g.unit('s') + plain + g.noValue('no numbers'),

    g.stat('Oldest deletion', 'Deletion time of the row deleted longest ago. In a sampled table there may be an older one, unless an index shows it.', [
      g.now('(%s or %s) * 1000' % [of('oldest_deleted_timestamp_seconds'), of('oldest_deleted_timestamp_bound_seconds')]),
    ]) + g.unit('dateTimeFromNow') + plain + g.noValue('unknown'),
  ];

  local rows = [
    g.row('Rows'),

    g.timeseries('Rows by state', 'Active and soft-deleted rows, which together are all rows.', [
      g.query(of('active_rows'), 'active'),
      g.query(of('deleted_rows'), 'deleted'),
    ]) + g.stacked,

    g.timeseries('Deletion ratio', 'The share of deleted rows, and the ends of its 95% confidence interval. The lines are the limits for all tables.', interval('deletion_ratio', 'deleted'))
    + g.unit('percentunit') + g.max(1) + g.thresholds(d.ratioSteps, 'line') + lines,

    g.timeseries('Deleted rows past retention', 'Rows that should have been purged, and the ends of their 95% confidence interval.', interval('old_deleted_rows', 'past retention'))
    + g.thresholds(d.oldSteps, 'line') + lines,

    g.timeseries('Deleted recently', 'Rows deleted within the recent window. Present only if exact and cheap to count.', [
      g.query(of('recently_deleted_rows'), 'deleted within the window'),
    ]) + g.thresholds(g.steps('green', [g.step('red', config.thresholds.bulk_rows)]), 'line'),
  ];

  local trust = [
    g.row('How accurate the numbers are'),

    g.table(
      'How it is counted',
      'What marks a deleted row, which service owns the table, and the least certain method of its last count.',
      [
        g.tableQuery(d.by(['marker', 'kind', 'table_service'], of('table_info')), 'info'),
        g.tableQuery(d.by(['method'], of('count_info')), 'method_info'),
        g.tableQuery(d.by([], of('retention_seconds')), 'retention'),
        g.tableQuery(d.by([], of('recent_window_seconds')), 'window'),
      ],
      [
        { field: 'marker', title: 'Marker' },
        { field: 'kind', title: 'Kind' },
        { field: 'table_service', title: 'Service' },
        { field: 'method', title: 'Method' },
        { field: 'retention', title: 'Retention', unit: 's' },
        { field: 'window', title: 'Recent window', unit: 's' },
      ],
    ) + g.size(12, 4),

    g.table(
      'Why it cannot be counted',
      'Empty if it can be counted.',
      [g.tableQuery(d.by(['reason'], of('table_problem')), 'present')],
      [{ field: 'reason', title: 'Reason' }],
    ) + g.size(12, 4) + g.noValue('it can'),

    g.timeseries('Age of the numbers', 'Time since they were last counted or confirmed, and the ttl, after which a refresh is due.', [
      g.query('time() - ' + of('checked_timestamp_seconds'), 'age'),
      g.query(d.ofServer('softdelete_exporter_ttl_seconds'), 'ttl'),
    ]) + g.unit('s'),

    g.timeseries('Cost of a count', 'Duration of the last count.', [
      g.query(of('count_duration_seconds'), 'count'),
    ]) + g.unit('s'),
  ];

  local indexes = [
    g.row('Indexes and integrity'),

    g.stateTimeline('Useful indexes', 'Whether the indexes that would help exist. Empty if none would help.', [
      g.query(of('index_present'), '{{purpose}}'),
    ]) + g.unit('none') + g.mappings(d.missingMappings) + g.thresholds(g.steps('red', [])) + g.size(8, 8),

    g.table(
      'Index findings',
      "The server's report has the reason and the statement for each.",
      [g.tableQuery(d.by(['indexrelname', 'problem'], of('index_problem')), 'present')],
      [
        { field: 'problem', title: 'Problem' },
        { field: 'indexrelname', title: 'Index' },
      ],
    ) + g.size(8, 8) + g.noValue('none'),

    g.timeseries('Integrity', 'Rows whose marker columns disagree, rows deleted in the future, and live rows that reference deleted ones. Present only if the check is switched on.', [
      g.query(of('inconsistent_rows'), 'inconsistent'),
      g.query(of('future_deleted_rows'), 'deleted in the future'),
      g.query(of('orphaned_rows'), 'orphaned by {{constraint}}'),
    ]) + g.size(8, 8),
  ];

  d.dashboard(
    'Soft delete / Table',
    'softdelete-table',
    'One table: its deleted rows, how accurate the numbers are, and their history.',
    d.tableVariables,
    verdict + rows + trust + indexes,
  ) + g.withLink('Report', config.reportURL)
