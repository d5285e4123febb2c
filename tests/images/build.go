package images

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/containerd/errdefs"
	"github.com/gofrs/flock"
	"github.com/moby/moby/client"
)

// Docker is what a build needs of a Docker client.
type Docker interface {
	ImageInspect(ctx context.Context, image string, opts ...client.ImageInspectOption) (client.ImageInspectResult, error)
	ImageImport(ctx context.Context, source client.ImageImportSource, ref string, options client.ImageImportOptions) (client.ImageImportResult, error)
}

// Ensure builds the image unless Docker has it already, and returns its tag.
// Processes that ask for the same image at the same time build it once. report
// is told, in a sentence, what takes long.
//
// The error says what is missing where images cannot be built: Debian, root,
// or a mirror that has the packages.
func (i Image) Ensure(ctx context.Context, docker Docker, report func(string)) (string, error) {
	tag := i.Tag()
	if found, err := exists(ctx, docker, tag); found || err != nil {
		return tag, err
	}
	unlock, err := lock(ctx, "image-"+filepath.Base(tag))
	if err != nil {
		return "", err
	}
	defer unlock()
	if found, err := exists(ctx, docker, tag); found || err != nil {
		return tag, err // another process has built it meanwhile
	}

	began := time.Now()
	report(fmt.Sprintf("building an image of %s from Debian %s packages, kept for the next run", i, i.suite))
	if err := i.build(ctx, docker, tag, report); err != nil {
		return "", fmt.Errorf("building an image of %s: %w", i, err)
	}
	report(fmt.Sprintf("built %s in %s", tag, time.Since(began).Round(time.Second)))
	return tag, nil
}

func exists(ctx context.Context, docker Docker, tag string) (bool, error) {
	_, err := docker.ImageInspect(ctx, tag)
	if errdefs.IsNotFound(err) {
		return false, nil
	}
	return err == nil, err
}

// lock takes a lock that all processes of this user share.
func lock(ctx context.Context, name string) (unlock func(), err error) {
	dir, err := kept()
	if err != nil {
		return nil, err
	}
	file := flock.New(filepath.Join(dir, strings.ReplaceAll(name, ":", "-")+".lock"))
	if _, err := file.TryLockContext(ctx, 100*time.Millisecond); err != nil {
		return nil, fmt.Errorf("waiting for %s: %w", file.Path(), err)
	}
	return func() { _ = file.Close() }, nil
}

// kept is a directory for what outlives a run.
func kept() (dir string, err error) {
	if dir, err = os.UserCacheDir(); err != nil {
		dir = os.TempDir() // no home directory
	}
	dir = filepath.Join(dir, "holdfast-test")
	return dir, os.MkdirAll(dir, 0o755)
}

// mmdebstrapOptions decide the content of an image, as the recipe does.
var mmdebstrapOptions = []string{
	"--mode=root", "--variant=minbase", "--format=tar",
	"--dpkgopt=path-exclude=/usr/share/doc/*",
	"--dpkgopt=path-exclude=/usr/share/info/*",
	"--dpkgopt=path-exclude=/usr/share/locale/*",
	"--dpkgopt=path-exclude=/usr/share/man/*",
}

func (i Image) build(ctx context.Context, docker Docker, tag string, report func(string)) error {
	if err := requireMmdebstrap(ctx, report); err != nil {
		return err
	}
	mirror, err := mirror(ctx)
	if err != nil {
		return err
	}
	settings, err := aptSettings(ctx)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "holdfast-image-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	if err := os.WriteFile(filepath.Join(dir, "apt.conf"), []byte(settings), 0o644); err != nil {
		return err
	}
	if err := os.CopyFS(dir, recipe); err != nil {
		return err
	}

	in := func(name string) string { return filepath.Join(dir, "recipe", name) }
	root := filepath.Join(dir, "root.tar")
	args := append([]string{}, mmdebstrapOptions...)
	if i.remove != "" {
		args = append(args, `--customize-hook=rm -rf "$1"`+i.remove)
	}
	args = append(args,
		"--aptopt="+filepath.Join(dir, "apt.conf"),
		"--include="+i.packages,
		`--customize-hook=mkdir "$1/holdfast"`,
		"--customize-hook=upload "+in("account")+" /holdfast/account",
		"--customize-hook=upload "+in(i.file("setup"))+" /holdfast/setup",
		"--customize-hook=upload "+in(i.file("start"))+" /holdfast/start",
		`--customize-hook=chmod 755 "$1/holdfast/start"`,
		`--customize-hook=chroot "$1" sh /holdfast/setup`,
		i.suite, root, fmt.Sprintf("deb %s %s main", mirror, i.suite))
	if err := run(ctx, "mmdebstrap", args...); err != nil {
		return err
	}
	return load(ctx, docker, root, tag)
}

// load hands the finished file system to Docker. It is read from a file and not
// from mmdebstrap's output, so that a build that breaks off leaves no image.
func load(ctx context.Context, docker Docker, root, tag string) error {
	file, err := os.Open(root)
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }()
	answer, err := docker.ImageImport(ctx, client.ImageImportSource{Source: file, SourceName: "-"}, tag,
		client.ImageImportOptions{Changes: []string{`ENTRYPOINT ["/holdfast/start"]`}})
	if err != nil {
		return fmt.Errorf("docker import: %w", err)
	}
	defer func() { _ = answer.Close() }()
	log, err := io.ReadAll(answer)
	if err != nil {
		return fmt.Errorf("docker import: %w", err)
	}
	if found, err := exists(ctx, docker, tag); !found {
		return fmt.Errorf("docker import left no image: %s %w", bytes.TrimSpace(log), err)
	}
	return nil
}

// requireMmdebstrap installs the tool if this system can.
func requireMmdebstrap(ctx context.Context, report func(string)) error {
	if os.Geteuid() != 0 {
		return ErrNotDebian // its mode that needs no root needs other things instead
	}
	return Install(ctx, report, "mmdebstrap", "mmdebstrap")
}
