// Everything that a user of the mixin may want to change. The health limits themselves are in thresholds.json,
// because the exporter's report reads them too; the reasons for them are given here.
local limits = import 'lib/limits.libsonnet';

// Times are in seconds.
local minute = 60;
local hour = 60 * minute;
local day = 24 * hour;

{
  _config+:: {
    // The jobs that scrape the exporter, including probes. Every selector of every rule has this matcher.
    selector: 'job=~"softdelete.*"',

    // Labels that distinguish one Prometheus or cluster from another. Joins match on them, and no aggregation
    // removes them. A label that no series has does no harm.
    clusterLabels: ['cluster'],

    // One JSON document of the shape of thresholds.json that contains only the differences: the same file that
    // the exporter's `thresholds_file` names.
    thresholdOverrides: {},

    // response_ms.slow 100: a SELECT 1 on an open connection takes 1 ms; at 100
    //   the server or the network has a problem.
    // deletion_ratio.fair 0.25, .poor 0.5: at a quarter, reading live rows costs
    //   1.3 times as much as without deleted rows; at a half, twice as much.
    // old_deleted_rows.fair 1000, .poor 10000: rows past retention break a
    //   promise, but it is normal that a purge lags somewhat.
    // bulk_rows 10000: more than that within the recent window is a job or an
    //   accident, not people deleting single rows.
    // alert_min_rows 1000: a smaller table fits into a few blocks, so its ratio
    //   costs nothing. For alerts only; verdicts have no minimum.
    // stale_after_ttls 3: one refresh may fail and one may run long.
    thresholds: limits.merged(import 'thresholds.json', self.thresholdOverrides),

    times: {
      // How far back a rule looks for the last sample, so that missed scrapes
      // do not restart a `for`. Five scrapes of two minutes.
      bridge: 10 * minute,
      // How long a firing alert outlives its condition, so that it does not
      // resolve and fire again around a limit.
      keepFiring: 10 * minute,
      // How often the purge of deleted rows runs. It is normal that old rows accumulate between two runs.
      purgePeriod: day,
      // How late a purge may start or end before an alert fires.
      purgeGrace: hour,
      // The exporter's `recent_window`.
      recentWindow: hour,
      // Averaged, because a single slow answer does not mean that the database is slow.
      responseAverage: 5 * minute,
      // RatioPredicted: how much history it uses, and how far ahead it looks.
      predictHistory: day,
      predictAhead: 7 * day,
    },

    // severity says how soon a person is needed: critical now, warning today, info when there is time. It is
    // not the health code. `for` is in seconds.
    alerts: {
      // Two minutes outlast one failed ping and a quick failover.
      SoftDeleteDatabaseDown: { enabled: true, severity: 'critical', 'for': 2 * minute },
      // In addition to the average's five minutes: slow for a quarter of an hour.
      SoftDeleteDatabaseSlow: { enabled: true, severity: 'warning', 'for': 10 * minute },

      // An hour outlasts a batch job that deletes first and purges afterwards.
      SoftDeleteRatioHigh: { enabled: true, severity: 'warning', 'for': hour },
      SoftDeleteRatioElevated: { enabled: true, severity: 'info', 'for': hour },
      // A whole period plus its grace: the purge should have run once, whatever the time of day at which the
      // limit was crossed.
      SoftDeleteOldRowsHigh: { enabled: true, severity: 'warning', 'for': purgeFor },
      SoftDeleteOldRowsElevated: { enabled: true, severity: 'info', 'for': purgeFor },
      SoftDeletePurgeStalled: { enabled: true, severity: 'warning', 'for': purgeFor },
      // An event, from exact numbers only: there is nothing to wait for.
      SoftDeleteBulkDelete: { enabled: true, severity: 'warning', 'for': 0 },
      // Six failed refreshes. A migration normally releases its lock before that.
      SoftDeleteTableUnreadable: { enabled: true, severity: 'warning', 'for': 30 * minute },
      // In addition to three ttl: the first scrapes after a gap show old numbers.
      SoftDeleteNumbersStale: { enabled: true, severity: 'warning', 'for': 10 * minute },

      // Facts from the catalogs do not fluctuate; two refreshes confirm them.
      SoftDeleteLiveDuplicatesPossible: { enabled: true, severity: 'warning', 'for': 15 * minute },
      SoftDeleteIndexMissing: { enabled: true, severity: 'info', 'for': hour },
      // An index under CREATE INDEX CONCURRENTLY is invalid until it is built.
      SoftDeleteIndexInvalid: { enabled: true, severity: 'info', 'for': 6 * hour },

      // Longer than `bridge`, so that Prometheus forgets a target that was removed while it was down before the
      // alert fires.
      SoftDeleteExporterDown: { enabled: true, severity: 'warning', 'for': 15 * minute },
      // A monitor that sees nothing must report it.
      SoftDeleteCheckFailing: { enabled: true, severity: 'warning', 'for': 30 * minute },

      // Off by default: often intended (a deleted user's address stays reserved).
      SoftDeleteUniqueIgnoresDeleted: { enabled: false, severity: 'info', 'for': hour },
      // Off by default: a bulk restore usually repairs a bulk delete.
      SoftDeleteBulkRestore: { enabled: false, severity: 'warning', 'for': 0 },
      // Off by default: a straight line does not predict batch jobs well.
      SoftDeleteRatioPredicted: { enabled: false, severity: 'info', 'for': 6 * hour },
      // Off by default: it makes sense only if every Prometheus has an exporter.
      SoftDeleteExporterAbsent: { enabled: false, severity: 'warning', 'for': 15 * minute },
    },

    local purgeFor = self.times.purgePeriod + self.times.purgeGrace,

    // Labels added to every alert, for routing.
    alertLabels: {},

    // The alert's name in lower case is appended: the anchor of its section on GitHub.
    runbookURL: 'https://github.com/softdelete-exporter/softdelete_exporter/blob/main/mixin/runbook.md#',

    // The address of the exporter's own report, for a link on the dashboards. The report covers the server of
    // the exporter's connection string. Probed servers have none; '' means no link.
    reportURL: 'http://${instance}/report',

    dashboards: {
      tags: ['softdelete'],
      refresh: '1m',
      from: 'now-24h',
      // Shows a variable for each of clusterLabels.
      showMultiCluster: false,
    },
  },
}
