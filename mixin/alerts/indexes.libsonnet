// Do the indexes fit a table that soft-deletes?
local alerts = import '../lib/alert.libsonnet';
local promql = import '../lib/promql.libsonnet';

function(config)
  local p = promql.new(config);
  local a = alerts.new(config);
  local problem(name) = p.recently('index_problem', ['indexrelname', 'problem'], 'problem="%s"' % name);
  local index = 'Index {{ $labels.indexrelname }} of ' + a.table;
  [
    a.ofTable(
      'SoftDeleteLiveDuplicatesPossible',
      problem('unique_allows_live_duplicates'),
      'a unique index has the nullable marker among its columns',
      'A unique index lets duplicates of live rows in.',
      index + ' is unique, but its nullable deletion marker is one of its columns: live rows with the same key do not conflict.',
    ),

    a.ofTable(
      'SoftDeleteIndexMissing',
      p.recently('index_missing', ['purpose']),
      'an index that would pay is missing',
      'An index that would pay is missing.',
      'On ' + a.table
      + ' an index for {{ if eq $labels.purpose "purge" }}the purge of old deleted rows{{ else if eq $labels.purpose "live_rows" }}reading live rows{{ else }}{{ $labels.purpose }}{{ end }} would pay, and there is none. The report of that server (`softdelete_exporter report`) has the statement.',
    ),

    a.ofTable(
      'SoftDeleteIndexInvalid',
      problem('invalid'),
      'an index is invalid',
      'An index is invalid.',
      index + ' is invalid: it is written to and never read. A CREATE INDEX CONCURRENTLY has probably failed.',
    ),

    a.ofTable(
      'SoftDeleteUniqueIgnoresDeleted',
      problem('unique_ignores_deleted'),
      'a unique index counts deleted rows',
      'A unique index counts soft-deleted rows.',
      index + ' is unique over deleted rows too: a deleted row keeps its key taken.',
    ),
  ]
