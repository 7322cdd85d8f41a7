// Cases of real life, each with exactly the alerts that fire. Too many alerts are muted, and too few miss faults.
// Server, table and time are those of t.server.
local t = import '../promtool.libsonnet';

local ofServer(alert) = t.target { alertname: alert };
local ofDatabase(alert, more={}) = t.shop { alertname: alert } + more;
local ofTable(alert, more={}) = t.orders { alertname: alert, service: 'checkout' } + more;

local whole = [t.minutes + 1];
local all(value) = t.scraped(value, whole);

// case expects these alerts at these minutes. Every ten minutes in between it expects none, except at minutes that are
// excluded.
local case(name, series, firing, between=[], until=100) =
  local minutes = [std.parseInt(m) for m in std.objectFields(firing)];
  local tens = [
    m
    for m in std.range(0, until)
    if m % 10 == 0 && !std.member(minutes, m) && !std.member([m >= b[0] && m <= b[1] for b in between], true)
  ];
  t.test(name, series, [t.exactly(m, firing['' + m]) for m in minutes] + [t.exactly(m, []) for m in tens]);

// other is a second table of the same kind. There can be several.
local other(series, name) = [
  s { series: std.strReplace(super.series, 'relname="orders"', 'relname="%s"' % name) }
  for s in series
  if std.strReplace(s.series, 'relname=', '') != s.series
];

