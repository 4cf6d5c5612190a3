//! Owns the address that a provider registers for the one it listens on. Must never send a packet to find it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

use crate::address::Address;
use crate::url::UrlError;

/// The environment variable that says which host to register: Dubbo's, for containers and NAT.
pub const IP_VARIABLE: &str = "DUBBO_IP_TO_REGISTRY";

/// The environment variable that says which port to register: Dubbo's.
pub const PORT_VARIABLE: &str = "DUBBO_PORT_TO_REGISTRY";

/// Why there is no address to register.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AdvertiseError {
    /// The host of the environment is none.
    #[error("environment variable {IP_VARIABLE}: {0}")]
    Host(UrlError),
    /// The port of the environment is none.
    #[error("environment variable {PORT_VARIABLE}: expected a port from 1 to 65535")]
    Port,
    /// The listening port is 0: nobody listens yet.
    #[error("expected the address of a bound listener, found port 0")]
    NotBound,
}

/// The address to register for a listener, as other machines reach it.
///
/// A concrete address is registered as it is. For `0.0.0.0` it is the machine's own IPv4 address ([`own_address`]), for
/// `::` the same or, without one, its IPv6 address. The environment variables `DUBBO_IP_TO_REGISTRY` and
/// `DUBBO_PORT_TO_REGISTRY` override host and port, as in Dubbo.
///
/// # Errors
/// [`AdvertiseError`].
pub fn advertised_address(listen: SocketAddr) -> Result<Address, AdvertiseError> {
    let variable = |name| std::env::var(name).ok();
    advertised_address_from(
        listen,
        variable(IP_VARIABLE).as_deref(),
        variable(PORT_VARIABLE).as_deref(),
        own_address,
    )
}

/// [`advertised_address`] with what it takes from its surroundings: the two variables, empty or `None` for none, and the
/// machine's own address, asked for with whether IPv6 will do.
///
/// Without any address the machine can only be reached from itself, so the loopback address is registered, with a warning.
///
/// # Errors
/// [`AdvertiseError`].
pub fn advertised_address_from(
    listen: SocketAddr,
    ip: Option<&str>,
    port: Option<&str>,
    own: impl FnOnce(bool) -> Option<IpAddr>,
) -> Result<Address, AdvertiseError> {
    let port = match port.map(str::trim).filter(|port| !port.is_empty()) {
        Some(port) => port.parse().ok().filter(|port| *port != 0).ok_or(AdvertiseError::Port)?,
        None if listen.port() == 0 => return Err(AdvertiseError::NotBound),
        None => listen.port(),
    };
    if let Some(host) = ip.map(str::trim).filter(|host| !host.is_empty()) {
        return Address::new(host, port).map_err(AdvertiseError::Host);
    }
    let ip = if listen.ip().is_unspecified() {
        own(listen.is_ipv6()).unwrap_or_else(|| {
            tracing::warn!(
                "found no address of this machine but the loopback one, so that is registered; set {IP_VARIABLE} if \
                 others should reach it"
            );
            Ipv4Addr::LOCALHOST.into()
        })
    } else {
        listen.ip()
    };
    Address::new(&ip.to_string(), port).map_err(AdvertiseError::Host)
}

/// An address of this machine that is not loopback: the one from which it reaches other networks, else the first that the
/// kernel lists (Linux only). IPv4 goes first; IPv6 only if it will do.
#[must_use]
pub fn own_address(ipv6_will_do: bool) -> Option<IpAddr> {
    let v4 = || routed(Ipv4Addr::UNSPECIFIED.into(), FAR_V4.into()).or_else(|| listed(FIB_TRIE, local_v4));
    let v6 = || routed(Ipv6Addr::UNSPECIFIED.into(), FAR_V6.into()).or_else(|| listed(IF_INET6, global_v6));
    v4().or_else(|| if ipv6_will_do { v6() } else { None })
}

/// Addresses of the documentation networks: no host has them, and the way there is the way to everywhere else.
const FAR_V4: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 1);
const FAR_V6: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1);

const FIB_TRIE: &str = "/proc/net/fib_trie";
const IF_INET6: &str = "/proc/net/if_inet6";

/// Longest look at a file of the kernel, in bytes.
const MAX_FILE_BYTES: u64 = 4 * 1024 * 1024;

/// The source address of packets to `far`. Connecting a UDP socket sends nothing; it only asks the routing table. This
/// needs neither a dependency nor a system call that is unsafe to make.
fn routed(from: IpAddr, far: IpAddr) -> Option<IpAddr> {
    let socket = UdpSocket::bind((from, 0)).ok()?;
    // Any port but 0 will do.
    socket.connect((far, 9)).ok()?;
    let own = socket.local_addr().ok()?.ip();
    (!own.is_loopback() && !own.is_unspecified()).then_some(own)
}

/// A machine without a route to other networks may still have an address.
fn listed<A: Into<IpAddr>>(path: &str, find: fn(&str) -> Option<A>) -> Option<IpAddr> {
    let mut text = String::new();
    let file = std::fs::File::open(path).ok()?;
    std::io::Read::read_to_string(&mut std::io::Read::take(file, MAX_FILE_BYTES), &mut text).ok()?;
    find(&text).map(Into::into)
}

