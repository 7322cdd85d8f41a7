// Everything that a user of the mixin may want to change. The health limits themselves are in thresholds.json,
// because the exporter's report reads them too; the reasons for them are given here.
local limits = import 'lib/limits.libsonnet';

{
  _config+:: {
    // Which jobs scrape the exporter, including its probes. Every rule about targets uses it. '' selects all
    // targets; use that if Prometheus has no others.
    selector: 'job=~"softdelete.*"',

    // The labels that identify a series: those of the Prometheus or cluster, and those of the server; labels of
    // tables are added. All joins match on them. Other labels of a target (a pod, an address) do not reach an
    // alert, because they can change while the server stays the same. If `instance` is the address of a pod,
    // relabel it, as examples/kubernetes does. A label that no series has does no harm. Texts name the server by
    // the last of serverLabels.
    clusterLabels: ['cluster'],
    serverLabels: ['job', 'instance'],

    // One JSON document of the shape of thresholds.json that contains only the differences: the same file that
    // the exporter's `thresholds_file` names.
    thresholdOverrides: {},

    // response_ms.slow 100: a SELECT 1 on an open connection takes 1 ms; at 100
    //   the server or the network has a problem.
    // failed_share 0.25: of the pings, or of the scrapes, in a quarter of an hour. A few failures come from the
    //   network; one in four is a fault.
    // deletion_ratio.fair 0.25, .poor 0.5: at a quarter, reading live rows costs
    //   1.3 times as much as without deleted rows; at a half, twice as much.
    // deletion_ratio.min_rows 0: small tables have verdicts, too.
    // old_deleted_rows.fair 1000, .poor 10000: rows past retention break a
    //   promise, but it is normal that a purge is a little late.
    // purge_period_seconds 1 day: how often the purge of deleted rows runs. It is normal that rows pass their
    //   retention between two purges.
    // purge_grace_seconds 26 hours: a purge may be a day late and run for two hours. Together with the day of the
    //   alert's `for`, a weekend without a purge causes no alert.
    // bulk_rows 10000: more than that within the recent window is a job or an
    //   accident, not people deleting single rows.
    // bulk_share 0.01: of all rows. Deleting a smaller share of a table is normal.
    // bulk_times_usual 2: times the largest number of the last eight days. Regular jobs stay below that, and
    //   accidents do not.
    // alert_min_rows 1000: a smaller table fits into a few blocks, so no ratio of it
    //   costs anything. This applies only to alerts on ratios; old rows have no minimum.
    // release_share 0.9: of a limit. A firing alert ends only below that, so that a number that moves around its
    //   limit causes one notification.
    // stale_after_ttls 3: one refresh may fail and one may run long.
    // waiting_after_ttls 12: an hour by default. Tables beyond the budget get their turn in one of the next
    //   refreshes.
    // clock_skew_seconds 60: more than the longest scrape, and enough to make times misleading.
    thresholds: limits.merged(import 'thresholds.json', self.thresholdOverrides),

    // Seconds, or durations as Prometheus writes them.
    times: {
      // How far back a rule looks for the last sample, so that missed scrapes
      // do not restart a `for`. Five scrapes of two minutes.
      bridge: '10m',
      // How long a firing alert outlives its condition, so that it does not
      // resolve and fire again around a limit.
      keepFiring: '10m',
      // DatabaseDown: longer than one failed ping, and than a fast failover. It must contain two pings; if it
      // does not, `downSlow` is used.
      down: '2m',
      downSlow: '5m',
      // PingsFailing and ScrapesFailing: the time for which they compute the share.
      failing: '15m',
      // DatabaseSlow: a single slow answer does not matter.
      responseMedian: '5m',
      // The exporter's `recent_window`.
      recentWindow: '1h',
      // BulkDelete: the usual number is the highest of these days, so that a weekly job is usual. The last
      // hours are left out, because they are compared with it.
      bulkUsual: '8d',
      bulkNow: '2h',
      // RatioPredicted: how much history it uses, and how far ahead it looks.
      predictHistory: '1d',
      predictAhead: '7d',
    },

    // severity says how soon a person is needed: critical now, warning today, info when there is time. It is not
    // the health code. `for` is a duration.
    alerts: {
      // The condition is about two minutes itself.
      SoftDeleteDatabaseDown: { enabled: true, severity: 'critical', 'for': 0 },
      // The first pings of a server that is being started may fail.
      SoftDeletePingsFailing: { enabled: true, severity: 'warning', 'for': '5m' },
      // On top of the median's five minutes: slow for a quarter of an hour.
      SoftDeleteDatabaseSlow: { enabled: true, severity: 'warning', 'for': '10m' },

      // An hour outlasts a batch job that deletes first and purges afterwards.
      SoftDeleteRatioHigh: { enabled: true, severity: 'warning', 'for': '1h' },
      SoftDeleteRatioElevated: { enabled: true, severity: 'info', 'for': '1h' },
      // Old rows from an import or a restore can be removed by the next purge before the alert fires, and a
      // purge that runs on weekdays has until Monday.
      SoftDeletePurgeOverdue: { enabled: true, severity: 'warning', 'for': '1d' },
      SoftDeleteOldRowsElevated: { enabled: true, severity: 'info', 'for': '1d' },
      // An event, from exact numbers only: there is nothing to wait for.
      SoftDeleteBulkDelete: { enabled: true, severity: 'warning', 'for': 0 },

      // Six failed refreshes. A migration normally releases its lock before that.
      SoftDeleteTableUnreadable: { enabled: true, severity: 'warning', 'for': '30m' },
      // In addition to three ttl: the first scrapes after a gap show old numbers.
      SoftDeleteNumbersStale: { enabled: true, severity: 'warning', 'for': '10m' },
      // Tables that were never counted have no age, so they wait for this hour.
      SoftDeleteTablesWaiting: { enabled: true, severity: 'warning', 'for': '1h' },
      // Settings do not fluctuate; they take effect within a refresh or two.
      SoftDeleteTablesSkipped: { enabled: true, severity: 'warning', 'for': '30m' },
      SoftDeleteNothingWatched: { enabled: true, severity: 'warning', 'for': '1h' },

      // Facts from the catalogs do not fluctuate; two refreshes confirm them.
      SoftDeleteLiveDuplicatesPossible: { enabled: true, severity: 'warning', 'for': '15m' },
      SoftDeleteIndexMissing: { enabled: true, severity: 'info', 'for': '1h' },
      // An index under CREATE INDEX CONCURRENTLY is invalid until it is built.
      SoftDeleteIndexInvalid: { enabled: true, severity: 'info', 'for': '6h' },

      // Long enough for a node to be drained and an image to be fetched.
      SoftDeleteExporterDown: { enabled: true, severity: 'warning', 'for': '15m' },
      // A restart of a few minutes stays within the share for that time.
      SoftDeleteScrapesFailing: { enabled: true, severity: 'warning', 'for': '15m' },
      // A monitor that sees nothing must report it.
      SoftDeleteCheckFailing: { enabled: true, severity: 'warning', 'for': '30m' },
      // Time to correct a mistake before anybody is notified.
      SoftDeleteReloadFailed: { enabled: true, severity: 'warning', 'for': '5m' },
      // The clock is usually synchronized by then.
      SoftDeleteClockSkewed: { enabled: true, severity: 'warning', 'for': '10m' },
      // A burst of new targets is over by then.
      SoftDeleteConnectionsEvicted: { enabled: true, severity: 'info', 'for': '1h' },
      SoftDeleteExporterAbsent: { enabled: true, severity: 'warning', 'for': '15m' },

      // Off by default: often intended (a deleted user's address stays reserved).
      SoftDeleteUniqueIgnoresDeleted: { enabled: false, severity: 'info', 'for': '1h' },
      // Off by default: a bulk restore usually repairs a bulk delete.
      SoftDeleteBulkRestore: { enabled: false, severity: 'warning', 'for': 0 },
      // Off by default: a straight line does not predict batch jobs well.
      SoftDeleteRatioPredicted: { enabled: false, severity: 'info', 'for': '6h' },
    },

    // Labels added to every alert, for routing.
    alertLabels: {},

    // The alert's name in lower case is appended: the anchor of its section on GitHub.
    runbookURL: 'https://github.com/softdelete-exporter/softdelete_exporter/blob/main/mixin/runbook.md#',

    // The address of the report of a server, for links on the dashboards; '' means no link. ${instance} and the other
    // labels of the server stand for their values. The default is right for the server of the exporter's connection
    // string. For probed servers, name the exporter and the target:
    // 'http://exporter:10862/report?target=${instance:percentencode}&auth_module=main'.
    reportURL: 'http://${instance}/report',

    dashboards: {
      // What the titles begin with.
      prefix: 'Soft delete / ',
      // The folder, for tools that read the mixin's grafanaDashboardFolder.
      folder: 'Soft delete',
      tags: ['softdelete'],
      refresh: '1m',
      from: 'now-24h',
      // 'browser', 'utc', or a name such as 'Europe/Berlin'.
      timezone: 'browser',
      // The path under which Grafana is served, such as '/grafana', if it has one.
      path: '',
      // Shows a variable for each of clusterLabels.
      showMultiCluster: false,
    },
  },
}
