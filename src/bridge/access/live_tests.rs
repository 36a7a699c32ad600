//! The door's memory of who may come in, on real files.

use std::net::IpAddr;
use std::path::Path;

use super::super::act::Act;
use super::super::news::channel;
use super::super::tokens::FILE;
use super::*;

const RUN: &str = "0123456789abcdef";

fn access(file: Option<&Path>) -> (Access, crossbeam_channel::Receiver<News>) {
    let (teller, news) = channel();
    let place = Place {
        scheme: "http",
        listening: "127.0.0.1:7878".parse().unwrap(),
        fingerprint: None,
    };
    let access = Access::new(RUN.to_owned(), file.map(Path::to_owned), 2, place, teller);
    (access.unwrap(), news)
}

fn peer() -> Peer {
    Peer::of(IpAddr::from([192, 168, 1, 9]))
}

fn bearer(value: &str) -> HeaderMap {
    HeaderMap::from_iter([(header::AUTHORIZATION, value.parse().unwrap())])
}

fn show(access: &Access, token: &str) -> Result<Caller, Denied> {
    let headers = bearer(&format!("Bearer {token}"));
    access.admit(&headers, &Uri::from_static("/mcp"), peer())
}

fn grant(role: TokenRole) -> Grant {
    Grant {
        name: "a test".to_owned(),
        role,
        scope: Scope::Class,
        life: Duration::from_secs(600),
    }
}

#[test]
fn only_the_whole_token_of_this_run_opens() {
    let (access, _news) = access(None);
    let mcp = Uri::from_static("/mcp");
    let admits = |value: &str| access.admit(&bearer(value), &mcp, peer()).is_ok();
    assert!(admits("Bearer 0123456789abcdef"));
    assert!(admits("bearer  0123456789abcdef"), "the scheme has no case");
    for wrong in [
        "Bearer 0123456789abcde",
        "Bearer ",
        "0123456789abcdef",
        "Bearer 0123456789abcdeF",
    ] {
        assert!(!admits(wrong), "{wrong}");
    }
    let admits = |uri| {
        let uri = Uri::from_static(uri);
        access.admit(&HeaderMap::new(), &uri, peer()).is_ok()
    };
    assert!(admits("/ws?x=1&token=0123456789abcdef"));
    assert!(admits("/ws?token=%30123456789abcde%66"));
    assert!(!admits("/ws?token=%"));
    assert!(!admits("/mcp?token=0123456789abcdef"));
}

#[test]
fn a_revoked_token_ends_what_it_holds_open_and_opens_nothing_more() {
    let (access, _news) = access(None);
    let by = show(&access, RUN).unwrap().asker();
    let (token, entry) = access.issue(grant(TokenRole::Instructor), by).unwrap();
    let caller = show(&access, token.text()).unwrap();
    assert!(caller.may(Act::Hint).is_ok());
    access.revoke(entry.id, by).unwrap();
    assert!(caller.is_over());
    assert_eq!(show(&access, token.text()).unwrap_err(), Denied::Over);
}

#[test]
fn what_the_command_line_changes_counts_at_the_next_look() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join(FILE);
    let (access, news) = access(Some(&file));
    let issue = |tokens: &mut Tokens| tokens.issue(grant(TokenRole::Observer), now_unix_ms());
    let token = Tokens::change(&file, issue).unwrap();
    assert_eq!(show(&access, token.text()).unwrap_err(), Denied::Unknown);
    access.look_again();
    let caller = show(&access, token.text()).unwrap();
    Tokens::change(&file, |it| it.revoke(token.id, now_unix_ms())).unwrap();
    assert!(!caller.is_over());
    access.look_again();
    assert!(caller.is_over());
    let told: Vec<_> = news
        .try_iter()
        .filter_map(|it| match it {
            News::Admission {
                what,
                token,
                by: None,
            } => Some((what, token)),
            _ => None,
        })
        .collect();
    let id = Some(token.id);
    assert_eq!(told, [(Admission::Issued, id), (Admission::Revoked, id)]);
}

#[test]
fn a_list_that_became_unreadable_locks_nobody_out_and_is_noticed_once() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join(FILE);
    let (access, news) = access(Some(&file));
    let by = show(&access, RUN).unwrap().asker();
    let (token, _) = access.issue(grant(TokenRole::Observer), by).unwrap();
    std::fs::remove_file(&file).unwrap();
    std::fs::write(&file, "{").unwrap();
    access.look_again();
    access.look_again();
    assert!(show(&access, token.text()).is_ok());
    let alerts = news.try_iter().filter(|it| matches!(it, News::Alert(_)));
    assert_eq!(alerts.count(), 1);
}

#[test]
fn a_token_has_so_many_places_and_no_more() {
    let (access, _news) = access(None);
    let by = show(&access, RUN).unwrap().asker();
    let (token, _) = access.issue(grant(TokenRole::Observer), by).unwrap();
    let first = show(&access, token.text()).unwrap();
    let _second = show(&access, token.text()).unwrap();
    assert_eq!(show(&access, token.text()).unwrap_err(), Denied::Crowded);
    drop(first);
    assert!(show(&access, token.text()).is_ok());
}

#[test]
fn a_replaced_token_that_is_shown_again_is_noticed() {
    let (access, news) = access(None);
    let by = show(&access, RUN).unwrap().asker();
    let (old, entry) = access.issue(grant(TokenRole::Observer), by).unwrap();
    let (new, _) = access.rotate(entry.id, by).unwrap();
    assert!(show(&access, new.text()).is_ok());
    assert_eq!(show(&access, old.text()).unwrap_err(), Denied::Over);
    let replayed =
        |it: &News| matches!(it, News::Alert(it) if it.kind == DoorAlertKind::TokenReplayed);
    assert!(news.try_iter().any(|it| replayed(&it)));
}

#[test]
fn who_tries_token_after_token_has_to_wait_and_a_good_one_still_opens() {
    let (access, news) = access(None);
    let by = show(&access, RUN).unwrap().asker();
    let (token, _) = access.issue(grant(TokenRole::Observer), by).unwrap();
    for _ in 0..WRONG_TOKENS {
        assert_eq!(show(&access, "mvr1_wrong").unwrap_err(), Denied::Unknown);
    }
    let waits = show(&access, "mvr1_wrong").unwrap_err();
    assert!(matches!(waits, Denied::Wait { .. }));
    assert!(show(&access, token.text()).is_ok());
    assert!(news.try_iter().any(|it| matches!(it, News::Alert(_))));
}

#[test]
fn a_code_that_is_shown_becomes_a_token_that_opens() {
    let (access, news) = access(None);
    let shown = access.open_pairing(Offer::default(), None).unwrap();
    let wish = Wish {
        code: shown.code.clone(),
        name: "tablet".to_owned(),
        role: None,
    };
    let (token, entry) = access.pair(&wish, peer()).unwrap();
    assert_eq!(entry.role, TokenRole::Instructor);
    assert_eq!(
        show(&access, token.text()).unwrap().role(),
        TokenRole::Instructor
    );
    assert!(access.pair(&wish, peer()).is_err());
    let codes: Vec<_> = news
        .try_iter()
        .filter_map(|it| match it {
            News::Pairing(code) => Some(code.is_some()),
            _ => None,
        })
        .collect();
    assert_eq!(codes, [true, false]);
}
