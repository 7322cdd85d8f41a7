package conninfo

import (
	"cmp"
	"slices"
	"strings"
)

// Treatment says how a parameter is treated.
type Treatment string

// The treatments.
const (
	Honoured Treatment = "honoured" // it does what it does in libpq
	Dropped  Treatment = "dropped"  // it has no effect here
	Refused  Treatment = "refused"  // it asks for what the exporter cannot give
)

// Parameter is a parameter of libpq, or of related programs.
type Parameter struct {
	// Name is libpq's name, Variable the environment variable; empty if libpq has none.
	Name, Variable string
	Treatment      Treatment
	// Note explains the treatment. For a refused parameter it says what to do.
	Note string
	// Harmless are values of a refused parameter that request nothing; they are dropped.
	Harmless []string

	// values are all allowed values; nil if any value that valid accepts is allowed.
	values []string
	valid  func(string) error
	secret bool
	// unsaid is the value that tells a driver that the parameter is not set.
	unsaid string
	// ours marks a parameter that the exporter handles itself, so the driver need not see it.
	ours bool
	// bound marks a parameter that belongs to one server; it does not apply to probed servers.
	bound bool
}

// serverSettings says where other settings belong.
const serverSettings = "put settings of the server into options, as in -c name=value, and remove those of a driver"

var (
	versions  = []string{"TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"}
	protocols = []string{"3.0", "3.2", "latest"}
)

// Notes of more than one parameter.
const (
	ourName    = "every session is called softdelete_exporter"
	byDeadline = "every query has its own deadline"
	noGSSAPI   = "there is no GSSAPI"
	noOAuth    = "there is no OAuth; use a password or a certificate"
	noKeys     = "give the password instead"
)