[
  case('all is well', t.server(), {}),

  case('the exporter is restarted', t.server(layout=[100, 3, 138]), {}),

  case(
    'one failed ping, and nobody asks again for eight minutes',
    t.server({
      db_up: '1+0x59 0 stale _x6 1+0x172',
      db_response_ms: '2+0x59 stale _x7 2+0x172',
    }, [61, 7, 173]),
    {},
  ),

  case(
    'every second ping fails for three hours',
    t.server({ db_up: t.again('1 0', 90) + ' 1+0x60', db_response_ms: t.again('2 stale', 90) + ' 2+0x60' }),
    { '120': [ofServer('SoftDeletePingsFailing')], '175': [ofServer('SoftDeletePingsFailing')] },
    [[5, 220]],
    until=230,
  ),

  case(
    'every second scrape fails for three hours',
    t.server({ up: t.again('1 0', 90) + ' 1+0x60' }, std.repeat([1, 1], 90) + [61]),
    { '120': [ofServer('SoftDeleteScrapesFailing')], '175': [ofServer('SoftDeleteScrapesFailing')] },
    [[18, 220]],
    until=230,
  ),

  case(
    'the database is down for twenty minutes',
    t.server({
      db_up: '1+0x59 0+0x19 1+0x160',
      db_response_ms: '2+0x59 stale _x19 2+0x160',
      'softdelete_exporter_check_success connect': '1+0x64 0+0x19 1+0x155',
      'softdelete_exporter_check_success discovery': '1+0x64 0+0x19 1+0x155',
      'softdelete_exporter_check_success counting': '1+0x64 0+0x19 1+0x155',
      'softdelete_exporter_check_success indexes': '1+0x64 0+0x19 1+0x155',
      softdelete_checked_timestamp_seconds: '0+60x59 3540+0x22 4980+60x160',
    }),
    { '63': [ofServer('SoftDeleteDatabaseDown')], '80': [ofServer('SoftDeleteDatabaseDown')] },
    [[60, 90]],
  ),

  case(
    'the exporter cannot be scraped for half an hour',
    t.server({ up: '1+0x59 0+0x29 1+0x150' }, [60, 30, 151]),
    { '76': [ofServer('SoftDeleteExporterDown')], '95': [ofServer('SoftDeleteExporterDown')] },
    [[75, 102]],
    until=120,
  ),

  case(
    'the exporter is gone, and its target with it',
    t.server(layout=[60]),
    { '93': [{ alertname: 'SoftDeleteExporterAbsent' }], '100': [{ alertname: 'SoftDeleteExporterAbsent' }] },
    [[80, 100]],
  ),

  case(
    'a table waits for its turn for ever, and its numbers are eight hours old',
    t.server({
      softdelete_checked_timestamp_seconds: '%d+0x%d' % [-8 * 3600, t.minutes],
      'softdelete_exporter_tables counted': null,
      'softdelete_exporter_tables pending': all(1),
    }),
    { '60': [ofDatabase('SoftDeleteTablesWaiting')], '100': [ofDatabase('SoftDeleteTablesWaiting')] },
    [[60, 100]],
  ),

  case(
    'there are more tables than are watched',
    t.server({ 'softdelete_exporter_tables skipped': all(500) }),
    { '30': [ofDatabase('SoftDeleteTablesSkipped')], '100': [ofDatabase('SoftDeleteTablesSkipped')] },
    [[30, 100]],
  ),

  case(
    'nothing is watched',
    [
      s
      for s in t.server({ 'softdelete_exporter_tables counted': all(0) })
      if std.strReplace(s.series, 'relname=', '') == s.series
    ],
    { '60': [ofServer('SoftDeleteNothingWatched')], '100': [ofServer('SoftDeleteNothingWatched')] },
    [[60, 100]],
  ),
] + [
  case(
    'a check fails, and nothing else would say so: ' + check,
    t.server({ ['softdelete_exporter_check_success ' + check]: all(0) }),
    { '30': [ofDatabase('SoftDeleteCheckFailing', { check: check })], '100': [ofDatabase('SoftDeleteCheckFailing', { check: check })] },
    [[30, 100]],
  )
  for check in ['connect', 'discovery', 'counting', 'indexes']
] + [
  case(
    'a reload failed',
    t.server({ softdelete_exporter_config_last_reload_successful: all(0) }),
    { '6': [ofServer('SoftDeleteReloadFailed')], '100': [ofServer('SoftDeleteReloadFailed')] },
    [[5, 100]],
  ),

  case(
    'targets take connections from one another',
    t.server({ softdelete_exporter_connections_evicted_total: '0+2x%d' % t.minutes }),
    { '70': [ofServer('SoftDeleteConnectionsEvicted')], '100': [ofServer('SoftDeleteConnectionsEvicted')] },
    [[60, 100]],
  ),

  case(
    'what marks deleted rows is unclear, and a table has no numbers',
    t.server({
      ['softdelete_' + fact]: null
      for fact in ['checked_timestamp_seconds', 'active_rows', 'deleted_rows', 'total_rows', 'deletion_ratio', 'deletion_ratio_margin', 'old_deleted_rows', 'old_deleted_rows_margin', 'recently_deleted_rows', 'oldest_deleted_timestamp_seconds']
    } + { 'softdelete_table_problem marker_unclear': all(1) }),
    {
      '30': [ofTable('SoftDeleteTableUnreadable', { reason: 'marker_unclear' })],
      '100': [ofTable('SoftDeleteTableUnreadable', { reason: 'marker_unclear' })],
    },
    [[30, 100]],
  ),

  case(
    'the clock of the exporter is an hour behind: one alert, and none for each table',
    local behind = '%d+60x%d' % [-3600, t.minutes];
    local one = t.server({ softdelete_exporter_time_seconds: behind, softdelete_checked_timestamp_seconds: behind });
    one + other(one, 'users') + other(one, 'carts'),
    { '12': [ofServer('SoftDeleteClockSkewed')], '100': [ofServer('SoftDeleteClockSkewed')] },
    [[10, 100]],
  ),

  case(
    'a table is locked by a migration for twenty minutes',
    t.server({ 'softdelete_table_problem locked': '_x60 1+0x14 stale' }),
    {},
  ),

  case(
    'a partition with deleted rows is attached',
    t.server({
      softdelete_recently_deleted_rows: '10+0x59 30010+0x59 10+0x121',
      softdelete_deleted_rows: '10000+0x59 40000+0x181',
      softdelete_total_rows: '100000+0x59 130000+0x181',
    }),
    {},
  ),

  case(
    'an import of many rows, deleted ones among them',
    t.server({
      softdelete_deleted_rows: '10000+0x59 60000+0x181',
      softdelete_active_rows: '90000+0x59 590000+0x181',
      softdelete_total_rows: '100000+0x59 650000+0x181',
    }),
    {},
  ),

  case(
    'somebody deletes a third of a table',
    t.server({
      softdelete_recently_deleted_rows: '10+0x59 33010+0x59 10+0x121',
      softdelete_deleted_rows: '10000+0x59 43000+0x181',
      softdelete_active_rows: '90000+0x59 57000+0x181',
      softdelete_deletion_ratio: '0.1+0x59 0.43+0x181',
    }),
    {
      '60': [ofTable('SoftDeleteBulkDelete')],
      '120': [ofTable('SoftDeleteBulkDelete'), ofTable('SoftDeleteRatioElevated')],
      '140': [ofTable('SoftDeleteRatioElevated')],
    },
    [[60, 140]],
  ),

  case(
    'an index lets live duplicates in, beside other findings on the table',
    t.server({
      'softdelete_index_problem orders_email_key unique_allows_live_duplicates': all(1),
      'softdelete_index_problem orders_flag_idx plain_flag': all(1),
      'softdelete_index_present purge': all(0),
    }),
    {
      '15': [ofTable('SoftDeleteLiveDuplicatesPossible', { problem: 'unique_allows_live_duplicates' })],
      '100': [
        ofTable('SoftDeleteLiveDuplicatesPossible', { problem: 'unique_allows_live_duplicates' }),
        ofTable('SoftDeleteIndexMissing', { purpose: 'purge' }),
      ],
    },
    [[15, 100]],
  ),
]