/// Of `|-- 192.0.2.2` with `/32 host LOCAL` in the next line.
fn local_v4(fib_trie: &str) -> Option<Ipv4Addr> {
    let next = fib_trie.lines().skip(1);
    fib_trie.lines().zip(next).find_map(|(line, next)| {
        let address: Ipv4Addr = line.trim().strip_prefix("|-- ")?.parse().ok()?;
        (next.trim() == "/32 host LOCAL" && !address.is_loopback()).then_some(address)
    })
}

/// Of `fd000000000000000000000000000002 04 40 00 82 eth0`: address, interface, length of the prefix, scope (00: global),
/// flags, name.
fn global_v6(if_inet6: &str) -> Option<Ipv6Addr> {
    if_inet6.lines().find_map(|line| {
        let mut words = line.split_whitespace();
        let address = u128::from_str_radix(words.next()?, 16).ok()?;
        (words.nth(2)? == "00").then(|| Ipv6Addr::from_bits(address))
    })
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::{AdvertiseError, advertised_address_from, global_v6, local_v4, own_address};
    use crate::url::UrlError;

    const OWN: &str = "10.0.0.5";

    fn advertised(listen: &str, ip: &str, port: &str) -> Result<String, AdvertiseError> {
        let own = |_| Some(OWN.parse().unwrap());
        advertised_address_from(listen.parse().unwrap(), Some(ip), Some(port), own)
            .map(|address| address.to_string())
    }

    #[test]
    fn a_concrete_address_is_registered_as_it_is() {
        for listen in ["192.0.2.7:20880", "127.0.0.1:20880", "[2001:db8::7]:20880"] {
            assert_eq!(advertised(listen, "", ""), Ok(listen.to_owned()));
        }
    }

    #[test]
    fn a_listener_on_all_addresses_is_registered_at_the_machines_own() {
        assert_eq!(advertised("0.0.0.0:20880", "", ""), Ok("10.0.0.5:20880".to_owned()));
        assert_eq!(advertised("[::]:20880", "", ""), Ok("10.0.0.5:20880".to_owned()));
    }

    #[test]
    fn only_a_listener_on_ipv6_is_registered_at_an_ipv6_address() {
        let own = |ipv6: bool| ipv6.then(|| "2001:db8::7".parse::<IpAddr>().unwrap());
        let advertised = |listen: &str| {
            advertised_address_from(listen.parse().unwrap(), None, None, own).unwrap().to_string()
        };
        assert_eq!(advertised("[::]:1"), "[2001:db8::7]:1");
        assert_eq!(advertised("0.0.0.0:1"), "127.0.0.1:1");
    }

    #[test]
    fn the_environment_overrides_host_and_port() {
        assert_eq!(advertised("0.0.0.0:20880", "203.0.113.9", ""), Ok("203.0.113.9:20880".to_owned()));
        assert_eq!(
            advertised("192.0.2.7:20880", " pod-7.example ", "30880"),
            Ok("pod-7.example:30880".to_owned())
        );
        assert_eq!(advertised("0.0.0.0:0", "", "30880"), Ok("10.0.0.5:30880".to_owned()));
    }

    #[test]
    fn what_cannot_be_registered_is_an_error() {
        assert_eq!(advertised("0.0.0.0:0", "", ""), Err(AdvertiseError::NotBound));
        for port in ["0", "65536", "x", "-1"] {
            assert_eq!(advertised("0.0.0.0:1", "", port), Err(AdvertiseError::Port), "{port}");
        }
        assert_eq!(advertised("0.0.0.0:1", "a:b", ""), Err(AdvertiseError::Host(UrlError::Ipv6)));
    }

    #[test]
    fn the_kernels_lists_are_read() {
        let trie = "Main:\n  +-- 0.0.0.0/0 3 0 5\n     |-- 0.0.0.0\n        /0 universe UNICAST\n        |-- 127.0.0.1\n           /32 host LOCAL\n           |-- 192.0.2.0\n              /24 link UNICAST\n           |-- 192.0.2.2\n              /32 host LOCAL\n        |-- 192.0.2.255\n           /32 link BROADCAST\n";
        assert_eq!(local_v4(trie), Some("192.0.2.2".parse().unwrap()));
        assert_eq!(local_v4("Main:\n|-- 127.0.0.1\n/32 host LOCAL"), None);
        let interfaces = "00000000000000000000000000000001 01 80 10 80 lo\nfe800000000000000000000000000001 02 40 20 80 eth0\nfd000000000000000000000000000002 02 40 00 82 eth0\n";
        assert_eq!(global_v6(interfaces), Some("fd00::2".parse().unwrap()));
        for text in ["", "x", "zz 01 40 00", "fd000000000000000000000000000002", "\u{0}"] {
            assert_eq!((local_v4(text), global_v6(text)), (None, None), "{text:?}");
        }
    }

    #[test]
    fn the_machines_own_address_is_not_loopback() {
        for ipv6 in [false, true] {
            if let Some(own) = own_address(ipv6) {
                assert!(!own.is_loopback() && !own.is_unspecified(), "{own}");
                assert!(ipv6 || own.is_ipv4(), "{own}");
            }
        }
    }
}
