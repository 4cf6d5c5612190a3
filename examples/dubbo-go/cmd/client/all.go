package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/getty-rs/getty/examples/dubbo-go/user"
)

// runAll calls every method and compares each answer with what it works out itself.
func runAll(s settings, r *report) error {
	_, users, err := open(s, r, nil)
	if err != nil {
		return err
	}
	checkScalars(r, users)
	checkNullText(r, users, s.goProvider)
	checkLists(r, users)
	checkUsers(r, users)
	checkFind(r, users)
	checkNotes(r, users)
	return nil
}

// each calls a method with every input.
func each[In, Out any](r *report, method string, call func(context.Context, In) (Out, error), want func(In) Out, inputs ...In) {
	for _, input := range inputs {
		got, err := call(context.Background(), input)
		r.equal(fmt.Sprintf("%s(%s)", method, show(input)), got, err, want(input))
	}
}

func checkScalars(r *report, users *user.Consumer) {
	each(r, "greet", users.Greet, hello, texts()...)
	each(r, "next", users.Next, func(n int32) int32 { return n + 1 },
		0, -1, 47, 48, 2047, 2048, 262143, 262144, math.MaxInt32-1, math.MaxInt32, math.MinInt32)
	each(r, "negate", users.Negate, func(n int64) int64 { return -n },
		0, 1, -1, 15, 16, 2047, 2048, 262143, 262144, math.MaxInt32+1, math.MaxInt64, math.MinInt64)
	each(r, "half", users.Half, func(x float64) float64 { return x / 2 },
		0, 2, -3, 1, 254, 256, -256, 65534, 0.002, 12.345, math.Pi, 1e300, math.MaxFloat64, math.SmallestNonzeroFloat64*2)
	each(r, "not", users.Not, func(b bool) bool { return !b }, true, false, true)
	each(r, "reverseBytes", users.ReverseBytes, backwards[byte],
		[]byte{}, []byte{7}, []byte("abc"), ramp(15), ramp(16), ramp(1023), ramp(1024), ramp(70000))
	each(r, "nextDay", users.NextDay, func(at time.Time) time.Time { return at.Add(24 * time.Hour) },
		time.UnixMilli(0), time.UnixMilli(-1), time.UnixMilli(1),
		time.Date(2024, 2, 28, 23, 59, 59, 999e6, time.UTC), time.Date(1600, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(9999, 12, 30, 0, 0, 0, 0, time.UTC))
	each(r, "slow", users.Slow, func(millis int32) string { return fmt.Sprintf("slept %d ms", millis) }, 0, 1, 50)
	each(r, "large", users.Large, func(size int32) string { return strings.Repeat("x", int(size)) },
		0, 1, 31, 32, 1023, 1024, 32768, 65535, 65536, 900000)
	for range 3 {
		got, err := users.Version(context.Background())
		r.equal("version()", got, err, "1.0.0")
	}
}

// checkNullText sends null for a String: once with the type String in the signature, once as dubbo-go
// sends a plain nil, with the type void.
func checkNullText(r *report, users *user.Consumer, goProvider bool) {
	const call = "greet(null)"
	goProviderCannot := "a Go provider cannot take a null String (reflect: Call using *string as type string)"
	for _, null := range []any{(*user.NullString)(nil), nil} {
		if goProvider {
			r.skip(call, goProviderCannot)
			continue
		}
		got, err := users.GreetAny(context.Background(), null)
		r.equal(call, got, err, "Hello, nobody!")
	}
}

func checkLists(r *report, users *user.Consumer) {
	reverse := func(ctx context.Context, words []any) ([]any, error) {
		return users.Reverse(ctx, user.Arguments(words))
	}
	many := make([]any, 0, 300)
	for i := range 300 {
		many = append(many, fmt.Sprint("word ", i))
	}
	each(r, "reverse", reverse, backwards[any],
		[]any{}, []any{"one"}, []any{"a", "", "世界", "👋🏽"}, []any{"1", "2", "3", "4", "5", "6", "7", "8"}, many)
}

func checkUsers(r *report, users *user.Consumer) {
	each(r, "birthday", users.Birthday, aYearOlder, people()...)

	byAge := func(ctx context.Context, list []any) ([]any, error) {
		return users.SortByAge(ctx, user.Arguments(list))
	}
	each(r, "sortByAge", byAge, youngestFirst,
		[]any{},
		[]any{person("only", 5)},
		[]any{person("first of 30", 30), person("baby", 0), person("second of 30", 30), person("old", 99), person("third of 30", 30)},
		[]any{people()[0], people()[1], people()[2]})

	for _, age := range []int32{math.MinInt32, 29, 30, math.MaxInt32} {
		for _, all := range []map[any]any{
			{},
			{"one": person("one", 30)},
			{"": person("no key", 31), "世界": person("世界", 29), "👋": people()[0]},
		} {
			got, err := users.OlderThan(context.Background(), all, age)
			r.equal(fmt.Sprintf("olderThan(%s, %d)", show(all), age), got, err, olderThan(all, age))
		}
	}
}

func checkFind(r *report, users *user.Consumer) {
	each(r, "find", users.Find, func(id int64) *user.User {
		return &user.User{ID: id, Name: fmt.Sprintf("user-%d", id), Age: 30, Level: user.Silver}
	}, 1, 42, math.MaxInt64)

	for _, id := range []int64{0, -1, math.MinInt64} {
		call := fmt.Sprintf("find(%d)", id)
		found, err := users.Find(context.Background(), id)
		var thrown *user.NotFound
		switch {
		case err == nil:
			r.check(false, "%s = %s, expected an exception", call, show(found))
		case !errors.As(err, &thrown):
			r.check(false, "%s threw %T: %s, expected UserNotFoundException", call, err, oneLine(err))
		default:
			r.equal(call+" throws UserNotFoundException", thrown, nil, &user.NotFound{DetailMessage: fmt.Sprintf("no user %d", id), ID: id})
		}
	}
}

// checkNotes tells its notes from others' by a prefix: the provider keeps those of all its callers.
func checkNotes(r *report, users *user.Consumer) {
	ctx := context.Background()
	prefix := fmt.Sprintf("%d-%d ", os.Getpid(), time.Now().UnixNano())
	var want []any
	for _, text := range []string{"", "plain", "世界 👋"} {
		note := prefix + text
		want = append(want, note)
		answer, err := users.Remember(ctx, note)
		r.equal(fmt.Sprintf("remember(%s)", show(note)), answer, err, nil)
		got, err := ownNotes(ctx, users, prefix)
		r.equal("notes()", got, err, want)
	}
	for _, text := range []string{"one way", "世界 one way", strings.Repeat("long ", 20000)} {
		note := prefix + text
		want = append(want, note)
		err := users.Log(user.OneWay(ctx), note)
		r.equal(fmt.Sprintf("log(%s), one way", show(note)), nil, err, nil)
		// Nobody says when a one-way call has arrived.
		var got []any
		for end := time.Now().Add(callTimeout); err == nil && len(got) < len(want) && time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
			got, err = ownNotes(ctx, users, prefix)
		}
		r.equal("notes() after it", got, err, want)
	}
}

func ownNotes(ctx context.Context, users *user.Consumer, prefix string) ([]any, error) {
	all, err := users.Notes(ctx)
	return slices.DeleteFunc(all, func(note any) bool {
		text, ok := note.(string)
		return !ok || !strings.HasPrefix(text, prefix)
	}), err
}

func hello(name string) string { return fmt.Sprintf("Hello, %s!", name) }

func backwards[T any](list []T) []T {
	reversed := slices.Clone(list)
	slices.Reverse(reversed)
	return reversed
}

func aYearOlder(who *user.User) *user.User {
	older := *who
	older.Age++
	older.Level = map[user.Level]user.Level{user.Bronze: user.Silver, user.Silver: user.Gold, user.Gold: user.Gold}[who.Level]
	return &older
}

func youngestFirst(list []any) []any {
	sorted := slices.Clone(list)
	slices.SortStableFunc(sorted, func(a, b any) int { return int(a.(*user.User).Age) - int(b.(*user.User).Age) })
	return sorted
}

func olderThan(all map[any]any, age int32) map[any]any {
	older := maps.Clone(all)
	maps.DeleteFunc(older, func(_, each any) bool { return each.(*user.User).Age <= age })
	return older
}
