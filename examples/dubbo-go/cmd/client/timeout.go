package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	"dubbo.apache.org/dubbo-go/v3/common/constant"
)

// runTimeout lets calls run into their timeout and goes on calling on the same connection until the
// answers would have come. A late answer makes dubbo-go close its connection, with every other call
// on it, so a provider must not send one.
func runTimeout(s settings, r *report) error {
	const sleeps, timeout = 2 * time.Second, 500 * time.Millisecond
	s.connections = 1
	line, err := throughRelay(&s)
	if err != nil {
		return err
	}
	_, users, err := open(s, r, nil)
	if err != nil {
		return err
	}
	ctx := context.Background()
	got, err := users.Greet(ctx, "before")
	r.equal(`greet("before")`, got, err, hello("before"))

	start := time.Now()
	var slow sync.WaitGroup
	var checks sync.Mutex
	short := context.WithValue(ctx, constant.AttachmentKey, map[string]any{constant.TimeoutKey: timeout.String()})
	for range 3 {
		slow.Go(func() {
			answer, err := users.Slow(short, int32(sleeps.Milliseconds()))
			took := time.Since(start).Round(time.Millisecond)
			checks.Lock()
			defer checks.Unlock()
			if err == nil {
				r.check(false, "slow(%d) = %q after %s, expected its timeout of %s", sleeps.Milliseconds(), answer, took, timeout)
			} else {
				r.check(took < sleeps, "slow(%d) failed after %s: %s", sleeps.Milliseconds(), took, oneLine(err))
			}
		})
	}
	calls, failures := 0, 0
	var first string
	for ; time.Since(start) < sleeps+timeout+time.Second; calls++ {
		name := fmt.Sprint("meanwhile ", calls)
		answer, err := users.Greet(ctx, name)
		if err != nil || answer != hello(name) {
			failures++
			if first == "" {
				first = fmt.Sprintf("; first after %s: %q %v", time.Since(start).Round(time.Millisecond), answer, err)
			}
		}
		time.Sleep(10 * time.Millisecond)
	}
	slow.Wait()
	if s.goProvider {
		r.skip("calls meanwhile", "a Go provider answers late, which costs its Go consumer the connection")
		return nil
	}
	r.check(failures == 0, "%d calls meanwhile and afterwards, %d failed%s", calls, failures, first)
	r.check(line.connections() == 1, "all on %d connection(s), expected 1", line.connections())
	return nil
}
