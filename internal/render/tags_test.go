package render_test

import (
	"context"
	"reflect"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"
	"github.com/uptrace/bun/schema"

	"github.com/holdfast-go/holdfast/internal/render"
)

type hooked struct {
	ID int64 `bun:",pk"`
}

func (*hooked) BeforeAppendModel(context.Context, schema.Query) error { return nil }

type scanned struct {
	ID int64 `bun:",pk"`
}

func (scanned) BeforeScanRow(context.Context) error { return nil }

type inserted struct {
	hookedMixin
	ID int64 `bun:",pk"`
}

type hookedMixin struct{}

func (*hookedMixin) BeforeInsert(context.Context, *bun.InsertQuery) error { return nil }

type misspelt struct {
	Lang string `bun:",notnul"`
}

// structOf is a struct with a key and one field more.
func structOf(tag string) reflect.Type {
	return reflect.StructOf([]reflect.StructField{
		{Name: "ID", Type: reflect.TypeFor[int64](), Tag: `bun:",pk"`},
		{Name: "Name", Type: reflect.TypeFor[string](), Tag: reflect.StructTag(tag)},
	})
}

func TestS02_TagsThatWouldBeIgnoredAreRefused(t *testing.T) {
	for _, s := range engines {
		models, err := render.NewModels(s, schemaOf(s.Engine))
		require.NoError(t, err)
		for _, c := range []struct {
			model reflect.Type
			want  string
		}{
			{structOf(`bun:",uniqe"`), `field Name: the tag has the option "uniqe", which does not exist`},
			{structOf(`bun:"name,notnul,type:varchar(4)"`), `the option "notnul"`},
			{structOf(`bun:"type:enum('a','b'),dflt:'a'"`), `the option "dflt"`},
			{structOf(`bun:",alt:other"`), "the option alt is not supported"},
			{structOf(`bun:",multirange"`), "multirange are not supported"},
			{structOf(`bun:"notnull"`), "is the name of an option: write `bun:\",notnull\"`"},
			{structOf(`bun:",notnull,default:"x""`), "cannot be read"},
			{structOf(`bun:",notnull,default:'it\"s',unique"`), "has a double quote in it"},
			{structOf(`bun:"type:text"json:"x"`), "cannot be read to its end"},
			{structOf(`json:"x",bun:",unique"`), "the tag cannot be read"},
			{structOf(`json:x bun:",unique"`), "the tag cannot be read"},
			{reflect.TypeFor[struct {
				bun.BaseModel `bun:"table:t,select:v"`
				ID            int64 `bun:",pk"`
			}](), "the option select is not supported"},
			{reflect.TypeFor[struct {
				bun.BaseModel `bun:"table:t,uniqe"`
				ID            int64 `bun:",pk"`
			}](), `the option "uniqe"`},
			{reflect.TypeFor[struct {
				ID int64 `bun:",pk"`
				misspelt
			}](), `field Lang: the tag has the option "notnul"`},
			{reflect.TypeFor[struct {
				ID int64    `bun:",pk"`
				M  misspelt `bun:"embed:m_"`
			}](), `field Lang: the tag has the option "notnul"`},
			{reflect.TypeFor[struct {
				ID      int64 `bun:",pk"`
				OwnerID int64
				Owner   *Owner `bun:"rel:belongs-to,join:owner_id=id,on_delete:CASCADES"`
			}](), "on_delete is one of CASCADE"},
			{reflect.TypeFor[hooked](), "bun's hook BeforeAppendModel"},
			{reflect.TypeFor[scanned](), "bun's hook BeforeScanRow"},
			{reflect.TypeFor[inserted](), "bun's hook BeforeInsert"},
		} {
			_, err := models.Of(c.model)
			require.ErrorContains(t, err, c.want)
		}
		for _, fine := range []string{``, `json:"x"`, `bun:"-"`, `bun:"name,pk,notnull,unique:key,type:enum('a','b'),default:'x'"`, `bun:"type,nullzero,default:'a:b'" json:"y"`} {
			_, err := models.Of(structOf(fine))
			require.NoError(t, err, fine)
		}
	}
}
