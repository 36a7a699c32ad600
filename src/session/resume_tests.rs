//! Tokens that are good, and all those that aren't.

use proptest::prelude::*;

use super::*;

const NOW: u64 = 1_793_500_000_000;
const SKEW: Duration = Duration::from_secs(2);
const WINDOW: u64 = 15 * 60 * 1000;

fn claim() -> Claim {
    Claim {
        learner: LearnerId::fresh(),
        session: SessionId::fresh(),
        seq: 4711,
        issued_unix_ms: NOW,
        good_for_ms: WINDOW,
    }
}

fn key() -> TokenKey {
    TokenKey::derive(&[7; 32])
}

#[test]
fn a_token_says_what_it_was_issued_for() {
    let claim = claim();
    let token = key().issue(&claim);
    assert_eq!(token.len(), 178);
    assert_eq!(key().check(&token, NOW + 1, SKEW), Ok(claim));
    assert_eq!(claim.is_for(claim.learner, claim.session), Ok(()));
}

#[test]
fn a_token_is_good_until_its_time_is_over() {
    let token = key().issue(&claim());
    assert!(key().check(&token, NOW + WINDOW - 1, SKEW).is_ok());
    let since = Duration::from_millis(5);
    let over = key().check(&token, NOW + WINDOW + 5, SKEW);
    assert_eq!(over, Err(TokenRefused::Expired { since }));
}

#[test]
fn a_clock_that_was_set_back_makes_no_token_good_for_longer() {
    let token = key().issue(&claim());
    assert!(key().check(&token, NOW - 2_000, SKEW).is_ok());
    let ahead = Duration::from_hours(24);
    let back = key().check(&token, NOW - ahead.as_millis() as u64, SKEW);
    assert_eq!(back, Err(TokenRefused::ClockSetBack { ahead }));
}

#[test]
fn a_token_of_another_learner_session_or_key_is_refused() {
    let claim = claim();
    let (learner, session) = (LearnerId::fresh(), SessionId::fresh());
    assert_eq!(
        claim.is_for(learner, claim.session),
        Err(TokenRefused::Foreign)
    );
    assert_eq!(
        claim.is_for(claim.learner, session),
        Err(TokenRefused::Foreign)
    );
    let other = TokenKey::derive(&[8; 32]);
    let checked = other.check(&key().issue(&claim), NOW, SKEW);
    assert_eq!(checked, Err(TokenRefused::Forged));
}

#[test]
fn a_key_is_not_shown() {
    assert_eq!(format!("{:?}", key()), "TokenKey(…)");
}

proptest! {
    #[test]
    fn a_token_with_any_bit_changed_is_refused(bit in 0_usize..4 * 178) {
        let token = key().issue(&claim());
        let (place, bit) = (bit / 4, bit % 4);
        let changed: String = token
            .chars()
            .enumerate()
            .map(|(at, digit)| {
                let flipped = digit.to_digit(16).unwrap() ^ u32::from(at == place) << bit;
                char::from_digit(flipped, 16).unwrap()
            })
            .collect();
        prop_assert_ne!(&changed, &token);
        let refused = matches!(
            key().check(&changed, NOW, SKEW),
            Err(TokenRefused::Forged | TokenRefused::Newer(_))
        );
        prop_assert!(refused);
    }

    #[test]
    fn no_text_makes_it_panic(text in ".{0,200}", cut in 0_usize..178) {
        prop_assert!(key().check(&text, NOW, SKEW).is_err());
        let token = key().issue(&claim());
        prop_assert_eq!(key().check(&token[..cut], NOW, SKEW), Err(TokenRefused::Malformed));
    }
}
