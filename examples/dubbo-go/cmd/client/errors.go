package main

import (
	"context"

	"github.com/getty-rs/getty/examples/dubbo-go/user"
)

// strayCalls are calls that the service does not offer.
type strayCalls struct {
	Nope        func(ctx context.Context, name string) (string, error)  `dubbo:"nope"`
	GreetNumber func(ctx context.Context, n int32) (string, error)      `dubbo:"greet"`
	GreetUser   func(ctx context.Context, u *user.User) (string, error) `dubbo:"greet"`
	NextText    func(ctx context.Context, text string) (int32, error)   `dubbo:"next"`
	NextTwo     func(ctx context.Context, a, b int32) (int32, error)    `dubbo:"next"`
	NextNone    func(ctx context.Context) (int32, error)                `dubbo:"next"`
}

// runErrors prints what the provider says to calls that it cannot serve. Each must fail, and the
// connection must live on.
func runErrors(s settings, r *report) error {
	s.connections = 1
	line, err := throughRelay(&s)
	if err != nil {
		return err
	}
	p, users, err := open(s, r, nil)
	if err != nil {
		return err
	}
	ctx := context.Background()

	for _, wrong := range []struct{ name, service, group, version string }{
		{"no such service", "com.example.user.NoSuchService", user.Group, user.Version},
		{"wrong version", user.Interface, user.Group, "9.9.9"},
		{"wrong group", user.Interface, "nobody", user.Version},
	} {
		stub := &user.Consumer{}
		if err := p.refer(stub, wrong.service, wrong.group, wrong.version); err != nil {
			return err
		}
		answer, err := stub.Greet(ctx, "Ada")
		mustFail(r, wrong.name, answer, err)
	}

	stray := &strayCalls{}
	if err := p.refer(stray, user.Interface, user.Group, user.Version); err != nil {
		return err
	}
	answer, err := stray.Nope(ctx, "Ada")
	mustFail(r, "no such method", answer, err)
	answer, err = stray.GreetNumber(ctx, 1)
	mustFail(r, "int for String", answer, err)
	answer, err = stray.GreetUser(ctx, people()[0])
	mustFail(r, "User for String", answer, err)
	number, err := stray.NextText(ctx, "one")
	mustFail(r, "String for int", number, err)
	number, err = stray.NextTwo(ctx, 1, 2)
	mustFail(r, "too many arguments", number, err)
	number, err = stray.NextNone(ctx)
	mustFail(r, "too few arguments", number, err)

	got, err := users.Greet(ctx, "afterwards")
	r.equal(`greet("afterwards")`, got, err, hello("afterwards"))
	r.check(line.connections() == 1, "all on %d connection(s), expected 1", line.connections())
	return nil
}

func mustFail(r *report, name string, answer any, err error) {
	if err == nil {
		r.check(false, "%s: answered %s, expected an error", name, show(answer))
		return
	}
	r.checks++
	r.say("ERROR %s: %s", name, oneLine(err))
}
