// One table: its deleted rows, how accurate the numbers are, and their history.
local dashboard = import '../lib/dashboard.libsonnet';
local g = import '../lib/g.libsonnet';

function(config)
  local d = dashboard.new(config);
  local plain = g.thresholds(g.steps('blue', []));
  local of(metric) = d.ofTable('softdelete_' + metric);

  // interval is a number within its confidence interval, which is a band: without width when exact, absent when the
  // number is known from statistics only.
  local interval(title, description, metric, name) =
    g.timeseries(title, description, [
      g.query('clamp_min(%s - %s, 0)' % [of(metric), of(metric + '_margin')], 'at least'),
      g.query('%s + %s' % [of(metric), of(metric + '_margin')], 'at most'),
      g.query(of(metric), name),
    ]) + g.band('at least', 'at most') + { fieldConfig+: { defaults+: { custom+: { fillOpacity: 0, lineWidth: 2 } } } };
  local days = 86400;

  local verdict = [
    g.stat('Health', 'The worst verdict of its rows and its indexes.', [
      g.now(d.ofTable('table:softdelete_health:max')),
    ]) + d.healthColors + g.noValue('not watched'),

    g.stat('Why', 'The reason of its verdict, as in the report; if there are several, the first.', [
      g.now(d.reasonOfTables('table') + ' or on () label_replace(%s, "reason", "none: it is good", "", "")' % d.ofTable('table:softdelete_health:max'), '{{reason}}'),
    ]) + g.unit('none') + plain + g.nameOnly + g.noValue('not watched') + g.size(8, 4),

    g.stat('Deleted', 'Share of its rows that are soft-deleted.', [
      g.now(of('deletion_ratio')),
    ]) + g.unit('percentunit') + g.thresholds(d.ratioSteps) + g.noValue('unknown'),

    g.stat('Past retention', 'Soft-deleted rows that should have been purged. Unknown if the retention is none or the deletion time is not known.', [
      g.now(of('old_deleted_rows')),
    ]) + g.thresholds(d.oldSteps) + g.noValue('unknown'),

    g.stat('Overdue by', 'How long the oldest deleted row has been past its retention, at least; 0 if no row is.', [
      g.now('clamp_min(%s, 0) / %d' % [d.promql('table').overdue, days]),
    ]) + g.unit('suffix:days') + g.decimals(0) + g.thresholds(d.overdueSteps) + g.noValue('unknown'),

    g.stat('Retention', 'How long its deleted rows should be kept.', [
      g.now('%s / %d' % [of('retention_seconds'), days]),
    ]) + g.unit('suffix:days') + plain + g.noValue('none') + g.size(6, 4),

    g.stat('Dead weight', 'Estimated size of the deleted rows in the heap.', [
      g.now(of('deleted_bytes')),
    ]) + g.unit('bytes') + plain + g.noValue('unknown') + g.size(6, 4),

    g.stat('Age of the numbers', 'Time since they were last counted or confirmed.', [
      g.now('time() - ' + of('checked_timestamp_seconds')),
    ]) + g.unit('s') + plain + g.noValue('no numbers') + g.size(6, 4),

    g.stat('Oldest deletion', 'Deletion time of the row deleted longest ago. In a sampled table there may be an older one, unless an index shows it.', [
      g.now('(%s or %s) * 1000' % [of('oldest_deleted_timestamp_seconds'), of('oldest_deleted_timestamp_bound_seconds')]),
    ]) + g.unit('dateTimeFromNow') + plain + g.noValue('unknown') + g.size(6, 4),
  ];

  local rows = [
    g.row('Rows'),

    g.timeseries('Rows by state', 'Active and soft-deleted rows, which together are all rows.', [
      g.query(of('active_rows'), 'active'),
      g.query(of('deleted_rows'), 'deleted'),
    ]) + g.stacked,

    interval('Deletion ratio', 'The share of deleted rows, in its 95% confidence interval. The dashed lines are the limits for all tables.', 'deletion_ratio', 'deleted')
    + g.unit('percentunit') + g.max(1) + g.thresholds(d.ratioSteps, 'dashed'),

    interval('Deleted rows past retention', 'Rows that should have been purged, in their 95% confidence interval. The dashed lines are the limits for all tables.', 'old_deleted_rows', 'past retention')
    + g.thresholds(d.oldSteps, 'dashed'),

    g.timeseries('Deleted and purged', 'How many deleted rows were added in each hour, or longer if the graph shows more time, and below zero how many were removed or restored. Rows that were deleted and purged within the same hour are in neither.', [
      g.query('clamp_min(delta(%s[$__interval]), 0)' % of('deleted_rows'), 'deleted'),
      g.query('clamp_max(delta(%s[$__interval]), 0)' % of('deleted_rows'), 'purged or restored'),
    ]) + g.signed + g.minInterval('1h'),
  ];

  local trust = [
    g.row('How accurate the numbers are'),

    g.table(
      'How it is counted',
      'What marks a deleted row, which service owns the table, the least certain method of its last count, and why it cannot be counted, if so.',
      [
        g.tableQuery(d.by(['marker', 'kind', 'table_service'], of('table_info')), 'info'),
        g.tableQuery(d.by(['method'], of('count_info')), 'method_info'),
        g.tableQuery(d.by(['reason'], of('table_problem')), 'problem'),
        g.tableQuery('%s / %d' % [d.by([], of('retention_seconds')), days], 'retention'),
        g.tableQuery(d.by([], of('recent_window_seconds')), 'window'),
      ],
      [
        { field: 'marker', title: 'Marker' },
        { field: 'kind', title: 'Kind' },
        { field: 'table_service', title: 'Service' },
        { field: 'method', title: 'Method' },
        { field: 'reason', title: 'Problem' },
        { field: 'retention', title: 'Retention', unit: 'suffix:days' },
        { field: 'window', title: 'Recent window', unit: 's' },
        { field: d.server, title: 'Server', links: [d.serverLink] + d.reportLinks },
      ],
    ) + g.size(24, 4),

    g.timeseries('Age of the numbers', 'Time since they were last counted or confirmed, and the ttl, after which a refresh is due.', [
      g.query('time() - ' + of('checked_timestamp_seconds'), 'age'),
      g.query(d.ofServer('softdelete_exporter_ttl_seconds'), 'ttl'),
    ]) + g.unit('s') + g.size(8, 7),

    g.timeseries('Cost of a count', 'Duration of the last count.', [
      g.query(of('count_duration_seconds'), 'count'),
    ]) + g.unit('s') + g.size(8, 7),

    g.timeseries('Deleted recently', 'Rows deleted within the recent window, if that is exact and cheap to count. The dashed line is the limit for a bulk delete.', [
      g.query(of('recently_deleted_rows'), 'deleted within the window'),
    ]) + g.thresholds(g.steps('green', [g.step('red', config.thresholds.bulk_rows)]), 'dashed') + g.noValue('not counted') + g.size(8, 7),
  ];

  // findings has a row for each finding, or one that says that there is none.
  local finding(text, detail, expr) = 'label_join(label_replace(%s, "finding", "%s", "", ""), "detail", "", "%s")' % [expr, text, detail];
  local odd = [
    { text: 'index missing', detail: 'purpose', expr: of('index_present') + ' == 0' },
    { text: 'marker columns disagree', detail: 'none', expr: of('inconsistent_rows') + ' > 0' },
    { text: 'deleted in the future', detail: 'none', expr: of('future_deleted_rows') + ' > 0' },
    { text: 'live rows that reference deleted ones', detail: 'constraint', expr: of('orphaned_rows') + ' > 0' },
  ];
  local findings = std.join('\nor ', [
    'label_join(label_join(%s, "finding", "", "problem"), "detail", "", "indexrelname")' % of('index_problem'),
  ] + [finding(o.text, o.detail, '(%s)' % o.expr) for o in odd] + [
    finding('none', 'none', of('table_info')) + ' unless on () (%s)' % std.join(' or ', [of('index_problem')] + [o.expr for o in odd]),
  ]);

  local indexes = [
    g.row('Indexes and integrity'),

    g.table(
      'Findings',
      "Indexes that do not suit soft delete or that are missing, and, if the integrity check is on, rows that contradict themselves or reference deleted ones. The server's report has the reason and the statement for each.",
      [g.tableQuery(d.by(['finding', 'detail'], findings), 'rows')],
      [
        { field: 'finding', title: 'Finding' },
        { field: 'detail', title: 'Index, purpose or constraint' },
      ],
    ) + g.size(24, 6),
  ];

  d.dashboard(
    'Table',
    'softdelete-table',
    'One table: its deleted rows, how accurate the numbers are, and their history.',
    d.tableVariables,
    verdict + rows + indexes + trust,
    d.ofTable,
  ) + g.withLink('Report', config.reportURL)
