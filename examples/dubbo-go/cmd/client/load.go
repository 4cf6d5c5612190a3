package main

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// runLoad makes many calls at once, no two alike, and checks that each gets its own answer.
func runLoad(s settings, r *report) error {
	p, err := open(s, r, nil)
	if err != nil {
		return err
	}
	users, err := p.users()
	if err != nil {
		return err
	}
	ctx := context.Background()
	greet := func(n int) (bool, error) {
		name := fmt.Sprint("caller ", n)
		answer, err := users.Greet(ctx, name)
		return answer == hello(name), err
	}
	next := func(n int) (bool, error) {
		answer, err := users.Next(ctx, int32(n))
		return int(answer) == n+1, err
	}

	var taken, wrong, failed atomic.Int64
	var firstError atomic.Pointer[error]
	var callers sync.WaitGroup
	start := time.Now()
	for range s.callers {
		callers.Go(func() {
			for n := int(taken.Add(1)) - 1; n < s.calls; n = int(taken.Add(1)) - 1 {
				call := greet
				if n%2 == 1 {
					call = next
				}
				right, err := call(n)
				if err != nil {
					failed.Add(1)
					firstError.CompareAndSwap(nil, &err)
				} else if !right {
					wrong.Add(1)
				}
			}
		})
	}
	callers.Wait()

	took := time.Since(start)
	if err := firstError.Load(); err != nil {
		r.say("first error: %s", oneLine(*err))
	}
	r.check(wrong.Load() == 0 && failed.Load() == 0, "%d calls by %d callers, %d connections: %d wrong answers, %d errors, %.1f s, %.0f calls/s",
		s.calls, s.callers, s.connections, wrong.Load(), failed.Load(), took.Seconds(), float64(s.calls)/took.Seconds())
	return nil
}
