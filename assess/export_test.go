package assess

// AssessWith is Assess for tests that say what is to be said of the indexes.
var AssessWith = assess
