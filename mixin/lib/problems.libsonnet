// The problems of an index on which there is an alert.
local alerts = {
  invalid: 'SoftDeleteIndexInvalid',
  unique_allows_live_duplicates: 'SoftDeleteLiveDuplicatesPossible',
  unique_ignores_deleted: 'SoftDeleteUniqueIgnoresDeleted',
};

// The enabled ones; with none enabled nothing is selected.
function(config) [problem for problem in std.objectFields(alerts) if config.alerts[alerts[problem]].enabled]
