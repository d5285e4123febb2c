package testdb

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/client"
	"github.com/testcontainers/testcontainers-go"

	"github.com/holdfast-go/holdfast/tests/images"
)

// registryPatience is how long a registry may take to show that it can be
// reached at all. A download that has begun may take as long as it needs.
const registryPatience = 6 * time.Second

// chooseImage returns an image that Docker has.
func chooseImage(ctx context.Context, docker *testcontainers.DockerClient, engine Engine, o options) (string, error) {
	if image := os.Getenv(engine.Variable("", "_IMAGE")); image != "" && o.version == "" {
		if err := pull(ctx, docker, image, o.report); err != nil {
			return "", fmt.Errorf("%s=%s: %w", engine.Variable("", "_IMAGE"), image, err)
		}
		return image, nil
	}

	stock := kinds[engine].repository + ":" + kinds[engine].version
	if o.version != "" {
		stock = kinds[engine].repository + ":" + o.version
	}
	pullErr := pull(ctx, docker, stock, o.report)
	if pullErr == nil {
		return stock, nil
	}
	image, err := images.Find(string(engine), o.version)
	if err == nil {
		stock, err = image.Ensure(ctx, docker, o.report)
	}
	if err != nil {
		return "", fmt.Errorf("%w (and no image could be pulled: %w)", err, pullErr)
	}
	return stock, nil
}

func pull(ctx context.Context, docker *testcontainers.DockerClient, image string, report func(string)) error {
	if _, err := docker.ImageInspect(ctx, image); err == nil || !isNotFound(err) {
		return err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	impatience := time.AfterFunc(registryPatience, func() {
		cancel(fmt.Errorf("no registry answered within %s", registryPatience))
	})
	progress, err := docker.ImagePull(ctx, image, client.ImagePullOptions{})
	if err != nil {
		if cause := context.Cause(ctx); cause != nil {
			err = cause
		}
		return err
	}
	defer func() { _ = progress.Close() }()
	if impatience.Stop() {
		report("pulling " + image)
	}
	return progress.Wait(ctx)
}

func isNotFound(err error) bool { return errdefs.IsNotFound(err) }

// usualImage is the image that the engine's other servers are made of.
func usualImage(ctx context.Context, engine Engine, o clusterOptions) (string, error) {
	docker, err := Docker(ctx)
	if err != nil {
		return "", err
	}
	defer func() { _ = docker.Close() }()
	return chooseImage(ctx, docker, engine, options{report: o.report})
}

// builtImage is an image that no registry has.
func builtImage(ctx context.Context, name string, o clusterOptions) (string, error) {
	docker, err := Docker(ctx)
	if err != nil {
		return "", err
	}
	defer func() { _ = docker.Close() }()
	image, err := images.Find(name, "")
	if err != nil {
		return "", err
	}
	return image.Ensure(ctx, docker, o.report)
}
