// Command client consumes the user service, at a direct URL or where a registry says, and checks what
// it answers. The last line and the exit code tell: 0 all was right, 1 something was wrong, 2 the run
// could not start.
package main

import (
	"flag"
	"fmt"
	"os"
	"time"
)

type settings struct {
	url         string
	registry    string
	mode        string
	logLevel    string
	goProvider  bool
	callers     int
	calls       int
	connections int
	seconds     int
	heartbeat   time.Duration
}

var modes = map[string]func(settings, *report) error{
	"all":     runAll,
	"load":    runLoad,
	"steady":  runSteady,
	"timeout": runTimeout,
	"errors":  runErrors,
	"idle":    runIdle,
}

func main() {
	var s settings
	flag.StringVar(&s.url, "url", "dubbo://127.0.0.1:20000", "direct URL of the provider")
	flag.StringVar(&s.registry, "registry", "", "zookeeper://host:port or etcd://host:port, instead of -url (all, load and steady)")
	flag.StringVar(&s.mode, "mode", "all", "all, load, steady, timeout, errors or idle")
	flag.StringVar(&s.logLevel, "log", "error", "level of dubbo-go's log on standard error")
	flag.BoolVar(&s.goProvider, "go-provider", false, "skip what a provider in dubbo-go cannot do")
	flag.IntVar(&s.connections, "connections", 1, "connections to each provider (all, load and steady)")
	flag.IntVar(&s.callers, "callers", 200, "concurrent callers (load and steady)")
	flag.IntVar(&s.calls, "calls", 10000, "calls in all (load)")
	flag.IntVar(&s.seconds, "seconds", 10, "seconds of calls (steady), or without a call (idle)")
	flag.DurationVar(&s.heartbeat, "heartbeat", time.Second, "heartbeat period (idle)")
	flag.Parse()

	run, known := modes[s.mode]
	if !known {
		fmt.Fprintf(os.Stderr, "client: no mode %q\n", s.mode)
		os.Exit(2)
	}
	time.Local = time.UTC // a decoded date is in local time; this makes it print as it is
	results := &report{}
	if err := run(s, results); err != nil {
		fmt.Fprintln(os.Stderr, "client:", err)
		os.Exit(2)
	}
	os.Exit(results.finish())
}
