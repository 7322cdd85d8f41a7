// A target's own labels, and pods that are replaced.
local t = import '../promtool.libsonnet';

// pod is a target with the labels of the Prometheus operator. Its service is not the service of the table.
local pod(name, over, layout, before=0, every=1) = t.server(over, layout, before, every, {
  pod: name,
  service: 'softdelete-exporter',
  namespace: 'monitoring',
  container: 'exporter',
  endpoint: 'http',
});

local about(alert) = t.orders { alertname: alert, service: 'checkout' };
local ratio = [about('SoftDeleteRatioHigh'), about('SoftDeleteRatioElevated')];
local high(before, layout) = {
  softdelete_deletion_ratio: (if before == 0 then '' else '_x%d ' % before) + t.scraped(0.6, layout),
};

// replaced is a pod that another pod replaces at these minutes.
local replaced(until, from) =
  pod('a', high(0, [until, 1]), [until, 1])
  + pod('b', high(from, [200 - from]), [200 - from], from);

// A day is an hour here, as in purge.libsonnet. A purge is overdue after 185 minutes.
local day = 60;
[
  t.test(
    'a healthy table of a target with labels of its own is quiet',
    pod('a', {}, [200]),
    [t.exactly(m, []) for m in [10, 60, 120]],
  ),

  t.test(
    "the service of an alert is the table's",
    pod('a', high(0, [200]), [200]),
    [t.exactly(59, []), t.exactly(60, ratio)],
  ),

  t.test(
    'a pod that is replaced does not restart the for, and resolves nothing',
    replaced(40, 42),
    [t.exactly(59, []), t.exactly(60, ratio), t.exactly(100, ratio)],
  ),

  t.test(
    'two pods of one server, while one takes the place of the other, are one',
    replaced(45, 42),
    [
      t.exactly(44, []),
      t.exactly(59, []),
      t.exactly(60, ratio),
      t.exactly(100, ratio),
    ],
  ),

  t.test(
    'a purge that does not come has one cause, and one alert',
    pod('a', { softdelete_old_deleted_rows: t.scraped(20000, [300]), softdelete_oldest_deleted_timestamp_seconds: t.scraped(-90 * 86400, [300]) }, [300]),
    [t.exactly(183, []), t.exactly(192, [about('SoftDeletePurgeOverdue')]), t.exactly(290, [about('SoftDeletePurgeOverdue')])],
  ),

  t.test(
    'a pod that is replaced every day hides nothing that takes days',
    std.flattenArrays([
      local layout = [day - 2, 2];
      pod('pod-%d' % d, {
        softdelete_old_deleted_rows: (if d == 0 then '' else '_x%d ' % (d * day)) + t.scraped(20000, layout),
        softdelete_oldest_deleted_timestamp_seconds: null,
      }, layout, d * day)
      for d in std.range(0, 4)
    ]),
    local overdue = [about('SoftDeletePurgeOverdue'), about('SoftDeleteOldRowsElevated')];
    [t.exactly(183, []), t.exactly(192, overdue), t.exactly(290, overdue)],
  ),
]
