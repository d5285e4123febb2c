// Package orm is what an application uses every day: it opens a database and
// reads and writes rows as structs.
//
//	type Audio struct {
//		bun.BaseModel `bun:"table:audio"`
//		models.AutoID
//		models.Timestamps
//		Text            string
//		IsAudioRequired bool
//	}
//
//	db, err := orm.Open(ctx, sqlite.Open("studio.db"))
//	…
//	err = atomic.Do(ctx, db, func(ctx context.Context) error {
//		todo, err := orm.Objects[Audio](db).
//			Filter(query.F("is_audio_required").Eq(true)).
//			OrderBy("updated_at").
//			Limit(10).
//			SelectForUpdate(orm.SkipLocked).
//			All(ctx)
//		if err != nil {
//			return err
//		}
//		for _, audio := range todo {
//			audio.IsAudioRequired = false
//			if err := orm.Objects[Audio](db).Save(ctx, audio); err != nil {
//				return err
//			}
//		}
//		return nil
//	})
//
// There is no transaction variable: the ctx that the function is given carries
// the block, and every statement with that ctx belongs to it.
//
// # Models
//
// A model is a struct. Its tables, columns and relations are read from bun's
// tags by bun itself (package schema): pk, autoincrement, notnull, nullzero,
// default, unique, type, scanonly, skipupdate, soft_delete, rel:belongs-to, rel:has-one,
// rel:has-many, m2m. A column is named after its field, updated_at for UpdatedAt, and
// in statements a table goes by its own name. A model with a column tagged soft_delete
// marks its deleted rows and leaves them out (rules S60 to S64, models.SoftDelete). bun's
// hooks are not called.
//
// A field whose type cannot hold NULL does not take one: reading a NULL into it
// is a *ScanError, unless it is tagged nullzero: its zero value then is stored
// as NULL, and NULL read as the zero value. That is about rows; in a condition
// and in query.Set a value is what it is, and nil is NULL: F("x").Eq(nil).
//
// # Locked reads and isolation
//
// SelectForUpdate reads the newest committed version of a row and keeps it until
// the block ends. Under MySQL's REPEATABLE READ, its default, a plain SELECT of
// the same block may show an older one (rule S8): read what you are going to
// change with SelectForUpdate, or open the block at sql.LevelReadCommitted.
//
// # Rules
//
// Rules that the documentation names by number (B6, L3, S1) are in
// docs/contract.md, https://github.com/holdfast-go/holdfast/blob/main/docs/contract.md,
// each with the trap that it closes.
//
// # Errors
//
// An error names the model and the operation ("orm: Audio.Create: …") and wraps
// what package atomic returned. Its kind is found with errors.Is:
// dialect.ErrUniqueViolation, dialect.ErrLockNotAvailable and so on, the same on
// every engine. Neither values nor passwords are ever part of its text.
package orm
