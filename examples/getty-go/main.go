// Command getty-go echoes packets over github.com/apache/dubbo-getty, with the command line of the example `echo`: a server sends
// every packet back as it came, a client compares every byte of what comes back. A packet is a length of four bytes, big endian,
// and the payload; over WebSocket and UDP there is one in each message.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"strconv"
	"strings"

	getty "github.com/apache/dubbo-getty"
)

type settings struct {
	transport string
	addr      string
	path      string
	compress  string
	cert      string
	key       string
	ca        string
	sizes     []int
	count     int
}

func main() {
	// Every write is logged otherwise.
	getty.SetLoggerLevel(getty.LoggerLevelError)
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "getty-go:", err)
		os.Exit(2)
	}
}

func run(arguments []string) error {
	if len(arguments) == 0 {
		return errors.New("usage: getty-go server|client --transport tcp|tls|ws|wss|udp --addr host:port ...")
	}
	role := arguments[0]
	s, err := parse(role, arguments[1:])
	if err != nil {
		return err
	}
	switch role {
	case "server":
		return serve(s)
	case "client":
		return call(s)
	default:
		return fmt.Errorf("expected server or client, got %q", role)
	}
}

func parse(role string, arguments []string) (settings, error) {
	var s settings
	flags := flag.NewFlagSet("getty-go "+role, flag.ExitOnError)
	flags.StringVar(&s.transport, "transport", "", "tcp, tls, ws, wss or udp")
	flags.StringVar(&s.addr, "addr", "", "host and port; a server takes a free port for 0, and says which")
	flags.StringVar(&s.path, "path", "/echo", "path of the WebSocket")
	flags.StringVar(&s.compress, "compress", "none", "none, deflate or snappy (tcp)")
	flags.StringVar(&s.cert, "cert", "", "file of the own certificate, in PEM")
	flags.StringVar(&s.key, "key", "", "file of its private key, in PEM")
	flags.StringVar(&s.ca, "ca", "", "file of authorities, in PEM: a client believes the servers that they certify, a server demands that they certify its clients")
	sizes := flags.String("sizes", "1,4000,5000", "bytes of the payloads (client)")
	flags.IntVar(&s.count, "count", 10, "packets of each size (client)")
	if err := flags.Parse(arguments); err != nil {
		return s, err
	}
	for _, size := range strings.Split(*sizes, ",") {
		number, err := strconv.Atoi(size)
		if err != nil || number < 0 || number+header > s.longest() {
			return s, fmt.Errorf("--sizes %s: expected numbers up to %d", size, s.longest()-header)
		}
		s.sizes = append(s.sizes, number)
	}
	if _, known := compressions[s.compress]; !known {
		return s, fmt.Errorf("--compress %s: expected none, deflate or snappy", s.compress)
	}
	if s.compress != "none" && s.transport != "tcp" {
		return s, fmt.Errorf("--compress goes with tcp alone, not with %s", s.transport)
	}
	return s, nil
}
