// Package report draws runs as one HTML page that needs nothing but a browser: no other file, no network.
package report

import (
	"embed"
	"errors"
	"fmt"
	"html/template"
	"io"
	"os"
	"path/filepath"

	"github.com/holdfast-go/holdfast/examples/tts/internal/summary"
	"github.com/holdfast-go/holdfast/examples/tts/internal/timeline"
)

// Run is one run of the example: how it went, and what its blocks did.
type Run struct {
	Summary   summary.Summary
	Recording timeline.Recording
}

//go:embed page
var files embed.FS

// scripts are the parts of the page's program, in the order in which they build on each other.
var scripts = []string{
	"time.js", "model.js", "view.js", "paint.js", "bars.js", "pins.js",
	"overview.js", "tooltip.js", "gestures.js", "chart.js", "main.js",
}

// Write writes the page. Several runs share it, so that they can be compared. The text in a recording is escaped.
func Write(w io.Writer, runs ...Run) error {
	if len(runs) == 0 {
		return errors.New("report: no run to draw")
	}
	page, err := template.ParseFS(files, "page/page.html")
	if err != nil {
		return fmt.Errorf("report: %w", err)
	}
	style, err := files.ReadFile("page/style.css")
	if err != nil {
		return fmt.Errorf("report: %w", err)
	}
	var script []byte
	for _, name := range scripts {
		part, err := files.ReadFile("page/" + name)
		if err != nil {
			return fmt.Errorf("report: %w", err)
		}
		script = append(script, part...)
	}
	return page.Execute(w, content{
		Headline: headline(runs),
		Sections: sections(runs),
		Style:    template.CSS(style), // both are our own files, not data
		Script:   template.JS(script),
	})
}

// WriteFile writes the page to a file, which appears whole or not at all.
func WriteFile(path string, runs ...Run) (err error) {
	temp, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*.part")
	if err != nil {
		return fmt.Errorf("report: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(temp.Name()))
		}
	}()
	err = errors.Join(Write(temp, runs...), temp.Chmod(0o644), temp.Close())
	if err != nil {
		return err
	}
	return os.Rename(temp.Name(), path)
}
