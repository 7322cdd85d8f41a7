package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

func TestTLSAndBasicAuth(t *testing.T) {
	dir := t.TempDir()
	pool := certificate(t, dir)
	web := filepath.Join(dir, "web.yaml")
	if err := os.WriteFile(web, []byte(`
tls_server_config: {cert_file: cert.pem, key_file: key.pem}
basic_auth_users: {bob: "`+bcryptOfSecret+`"}
`), 0o600); err != nil {
		t.Fatal(err)
	}
	address, _ := start(t, "--web.config.file="+web)
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}}
	if status, _ := get(t, client, "GET", "https://"+address+"/metrics"); status != 401 {
		t.Errorf("without a password: status %d", status)
	}
	if status, _ := get(t, client, "GET", "https://bob:secret@"+address+"/metrics"); status != 200 {
		t.Errorf("with it: status %d", status)
	}
	if status, _ := get(t, http.DefaultClient, "GET", "http://"+address+"/metrics"); status != 400 {
		t.Errorf("without TLS: status %d", status)
	}
}

func TestSocketActivation(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	socket, err := listener.(*net.TCPListener).File()
	if err != nil {
		t.Fatal(err)
	}
	// systemd sets LISTEN_PID to the process that gets the sockets. The shell keeps its process id when it execs.
	exporter := exec.Command("sh", "-c", `LISTEN_PID=$$ exec "$0" "$@"`, os.Args[0], "--web.systemd-socket")
	exporter.Env = append(os.Environ(), "TEST_RUNS_MAIN=1", "LISTEN_FDS=1")
	exporter.ExtraFiles = []*os.File{socket}
	if err := exporter.Start(); err != nil {
		t.Fatal(err)
	}
	socket.Close()
	address := listener.Addr().String()
	listener.Close()
	if status, _ := get(t, http.DefaultClient, "GET", "http://"+address+"/-/healthy"); status != 200 {
		t.Errorf("status %d", status)
	}
	// A signal shuts the process down gracefully.
	if err := exporter.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := exporter.Wait(); err != nil {
		t.Errorf("after SIGTERM: %v", err)
	}
}

// certificate writes cert.pem and key.pem for 127.0.0.1 and returns a pool that trusts them.
func certificate(t *testing.T, dir string) *x509.CertPool {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for name, block := range map[string]*pem.Block{"cert.pem": {Type: "CERTIFICATE", Bytes: der},
		"key.pem": {Type: "PRIVATE KEY", Bytes: secret}} {
		if err := os.WriteFile(filepath.Join(dir, name), pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	return pool
}
