//go:build unix

package pgserver

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

const fetchLimit = 5 * time.Minute

// fetch downloads the pinned build of a major version into the cache and returns its directory. It uses the user's
// npm, and so the registry of their choice.
func fetch(ctx context.Context, major int) (string, error) {
	version, want := npmVersions[major], npmIntegrity[platform()][major]
	if want == "" {
		return "", fmt.Errorf("there is no pinned build of PostgreSQL %d for %s", major, platform())
	}
	cache, err := cacheDir()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(cache, "postgres-"+version+"-"+platform())
	unlock, err := lock(ctx, dir+".lock")
	if err != nil {
		return "", err
	}
	defer unlock()
	// The directory is renamed when it is complete, so if it exists, it is complete.
	if _, err := os.Stat(dir); err == nil {
		return dir, nil
	}
	work, err := os.MkdirTemp(cache, "fetch-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(work)

	ctx, cancel := context.WithTimeout(ctx, fetchLimit)
	defer cancel()
	archive, err := npmPack(ctx, work, "@embedded-postgres/"+platform()+"@"+version)
	if err != nil {
		return "", err
	}
	if err := verify(archive, want); err != nil {
		return "", err
	}
	tree := filepath.Join(work, "tree")
	if err := extract(archive, tree); err != nil {
		return "", fmt.Errorf("unpack %s: %w", filepath.Base(archive), err)
	}
	return dir, os.Rename(tree, dir)
}

// npmPack downloads a package into dir and returns the archive's path.
func npmPack(ctx context.Context, dir, spec string) (string, error) {
	npm, err := exec.LookPath("npm")
	if err != nil {
		return "", errors.New("npm, which would fetch it, is not on PATH")
	}
	cmd := exec.CommandContext(ctx, npm, "pack", spec)
	cmd.Dir = dir
	cmd.WaitDelay = time.Second
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("npm pack %s: %w\n%s", spec, err, bytes.TrimSpace(out))
	}
	archives, err := filepath.Glob(filepath.Join(dir, "*.tgz"))
	if err != nil || len(archives) != 1 {
		return "", fmt.Errorf("npm pack %s: want one archive in %s, got %q", spec, dir, archives)
	}
	return archives[0], nil
}

// verify compares a file with its integrity in npm's form, "sha512-" and base64.
func verify(path, want string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	sum := sha512.New()
	if _, err := io.Copy(sum, f); err != nil {
		return err
	}
	if got := "sha512-" + base64.StdEncoding.EncodeToString(sum.Sum(nil)); got != want {
		return fmt.Errorf(
			"checksum of %s: got %s, want %s: the registry delivered another file than the one that this program "+
				"was tested with",
			filepath.Base(path), got, want)
	}
	return nil
}

// extract unpacks package/native of the archive into dir. It writes only through an os.Root, so that no entry can
// write elsewhere.
func extract(archive, dir string) error {
	f, err := os.Open(archive)
	if err != nil {
		return err
	}
	defer f.Close()
	zipped, err := gzip.NewReader(f)
	if err != nil {
		return err
	}
	if err := os.Mkdir(dir, 0o755); err != nil {
		return err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	for tr := tar.NewReader(zipped); ; {
		h, err := tr.Next()
		if errors.Is(err, io.EOF) {
			return link(root)
		}
		if err != nil {
			return err
		}
		name, ok := strings.CutPrefix(h.Name, "package/native/")
		if !ok || h.Typeflag != tar.TypeReg {
			continue
		}
		if err := extractFile(root, name, tr, h.FileInfo().Mode().Perm()&0o100 != 0); err != nil {
			return err
		}
	}
}

// extractFile writes one file that everybody can read, whatever the umask is.
func extractFile(root *os.Root, name string, content io.Reader, executable bool) error {
	mode := os.FileMode(0o644)
	if executable {
		mode = 0o755
	}
	for i, c := range name {
		if c != '/' {
			continue
		}
		if err := root.Mkdir(name[:i], 0o755); errors.Is(err, os.ErrExist) {
			continue
		} else if err != nil {
			return err
		}
		if err := root.Chmod(name[:i], 0o755); err != nil {
			return err
		}
	}
	out, err := root.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, content)
	return errors.Join(err, out.Chmod(mode), out.Close())
}

// link makes the symbolic links of the libraries. npm's archives cannot contain any, so the package lists them in a
// file.
func link(root *os.Root) error {
	text, err := root.ReadFile("pg-symlinks.json")
	if err != nil {
		return err
	}
	var links []struct{ Source, Target string }
	if err := json.Unmarshal(text, &links); err != nil {
		return fmt.Errorf("pg-symlinks.json: %w", err)
	}
	for _, l := range links {
		source, err := filepath.Rel(filepath.Dir(l.Target), l.Source)
		if err != nil {
			return err
		}
		if err := root.Symlink(source, strings.TrimPrefix(l.Target, "native/")); err != nil {
			return err
		}
	}
	return root.Chmod(".", 0o755)
}

// cacheDir returns the user's cache directory. If the user is root, and the account that will run the programs cannot
// enter it, it returns the system's. Nobody else must be able to write there, because its files are executed.
func cacheDir() (string, error) {
	base, err := os.UserCacheDir()
	if err != nil || !openToServer(base) {
		base = "/var/cache"
	}
	dir := filepath.Join(base, "softdelete_exporter")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", fmt.Errorf("cache directory: %w", err)
	}
	info, err := os.Lstat(dir)
	if err != nil {
		return "", fmt.Errorf("cache directory: %w", err)
	}
	owner, ok := info.Sys().(*syscall.Stat_t)
	if !ok || !info.IsDir() || int(owner.Uid) != os.Geteuid() || info.Mode().Perm()&0o022 != 0 {
		return "",
			fmt.Errorf("cache directory %s: it must be a directory that belongs to you and that nobody else can write to", dir)
	}
	return dir, nil
}

// lock waits until no other process has locked the file. The file is never removed: otherwise two processes could
// hold the lock of one name.
func lock(ctx context.Context, path string) (unlock func(), err error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock: %w", err)
	}
	for {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return func() { f.Close() }, nil
		}
		if errors.Is(err, syscall.EWOULDBLOCK) {
			select {
			case <-time.After(100 * time.Millisecond):
				continue
			case <-ctx.Done():
				err = ctx.Err()
			}
		}
		return nil, errors.Join(fmt.Errorf("lock %s: %w", path, err), f.Close())
	}
}
