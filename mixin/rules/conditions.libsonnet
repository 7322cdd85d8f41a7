// The problems of tables: one series for each table and condition that is true, and none for healthy tables. Alerts
// use these few series, so that the many series of all tables are read only once, and only their last sample.
//
//   now    what the last scrape says
//   held   the same, and for `bridge` longer while the table's numbers are missing, as
//          they are when a scrape fails and when the exporter is restarted
//   since  when a condition of held began
local promql = import '../lib/promql.libsonnet';

function(config)
  local p = promql.new(config);
  local thresholds = config.thresholds;
  local bridge = promql.duration(config.times.bridge);
  local ofTable = p.ofTable;
  local read(metric) = function(matchers) ofTable(metric, matchers);
  local all(conditions) = promql.parens(std.join('\nand ', conditions));

  local now(name, expr) = {
    record: 'table:softdelete_condition:now',
    labels: { condition: name },
    expr: p.withService(expr),
  };

  // A sampled number is compared with a limit after its margin has been subtracted. These expressions return that.
  // They exist from release_share of the limit on, before the margin is subtracted, so that a firing alert ends only
  // below that. A number without a margin, from statistics, could be wrong by any amount, so it never fires an alert.
  local near(metric, limit) = [
    ofTable(metric) + ' - ' + ofTable(metric + '_margin'),
    ofTable(metric) + ' > ' + limit,
  ];

  local ratio(level) = now('ratio_' + level, all(
    near('softdelete_deletion_ratio', p.limit(['deletion_ratio', level], read('softdelete_deletion_ratio'), thresholds.release_share))
    + [p.bigEnough(level)]
  ));

  local oldest = 'softdelete_oldest_deleted_timestamp_seconds';
  local retention = 'softdelete_retention_seconds';

  // The number of rows is used if the age of the oldest is not known exactly, because it may then be older than
  // the sample shows, and if a table has a limit of its own.
  local old(level) =
    local path = ['old_deleted_rows', level];
    local own = p.ownTables(path);
    local aged = std.join(' unless ', ['%s and %s' % [ofTable(oldest), ofTable(retention)]] + [ofTable(retention, m) for m in own]);
    now('old_' + level, promql.parens(
      std.join('\nand ', near('softdelete_old_deleted_rows', p.limit(path, read('softdelete_old_deleted_rows'), thresholds.release_share)))
      + '\nunless (%s)' % aged
    ));

  // Rows that were deleted within the recent window. If the exporter knows this number, it is used. A difference is
  // smaller after an undelete or a purge, and needs exact numbers at both ends.
  local recent = ofTable('softdelete_recently_deleted_rows');
  local ago = config.times.recentWindow;
  local rose(metric) = '%s - %s' % [ofTable(metric), ofTable(metric, ago=ago)];
  local fell(metric) = '%s - %s' % [ofTable(metric, ago=ago), ofTable(metric)];
  local exact(ago) = ofTable('softdelete_deletion_ratio_margin', ago=ago) + ' == 0';
  local recently = promql.parens('%s\nor %s' % [
    recent,
    all([rose('softdelete_deleted_rows'), exact(0), exact(ago)]),
  ]);

  // The lowest value that a limit can have if it must be a multiple of the usual number.
  local bulkFrom =
    local from(limits) = limits.bulk_rows / std.max(1, limits.bulk_times_usual);
    p.choice(
      function(own) if std.objectHas(own, 'bulk_rows') || std.objectHas(own, 'bulk_times_usual')
      then from(thresholds + own)
      else null,
      from(thresholds),
      read('softdelete_total_rows'),
    );
  // A table's own limit applies whatever share of the table the rows are.
  local bulkShare = p.choice(
    function(own)
      if std.objectHas(own, 'bulk_share') then own.bulk_share
      else if std.objectHas(own, 'bulk_rows') then 0
      else null,
    thresholds.bulk_share,
    read('softdelete_total_rows'),
  );

  // The exporter's clock wrote the time at which a table was checked, so it is also used to compute the age.
  local checked = ofTable('softdelete_checked_timestamp_seconds');
  local age = '-(%s - %s %s)' % [checked, p.joined, p.ofServer('softdelete_exporter_time_seconds')];
  local olderThan(ttls) = promql.parens(
    '%s\nand %s / %s %s > %s' % [age, age, p.joined, p.ofServer('softdelete_exporter_ttl_seconds'), ttls]
  );
  local uncounted = '%s\nunless %s' % [ofTable('softdelete_table_info'), checked];
  local unreadable = 'unless ' + ofTable('softdelete_table_problem');
  local down = 'unless %s %s == 0' % [p.on(p.serverLabels), p.ofServer('db_up')];
  local pending = p.by(p.databaseLabels, p.series('softdelete_exporter_tables', 'state="pending"')) + ' > 0';

  // The conditions that come from numbers are kept while the number is missing. Facts from the catalog are different:
  // they remain until the exporter reports that they have ended, and their alerts look back.
  local numbers = '(ratio|old)_.+|overdue|stale';
  local held(matchers) = 'table:softdelete_condition:held{%s}' % matchers;
  local same = p.tableLabels + ['condition'];
  local since(level) = p.condition('held', 'old_' + level);
  local began(level) =
    '%s > %s' % [since(level), p.limit(['old_deleted_rows', level], function(m) p.condition('held', 'old_' + level, m))];
  [
    ratio('fair'),
    ratio('poor'),
    old('fair'),
    old('poor'),

    now('overdue', promql.parens('%s\n> %s' % [p.overdue, p.purgeTime(read(retention))])),

    // Deleted rows that came with an attached partition leave the active ones as they were.
    now('bulk', promql.parens(std.join('\n', [
      recently,
      '> ' + bulkFrom,
      '> %s * %s' % [bulkShare, ofTable('softdelete_total_rows')],
      '< 2 * (%s)' % fell('softdelete_active_rows'),
    ]))),

    // The exporter drops numbers that are too old to be shown, so a table without numbers has the value -1: it is as
    // stale as possible. A table that waits for its turn is counted below. A table that cannot be read, and a server
    // that is down, have their own alerts. Inhibition would not help there: it ends when the server is back, and at
    // that moment none of its tables has been counted.
    now('stale', promql.parens(std.join('\n', [
      promql.parens('%s\nor %s' % [
        olderThan(p.limit(['stale_after_ttls'], read('softdelete_checked_timestamp_seconds'))),
        '0 * (%s) - 1' % uncounted,
      ]),
      'unless %s %s' % [p.on(p.databaseLabels), pending],
      unreadable,
      down,
    ]))),

    now('unreadable', p.by(p.tableLabels + ['reason'], p.series('softdelete_table_problem'))),
    now('index_missing', promql.parens(p.by(p.tableLabels + ['purpose'], p.series('softdelete_index_present')) + ' == 0')),
    now('index_problem', p.by(
      p.tableLabels + ['indexrelname', 'problem'],
      p.series('softdelete_index_problem', 'problem=~"%s"' % std.join('|', (import '../lib/problems.libsonnet')(config)))
    )),

    {
      record: 'table:softdelete_condition:held',
      expr: |||
        table:softdelete_condition:now{condition=~"%(numbers)s"}
        or %(same)s (
          last_over_time(table:softdelete_condition:now{condition=~"%(numbers)s"}[%(bridge)s])
          unless %(table)s %(checked)s
        )
      ||| % { numbers: numbers, bridge: bridge, same: p.on(same), table: p.on(p.tableLabels), checked: checked },
    },

    // Once it is over the limit, the condition lasts as long as its series. It does not look back, because in a large
    // table many rows pass their retention within minutes after a purge.
    {
      record: 'table:softdelete_condition:since',
      expr: |||
        0 * %(old)s + %(same)s group_left () min by (%(labels)s) (table:softdelete_condition:since{})
        or 0 * (%(fair)s or %(poor)s) + time()
      ||| % {
        old: held('condition=~"old_.+"'),
        same: p.on(same),
        labels: std.join(', ', same),
        fair: began('fair'),
        poor: began('poor'),
      },
    },

    // The tables whose last turn is too long ago, and those that never had a turn.
    {
      record: 'database:softdelete_tables_waiting:count',
      expr: p.by(p.databaseLabels, std.join('\n', [
        promql.parens('%s\nor %s' % [olderThan(promql.number(thresholds.waiting_after_ttls)), uncounted]),
        unreadable,
        down,
      ]), 'count') + '\nand ' + pending,
    },
  ]