// parameters are those of libpq up to PostgreSQL 18 (its documentation, "Parameter Key
// Words"), roughly in its order.
var parameters = []Parameter{
	{Name: "host", Variable: "PGHOST", Treatment: Honoured,
		Note: "several are tried in order, each with a share of the remaining time", valid: validHosts, bound: true},
	{Name: "hostaddr", Variable: "PGHOSTADDR", Treatment: Honoured, valid: validAddresses, ours: true, bound: true},
	{Name: "port", Variable: "PGPORT", Treatment: Honoured, valid: validPorts, bound: true},
	{Name: "dbname", Variable: "PGDATABASE", Treatment: Honoured, valid: validDatabase, bound: true},
	{Name: "user", Variable: "PGUSER", Treatment: Honoured, bound: true},
	{Name: "password", Variable: "PGPASSWORD", Treatment: Honoured, valid: anything, secret: true, bound: true},
	{Name: "passfile", Variable: "PGPASSFILE", Treatment: Honoured, Note: "each host has its own password there"},
	{Name: "require_auth", Variable: "PGREQUIREAUTH", Treatment: Honoured, valid: validMethods},
	{Name: "channel_binding", Variable: "PGCHANNELBINDING", Treatment: Honoured,
		values: []string{"disable", "prefer", "require"}},
	{Name: "connect_timeout", Variable: "PGCONNECT_TIMEOUT", Treatment: Honoured,
		Note: "it limits the share of each host further", valid: validSeconds, ours: true},
	{Name: "client_encoding", Variable: "PGCLIENTENCODING", Treatment: Dropped, Note: "the exporter uses UTF-8"},
	{Name: "options", Variable: "PGOPTIONS", Treatment: Honoured,
		Note: "PgBouncer refuses it, unless it is told to ignore it", bound: true},
	{Name: "application_name", Variable: "PGAPPNAME", Treatment: Dropped, Note: ourName},
	{Name: "fallback_application_name", Treatment: Dropped, Note: ourName},
	{Name: "keepalives", Treatment: Dropped, Note: byDeadline},
	{Name: "keepalives_idle", Treatment: Dropped, Note: byDeadline},
	{Name: "keepalives_interval", Treatment: Dropped, Note: byDeadline},
	{Name: "keepalives_count", Treatment: Dropped, Note: byDeadline},
	{Name: "tcp_user_timeout", Treatment: Dropped, Note: byDeadline},
	{Name: "replication", Treatment: Refused, Harmless: []string{"false", "off", "no", "0"},
		Note: "remove it; the exporter is not a standby"},
	{Name: "gssencmode", Variable: "PGGSSENCMODE", Treatment: Refused, Harmless: []string{"disable", "prefer"},
		Note: "there is no GSSAPI; write disable, and sslmode=verify-full for encryption"},
	{Name: "sslmode", Variable: "PGSSLMODE", Treatment: Honoured,
		values: []string{"disable", "allow", "prefer", "require", "verify-ca", "verify-full"}},
	{Name: "sslnegotiation", Variable: "PGSSLNEGOTIATION", Treatment: Honoured,
		values: []string{"postgres", "direct"}},
	{Name: "sslcompression", Variable: "PGSSLCOMPRESSION", Treatment: Dropped, Note: "compression is not supported"},
	{Name: "sslcert", Variable: "PGSSLCERT", Treatment: Honoured},
	{Name: "sslkey", Variable: "PGSSLKEY", Treatment: Honoured},
	{Name: "sslkeylogfile", Treatment: Refused, Note: "remove it; the exporter writes no keys"},
	{Name: "sslpassword", Variable: "PGSSLPASSWORD", Treatment: Honoured, valid: anything, secret: true},
	{Name: "sslcertmode", Variable: "PGSSLCERTMODE", Treatment: Honoured, unsaid: "allow",
		values: []string{"disable", "allow", "require"}},
	{Name: "sslrootcert", Variable: "PGSSLROOTCERT", Treatment: Honoured},
	{Name: "sslcrl", Variable: "PGSSLCRL", Treatment: Refused,
		Note: "remove it; revocation lists are not read, not even ~/.postgresql/root.crl"},
	{Name: "sslcrldir", Variable: "PGSSLCRLDIR", Treatment: Refused,
		Note: "remove it; revocation lists are not read"},
	{Name: "sslsni", Variable: "PGSSLSNI", Treatment: Honoured, values: []string{"0", "1"}},
	{Name: "requirepeer", Variable: "PGREQUIREPEER", Treatment: Refused,
		Note: "remove it; put the socket into a directory that only its owner can write to"},
	{Name: "ssl_min_protocol_version", Variable: "PGSSLMINPROTOCOLVERSION", Treatment: Honoured,
		values: versions, ours: true},
	{Name: "ssl_max_protocol_version", Variable: "PGSSLMAXPROTOCOLVERSION", Treatment: Honoured,
		values: versions, ours: true},
	{Name: "min_protocol_version", Variable: "PGMINPROTOCOLVERSION", Treatment: Honoured, values: protocols},
	{Name: "max_protocol_version", Variable: "PGMAXPROTOCOLVERSION", Treatment: Honoured, values: protocols},
	{Name: "krbsrvname", Variable: "PGKRBSRVNAME", Treatment: Dropped, Note: noGSSAPI},
	{Name: "gsslib", Variable: "PGGSSLIB", Treatment: Dropped, Note: noGSSAPI},
	{Name: "gssdelegation", Variable: "PGGSSDELEGATION", Treatment: Dropped, Note: noGSSAPI},
	{Name: "scram_client_key", Treatment: Refused, Note: noKeys, secret: true},
	{Name: "scram_server_key", Treatment: Refused, Note: noKeys, secret: true},
	{Name: "service", Variable: "PGSERVICE", Treatment: Honoured, bound: true},
	{Name: "servicefile", Variable: "PGSERVICEFILE", Treatment: Honoured, bound: true},
	{Name: "target_session_attrs", Variable: "PGTARGETSESSIONATTRS", Treatment: Honoured,
		values: []string{"any", "read-write", "read-only", "primary", "standby", "prefer-standby"}, ours: true, bound: true},
	{Name: "load_balance_hosts", Variable: "PGLOADBALANCEHOSTS", Treatment: Honoured,
		values: []string{"disable", "random"}, ours: true, bound: true},
	{Name: "oauth_issuer", Treatment: Refused, Note: noOAuth},
	{Name: "oauth_client_id", Treatment: Refused, Note: noOAuth},
	{Name: "oauth_client_secret", Treatment: Refused, Note: noOAuth, secret: true},
	{Name: "oauth_scope", Treatment: Refused, Note: noOAuth},
}

// Parameters returns all known parameters and how they are treated.
func Parameters() []Parameter { return slices.Clone(parameters) }

// IsSecret reports whether the value of a parameter is a secret.
func IsSecret(name string) bool {
	p, _ := find(name)
	return p.secret
}

// find looks a parameter up by its name.
func find(name string) (Parameter, bool) {
	n := slices.IndexFunc(parameters, func(p Parameter) bool { return p.Name == name })
	if n < 0 {
		return Parameter{}, false
	}
	return parameters[n], true
}

// others are names that other programs use for a parameter.
var others = map[string]string{
	"database": "dbname", "db": "dbname", "username": "user",
	"pass": "password", "passwd": "password", "pwd": "password",
	"hostname": "host", "server": "host", "requiressl": "sslmode", "ssl": "sslmode", "timeout": "connect_timeout",
}

// suggestion returns which parameter was probably meant. It does not repeat the written text, which may be a
// piece of the password.
func suggestion(name string) string {
	name = strings.ToLower(name)
	best, least := "", 3
	for _, p := range parameters {
		if d := distance(name, p.Name); d < least && d < len(p.Name)/2 {
			best, least = p.Name, d
		}
	}
	if best = cmp.Or(others[name], best); best == "" {
		return ""
	}
	return " (did you mean " + best + "?)"
}

// distance returns how many letters must change to turn one word into the other.
func distance(a, b string) int {
	if len(a) > 2*len(b) {
		return len(a)
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
