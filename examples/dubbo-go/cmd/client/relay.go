package main

import (
	"fmt"
	"io"
	"net"
	"sync/atomic"
)

// relay stands between dubbo-go and the provider and counts the connections, which dubbo-go replaces
// without a word to the caller.
type relay struct {
	listener net.Listener
	provider string
	accepted atomic.Int32
}

// throughRelay starts a relay and changes the URL so that the calls go through it.
func throughRelay(s *settings) (*relay, error) {
	if s.registry != "" {
		return nil, fmt.Errorf("mode %s counts connections to one provider: give its -url, not -registry", s.mode)
	}
	if err := reachable(s.url); err != nil {
		return nil, err
	}
	address, err := addressOf(s.url)
	if err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	r := &relay{listener: listener, provider: address}
	go r.accept()
	s.url = "dubbo://" + listener.Addr().String()
	return r, nil
}

// connections is the number of connections that carried something; the look whether the port is
// open carries nothing.
func (r *relay) connections() int { return int(r.accepted.Load()) }

func (r *relay) accept() {
	for {
		near, err := r.listener.Accept()
		if err != nil {
			return
		}
		go r.forward(near)
	}
}

func (r *relay) forward(near net.Conn) {
	defer func() { _ = near.Close() }()
	first := make([]byte, 4096)
	n, err := near.Read(first)
	if err != nil {
		return
	}
	far, err := net.Dial("tcp", r.provider)
	if err != nil {
		return
	}
	defer func() { _ = far.Close() }()
	r.accepted.Add(1)
	if _, err := far.Write(first[:n]); err != nil {
		return
	}
	done := make(chan struct{}, 2)
	pipe := func(to, from net.Conn) {
		_, _ = io.Copy(to, from)
		done <- struct{}{}
	}
	go pipe(far, near)
	go pipe(near, far)
	<-done
}
