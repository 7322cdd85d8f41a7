// What do the exporters cost, and what do they not see?
local dashboard = import '../lib/dashboard.libsonnet';
local g = import '../lib/g.libsonnet';
local health = import '../lib/health.libsonnet';

function(config)
  local d = dashboard.new(config);
  local plain = g.thresholds(g.steps('blue', []));
  local blind(title, description, expr) =
    g.stat(title, description, [g.now(expr)])
    + g.unit('none') + g.thresholds(g.steps(health.color.good, [g.step(health.color.unknown, 1)])) + g.noValue('no data');
  local state(name) = 'sum(%s)' % d.ofDatabase('softdelete_exporter_tables', 'state="%s"' % name);

  local summary = [
    blind('Exporters not seen', 'Exporters, or probes, that do not answer Prometheus.', 'sum(1 - %s)' % d.seen),
    blind('Checks failing', 'Checks of databases that failed in the last refresh.', 'sum(%s == bool 0)' % d.ofDatabase('softdelete_exporter_check_success')),
    blind('Tables failed', 'Tables that cannot be read, or whose numbers have expired.', state('failed')),
    blind('Tables pending', 'Tables that wait to be counted.', state('pending')),
    blind('Tables skipped', 'Tables beyond max_tables.', state('skipped')),
    blind('Without exact numbers', 'Tables that are neither counted nor sampled: known from statistics only, or not yet counted.', 'sum(%s unless %s) or 0 * count(%s)' % [
      d.byTable(d.ofDatabase('softdelete_table_info')),
      d.byTable(d.ofDatabase('softdelete_deletion_ratio_margin')),
      d.ofDatabase('softdelete_table_info'),
    ]) + g.noValue('none'),
  ];

  local sees = [
    g.row('What it does not see'),

    g.stateTimeline('Checks', 'For each database, whether the last refresh could connect, discover and count tables, and check indexes.', [
      g.query(d.ofDatabase('softdelete_exporter_check_success'), '{{check}} in {{datname}} on {{%s}}' % d.server),
    ]) + g.unit('none') + g.mappings(d.okMappings) + g.thresholds(g.steps('red', [])) + g.size(8, 8),

    g.timeseries('Tables by state', 'Counted: with numbers. Pending: waiting to be counted. Failed: with a problem. Skipped: beyond max_tables.', [
      g.query('sum by (state) (%s)' % d.ofDatabase('softdelete_exporter_tables'), '{{state}}'),
    ]) + g.stacked + g.unit('none') + g.size(8, 8),

    g.timeseries('Age of the snapshot', 'Time since the last refresh that could connect, and the ttl, after which a refresh is due.', [
      g.query('time() - ' + d.ofServer('softdelete_exporter_snapshot_timestamp_seconds'), '{{%s}}' % d.server),
      g.query(d.ofServer('softdelete_exporter_ttl_seconds'), 'ttl of {{%s}}' % d.server),
    ]) + g.unit('s') + g.size(8, 8),

    g.table(
      'Tables that cannot be counted',
      "Why. The server's report says what to do about each.",
      [g.tableQuery(d.by(['datname', 'schemaname', 'relname', 'reason'], d.ofDatabase('softdelete_table_problem')), 'present')],
      [
        { field: 'reason', title: 'Reason' },
        { field: 'relname', title: 'Table', links: [d.tableLink] },
        { field: 'schemaname', title: 'Schema' },
        { field: 'datname', title: 'Database', links: [d.databaseLink] },
        { field: d.server, title: 'Server', links: d.reportLinks },
      ],
    ) + g.size(24, 6) + g.noRows('none, or no data'),
  ];

  local costs = [
    g.row('What it costs'),

    g.timeseries('Database time of the exporter', 'Seconds per second, from sending a query to its last row, by result.', [
      g.query('sum by (%s, datname, result) (rate(%s[$__rate_interval]))' % [d.server, d.ofDatabase('softdelete_exporter_database_seconds_total')], '{{result}} in {{datname}} on {{%s}}' % d.server),
    ]) + g.unit('percentunit') + g.size(8, 7),

    g.timeseries('Queries of the exporter', 'Queries per second, by result.', [
      g.query('sum by (%s, datname, result) (rate(%s[$__rate_interval]))' % [d.server, d.ofDatabase('softdelete_exporter_queries_total')], '{{result}} in {{datname}} on {{%s}}' % d.server),
    ]) + g.unit('reqps') + g.size(8, 7),

    g.timeseries('Most expensive counts', 'Duration of the last count, for the ten tables where it took longest.', [
      g.query('topk(10, %s)' % d.byTable(d.ofDatabase('softdelete_count_duration_seconds')), d.tableLegend),
    ]) + g.unit('s') + g.size(8, 7),

    g.timeseries('Duration of a scrape', 'How long Prometheus waited for the exporter.', [
      g.query(d.ofServer('scrape_duration_seconds', config.selector), '{{%s}}' % d.server),
    ]) + g.unit('s') + g.size(8, 7),

    g.timeseries('Series', 'How many samples each scrape returns.', [
      g.query(d.ofServer('scrape_samples_scraped', config.selector), '{{%s}}' % d.server),
    ]) + g.size(8, 7),

    g.timeseries('Memory', 'Resident memory, where the exporter itself is scraped.', [
      g.query(d.ofServer('process_resident_memory_bytes', config.selector), '{{%s}}' % d.server),
    ]) + g.unit('bytes') + g.size(8, 7),

    g.row('Which exporter it is'),

    g.stat('Configuration', "Whether the last reload of the exporter's configuration succeeded. Present only if the exporter itself is scraped.", [
      g.now('min(%s)' % d.ofServer('softdelete_exporter_config_last_reload_successful')),
    ]) + g.unit('none') + g.mappings(d.okMappings) + g.thresholds(g.steps('red', [])) + g.noValue('not scraped'),

    g.stat('Reloaded', 'When the exporter last loaded its configuration successfully.', [
      g.now('max(%s) * 1000' % d.ofServer('softdelete_exporter_config_last_reload_success_timestamp_seconds')),
    ]) + g.unit('dateTimeFromNow') + plain + g.noValue('not scraped') + g.size(6, 4),

    g.table(
      'Versions',
      "The exporter's version on each server where it is scraped itself.",
      [g.tableQuery(d.by(['version', 'revision', 'goversion'], d.ofServer('softdelete_exporter_build_info')), 'present')],
      [
        { field: d.server, title: 'Server' },
        { field: 'version', title: 'Version' },
        { field: 'revision', title: 'Revision' },
        { field: 'goversion', title: 'Go' },
      ],
    ) + g.size(14, 4) + g.noRows('not scraped'),
  ];

  d.dashboard(
    'Exporter',
    'softdelete-exporter',
    'What do the exporters cost, and what do they not see?',
    d.databaseVariables,
    summary + sees + costs,
    // Those of the exporter itself have no database.
    function(metric, matchers) d.ofServer(metric, 'datname=~"|$datname",' + matchers),
  )
