// Command tts is what Holdfast is for, as a program: a studio in which writers
// edit texts while workers render them to sound files.
//
// An edit sets the text and asks for its sound in one block. A worker claims
// rows with SELECT … FOR UPDATE SKIP LOCKED, renders them and stores the paths,
// in one block too. So no edit comes between reading a text and storing its
// sound, and no two workers take the same row. With -locking=none the same work
// is done without locks, and some files end up speaking an old text.
//
// At the end it reads every file back and compares it with its row. It exits
// with 1 if a file is stale although rows were locked.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/holdfast-go/holdfast/examples/internal/database"
	"github.com/holdfast-go/holdfast/examples/tts/internal/progress"
	"github.com/holdfast-go/holdfast/examples/tts/internal/report"
	"github.com/holdfast-go/holdfast/examples/tts/internal/sentences"
	"github.com/holdfast-go/holdfast/examples/tts/internal/settings"
	"github.com/holdfast-go/holdfast/examples/tts/internal/summary"
	"github.com/holdfast-go/holdfast/examples/tts/internal/voice"
	"github.com/holdfast-go/holdfast/orm"
)

func main() {
	s, err := settings.Parse(os.Args[1:], os.Stdout)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return
	case err != nil:
		fmt.Fprintln(os.Stderr, "tts:", err)
		os.Exit(2)
	}
	failed, err := tts(s)
	if err != nil {
		fmt.Fprintln(os.Stderr, "tts:", err)
		os.Exit(1)
	}
	if failed {
		os.Exit(1)
	}
}

// tts makes the runs that were asked for and shows how they went.
func tts(s settings.Settings) (failed bool, err error) {
	// The first Ctrl-C stops the run, a second one the program.
	stop, free := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer free()
	context.AfterFunc(stop, free)

	texts := sentences.Default()
	if s.Input != "" {
		if texts, err = sentences.Load(s.Input); err != nil {
			return false, err
		}
	}
	speaker, err := voice.New(s.Voice)
	if err != nil {
		return false, err
	}
	db, clean, err := database.Open(stop, s.Database)
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, clean()) }()

	var summaries []summary.Summary
	var pages []report.Run
	for _, locking := range s.Locking {
		if stop.Err() != nil {
			break
		}
		result, page, err := one(stop, s, locking, db, speaker, texts)
		if err != nil {
			return false, err
		}
		summaries, pages = append(summaries, result), append(pages, page)
		failed = failed || result.Failed()
	}
	fmt.Println()
	if err := summary.Print(os.Stdout, summaries...); err != nil {
		return failed, err
	}
	if s.Report != "" {
		if err := report.WriteFile(s.Report, pages...); err != nil {
			return failed, err
		}
		fmt.Println("report:", s.Report)
	}
	return failed, nil
}

// one makes one run.
func one(stop context.Context, s settings.Settings, locking settings.Locking, db *orm.DB, speaker *voice.Voice, texts []string) (_ summary.Summary, _ report.Run, err error) {
	out, remove, err := soundsIn(s.Out, locking)
	if err != nil {
		return summary.Summary{}, report.Run{}, err
	}
	defer func() { err = errors.Join(err, remove()) }()
	r := &run{
		settings: s, locking: locking, studio: studio{db}, voice: speaker, texts: texts, out: out,
		pace:     2 * time.Millisecond,
		progress: progress.New(os.Stderr, string(locking), steps(s)),
	}
	result, err := r.do(stop)
	if err != nil {
		return summary.Summary{}, report.Run{}, err
	}
	return result, report.Run{Summary: result, Recording: r.recorder.Recording()}, nil
}
