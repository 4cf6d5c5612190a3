package framework

import (
	"fmt"
	"net"
	"net/url"
	"strings"
	"time"

	"dubbo.apache.org/dubbo-go/v3"
	"dubbo.apache.org/dubbo-go/v3/registry"

	// The registries, and the provider list that follows one.
	_ "dubbo.apache.org/dubbo-go/v3/registry/directory"
	_ "dubbo.apache.org/dubbo-go/v3/registry/etcdv3"
	_ "dubbo.apache.org/dubbo-go/v3/registry/zookeeper"
)

// withRegistry is the option for zookeeper://host:port or etcd://host:port, at interface level: one
// node for each service and provider, which providers and consumers of every language read. The
// parameter group is the root node, "dubbo" without.
func withRegistry(registryURL string) (dubbo.InstanceOption, error) {
	parsed, err := url.Parse(registryURL)
	if err != nil {
		return nil, err
	}
	kinds := map[string]registry.Option{"zookeeper": registry.WithZookeeper(), "etcd": registry.WithEtcdV3()}
	kind, known := kinds[parsed.Scheme]
	if !known || parsed.Port() == "" {
		return nil, fmt.Errorf("expected zookeeper://host:port or etcd://host:port, got %q", registryURL)
	}
	for address := range strings.SplitSeq(parsed.Host, ",") {
		if err := answers(address); err != nil {
			return nil, fmt.Errorf("no registry at %s: %w", address, err)
		}
	}
	return dubbo.WithRegistry(
		kind,
		registry.WithAddress(parsed.Host),
		registry.WithGroup(parsed.Query().Get("group")),
		registry.WithRegisterInterface(),
		// Both are for application level and for rules, and need plugins of their own.
		registry.WithoutUseAsMetaReport(),
		registry.WithoutUseAsConfigCenter(),
	), nil
}

// answers reports a registry that is not there, since dubbo-go tries for minutes.
func answers(address string) error {
	connection, err := net.DialTimeout("tcp", address, 3*time.Second)
	if err != nil {
		return err
	}
	return connection.Close()
}
