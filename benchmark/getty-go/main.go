// An echo server on Go's getty, for the benchmark: the frames and the reports are those of the benchmark's own servers, and so are
// the options. Everything is as fast as this getty can be: no log, no task pool, TCP_NODELAY, and a packet is answered from the
// buffer into which it was read.
package main

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"runtime"
	"sync/atomic"
	"syscall"
	"time"

	getty "github.com/apache/dubbo-getty"
	"go.uber.org/zap"
)

// The header of a frame: da bb, two bytes of flags, eight of an id, four of the body's length.
const (
	header  = 16
	longest = 64 * 1024
)

// How long getty waits: as long as its users usually tell it to.
const (
	readTimeout  = time.Second
	writeTimeout = 5 * time.Second
	cronPeriod   = time.Minute
	closeWait    = time.Second
)

var calls atomic.Uint64

func main() {
	addr := flag.String("s", "127.0.0.1:0", "where to listen; port 0 takes a free one")
	workers := flag.Int("workers", 2, "threads that run Go code at a time")
	untilStdinCloses := flag.Bool("until-stdin-closes", false, "stop also when standard input is closed")
	flag.Parse()
	runtime.GOMAXPROCS(*workers)

	getty.SetLogger(zap.NewNop().Sugar())
	server := getty.NewTCPServer(getty.WithLocalAddress(*addr))
	server.RunEventLoop(open)
	idle := usage()
	fmt.Println("READY", server.(getty.StreamServer).Listener().Addr())

	stopped := make(chan os.Signal, 1)
	signal.Notify(stopped, syscall.SIGTERM, syscall.SIGINT)
	if *untilStdinCloses {
		go func() {
			_, _ = io.Copy(io.Discard, os.Stdin)
			stopped <- syscall.SIGTERM
		}()
	}
	<-stopped
	report(idle)
}

func open(session getty.Session) error {
	if err := session.Conn().(*net.TCPConn).SetNoDelay(true); err != nil {
		return err
	}
	session.SetMaxMsgLen(longest)
	session.SetPkgHandler(codec{})
	session.SetEventListener(echo{})
	session.SetReadTimeout(readTimeout)
	session.SetWriteTimeout(writeTimeout)
	session.SetCronPeriod(int(cronPeriod.Milliseconds()))
	session.SetWaitTime(closeWait)
	return nil
}

// Whole frames, not decoded.
type codec struct{}

func (codec) Read(_ getty.Session, data []byte) (any, int, error) {
	if len(data) < header {
		return nil, 0, nil
	}
	if data[0] != 0xda || data[1] != 0xbb {
		return nil, 0, errors.New("a frame begins with da bb")
	}
	length := header + int(binary.BigEndian.Uint32(data[12:header]))
	if length > len(data) {
		// Its session holds it to the longest packet.
		return nil, length, nil
	}
	return data[:length], length, nil
}

func (codec) Write(_ getty.Session, packet any) ([]byte, error) {
	return packet.([]byte), nil
}

type echo struct{}

func (echo) OnOpen(getty.Session) error         { return nil }
func (echo) OnClose(getty.Session)              {}
func (echo) OnError(_ getty.Session, err error) {}
func (echo) OnCron(getty.Session)               {}

func (echo) OnMessage(session getty.Session, packet any) {
	calls.Add(1)
	// A client that has gone wants no answer.
	_, _, _ = session.WritePkg(packet, writeTimeout)
}

func usage() syscall.Rusage {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		fmt.Fprintln(os.Stderr, "error: getrusage:", err)
		os.Exit(1)
	}
	return usage
}

func cpu(usage syscall.Rusage) time.Duration {
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// One line, with the fields of the benchmark's own servers.
func report(idle syscall.Rusage) {
	now := usage()
	spent := cpu(now) - cpu(idle)
	calls := calls.Load()
	perCall := 0.0
	if calls > 0 {
		perCall = float64(spent.Nanoseconds()) / 1000 / float64(calls)
	}
	_ = json.NewEncoder(os.Stdout).Encode(struct {
		Calls        uint64  `json:"calls"`
		CPU          int64   `json:"cpu_us"`
		CPUPerCall   float64 `json:"cpu_us_per_call"`
		PeakRSSBytes int64   `json:"peak_rss_bytes"`
	}{calls, spent.Microseconds(), perCall, now.Maxrss * 1024})
}
