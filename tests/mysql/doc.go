// Package mysql holds the tests of dialect/mysql that want a MySQL or MariaDB
// server of their own, with settings that no other test could bear. The others
// are beside the code.
package mysql
