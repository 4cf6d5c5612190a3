package main

import (
	"context"
	"time"

	"dubbo.apache.org/dubbo-go/v3/remoting/getty"
)

// runIdle makes no call for a while. dubbo-go sends heartbeats meanwhile and closes a connection on
// which nothing arrived for longer than the session timeout, so the provider must answer them.
func runIdle(s settings, r *report) error {
	s.connections = 1
	line, err := throughRelay(&s)
	if err != nil {
		return err
	}
	_, users, err := open(s, r, func(config *getty.ClientConfig) {
		config.HeartbeatPeriod = s.heartbeat.String()
		config.HeartbeatTimeout = s.heartbeat.String()
		config.SessionTimeout = (4 * s.heartbeat).String()
	})
	if err != nil {
		return err
	}
	got, err := users.Greet(context.Background(), "before")
	r.equal(`greet("before")`, got, err, hello("before"))
	r.say("idle for %d s, a heartbeat every %s, session timeout %s", s.seconds, s.heartbeat, 4*s.heartbeat)
	time.Sleep(time.Duration(s.seconds) * time.Second)
	got, err = users.Greet(context.Background(), "after")
	r.equal(`greet("after")`, got, err, hello("after"))
	r.check(line.connections() == 1, "all on %d connection(s), expected 1", line.connections())
	return nil
}
