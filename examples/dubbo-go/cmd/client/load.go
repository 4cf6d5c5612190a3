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
	return runCallers(s, r, func(n int, _ time.Duration) bool { return n < s.calls })
}

// runSteady does so for a while.
func runSteady(s settings, r *report) error {
	most := time.Duration(s.seconds) * time.Second
	return runCallers(s, r, func(_ int, since time.Duration) bool { return since < most })
}

// runCallers makes calls, numbered from 0, as long as more says so, which is told the time since the
// first. It prints READY after as many right answers as there are callers.
func runCallers(s settings, r *report, more func(n int, since time.Duration) bool) error {
	_, users, err := open(s, r, nil)
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

	var taken, right, wrong, failed atomic.Int64
	var firstError atomic.Pointer[error]
	var callers sync.WaitGroup
	start := time.Now()
	for range s.callers {
		callers.Go(func() {
			for {
				n := int(taken.Add(1)) - 1
				if !more(n, time.Since(start)) {
					taken.Add(-1)
					return
				}
				call := greet
				if n%2 == 1 {
					call = next
				}
				isRight, err := call(n)
				switch {
				case err != nil:
					failed.Add(1)
					firstError.CompareAndSwap(nil, &err)
				case !isRight:
					wrong.Add(1)
				case right.Add(1) == int64(s.callers):
					r.say("READY")
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
		taken.Load(), s.callers, s.connections, wrong.Load(), failed.Load(), took.Seconds(), float64(taken.Load())/took.Seconds())
	return nil
}
