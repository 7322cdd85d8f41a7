package postgres

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"strings"
	"syscall"
)

// The codes of a server that refuses a connection before it knows the role.
const invalidAuthorization = "28000" // no entry in pg_hba.conf, or no such role

// connectRemedy returns what to do about a failure to connect, by its kind, in sentences; empty if it is of none of
// these kinds.
func connectRemedy(err error) string {
	var lookup *net.DNSError
	switch code := Code(err); {
	case code == invalidPassword:
		return "The server refuses the password. Correct it where the exporter reads it; a file is read again at each " +
			"connect."
	case code == invalidAuthorization:
		return "The server does not let this role in from here. Check that the role exists, and that pg_hba.conf has a " +
			"line for it, this database and the address of the exporter; pg_hba_file_rules shows the lines."
	case code == UndefinedDatabase:
		return "There is no such database on this server; psql -l lists those that there are."
	case code == cannotConnectNow:
		return "The server is starting up or shutting down. Its log says how far it is."
	case code != "":
		return sentence(Remedy(err))
	case errors.As(err, &lookup):
		return "The name of the host cannot be resolved where the exporter runs. Check its spelling, and try getent hosts " +
			lookup.Name + " there."
	case errors.Is(err, syscall.ECONNREFUSED), errors.Is(err, syscall.ENOENT):
		return "Nothing listens there. Check that the server runs, and its port and listen_addresses."
	case isTLS(err):
		return "TLS fails. Check sslmode and sslrootcert, and that the certificate is valid for this name of the host."
	case errors.Is(err, syscall.ENETUNREACH), errors.Is(err, syscall.EHOSTUNREACH):
		return "There is no way to that address from where the exporter runs. Check routes and network policies."
	case errors.Is(err, context.DeadlineExceeded):
		return "Nothing answers in time. Check for a firewall on the way, and whether the server is overloaded."
	default:
		return ""
	}
}

// isTLS reports whether an error is about TLS.
func isTLS(err error) bool {
	return errors.As(err, new(*tls.CertificateVerificationError)) || errors.As(err, new(x509.UnknownAuthorityError)) ||
		errors.As(err, new(x509.HostnameError)) || errors.As(err, new(x509.CertificateInvalidError)) ||
		errors.As(err, new(tls.RecordHeaderError)) || errors.As(err, new(tls.AlertError)) ||
		strings.Contains(err.Error(), "refused TLS connection") // the driver has no type for it
}

// sentence makes a sentence of a few words.
func sentence(words string) string {
	if words == "" {
		return ""
	}
	return strings.ToUpper(words[:1]) + words[1:] + "."
}
