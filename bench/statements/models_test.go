package statements

import (
	"time"

	"github.com/uptrace/bun"

	"github.com/holdfast-go/holdfast/tests/testdb"
)

// Audio is a row as applications have them. bun and Holdfast read the tags bun, gorm
// its own, and ent's scanner those called sql.
type Audio struct {
	bun.BaseModel   `bun:"table:audio" gorm:"-"`
	ID              int64     `bun:",pk,autoincrement" sql:"id"`
	CreatedAt       time.Time `gorm:"autoCreateTime:false" sql:"created_at"`
	UpdatedAt       time.Time `gorm:"autoUpdateTime:false" sql:"updated_at"`
	ProjectID       int64     `sql:"project_id"`
	UserID          int64     `sql:"user_id"`
	Index           int       `sql:"index"`
	Text            string    `sql:"text"`
	Speed           float64   `sql:"speed"`
	Path            string    `sql:"path"`
	IsAudioRequired bool      `sql:"is_audio_required"`
}

// TableName is for gorm, as are those below.
func (Audio) TableName() string { return "audio" }

// Product is a row whose key the application gives.
type Product struct {
	bun.BaseModel `bun:"table:product" gorm:"-"`
	ID            int64 `bun:",pk" gorm:"autoIncrement:false"`
	Name          string
	Price         int64
	Stock         int64
}

// TableName implements gorm's Tabler.
func (Product) TableName() string { return "product" }

// Folder is a row with many others.
type Folder struct {
	bun.BaseModel `bun:"table:folder" gorm:"-"`
	ID            int64    `bun:",pk" gorm:"autoIncrement:false" sql:"id"`
	Name          string   `sql:"name"`
	Tracks        []*Track `bun:"rel:has-many,join:id=folder_id" gorm:"foreignKey:FolderID" sql:"-"`
}

// TableName implements gorm's Tabler.
func (Folder) TableName() string { return "folder" }

// Track is one of a folder's.
type Track struct {
	bun.BaseModel `bun:"table:track" gorm:"-"`
	ID            int64  `bun:",pk" gorm:"autoIncrement:false" sql:"id"`
	FolderID      int64  `sql:"folder_id"`
	Title         string `sql:"title"`
	Seconds       int64  `sql:"seconds"`
}

// TableName implements gorm's Tabler.
func (Track) TableName() string { return "track" }

// Total is a line of the report.
type Total struct {
	FolderID int64 `sql:"folder_id"`
	N        int64 `sql:"n"`
	Longest  int64 `sql:"longest"`
}

const (
	rows    = 1000 // of Audio
	bulk    = 100
	folders = 10
	tracks  = 20 // of each folder
	page    = 50
)

const audioOnMySQL = "CREATE TABLE audio (id BIGINT AUTO_INCREMENT PRIMARY KEY, created_at DATETIME(6) NOT NULL, updated_at DATETIME(6) NOT NULL, " +
	"project_id BIGINT NOT NULL, user_id BIGINT NOT NULL, `index` BIGINT NOT NULL, text TEXT NOT NULL, speed DOUBLE NOT NULL, " +
	"path VARCHAR(200) NOT NULL, is_audio_required BOOLEAN NOT NULL)"

var schema = map[testdb.Engine]string{
	testdb.Postgres: `CREATE TABLE audio (id bigserial PRIMARY KEY, created_at timestamptz NOT NULL, updated_at timestamptz NOT NULL,
		project_id bigint NOT NULL, user_id bigint NOT NULL, "index" bigint NOT NULL, text text NOT NULL, speed double precision NOT NULL,
		path text NOT NULL, is_audio_required boolean NOT NULL)`,
	testdb.MySQL:   audioOnMySQL,
	testdb.MariaDB: audioOnMySQL,
}

var tables = []string{
	"CREATE TABLE product (id BIGINT NOT NULL PRIMARY KEY, name VARCHAR(100) NOT NULL, price BIGINT NOT NULL, stock BIGINT NOT NULL)",
	"CREATE TABLE folder (id BIGINT NOT NULL PRIMARY KEY, name VARCHAR(100) NOT NULL)",
	"CREATE TABLE track (id BIGINT NOT NULL PRIMARY KEY, folder_id BIGINT NOT NULL, title VARCHAR(100) NOT NULL, seconds BIGINT NOT NULL)",
	"CREATE INDEX track_folder ON track (folder_id)",
}

func sample() *Audio {
	at := time.Date(2026, 1, 2, 3, 4, 5, 6000, time.UTC)
	return &Audio{CreatedAt: at, UpdatedAt: at, ProjectID: 7, UserID: 9, Index: 3,
		Text: "The quick brown fox jumps over the lazy dog.", Speed: 1.25, Path: "out/7/3.wav", IsAudioRequired: true}
}

func samples() []*Audio {
	list := make([]*Audio, bulk)
	for i := range list {
		list[i] = sample()
	}
	return list
}

func products(i int) []*Product {
	list := make([]*Product, bulk)
	for n := range list {
		list[n] = &Product{ID: int64(n) + 1, Name: "a product with a name", Price: int64(i), Stock: int64(n)}
	}
	return list
}
