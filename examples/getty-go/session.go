package main

import (
	"fmt"
	"os"
	"time"

	getty "github.com/apache/dubbo-getty"
)

// Longest packets in bytes. Without a setting it is 4,096.
const (
	longestPacket   = 8 << 20
	longestDatagram = 65507
)

var compressions = map[string]getty.CompressType{
	"none":    getty.CompressNone,
	"deflate": getty.CompressZip,
	"snappy":  getty.CompressSnappy,
}

func (s settings) longest() int {
	if s.transport == "udp" {
		return longestDatagram
	}
	return longestPacket
}

// newSession configures every session of an endpoint.
func (s settings) newSession(listener getty.EventListener) getty.NewSessionCallback {
	return func(session getty.Session) error {
		session.SetName(s.transport)
		session.SetMaxMsgLen(s.longest())
		session.SetPkgHandler(packets{})
		session.SetEventListener(listener)
		session.SetReadTimeout(time.Second)
		session.SetWriteTimeout(time.Minute)
		// CompressNone, set like the others, would be deflate of level 0.
		if s.compress != "none" {
			session.SetCompressType(compressions[s.compress])
		}
		if s.isWebSocket() {
			if err := raiseReadLimit(session, longestPacket); err != nil {
				// Returned, it would make a client dial again and again.
				fmt.Fprintln(os.Stderr, "getty-go:", err)
				os.Exit(2)
			}
		}
		return nil
	}
}

func (s settings) isWebSocket() bool { return s.transport == "ws" || s.transport == "wss" }
