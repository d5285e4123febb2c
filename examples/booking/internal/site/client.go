package site

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	mathrand "math/rand/v2"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/holdfast-go/holdfast/examples/booking/internal/house"
)

// client is one of the load's: a browser without a window.
type client struct {
	http   *http.Client
	site   string
	prefix string // of the addresses to which it sends forms
	think  time.Duration
	plan   []place // as it saw it last
	taken  int
}

func newClient(site string, locks bool, think time.Duration) *client {
	jar, _ := cookiejar.New(nil) // without options it has no error
	c := &client{site: site, think: think, http: &http.Client{
		Transport: &http.Transport{}, Jar: jar, Timeout: 30 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	if !locks {
		c.prefix = "/naive"
	}
	return c
}

func (c *client) close() { c.http.CloseIdleConnections() }

// look reads the plan.
func (c *client) look(ctx context.Context) error {
	body, _, err := c.send(ctx, http.MethodGet, "/plan.json", nil)
	if err != nil {
		return err
	}
	c.plan = nil
	return json.Unmarshal(body, &c.plan)
}

// book tries seats until it has one, or until there is none left.
func (c *client) book(ctx context.Context) (got bool, err error) {
	for {
		switch {
		case c.has(house.Free):
			page, told, err := c.hold(ctx, c.choose())
			if err != nil {
				return false, err
			}
			if told == "" {
				c.pause(ctx, c.think)
				return true, c.pay(ctx, page)
			}
			c.taken++
		case !c.has(house.Held): // what is held may come free again
			return false, nil
		}
		c.pause(ctx, 40*time.Millisecond)
		if err := c.look(ctx); err != nil {
			return false, err
		}
	}
}

func (c *client) has(s house.State) bool {
	return slices.ContainsFunc(c.plan, func(p place) bool { return p.State == s })
}

func (c *client) choose() int64 {
	free := slices.DeleteFunc(slices.Clone(c.plan), func(p place) bool { return p.State != house.Free })
	return free[mathrand.IntN(len(free))].ID
}

// hold clicks on a seat: it is led to its booking, or told why not.
func (c *client) hold(ctx context.Context, seat int64) (page, told string, err error) {
	_, to, err := c.send(ctx, http.MethodPost, fmt.Sprintf("%s/seats/%d", c.prefix, seat), url.Values{})
	if err != nil {
		return "", "", err
	}
	return to.Path, to.Query().Get("told"), nil
}

// pay hands the form in, and whenever it hears no answer again, with the same key.
func (c *client) pay(ctx context.Context, page string) error {
	form := url.Values{"key": {rand.Text()}, "email": {"client@example.com"}}
	for attempt := 1; ; attempt++ {
		_, to, err := c.send(ctx, http.MethodPost, c.prefix+page, form)
		switch {
		case err == nil && to.Query().Get("told") == "":
			return nil
		case err == nil:
			return fmt.Errorf("a payment was refused: %s", to.Query().Get("told"))
		case attempt == 5 || ctx.Err() != nil:
			return err
		}
		c.pause(ctx, time.Duration(attempt)*100*time.Millisecond)
	}
}

var errAnswer = errors.New("the site has answered with an error")

func (c *client) send(ctx context.Context, method, path string, form url.Values) (body []byte, to *url.URL, err error) {
	r, err := http.NewRequestWithContext(ctx, method, c.site+path, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, nil, err
	}
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	answer, err := c.http.Do(r)
	if err != nil {
		return nil, nil, err
	}
	defer func() { _ = answer.Body.Close() }()
	if body, err = io.ReadAll(answer.Body); err != nil {
		return nil, nil, err
	}
	switch {
	case answer.StatusCode >= http.StatusBadRequest:
		return nil, nil, fmt.Errorf("%w: %s %s: %s", errAnswer, method, path, answer.Status)
	case method == http.MethodPost:
		to, err = answer.Location()
	}
	return body, to, err
}

// pause waits for up to a time, nobody knows how long: who has clicked at the same
// moment once should not do so again.
func (c *client) pause(ctx context.Context, most time.Duration) {
	timer := time.NewTimer(time.Duration(mathrand.Float64() * float64(most)))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
