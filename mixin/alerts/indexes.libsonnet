// Do the indexes of a table suit soft delete?
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
      'the nullable deletion marker is a column of a unique index',
      'A unique index allows duplicates among the live rows.',
      index + ' is unique, but the nullable deletion marker is one of its columns: live rows with the same key do not conflict.',
    ),

    a.ofTable(
      'SoftDeleteIndexMissing',
      p.recently('index_missing', ['purpose']),
      'an index that would help is missing',
      'An index that would help is missing.',
      a.table
      + ' has no index for {{ if eq $labels.purpose "purge" }}the purge of old deleted rows{{ else if eq $labels.purpose "live_rows" }}reading live rows{{ else }}{{ $labels.purpose }}{{ end }}, and one would help. The report of that server (`softdelete_exporter report`) has the statement.',
    ),

    a.ofTable(
      'SoftDeleteIndexInvalid',
      problem('invalid'),
      'an index is invalid',
      'An index is invalid.',
      index + ' is invalid: it costs every write, and no query can use it. A CREATE INDEX CONCURRENTLY has probably failed.',
    ),

    a.ofTable(
      'SoftDeleteUniqueIgnoresDeleted',
      problem('unique_ignores_deleted'),
      'a unique index counts deleted rows',
      'A unique index counts soft-deleted rows.',
      index + ' is unique over deleted rows too: a deleted row still blocks its key.',
    ),
  ]
