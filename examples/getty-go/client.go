package main

import (
	"bytes"
	"fmt"
	"os"
	"time"

	getty "github.com/apache/dubbo-getty"
)

// How long an echo may take.
const patience = 30 * time.Second

// Packets on their way at a time; over UDP more than one may get lost.
const window = 8

// call sends packets and compares every byte of what comes back. It ends the program: 0 all came back as they were, 1 not all did.
func call(s settings) error {
	client, err := s.newClient()
	if err != nil {
		return err
	}
	told := &listener{opened: make(chan getty.Session, 1), echoes: make(chan []byte, window), ended: make(chan error, 2)}
	// It dials for ever when nobody listens.
	go client.RunEventLoop(s.newSession(told))
	passed, err := told.exchange(s)
	if err != nil {
		fmt.Println("FAIL", err)
	}
	failed := len(s.sizes)*s.count - passed
	fmt.Printf("%d passed, %d failed\n", passed, failed)
	if failed > 0 {
		os.Exit(1)
	}
	client.Close()
	return nil
}

func (s settings) newClient() (getty.Client, error) {
	options := []getty.ClientOption{getty.WithConnectionNumber(1)}
	address := getty.WithServerAddress(s.addr)
	switch s.transport {
	case "tcp":
		return getty.NewTCPClient(append(options, address)...), nil
	case "tls":
		config, err := s.clientTLS()
		if err != nil {
			return nil, err
		}
		options = append(options, address, getty.WithClientSslEnabled(true), getty.WithClientTlsConfigBuilder(config))
		return getty.NewTCPClient(options...), nil
	case "ws":
		return getty.NewWSClient(append(options, getty.WithServerAddress("ws://"+s.addr+s.path))...), nil
	case "wss":
		// The release reads the file, and verifies nothing by it.
		options = append(options, getty.WithServerAddress("wss://"+s.addr+s.path), getty.WithRootCertificateFile(s.ca))
		return getty.NewWSSClient(options...), nil
	case "udp":
		return getty.NewUDPClient(append(options, address)...), nil
	default:
		return nil, fmt.Errorf("--transport %q: expected tcp, tls, ws, wss or udp", s.transport)
	}
}

// listener passes on what a session tells.
type listener struct {
	opened chan getty.Session
	echoes chan []byte
	ended  chan error
}

func (l *listener) OnOpen(session getty.Session) error {
	// After the first one has ended nobody wants another.
	select {
	case l.opened <- session:
	default:
	}
	return nil
}

func (l *listener) OnCron(getty.Session) {}

func (l *listener) OnError(_ getty.Session, err error) { l.end(err) }

func (l *listener) OnClose(getty.Session) { l.end(fmt.Errorf("the peer has closed it")) }

func (l *listener) end(err error) {
	select {
	case l.ended <- err:
	default:
	}
}

func (l *listener) OnMessage(_ getty.Session, packet any) {
	payload, err := payloadOf(packet)
	if err != nil {
		l.end(err)
		return
	}
	l.echoes <- payload
}

// exchange sends everything and gives the number of packets that came back as they were.
func (l *listener) exchange(s settings) (passed int, err error) {
	var session getty.Session
	select {
	case session = <-l.opened:
	case <-time.After(patience):
		return 0, fmt.Errorf("no session within %v", patience)
	}
	for _, size := range s.sizes {
		sent := 0
		for number := range s.count {
			for sent < s.count && sent < number+s.window() {
				if _, _, err := session.WritePkg(s.packet(size, sent), 0); err != nil {
					return passed, err
				}
				sent++
			}
			select {
			case echo := <-l.echoes:
				if bytes.Equal(echo, payload(size, number)) {
					passed++
				} else {
					fmt.Printf("FAIL packet %d of %d bytes: %d other bytes came back\n", number, size, len(echo))
				}
			case err := <-l.ended:
				return passed, fmt.Errorf("the session has ended: %w", err)
			case <-time.After(patience):
				return passed, fmt.Errorf("packet %d of %d bytes: no echo within %v", number, size, patience)
			}
		}
	}
	return passed, nil
}

func (s settings) window() int {
	if s.transport == "udp" {
		return 1
	}
	return window
}

// packet is what WritePkg takes.
func (s settings) packet(size, number int) any {
	if s.transport == "udp" {
		return getty.UDPContext{Pkg: payload(size, number)}
	}
	return payload(size, number)
}

// payload makes one of its own for each packet. One half can be compressed, the other cannot.
func payload(size, number int) []byte {
	made := make([]byte, size)
	state := uint64(size)<<32 | uint64(number)<<1 | 1
	for i := range made {
		if i < size/2 {
			made[i] = byte((i + number) % 251)
			continue
		}
		state ^= state << 13
		state ^= state >> 7
		state ^= state << 17
		made[i] = byte(state >> 32)
	}
	return made
}
