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
	Engine   string // mysql, mariadb or postgres; or pgbouncer
	Version  string // as in "postgres 17"
	suite    string // the Debian suite that has this version
	packages string
}

// catalog lists what Debian offers; the first of an engine is its default.
var catalog = []Image{
	{"mysql", "9.7", "sid", "mysql-server-core"},
	{"mariadb", "11.8", "trixie", "mariadb-server-core,mariadb-client-core"},
	{"mariadb", "10.11", "bookworm", "mariadb-server-core,mariadb-client-core"},
	{"mariadb", "10.5", "bullseye", "mariadb-server-core-10.5,mariadb-client-core-10.5"},
	{"postgres", "18", "sid", "postgresql-18"},
	{"postgres", "17", "trixie", "postgresql-17"},
	{"postgres", "15", "bookworm", "postgresql-15"},
	{"postgres", "13", "bullseye", "postgresql-13"},
	{"pgbouncer", "1.24", "trixie", "pgbouncer"}, // a pooler, for a PostgreSQL beside it
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
	for _, name := range []string{"account", i.Engine + ".setup", i.Engine + ".start"} {
		text, err := recipe.ReadFile("recipe/" + name)
		if err != nil {
			panic(err) // a file of this package is missing from the catalog's engine
		}
		fmt.Fprintf(hash, "%s %d\n%s", name, len(text), text)
	}
	return fmt.Sprintf("holdfast-test/%s:%s-debian-%s-%s",
		i.Engine, i.Version, i.suite, hex.EncodeToString(hash.Sum(nil))[:12])
}

func (i Image) String() string { return i.Engine + " " + i.Version }
