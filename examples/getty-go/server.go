package main

import (
	"fmt"
	"net"
	"os"
	"os/signal"
	"syscall"

	getty "github.com/apache/dubbo-getty"
)

// serve echoes until SIGTERM. It prints READY once it listens.
func serve(s settings) error {
	server, err := s.newServer()
	if err != nil {
		return err
	}
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM, syscall.SIGINT)
	// Listens before it returns, and panics when it cannot.
	server.RunEventLoop(s.newSession(echo{}))
	fmt.Println("listening on", addressOf(server))
	fmt.Println("READY")
	<-stop
	return nil
}

func (s settings) newServer() (getty.Server, error) {
	options := []getty.ServerOption{getty.WithLocalAddress(s.addr)}
	switch s.transport {
	case "tcp":
		return getty.NewTCPServer(options...), nil
	case "tls":
		config, err := s.serverTLS()
		if err != nil {
			return nil, err
		}
		options = append(options, getty.WithServerSslEnabled(true), getty.WithServerTlsConfigBuilder(config))
		return getty.NewTCPServer(options...), nil
	case "ws":
		return getty.NewWSServer(append(options, getty.WithWebsocketServerPath(s.path))...), nil
	case "wss":
		options = append(options,
			getty.WithWebsocketServerPath(s.path),
			getty.WithWebsocketServerCert(s.cert),
			getty.WithWebsocketServerPrivateKey(s.key),
			getty.WithWebsocketServerRootCert(s.ca),
		)
		return getty.NewWSSServer(options...), nil
	case "udp":
		return getty.NewUDPEndPoint(options...), nil
	default:
		return nil, fmt.Errorf("--transport %q: expected tcp, tls, ws, wss or udp", s.transport)
	}
}

func addressOf(server getty.Server) net.Addr {
	switch server := server.(type) {
	case getty.PacketServer:
		if conn := server.PacketConn(); conn != nil {
			return conn.LocalAddr()
		}
	}
	return server.(getty.StreamServer).Listener().Addr()
}

// echo answers each packet with itself.
type echo struct{}

func (echo) OnOpen(getty.Session) error { return nil }
func (echo) OnClose(getty.Session)      {}
func (echo) OnCron(getty.Session)       {}

func (echo) OnError(session getty.Session, err error) {
	fmt.Fprintf(os.Stderr, "session %d: %v\n", session.ID(), err)
}

func (echo) OnMessage(session getty.Session, packet any) {
	// The release gives the listener a nil where a message was no packet.
	if packet == nil {
		return
	}
	// Over UDP it holds the address that it came from.
	if _, _, err := session.WritePkg(packet, 0); err != nil {
		fmt.Fprintf(os.Stderr, "session %d: cannot answer: %v\n", session.ID(), err)
		session.Close()
	}
}
