package main

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"unicode/utf8"
)

// report prints one line for each check and keeps the count.
type report struct {
	out     *os.File
	checks  int
	failed  int
	skipped int
}

func (r *report) to(out *os.File) { r.out = out }

func (r *report) say(format string, values ...any) { fmt.Fprintf(r.out, format+"\n", values...) }

// equal checks an answer. An error is a wrong answer.
func (r *report) equal(call string, got any, err error, want any) {
	switch {
	case err != nil:
		r.check(false, "%s: %s, expected %s", call, oneLine(err), abbreviate(toJSON(want), wholeAnswer))
	case !same(got, want):
		r.check(false, "%s = %s, expected %s", call, abbreviate(toJSON(got), wholeAnswer), abbreviate(toJSON(want), wholeAnswer))
	default:
		r.check(true, "%s = %s", call, show(got))
	}
}

func (r *report) check(ok bool, format string, values ...any) {
	r.checks++
	mark := "ok  "
	if !ok {
		r.failed++
		mark = "FAIL"
	}
	r.say(mark+" "+format, values...)
}

func (r *report) skip(call, why string) {
	r.skipped++
	r.say("SKIP %s: %s", call, why)
}

// finish prints the last line and gives the exit code.
func (r *report) finish() int {
	if r.failed > 0 {
		r.say("FAILED %d of %d checks", r.failed, r.checks)
		return 1
	}
	r.say("ALL OK %d checks", r.checks)
	return 0
}

func same(got, want any) bool {
	if text, ok := got.(string); ok {
		return text == want
	}
	return toJSON(got) == toJSON(want)
}

// How much of a value is printed, in characters: of a right one, and of a wrong one.
const (
	oneGlance   = 150
	wholeAnswer = 5000
)

// show is a value in one short line.
func show(value any) string { return abbreviate(toJSON(value), oneGlance) }

func abbreviate(text string, most int) string {
	length := utf8.RuneCountInString(text)
	if length <= most {
		return text
	}
	return fmt.Sprintf("%s... (%d characters)", string([]rune(text)[:most/2]), length)
}

func toJSON(value any) string {
	var text strings.Builder
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(printable(value)); err != nil {
		return fmt.Sprintf("%#v", value)
	}
	return strings.TrimSuffix(text.String(), "\n")
}

func printable(value any) any {
	switch v := value.(type) {
	case map[any]any:
		if v == nil {
			return nil
		}
		named := make(map[string]any, len(v))
		for key, each := range v {
			named[fmt.Sprint(key)] = each
		}
		return named
	case []byte:
		return base64.StdEncoding.EncodeToString(v)
	default:
		return value
	}
}

func oneLine(err error) string { return strings.Join(strings.Fields(err.Error()), " ") }
