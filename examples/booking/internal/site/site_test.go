package site

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"golang.org/x/sync/errgroup"

	"github.com/holdfast-go/holdfast/examples/booking/internal/house"
	"github.com/holdfast-go/holdfast/orm"
	"github.com/holdfast-go/holdfast/tests/testdb"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// bed is a site that answers.
type bed struct {
	*Site
	url string
	db  *orm.DB
}

// newBed opens a site over a database. through is what stands in front of it.
func newBed(t *testing.T, at testdb.Database, through func(http.Handler) http.Handler) *bed {
	t.Helper()
	db, err := orm.Open(t.Context(), testdb.Source(at.Engine, at.DSN), house.Settings()...)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	require.NoError(t, house.Migrate(t.Context(), db))
	s := New(&house.House{DB: db, HoldFor: time.Minute})
	s.load.think = 0
	server := httptest.NewServer(through(s.Handler()))
	t.Cleanup(func() {
		s.Close()
		server.Close()
	})
	return &bed{s, server.URL, db}
}

func each(t *testing.T, test func(t *testing.T, b *bed)) {
	t.Helper()
	testdb.Each(t, func(t *testing.T, at testdb.Database) {
		test(t, newBed(t, at, func(h http.Handler) http.Handler { return h }))
	})
}

// visitor is a browser of the test's, with cookies of its own.
func (b *bed) visitor(t *testing.T) *http.Client {
	t.Helper()
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Jar: jar, Transport: transport}
}

func body(t *testing.T, res *http.Response, err error) string {
	t.Helper()
	require.NoError(t, err)
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, res.StatusCode, string(text))
	return string(text)
}

func (b *bed) get(t *testing.T, v *http.Client, path string) string {
	t.Helper()
	res, err := v.Get(b.url + path)
	return body(t, res, err)
}

// post sends a form, and returns the page to which it leads.
func (b *bed) post(t *testing.T, v *http.Client, path string, form url.Values) string {
	t.Helper()
	res, err := v.PostForm(b.url+path, form)
	return body(t, res, err)
}

var keyField = regexp.MustCompile(`name="key" value="(\w+)"`)

// hold takes a seat, and returns the key of the page that asks for the payment.
func (b *bed) hold(t *testing.T, v *http.Client, seat int) (key string) {
	t.Helper()
	found := keyField.FindStringSubmatch(b.post(t, v, fmt.Sprint("/seats/", seat), nil))
	require.Len(t, found, 2)
	return found[1]
}

func (b *bed) count(t *testing.T) house.Sales {
	t.Helper()
	plan, err := b.house.Plan(t.Context())
	require.NoError(t, err)
	return house.Count(plan, time.Now())
}

func TestOneSeatByHTTP(t *testing.T) {
	each(t, func(t *testing.T, b *bed) {
		she, he := b.visitor(t), b.visitor(t)
		assert.Contains(t, b.get(t, she, "/"), "<strong>40</strong> of 40 seats are free")
		key := b.hold(t, she, 5)
		page := b.post(t, he, "/seats/5", nil)
		assert.Contains(t, page, "Seat A5: Somebody is just taking this seat.")
		assert.Contains(t, page, `aria-label="Seat A5, being taken"`)
		assert.Contains(t, b.get(t, she, "/"), `aria-label="Seat A5, yours, not paid for yet"`)
		assert.Contains(t, b.get(t, he, "/bookings/1"), "There is no such booking of yours.")

		assert.Contains(t, b.post(t, she, "/bookings/1", url.Values{"key": {key}, "email": {"nobody"}}), "That is no mail address.")
		assert.Contains(t, b.post(t, she, "/bookings/1", url.Values{"email": {"she@example.com"}}), "The form was incomplete.")
		assert.Contains(t, b.post(t, she, "/bookings/1", url.Values{"key": {key}, "email": {"she@example.com"}}), "Enjoy the play")
		assert.Contains(t, b.post(t, he, "/seats/5", nil), "Seat A5: This seat is sold.")
		assert.Contains(t, b.post(t, he, "/seats/1000", nil), "There is no such seat.")
		assert.Contains(t, b.get(t, he, "/"), "she@example.com</span> Your ticket for seat A5")
		assert.Equal(t, house.Sales{Seats: 40, Free: 39, Sold: 1, Tickets: 1}, b.count(t))
	})
}

func TestASeatGivenBackByHTTP(t *testing.T) {
	each(t, func(t *testing.T, b *bed) {
		she, he := b.visitor(t), b.visitor(t)
		b.hold(t, she, 5)
		assert.Contains(t, b.post(t, she, "/bookings/1/release", nil), "<strong>40</strong> of 40")
		b.hold(t, he, 5)
		assert.Contains(t, b.get(t, she, "/bookings/1"), "The seat was held too long")
	})
}

