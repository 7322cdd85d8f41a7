package softdelete

// Reason is why a table could not be read, one of a short list.
type Reason string

// The reasons of a problem.
const (
	PermissionDenied Reason = "permission_denied"
	RowSecurity      Reason = "row_security"
	Locked           Reason = "locked"
	TimedOut         Reason = "timeout"
	MarkerMissing    Reason = "marker_missing"
	Unsupported      Reason = "unsupported"
	OtherError       Reason = "error"
)

// Problem is what went wrong with one table, for a person to read.
type Problem struct {
	Reason  Reason
	Message string
}
