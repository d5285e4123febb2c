//go:build containers

package store_test

import (
	"cmp"
	"os"
	"testing"

	"github.com/testcontainers/testcontainers-go"
	"github.com/testcontainers/testcontainers-go/wait"
)

func TestBuyOnPostgres(t *testing.T) {
	ctx := t.Context()
	server, err := testcontainers.Run(ctx, cmp.Or(os.Getenv("POSTGRES_IMAGE"), "postgres:18"),
		testcontainers.WithEnv(map[string]string{"POSTGRES_PASSWORD": "holdfast"}),
		testcontainers.WithExposedPorts("5432/tcp"),
		testcontainers.WithWaitStrategy(wait.ForExec([]string{"pg_isready", "-h", "localhost"})))
	testcontainers.CleanupContainer(t, server)
	if err != nil {
		t.Fatal(err)
	}
	host, err := server.PortEndpoint(ctx, "5432/tcp", "")
	if err != nil {
		t.Fatal(err)
	}
	sells(t, shop(t, "postgres://postgres:holdfast@"+host+"/postgres"))
}