// The answer to a payment is lost on its way. The same form again pays nothing and has the
// same answer, and nobody pays with the key for something else.
func TestAPaymentWhoseAnswerIsLost(t *testing.T) {
	testdb.Each(t, func(t *testing.T, at testdb.Database) {
		var first sync.Once
		b := newBed(t, at, func(site http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				lost := false
				if r.Method == http.MethodPost && r.URL.Path == "/bookings/1" {
					first.Do(func() { lost = true })
				}
				if lost {
					site.ServeHTTP(httptest.NewRecorder(), r)
					panic(http.ErrAbortHandler)
				}
				site.ServeHTTP(w, r)
			})
		})
		she := b.visitor(t)
		form := url.Values{"key": {b.hold(t, she, 5)}, "email": {"she@example.com"}}
		_, err := she.PostForm(b.url+"/bookings/1", form) //nolint:bodyclose // there is none
		require.Error(t, err)
		assert.Contains(t, b.post(t, she, "/bookings/1", form), "Enjoy the play")
		var together errgroup.Group
		for range 5 {
			together.Go(func() error {
				res, err := she.PostForm(b.url+"/bookings/1", form)
				if err == nil {
					err = res.Body.Close()
				}
				return err
			})
		}
		require.NoError(t, together.Wait())
		n, err := orm.Objects[house.Payment](b.db).Count(t.Context())
		require.NoError(t, err)
		assert.EqualValues(t, 1, n)
		_, sent := b.mails.Newest()
		assert.Equal(t, 1, sent)
		form.Set("email", "somebody@example.com")
		assert.Contains(t, b.post(t, she, "/bookings/1", form), "This form was sent before with something else in it.")
	})
}

func TestEventsComeAfterCommit(t *testing.T) {
	each(t, func(t *testing.T, b *bed) {
		she, he := b.visitor(t), b.visitor(t)
		res, err := he.Get(b.url + "/events")
		require.NoError(t, err)
		defer res.Body.Close()
		assert.Equal(t, "text/event-stream", res.Header.Get("Content-Type"))
		events := bufio.NewReader(res.Body)
		event := func() {
			line, err := events.ReadString('\n')
			require.NoError(t, err)
			require.Equal(t, "data: changed\n", line)
			_, err = events.ReadString('\n')
			require.NoError(t, err)
		}
		event() // the one with which it begins
		began := time.Now()
		b.hold(t, she, 5)
		event()
		assert.Less(t, time.Since(began), seldom, "nobody has waited for the next look")
		assert.Contains(t, b.get(t, he, "/"), `aria-label="Seat A5, being taken"`)
	})
}

func TestAFormOnAnotherSite(t *testing.T) {
	each(t, func(t *testing.T, b *bed) {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, b.url+"/seats/5", nil)
		require.NoError(t, err)
		r.Header.Set("Sec-Fetch-Site", "cross-site")
		res, err := b.visitor(t).Do(r)
		require.NoError(t, err)
		require.NoError(t, res.Body.Close())
		assert.Equal(t, http.StatusForbidden, res.StatusCode)
		assert.Equal(t, 40, b.count(t).Free)
	})
}

// loaded presses a button of the load, and waits for what it comes to.
func (b *bed) loaded(t *testing.T, locks string) (Run, string) {
	t.Helper()
	v := b.visitor(t)
	b.post(t, v, "/load", url.Values{"locks": {locks}})
	b.load.running.Wait()
	_, results := b.load.state()
	r := results[locks == "on"]
	require.Empty(t, r.Error)
	return r, b.get(t, v, "/")
}

// Fifty clients and forty seats: with locks each seat is sold once, and ten clients go home.
func TestTheLoadWithLocks(t *testing.T) {
	each(t, func(t *testing.T, b *bed) {
		r, page := b.loaded(t, "on")
		assert.Equal(t, house.Sales{Seats: 40, Sold: 40, Tickets: 40}, r.Sales)
		assert.Equal(t, r.Clients-40, r.Away)
		assert.Contains(t, page, `id="twice-with"><strong class="good">none</strong>`)
		_, sent := b.mails.Newest()
		assert.Equal(t, 40, sent)
	})
}

// Without them seats are sold twice: one run may be lucky, five are not.
func TestTheLoadWithoutLocks(t *testing.T) {
	each(t, func(t *testing.T, b *bed) {
		for range 5 {
			r, page := b.loaded(t, "off")
			if r.Twice == 0 {
				continue
			}
			t.Logf("%d tickets for %d seats, %d of them sold twice", r.Tickets, r.Sold, r.Twice)
			assert.Greater(t, r.Tickets, r.Sold)
			assert.Contains(t, page, fmt.Sprintf(`id="twice-without"><strong class="bad">%d</strong>`, r.Twice))
			assert.True(t, strings.Contains(page, "sold 2 times") || strings.Contains(page, "sold 3 times") || strings.Contains(page, "sold 4 times"))
			return
		}
		t.Error("no seat was sold twice")
	})
}

// A site that is closed in the middle of a load ends it.
func TestTheLoadIsEnded(t *testing.T) {
	b := newBed(t, testdb.New(t, testdb.SQLite), func(h http.Handler) http.Handler { return h })
	b.load.think = time.Hour
	b.post(t, b.visitor(t), "/load", url.Values{"locks": {"on"}})
	assert.Contains(t, b.post(t, b.visitor(t), "/load", url.Values{"locks": {"on"}}), "Fifty clients are at it already.")
	b.Close()
	now, results := b.load.state()
	assert.Nil(t, now)
	assert.NotEmpty(t, results[true].Error)
}
