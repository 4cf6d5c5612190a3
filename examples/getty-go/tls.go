package main

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
)

// verified builds what getty's own builders do not: TLS in which each side verifies the other.
type verified struct{ config *tls.Config }

func (v verified) BuildTlsConfig() (*tls.Config, error) { return v.config, nil }

// serverTLS demands a certificate of every client if there are authorities.
func (s settings) serverTLS() (verified, error) {
	config := &tls.Config{}
	if err := s.show(config); err != nil {
		return verified{}, err
	}
	if s.ca != "" {
		authorities, err := readAuthorities(s.ca)
		if err != nil {
			return verified{}, err
		}
		config.ClientCAs = authorities
		config.ClientAuth = tls.RequireAndVerifyClientCert
	}
	return verified{config}, nil
}

// clientTLS believes servers of these authorities; the name that is verified is that of the address.
func (s settings) clientTLS() (verified, error) {
	authorities, err := readAuthorities(s.ca)
	if err != nil {
		return verified{}, err
	}
	config := &tls.Config{RootCAs: authorities}
	if s.cert != "" {
		if err := s.show(config); err != nil {
			return verified{}, err
		}
	}
	return verified{config}, nil
}

func (s settings) show(config *tls.Config) error {
	own, err := tls.LoadX509KeyPair(s.cert, s.key)
	if err != nil {
		return fmt.Errorf("--cert %s --key %s: %w", s.cert, s.key, err)
	}
	config.Certificates = []tls.Certificate{own}
	return nil
}

func readAuthorities(file string) (*x509.CertPool, error) {
	pem, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("--ca: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("--ca %s: no certificate in it", file)
	}
	return pool, nil
}
