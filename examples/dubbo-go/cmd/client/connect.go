package main

import (
	"fmt"
	"net"
	"net/url"
	"time"

	"dubbo.apache.org/dubbo-go/v3/client"
	"dubbo.apache.org/dubbo-go/v3/common/constant"
	"dubbo.apache.org/dubbo-go/v3/remoting/getty"

	"github.com/getty-rs/getty/examples/dubbo-go/framework"
	"github.com/getty-rs/getty/examples/dubbo-go/user"
)

// provider is one provider address; every reference to it shares the same connections.
type provider struct {
	client *client.Client
}

// open prepares calls to the provider at the URL. Its answers go to standard output through out.
func open(s settings, out *report, tune func(*getty.ClientConfig)) (*provider, error) {
	if err := reachable(s.url); err != nil {
		return nil, err
	}
	instance, stdout, err := framework.Start("user-consumer", s.logLevel)
	if err != nil {
		return nil, err
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
	cli, err := instance.NewClient(
		client.WithClientURL(s.url),
		client.WithClientProtocolDubbo(),
		client.WithClientSerialization(constant.Hessian2Serialization),
		client.WithClientRequestTimeout(callTimeout), // the client's wins over the reference's
	)
	return &provider{client: cli}, err
}

// users fills the stub of the user service.
func (p *provider) users() (*user.Consumer, error) {
	stub := &user.Consumer{}
	return stub, p.refer(stub, user.Interface, user.Group, user.Version)
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
