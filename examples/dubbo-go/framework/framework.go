// Package framework starts dubbo-go the way both programs need it: plugins imported, log on
// standard error.
package framework

import (
	"os"

	"dubbo.apache.org/dubbo-go/v3"
	"dubbo.apache.org/dubbo-go/v3/logger"

	// The plugins that a provider and a consumer of the dubbo protocol use by default. The package
	// v3/imports has them all, with the client of every registry: it doubles the build.
	_ "dubbo.apache.org/dubbo-go/v3/cluster/cluster/failover"
	_ "dubbo.apache.org/dubbo-go/v3/cluster/loadbalance/random"
	_ "dubbo.apache.org/dubbo-go/v3/cluster/router/tag"
	_ "dubbo.apache.org/dubbo-go/v3/filter/accesslog"
	_ "dubbo.apache.org/dubbo-go/v3/filter/echo"
	_ "dubbo.apache.org/dubbo-go/v3/filter/exec_limit"
	_ "dubbo.apache.org/dubbo-go/v3/filter/generic"
	_ "dubbo.apache.org/dubbo-go/v3/filter/graceful_shutdown"
	_ "dubbo.apache.org/dubbo-go/v3/filter/token"
	_ "dubbo.apache.org/dubbo-go/v3/filter/tps"
	_ "dubbo.apache.org/dubbo-go/v3/protocol/dubbo"
	_ "dubbo.apache.org/dubbo-go/v3/proxy/proxy_factory"
	_ "dubbo.apache.org/dubbo-go/v3/registry/protocol"
)

// Start returns an instance of dubbo-go with the application's name, and standard output. The
// registry is zookeeper://host:port, etcd://host:port, or empty for none. dubbo-go logs to whatever
// os.Stdout is when its logger is made, so the program writes its answers to the returned file and
// everything else goes to standard error.
func Start(name, registryURL, logLevel string) (*dubbo.Instance, *os.File, error) {
	options := []dubbo.InstanceOption{
		dubbo.WithName(name),
		dubbo.WithLogger(logger.WithZap(), logger.WithLevel(logLevel)),
	}
	if registryURL != "" {
		option, err := withRegistry(registryURL)
		if err != nil {
			return nil, nil, err
		}
		options = append(options, option)
	}
	stdout := os.Stdout
	os.Stdout = os.Stderr
	instance, err := dubbo.NewInstance(options...)
	return instance, stdout, err
}
