// Package site is the theatre in a browser: pages that a server writes, and a little
// JavaScript that keeps them up to date. Without JavaScript everything works but that.
package site
