//! Whoever guesses has to wait: longer with each wrong guess, by address and for everybody together.
//! A pure state machine over the time passed in.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::time::{Duration, Instant};

/// First wait; it doubles with each further guess.
const FIRST: Duration = Duration::from_secs(1);
/// Longest wait.
const LONGEST: Duration = Duration::from_secs(300);
/// Longest wait for everybody: a guesser must not keep all others out for good.
const LONGEST_FOR_ALL: Duration = Duration::from_secs(30);
/// After so long without a wrong guess all is forgotten.
const FORGOTTEN: Duration = Duration::from_secs(900);
/// Addresses remembered.
const MOST: usize = 4096;

/// Where somebody comes from: an IPv4 address, or the /64 that an IPv6 host may choose its addresses from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(in crate::bridge) struct Peer(IpAddr);

impl Peer {
    pub(in crate::bridge) fn of(address: IpAddr) -> Self {
        Self(match address.to_canonical() {
            IpAddr::V6(v6) => {
                let [a, b, c, d, ..] = v6.segments();
                IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
            }
            v4 => v4,
        })
    }

    pub(in crate::bridge) fn is_this_machine(self) -> bool {
        // ::1 lies in ::/64.
        self.0.is_loopback() || self.0.is_unspecified()
    }
}

#[derive(Debug, Clone, Copy)]
struct Tries {
    wrong: u32,
    last: Instant,
}

impl Tries {
    fn wait(self, now: Instant, free: u32, longest: Duration) -> Duration {
        let Some(beyond) = self.wrong.checked_sub(free) else {
            return Duration::ZERO;
        };
        let wait = FIRST.saturating_mul(1_u32.checked_shl(beyond).unwrap_or(u32::MAX));
        wait.min(longest)
            .saturating_sub(now.saturating_duration_since(self.last))
    }

    fn again(tries: Option<Self>, now: Instant) -> Self {
        let before = tries.filter(|it| now.saturating_duration_since(it.last) < FORGOTTEN);
        let wrong = before.map_or(0, |it| it.wrong).saturating_add(1);
        Self { wrong, last: now }
    }
}

/// The wrong guesses of late.
#[derive(Debug)]
pub(super) struct Backoff {
    /// Wrong guesses of one address that cost nothing: people mistype.
    free: u32,
    /// Wrong guesses of everybody together that cost nothing.
    free_for_all: u32,
    by_address: HashMap<Peer, Tries>,
    all: Option<Tries>,
}

impl Backoff {
    pub(super) fn new(free: u32, free_for_all: u32) -> Self {
        Self {
            free,
            free_for_all,
            by_address: HashMap::new(),
            all: None,
        }
    }

    /// How long somebody from there has to wait before they may guess; zero: not at all.
    pub(super) fn wait(&self, from: Peer, now: Instant) -> Duration {
        let own = self.by_address.get(&from);
        let own = own.map_or(Duration::ZERO, |it| it.wait(now, self.free, LONGEST));
        let all = self.all.map_or(Duration::ZERO, |it| {
            it.wait(now, self.free_for_all, LONGEST_FOR_ALL)
        });
        own.max(all)
    }

    /// A wrong guess from there; how many it makes from that address.
    pub(super) fn wrong(&mut self, from: Peer, now: Instant) -> u32 {
        if self.by_address.len() >= MOST && !self.by_address.contains_key(&from) {
            self.by_address
                .retain(|_, it| now.saturating_duration_since(it.last) < FORGOTTEN);
            let oldest = self.by_address.iter().min_by_key(|(_, it)| it.last);
            if self.by_address.len() >= MOST
                && let Some(oldest) = oldest.map(|(from, _)| *from)
            {
                self.by_address.remove(&oldest);
            }
        }
        self.all = Some(Tries::again(self.all, now));
        let own = Tries::again(self.by_address.get(&from).copied(), now);
        self.by_address.insert(from, own);
        own.wrong
    }

    /// A right guess from there: they are who they should be.
    pub(super) fn right(&mut self, from: Peer) {
        self.by_address.remove(&from);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn from(last: u8) -> Peer {
        Peer::of(IpAddr::from([192, 168, 1, last]))
    }

    #[test]
    fn each_wrong_guess_doubles_the_wait_of_its_address_only() {
        let (mut backoff, now) = (Backoff::new(3, 30), Instant::now());
        for _ in 0..2 {
            backoff.wrong(from(1), now);
            assert_eq!(backoff.wait(from(1), now), Duration::ZERO);
        }
        for seconds in [1, 2, 4, 8] {
            backoff.wrong(from(1), now);
            assert_eq!(backoff.wait(from(1), now), Duration::from_secs(seconds));
        }
        assert_eq!(backoff.wait(from(2), now), Duration::ZERO);
        let later = now + Duration::from_secs(8);
        assert_eq!(backoff.wait(from(1), later), Duration::ZERO);
        backoff.right(from(1));
        assert_eq!(backoff.wait(from(1), now), Duration::ZERO);
    }

    #[test]
    fn many_addresses_together_slow_everybody_down_but_never_for_long() {
        let (mut backoff, now) = (Backoff::new(3, 30), Instant::now());
        for last in 0..200 {
            backoff.wrong(from(last), now);
        }
        let wait = backoff.wait(from(250), now);
        assert_eq!(wait, LONGEST_FOR_ALL);
        let quiet = now + FORGOTTEN + LONGEST;
        backoff.wrong(from(1), quiet);
        assert_eq!(backoff.wait(from(2), quiet), Duration::ZERO);
    }

    #[test]
    fn a_host_with_many_ipv6_addresses_is_one_host() {
        let a = Peer::of("2001:db8:1:2:3::1".parse().unwrap());
        let b = Peer::of("2001:db8:1:2:ffff::9".parse().unwrap());
        assert_eq!(a, b);
        assert_ne!(a, Peer::of("2001:db8:1:3::1".parse().unwrap()));
        assert_eq!(Peer::of("::ffff:192.168.1.7".parse().unwrap()), from(7));
        assert!(Peer::of("::1".parse().unwrap()).is_this_machine());
        assert!(Peer::of("127.0.0.1".parse().unwrap()).is_this_machine());
    }

    proptest! {
        #[test]
        fn memory_is_bounded_and_nobody_waits_longer_than_told(
            guesses in prop::collection::vec((any::<u32>(), 0_u64..2000), 1..400),
        ) {
            let mut backoff = Backoff::new(3, 30);
            let mut now = Instant::now();
            for (address, seconds) in guesses {
                now += Duration::from_secs(seconds);
                let from = Peer::of(IpAddr::from(address.to_be_bytes()));
                backoff.wrong(from, now);
                prop_assert!(backoff.wait(from, now) <= LONGEST);
                prop_assert!(backoff.by_address.len() <= MOST);
            }
        }
    }

    #[test]
    fn a_flood_from_everywhere_fills_no_memory() {
        let (mut backoff, now) = (Backoff::new(3, 30), Instant::now());
        for address in 0..20_000_u32 {
            backoff.wrong(Peer::of(IpAddr::from(address.to_be_bytes())), now);
        }
        assert_eq!(backoff.by_address.len(), MOST);
    }
}
