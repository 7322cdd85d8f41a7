package assess

// AssessWith is Assess for tests that supply the findings about the indexes.
var AssessWith = assess
