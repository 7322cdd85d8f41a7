// The problems of indexes that have an alert.
local alerts = {
  invalid: 'SoftDeleteIndexInvalid',
  unique_allows_live_duplicates: 'SoftDeleteLiveDuplicatesPossible',
  unique_ignores_deleted: 'SoftDeleteUniqueIgnoresDeleted',
};

// The problems whose alerts are enabled. If none is enabled, nothing is selected.
function(config) [problem for problem in std.objectFields(alerts) if config.alerts[alerts[problem]].enabled]
