// Is the exporter up, and does it see anything?
local alerts = import '../lib/alert.libsonnet';
local promql = import '../lib/promql.libsonnet';

// In the order in which the exporter makes these checks. If one fails, the following ones fail, too.
local checks = {
  connect: 'the exporter cannot connect to it, and its tables are not watched',
  discovery: 'the exporter cannot discover its tables, and new ones are not watched',
  counting: 'the exporter does not come to the end of its tables',
  indexes: 'the exporter does not read its indexes',
};
local order = ['connect', 'discovery', 'counting', 'indexes'];

function(config)
  local p = promql.new(config);
  local a = alerts.new(config);
  local times = config.times;
  local limits = config.thresholds;
  local clock = p.series('softdelete_exporter_time_seconds');
  local held(name) = promql.duration(config.alerts[name]['for']);
  [
    // A target that was removed from the configuration is forgotten at once, with its series.
    a.alert(
      'SoftDeleteExporterDown',
      '%s == 0' % p.ofServer('up'),
      'the scrape fails',
      'The exporter cannot be scraped.',
      'The scrape of ' + a.server + ' has failed for %s: nothing is known about its database.'
                                    % held('SoftDeleteExporterDown'),
    ),

    a.alert(
      'SoftDeleteScrapesFailing',
      p.failing('up', 'SoftDeleteScrapesFailing', 'SoftDeleteExporterDown'),
      'at least %s of the scrapes of %s failed' % [alerts.percent(limits.failed_share), promql.duration(times.failing)],
      'The exporter cannot always be scraped.',
      'Of the scrapes of ' + a.server + ' in the last %s {{ $value | humanizePercentage }} have failed; the limit is %s.'
                                        % [promql.duration(times.failing), alerts.percent(limits.failed_share)],
    ),

    // Only the first check that fails has an alert. If the database is down, all of them fail, and that has its own
    // alert.
    a.alert(
      'SoftDeleteCheckFailing',
      promql.parens(std.join('\nor %s ' % p.on(p.databaseLabels), [
        '%s == 0' % p.by(p.databaseLabels + ['check'], p.last('softdelete_exporter_check_success', 'check="%s"' % check))
        for check in order
      ])) + '\nunless %s %s == 0' % [p.on(p.serverLabels), p.by(p.serverLabels, p.last('db_up'))],
      'the exporter cannot connect to a database, discover its tables, count them all, or read its indexes',
      'The exporter does not see all of a database.',
      'For %s the check {{ $labels.check }} of ' % held('SoftDeleteCheckFailing') + a.database
      + ' has failed, though the server answers: {{ if ' + std.join('{{ else if ', [
        'eq $labels.check "%s" }}%s' % [check, checks[check]]
        for check in order
      ]) + '{{ end }}.',
    ),

    a.alert(
      'SoftDeleteReloadFailed',
      '%s == 0' % p.by(p.serverLabels, p.last('softdelete_exporter_config_last_reload_successful')),
      'the last reload of the configuration failed',
      'The exporter could not load its changed configuration.',
      'The last reload of the configuration of the exporter at ' + a.server
      + ' failed: it goes on with the one before, and would not start with the new one. Its log says what is wrong.',
    ),

    a.alert(
      'SoftDeleteClockSkewed',
      'abs(%s)\n> %s' % [p.by(p.serverLabels, '%s - timestamp(%s)' % [clock, clock]), promql.number(limits.clock_skew_seconds)],
      "the exporter's clock is more than %s away from Prometheus's" % promql.duration(limits.clock_skew_seconds),
      "The exporter's clock and that of Prometheus differ.",
      'The clock of the exporter at ' + a.server + ' and that of Prometheus are {{ $value | humanizeDuration }} apart; the limit is %s.'
                                                   % promql.duration(limits.clock_skew_seconds),
    ),

    a.alert(
      'SoftDeleteConnectionsEvicted',
      p.by(p.serverLabels, 'increase(%s[%s])' % [p.series('softdelete_exporter_connections_evicted_total'), promql.duration(times.failing)], 'sum') + ' > 0',
      'connections are closed to make room for others',
      'The exporter has more targets than connections.',
      'The exporter at ' + a.server + ' closed {{ printf "%%.0f" $value }} connections within %s to make room for others: it has more targets than limits.connections has room for, and has to connect anew for their scrapes.'
                                      % promql.duration(times.failing),
    ),

    a.alert(
      'SoftDeleteExporterAbsent',
      'absent_over_time(%s[%s])' % [p.series('up'), promql.duration(times.bridge)],
      'no exporter is a target',
      'No exporter is a target of this Prometheus.',
      'Prometheus%s has had no target%s for %s.' % [
        a.cluster,
        if config.selector == '' then '' else ' with ' + config.selector,
        held('SoftDeleteExporterAbsent'),
      ],
    ),
  ]
