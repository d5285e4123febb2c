// Package migrations runs the tools that people change tables with over
// (*orm.DB).Migrations and orm.Migrate (rules M1 and M2): goose, golang-migrate and
// bun's migrator, on every engine.
package migrations
