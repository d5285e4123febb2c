// Command booking sells the seats of a theatre, in a browser.
//
// A seat is taken with SELECT … FOR UPDATE NOWAIT, so that two who click at the same moment
// do not both get it, and the second is told at once. A payment carries a key and is made
// once, however often its form is sent. The ticket is mailed when the payment is committed.
// A button lets fifty clients loose on the forty seats, with the locks and without.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/holdfast-go/holdfast/examples/booking/internal/house"
	"github.com/holdfast-go/holdfast/examples/booking/internal/site"
	"github.com/holdfast-go/holdfast/examples/internal/database"
)

func main() {
	// The first Ctrl-C ends the program in order, a second one at once.
	stop, free := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer free()
	context.AfterFunc(stop, free)
	err := run(stop, os.Args[1:], os.Stdout)
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "booking:", err)
		os.Exit(1)
	}
}

// run opens the database and the house, and answers until stop ends.
func run(stop context.Context, args []string, out io.Writer) (err error) {
	flags := flag.NewFlagSet("booking", flag.ContinueOnError)
	db := flags.String("db", "sqlite", database.Option)
	addr := flags.String("addr", "127.0.0.1:8080", "`address` to listen at; port 0 is a free one")
	hold := flags.Duration("hold", 2*time.Minute, "how `long` a seat is kept while its visitor pays")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("unexpected argument %q: every option starts with -", flags.Arg(0))
	}
	where, err := database.Parse(*db)
	if err != nil {
		return err
	}
	opened, clean, err := database.Open(stop, where, house.Settings()...)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, clean()) }()
	if err := house.Migrate(stop, opened); err != nil {
		return err
	}
	listener, err := (&net.ListenConfig{}).Listen(stop, "tcp", *addr)
	if err != nil {
		return fmt.Errorf("%w; -addr names another address", err)
	}
	fmt.Fprintf(out, "%s\nhttp://%s\n", opened.Server(), listener.Addr())
	return serve(stop, listener, site.New(&house.House{DB: opened, HoldFor: *hold}))
}

// serve answers requests until stop ends, and then the last of them to its end.
func serve(stop context.Context, listener net.Listener, s *site.Site) error {
	server := &http.Server{Handler: s.Handler(), ReadHeaderTimeout: 10 * time.Second, IdleTimeout: time.Minute}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	select {
	case err := <-ended:
		s.Close()
		return err
	case <-stop.Done():
	}
	s.Close() // streams first: they would never come to an end
	last, cancel := context.WithTimeout(context.WithoutCancel(stop), 10*time.Second)
	defer cancel()
	if err := server.Shutdown(last); err != nil {
		return err
	}
	if err := <-ended; !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
