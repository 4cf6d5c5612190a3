package main

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"strings"
	"time"

	"dubbo.apache.org/dubbo-go/v3/client"
	"dubbo.apache.org/dubbo-go/v3/common/constant"
	"dubbo.apache.org/dubbo-go/v3/remoting/getty"

	"github.com/getty-rs/getty/examples/dubbo-go/framework"
	"github.com/getty-rs/getty/examples/dubbo-go/user"
)

// provider is one provider address, or a registry that knows some; references to the same address
// share its connections.
type provider struct {
	client       *client.Client
	fromRegistry bool
}

// open prepares calls to the provider at the URL, or to those in the registry, and fills the stub of
// the user service. Answers go to standard output through out.
func open(s settings, out *report, tune func(*getty.ClientConfig)) (*provider, *user.Consumer, error) {
	if s.registry == "" {
		if err := reachable(s.url); err != nil {
			return nil, nil, err
		}
	}
	instance, stdout, err := framework.Start("user-consumer", s.registry, s.logLevel)
	if err != nil {
		return nil, nil, err
	}
	out.to(stdout)

	// The connections' settings have no other way in: a client's options do not reach them.
	config := *getty.GetDefaultClientConfig()
	config.ConnectionNum = s.connections
	if tune != nil {
		tune(&config)
	}
	getty.SetClientConf(config)

	user.RegisterConsumerClasses()
	options := []client.ClientOption{
		client.WithClientProtocolDubbo(),
		client.WithClientSerialization(constant.Hessian2Serialization),
		client.WithClientRequestTimeout(callTimeout), // the client's wins over the reference's
	}
	if s.registry == "" {
		options = append(options, client.WithClientURL(s.url))
	}
	cli, err := instance.NewClient(options...)
	if err != nil {
		return nil, nil, err
	}
	p := &provider{client: cli, fromRegistry: s.registry != ""}
	users, err := p.users()
	return p, users, err
}

// users fills the stub of the user service.
func (p *provider) users() (*user.Consumer, error) {
	stub := &user.Consumer{}
	if err := p.refer(stub, user.Interface, user.Group, user.Version); err != nil || !p.fromRegistry {
		return stub, err
	}
	return stub, listed(stub)
}

// listed waits until the registry's list of providers has arrived: dubbo-go's consumer does not, and
// calls fail until then. On a ZooKeeper without any provider so far it looks again only after 3 s.
func listed(stub *user.Consumer) error {
	for until := time.Now().Add(listWait); ; time.Sleep(20 * time.Millisecond) {
		_, err := stub.Version(context.Background())
		if err == nil || !strings.Contains(err.Error(), "No provider available") || time.Now().After(until) {
			return err
		}
	}
}

// refer fills any stub. Without retries, so that each call is one request.
func (p *provider) refer(stub any, service, group, version string) error {
	_, err := p.client.DialWithService(service, stub,
		client.WithGroup(group),
		client.WithVersion(version),
		client.WithRetries(0),
	)
	return err
}

// callTimeout is generous, so that a slow machine fails no check.
const callTimeout = 10 * time.Second

// listWait is longer than a registry takes to tell of a provider that starts at the same time.
const listWait = 30 * time.Second

// reachable reports a refused connection, since dubbo-go panics on one.
func reachable(providerURL string) error {
	address, err := addressOf(providerURL)
	if err != nil {
		return err
	}
	connection, err := net.DialTimeout("tcp", address, 3*time.Second)
	if err != nil {
		return err
	}
	return connection.Close()
}

func addressOf(providerURL string) (string, error) {
	parsed, err := url.Parse(providerURL)
	if err != nil {
		return "", err
	}
	if parsed.Scheme != "dubbo" || parsed.Port() == "" {
		return "", fmt.Errorf("expected a URL like dubbo://127.0.0.1:20000, got %q", providerURL)
	}
	return parsed.Host, nil
}
