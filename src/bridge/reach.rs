//! Under which address others find this machine, where it listens on all of its addresses at once.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

/// Addresses for documentation (RFC 5737, RFC 3849): nobody has them, so the way to them is the way out.
const OUT_THERE: [(IpAddr, IpAddr); 2] = [
    (
        IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)),
    ),
    (
        IpAddr::V6(Ipv6Addr::UNSPECIFIED),
        IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1)),
    ),
];

/// What to tell others: the address itself, or, of a machine that listens on all (`0.0.0.0`, `::`), the one that its
/// traffic leaves by. Where there is no network at all, this machine's own.
pub(super) fn reachable(listening: SocketAddr) -> SocketAddr {
    if !listening.ip().is_unspecified() {
        return listening;
    }
    let found = OUT_THERE
        .iter()
        .filter(|(from, _)| listening.is_ipv6() || from.is_ipv4())
        .find_map(|(from, to)| leaving_by(*from, *to));
    let own = found.unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST));
    SocketAddr::new(own, listening.port())
}

/// The system chooses an address when a datagram socket is connected; nothing is sent.
fn leaving_by(from: IpAddr, to: IpAddr) -> Option<IpAddr> {
    let socket = UdpSocket::bind((from, 0)).ok()?;
    socket.connect((to, 9)).ok()?;
    let ip = socket.local_addr().ok()?.ip();
    (!ip.is_unspecified()).then_some(ip)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_told_to_come_to_an_address_that_is_none() {
        for all in ["0.0.0.0:7878", "[::]:7878"] {
            let told = reachable(all.parse().unwrap());
            assert!(!told.ip().is_unspecified(), "{told}");
            assert_eq!(told.port(), 7878);
        }
        for one in ["127.0.0.1:7878", "192.168.1.7:1", "[::1]:7878"] {
            let one = one.parse().unwrap();
            assert_eq!(reachable(one), one);
        }
    }
}
