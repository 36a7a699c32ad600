//! The list of tokens, on real files.

use super::*;
use crate::protocol::ids::LearnerId;

const NOW: u64 = 1_800_000_000_000;

fn grant(role: TokenRole) -> Grant {
    Grant {
        name: "tablet 3".to_owned(),
        role,
        scope: Scope::Class,
        life: Duration::from_secs(3600),
    }
}

fn good(tokens: &Tokens, token: &Token, at: u64) -> bool {
    matches!(tokens.look_up(token.text().as_bytes(), at), Shown::Good(entry) if entry.id == token.id)
}

#[test]
fn a_token_opens_until_it_expires_or_is_revoked() {
    let mut tokens = Tokens::empty().unwrap();
    let token = tokens.issue(grant(TokenRole::Instructor), NOW).unwrap();
    let other = tokens.issue(grant(TokenRole::Observer), NOW).unwrap();
    assert!(good(&tokens, &token, NOW) && good(&tokens, &token, NOW + 3_599_999));
    assert!(!good(&tokens, &token, NOW + 3_600_000));
    tokens.revoke(token.id, NOW + 5).unwrap();
    assert!(!good(&tokens, &token, NOW + 6) && good(&tokens, &other, NOW + 6));
    assert!(matches!(
        tokens.look_up(token.text().as_bytes(), NOW + 6),
        Shown::Over(_)
    ));
    tokens.revoke(token.id, NOW + 9).unwrap();
    assert_eq!(tokens.list()[0].revoked_unix_ms, Some(NOW + 5));
    assert!(matches!(
        tokens.revoke(TokenId(1), NOW),
        Err(TokenError::NoSuch(_))
    ));
}

#[test]
fn a_token_of_another_machine_opens_nothing() {
    let (mut here, mut there) = (Tokens::empty().unwrap(), Tokens::empty().unwrap());
    here.issue(grant(TokenRole::Operator), NOW).unwrap();
    let foreign = there.issue(grant(TokenRole::Operator), NOW).unwrap();
    assert_eq!(here.look_up(foreign.text().as_bytes(), NOW), Shown::Unknown);
}

#[test]
fn a_rotated_token_hands_everything_but_itself_to_its_successor() {
    let mut tokens = Tokens::empty().unwrap();
    let old = tokens.issue(grant(TokenRole::Instructor), NOW).unwrap();
    let new = tokens.rotate(old.id, NOW + 1000).unwrap();
    assert!(!good(&tokens, &old, NOW + 1001) && good(&tokens, &new, NOW + 1001));
    let [first, second] = tokens.list() else {
        panic!()
    };
    assert_eq!(first.replaced_by, Some(new.id));
    assert_eq!((&second.name, second.role), (&first.name, first.role));
    assert_eq!(second.expires_unix_ms, NOW + 1000 + 3_600_000);
    assert!(matches!(
        tokens.rotate(old.id, NOW + 1002),
        Err(TokenError::Over(_))
    ));
}

#[test]
fn a_grant_that_makes_no_sense_is_refused() {
    let mut tokens = Tokens::empty().unwrap();
    let base = grant(TokenRole::Instructor);
    for name in ["", "a\nb", &"x".repeat(81)] {
        let named = Grant {
            name: name.to_owned(),
            ..base.clone()
        };
        assert!(matches!(tokens.issue(named, NOW), Err(TokenError::Name)));
    }
    for life in [Duration::ZERO, LONGEST + Duration::from_secs(1)] {
        let short = Grant {
            life,
            ..base.clone()
        };
        assert!(matches!(tokens.issue(short, NOW), Err(TokenError::Life)));
    }
    let (a, b) = (LearnerId::fresh(), LearnerId::fresh());
    for scope in [Scope::Class, Scope::Learners([a, b].into())] {
        let many = Grant {
            scope,
            ..grant(TokenRole::Learner)
        };
        assert!(matches!(
            tokens.issue(many, NOW),
            Err(TokenError::LearnerScope)
        ));
    }
    let one = Grant {
        scope: Scope::Learners([a].into()),
        ..grant(TokenRole::Learner)
    };
    assert!(tokens.issue(one, NOW).is_ok());
}

#[test]
fn the_file_holds_no_token_and_belongs_to_its_owner_alone() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("new/tokens.json");
    let issue = |tokens: &mut Tokens| tokens.issue(grant(TokenRole::Operator), NOW);
    let token = Tokens::change(&file, issue).unwrap();
    let text = fs::read_to_string(&file).unwrap();
    let secret = token.text().rsplit('_').next().unwrap();
    assert!(!text.contains(secret), "{text}");
    assert!(good(&Tokens::read(&file).unwrap(), &token, NOW));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(
            fs::metadata(&file).unwrap().permissions().mode() & 0o777,
            0o600
        );
        fs::set_permissions(&file, fs::Permissions::from_mode(0o666)).unwrap();
        assert!(matches!(Tokens::read(&file), Err(TokenError::Open { .. })));
    }
}

#[test]
fn a_damaged_file_is_named_and_never_taken_for_an_empty_one() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join(FILE);
    let issue = |tokens: &mut Tokens| tokens.issue(grant(TokenRole::Operator), NOW);
    Tokens::change(&file, issue).unwrap();
    let whole = fs::read_to_string(&file).unwrap();
    let version = whole.replace("\"version\": 1", "\"version\": 9");
    let cut = whole.replace("\"hash\": \"", "\"hash\": \"zz");
    for text in ["", "{}", &whole[..whole.len() / 2], &version, &cut] {
        fs::write(&file, text).unwrap();
        let error = Tokens::read(&file).unwrap_err().to_string();
        assert!(error.contains(FILE), "{error}");
        assert!(Tokens::change(&file, issue).is_err());
        assert_eq!(fs::read_to_string(&file).unwrap(), text, "left as it was");
    }
}

#[test]
fn two_writers_lose_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join(FILE);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..10 {
                    Tokens::change(&file, |it| it.issue(grant(TokenRole::Observer), NOW)).unwrap();
                }
            });
        }
    });
    assert_eq!(Tokens::read(&file).unwrap().list().len(), 40);
}

#[test]
fn a_full_list_forgets_the_oldest_that_is_over_and_never_one_in_force() {
    let mut tokens = Tokens::empty().unwrap();
    let first = tokens.issue(grant(TokenRole::Observer), NOW).unwrap();
    let second = tokens.issue(grant(TokenRole::Observer), NOW).unwrap();
    for _ in 2..MOST {
        tokens.issue(grant(TokenRole::Observer), NOW).unwrap();
    }
    assert!(matches!(
        tokens.issue(grant(TokenRole::Observer), NOW),
        Err(TokenError::Full)
    ));
    tokens.revoke(second.id, NOW).unwrap();
    tokens.issue(grant(TokenRole::Observer), NOW).unwrap();
    assert!(good(&tokens, &first, NOW));
    assert_eq!(
        tokens.look_up(second.text().as_bytes(), NOW),
        Shown::Unknown
    );
}
