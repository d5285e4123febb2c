package site

import (
	"crypto/rand"
	"net/http"
)

// visitorOf is who asks: a secret in a cookie, which each browser is given.
func visitorOf(w http.ResponseWriter, r *http.Request) string {
	const name = "visitor"
	if c, err := r.Cookie(name); err == nil && c.Value != "" {
		return c.Value
	}
	c := &http.Cookie{Name: name, Value: rand.Text(), Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode, MaxAge: 30 * 24 * 60 * 60}
	http.SetCookie(w, c)
	return c.Value
}
