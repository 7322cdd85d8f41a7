// Is the exporter up, and does it see anything?
local alerts = import '../lib/alert.libsonnet';
local promql = import '../lib/promql.libsonnet';

function(config)
  local p = promql.new(config);
  local a = alerts.new(config);
  [
    a.alert(
      'SoftDeleteExporterDown',
      '%s == 0' % p.last('up'),
      'the scrape fails',
      'The exporter cannot be scraped.',
      'The scrape of {{ $labels.job }} at {{ $labels.instance }} has failed for %s: nothing is known about its database.'
      % promql.duration(config.alerts.SoftDeleteExporterDown['for']),
    ),

    // The other checks fail per table, and tables have their own alerts. A database that is down fails every
    // check, and it has its own alert, too.
    a.alert(
      'SoftDeleteCheckFailing',
      '%s == 0\nunless %s %s == 0' % [
        p.last('softdelete_exporter_check_success', 'check=~"connect|discovery"'),
        p.on(p.instanceLabels),
        p.last('db_up'),
      ],
      'the exporter cannot discover tables',
      'The exporter cannot look into a database.',
      'The server behind {{ $labels.instance }} answers, but the check {{ $labels.check }} of database {{ $labels.datname }} has failed for %s: its tables are not watched.'
      % promql.duration(config.alerts.SoftDeleteCheckFailing['for']),
    ),

    a.alert(
      'SoftDeleteExporterAbsent',
      'absent_over_time(%s[%s])' % [p.series('up'), promql.duration(config.times.bridge)],
      'no exporter is a target',
      'No exporter is a target of this Prometheus.',
      'Prometheus has had no target with %s for %s.'
      % [config.selector, promql.duration(config.alerts.SoftDeleteExporterAbsent['for'])],
    ),
  ]
