// Command server provides the user service over the dubbo protocol, and registers it if a registry
// is named. It prints READY on standard output once the service can be called, and ends on SIGTERM.
package main

import (
	"flag"
	"fmt"
	"net"
	"os"
	"time"

	"dubbo.apache.org/dubbo-go/v3/common"
	"dubbo.apache.org/dubbo-go/v3/common/constant"
	"dubbo.apache.org/dubbo-go/v3/protocol"
	"dubbo.apache.org/dubbo-go/v3/protocol/dubbo"
	"dubbo.apache.org/dubbo-go/v3/server"

	"github.com/getty-rs/getty/examples/dubbo-go/framework"
	"github.com/getty-rs/getty/examples/dubbo-go/user"
)

func main() {
	port := flag.Int("port", 20000, "TCP port to listen on, on all addresses")
	registryURL := flag.String("registry", "", "zookeeper://host:port or etcd://host:port; none without")
	logLevel := flag.String("log", "warn", "level of dubbo-go's log on standard error")
	flag.Parse()
	if err := serve(*port, *registryURL, *logLevel); err != nil {
		fmt.Fprintln(os.Stderr, "server:", err)
		os.Exit(2)
	}
}

func serve(port int, registryURL, logLevel string) error {
	if err := checkFree(port); err != nil {
		return err
	}
	instance, stdout, err := framework.Start("user-provider", registryURL, logLevel)
	if err != nil {
		return err
	}
	provider, err := instance.NewServer(
		server.WithServerProtocol(protocol.WithDubbo(), protocol.WithPort(port)),
		server.WithServerSerialization(constant.Hessian2Serialization),
	)
	if err != nil {
		return err
	}
	err = provider.RegisterService(user.NewProvider(),
		server.WithInterface(user.Interface),
		server.WithGroup(user.Group),
		server.WithVersion(user.Version),
	)
	if err != nil {
		return err
	}
	go announce(port, stdout)
	return provider.Serve() // dubbo-go handles SIGTERM: it answers for 3 s more, then exits with 0
}

// checkFree reports a taken port, since dubbo-go logs it and waits for ever.
func checkFree(port int) error {
	listener, err := net.Listen("tcp", fmt.Sprintf(":%d", port))
	if err != nil {
		return err
	}
	return listener.Close()
}

func announce(port int, stdout *os.File) {
	address := fmt.Sprintf("127.0.0.1:%d", port)
	for {
		connection, err := net.DialTimeout("tcp", address, time.Second)
		if err == nil {
			_ = connection.Close()
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	// The port is opened for dubbo-go's own MetadataService, a moment before this service is there.
	exported := dubbo.GetProtocol().(*dubbo.DubboProtocol).ExporterMap()
	key := common.ServiceKey(user.Interface, user.Group, user.Version)
	for _, there := exported.Load(key); !there; _, there = exported.Load(key) {
		time.Sleep(time.Millisecond)
	}
	fmt.Fprintln(stdout, "READY")
}
