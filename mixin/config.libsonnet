// Everything that a user of the mixin may want to change. The health limits
// themselves stand in thresholds.json, because the exporter's report reads
// them too; their reasons stand here.
local limits = import 'lib/limits.libsonnet';

// Times are in seconds.
local minute = 60;
local hour = 60 * minute;
local day = 24 * hour;

{
  _config+:: {
    // Which jobs scrape the exporter, its probes included. Every selector of
    // every rule carries it.
    selector: 'job=~"softdelete.*"',

    // Labels that tell one Prometheus or cluster from another. Joins match on
    // them and nothing aggregates them away; a label that no series has does
    // no harm.
    clusterLabels: ['cluster'],

    // One JSON document of the shape of thresholds.json, holding only what
    // differs: the same file that the exporter's `thresholds_file` names.
    thresholdOverrides: {},

    // response_ms.slow 100: the reference's "healthy". A SELECT 1 on an open
    //   connection takes 1 ms; at 100 the server or the network is in trouble.
    // deletion_ratio.fair 0.25, .poor 0.5: the reference's. At a quarter, live
    //   rows are read at 1.3 times their cost; at a half, at twice.
    // old_deleted_rows.fair 1000, .poor 10000: the reference's. Rows past
    //   retention are a promise broken; some lag behind a purge is normal.
    // bulk_rows 10000: the reference's. More than that within the recent
    //   window is a job or an accident, not people deleting things.
    // alert_min_rows 1000: below it a table fits into a few blocks and no
    //   ratio of it costs anything. Alerts only; the verdict has no minimum.
    // stale_after_ttls 3: one refresh may fail and one may run long.
    thresholds: limits.merged(import 'thresholds.json', self.thresholdOverrides),

    times: {
      // How far back a rule looks for the last sample, so that missed scrapes
      // do not restart a `for`. Five scrapes of two minutes.
      bridge: 10 * minute,
      // How long a firing alert outlives its condition, so that it does not
      // resolve and fire again around a limit.
      keepFiring: 10 * minute,
      // How often the purge of deleted rows runs: between two of them old rows
      // pile up, and that is no news.
      purgePeriod: day,
      // How late a purge may start or end without anybody being told.
      purgeGrace: hour,
      // The exporter's `recent_window`.
      recentWindow: hour,
      // One slow answer is no slow database.
      responseAverage: 5 * minute,
      // RatioPredicted: how much history, and how far ahead.
      predictHistory: day,
      predictAhead: 7 * day,
    },

    // severity says how soon a person is needed: critical now, warning today,
    // info at leisure. It is not the health code. `for` is in seconds.
    alerts: {
      // Two minutes outlast one failed ping and a failover of the fast kind.
      SoftDeleteDatabaseDown: { enabled: true, severity: 'critical', 'for': 2 * minute },
      // On top of the average's five minutes: slow for a quarter of an hour.
      SoftDeleteDatabaseSlow: { enabled: true, severity: 'warning', 'for': 10 * minute },

      // An hour outlasts a batch job that deletes first and purges after.
      SoftDeleteRatioHigh: { enabled: true, severity: 'warning', 'for': hour },
      SoftDeleteRatioElevated: { enabled: true, severity: 'info', 'for': hour },
      // A whole period and its grace: the purge had its chance, whatever the
      // time of day at which the limit was crossed.
      SoftDeleteOldRowsHigh: { enabled: true, severity: 'warning', 'for': purgeFor },
      SoftDeleteOldRowsElevated: { enabled: true, severity: 'info', 'for': purgeFor },
      SoftDeletePurgeStalled: { enabled: true, severity: 'warning', 'for': purgeFor },
      // An event: exact numbers only, so there is nothing to wait for.
      SoftDeleteBulkDelete: { enabled: true, severity: 'warning', 'for': 0 },
      // Six failed refreshes; a migration's lock is gone by then.
      SoftDeleteTableUnreadable: { enabled: true, severity: 'warning', 'for': 30 * minute },
      // On top of three ttl: the first scrapes after a gap show old numbers.
      SoftDeleteNumbersStale: { enabled: true, severity: 'warning', 'for': 10 * minute },

      // Catalog facts do not flicker; two refreshes make sure.
      SoftDeleteLiveDuplicatesPossible: { enabled: true, severity: 'warning', 'for': 15 * minute },
      SoftDeleteIndexMissing: { enabled: true, severity: 'info', 'for': hour },
      // An index under CREATE INDEX CONCURRENTLY is invalid until it is built.
      SoftDeleteIndexInvalid: { enabled: true, severity: 'info', 'for': 6 * hour },

      // Longer than `bridge`, so that a target that was taken away while it was
      // down is forgotten before the alert fires.
      SoftDeleteExporterDown: { enabled: true, severity: 'warning', 'for': 15 * minute },
      // A monitor that sees nothing must not be silent about it.
      SoftDeleteCheckFailing: { enabled: true, severity: 'warning', 'for': 30 * minute },

      // Off by default: often intended (an address stays taken for ever).
      SoftDeleteUniqueIgnoresDeleted: { enabled: false, severity: 'info', 'for': hour },
      // Off by default: a restore is mostly the cure of a bulk delete.
      SoftDeleteBulkRestore: { enabled: false, severity: 'warning', 'for': 0 },
      // Off by default: a straight line is a poor prophet of batch jobs.
      SoftDeleteRatioPredicted: { enabled: false, severity: 'info', 'for': 6 * hour },
      // Off by default: only meaningful where every Prometheus has an exporter.
      SoftDeleteExporterAbsent: { enabled: false, severity: 'warning', 'for': 15 * minute },
    },

    local purgeFor = self.times.purgePeriod + self.times.purgeGrace,

    // Labels added to every alert, for routing.
    alertLabels: {},

    // The alert's name in lower case is added: GitHub's anchor of its section.
    runbookURL: 'https://github.com/softdelete-exporter/softdelete_exporter/blob/main/mixin/runbook.md#',

    // Where a dashboard's link finds the exporter's own report: that of the server
    // of its connection string. Servers that are probed have none; '' is no link.
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
