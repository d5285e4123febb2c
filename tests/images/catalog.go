package images

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"strings"
)

// Password is the administrator's on every server of these images.
const Password = "holdfast"

// Image is one server in one version.
type Image struct {
	Engine   string // mysql, mariadb or postgres; or what stands beside them
	Version  string // as in "postgres 17"
	suite    string // the Debian suite that has this version
	packages string
	recipe   string // whose setup and start it has; "" for its Engine's
	remove   string // what a package has made and setup makes anew
}

// catalog lists what Debian offers; the first of an engine is its default.
var catalog = []Image{
	{Engine: "mysql", Version: "9.7", suite: "sid", packages: "mysql-server-core"},
	{Engine: "mariadb", Version: "11.8", suite: "trixie", packages: "mariadb-server-core,mariadb-client-core"},
	{Engine: "mariadb", Version: "10.11", suite: "bookworm", packages: "mariadb-server-core,mariadb-client-core"},
	{Engine: "mariadb", Version: "10.5", suite: "bullseye", packages: "mariadb-server-core-10.5,mariadb-client-core-10.5"},
	{Engine: "postgres", Version: "18", suite: "sid", packages: "postgresql-18"},
	{Engine: "postgres", Version: "17", suite: "trixie", packages: "postgresql-17"},
	{Engine: "postgres", Version: "15", suite: "bookworm", packages: "postgresql-15"},
	{Engine: "postgres", Version: "13", suite: "bullseye", packages: "postgresql-13"},
	// A MariaDB with what a node of a Galera cluster needs: the scripts that
	// transfer a state are in the package of the whole server only.
	{Engine: "galera", Version: "11.8", suite: "trixie", recipe: "mariadb", remove: "/var/lib/mysql",
		packages: "mariadb-server,mariadb-client-core,galera-4,rsync,iproute2,procps,lsof"},
	// What stands between a program and its servers.
	{Engine: "pgbouncer", Version: "1.24", suite: "trixie", packages: "pgbouncer"},
	{Engine: "poolers", Version: "1", suite: "sid", packages: "pgbouncer,odyssey,pgpool2,haproxy,mysql-router"},
}

// Find returns the image of an engine in a version; "" is the newest that
// Debian offers.
func Find(engine, version string) (Image, error) {
	var have []string
	for _, image := range catalog {
		if image.Engine != engine {
			continue
		}
		if version == "" || version == image.Version {
			return image, nil
		}
		have = append(have, image.Version)
	}
	if have == nil {
		return Image{}, fmt.Errorf("no server %q can be built from Debian packages", engine)
	}
	return Image{}, fmt.Errorf("%s %s cannot be built from Debian packages, which have %s",
		engine, version, strings.Join(have, ", "))
}

//go:embed recipe
var recipe embed.FS

// Tag names the image after everything that decides its content, so that an
// image under this name never needs to be built again.
func (i Image) Tag() string {
	hash := sha256.New()
	fmt.Fprintln(hash, i.suite, i.packages, mmdebstrapOptions)
	if i.remove != "" {
		fmt.Fprintln(hash, i.remove)
	}
	for _, name := range []string{"account", i.file("setup"), i.file("start")} {
		text, err := recipe.ReadFile("recipe/" + name)
		if err != nil {
			panic(err) // a file of this package is missing from the catalog's engine
		}
		fmt.Fprintf(hash, "%s %d\n%s", name, len(text), text)
	}
	return fmt.Sprintf("holdfast-test/%s:%s-debian-%s-%s",
		i.Engine, i.Version, i.suite, hex.EncodeToString(hash.Sum(nil))[:12])
}

// file is the name of a part of its recipe.
func (i Image) file(part string) string {
	if i.recipe != "" {
		return i.recipe + "." + part
	}
	return i.Engine + "." + part
}

func (i Image) String() string { return i.Engine + " " + i.Version }
