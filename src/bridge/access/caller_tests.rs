//! What callers may, cell by cell, and for how long.

use super::*;
use crate::bridge::access::act::MATRIX;

fn caller(role: TokenRole, scope: Scope) -> Caller {
    let token = TokenId(7);
    let asker = Asker { token, role };
    Caller::new(asker, String::new(), scope, None, CancellationToken::new())
}

#[test]
fn what_a_caller_may_is_what_the_matrix_says_for_the_role() {
    let learner = LearnerId::fresh();
    for role in TokenRole::ALL {
        let class = caller(role, Scope::Class);
        for (act, _, _, roles) in MATRIX {
            assert_eq!(class.may_with(*act, learner).is_ok(), roles.contains(&role));
        }
    }
}

#[test]
fn a_token_for_some_learners_reaches_neither_others_nor_everybody() {
    let (mine, other) = (LearnerId::fresh(), LearnerId::fresh());
    let some = caller(TokenRole::Operator, Scope::Learners([mine].into()));
    for (act, _, reach, roles) in MATRIX {
        let allowed = roles.contains(&TokenRole::Operator) && *reach != Reach::Everybody;
        assert_eq!(some.may_with(*act, mine).is_ok(), allowed, "{act:?}");
        assert!(some.may_with(*act, other).is_err(), "{act:?}");
    }
}

#[test]
fn a_command_says_who_gave_it_and_none_is_made_without_leave() {
    let (id, learner) = (CommandId::fresh(), LearnerId::fresh());
    let teacher = caller(TokenRole::Instructor, Scope::Class);
    let command = teacher
        .command(id, learner, &"é".repeat(500), CommandBody::Pause, None)
        .unwrap();
    assert_eq!(command.asker, Some(teacher.asker()));
    assert_eq!(command.principal, Principal::Instructor);
    assert_eq!(command.purpose.chars().count(), PURPOSE);
    let own = caller(TokenRole::Learner, Scope::Learners([learner].into()));
    let command = own
        .command(id, learner, "", CommandBody::Pause, None)
        .unwrap();
    assert_eq!(command.principal, Principal::Learner);
    let onlooker = caller(TokenRole::Observer, Scope::Class);
    let refused = onlooker.command(id, learner, "", CommandBody::Pause, None);
    let words = refused.unwrap_err().to_string();
    assert!(
        words.contains("observer") && words.contains("instructor"),
        "{words}"
    );
}

#[tokio::test]
async fn who_is_over_may_nothing_and_is_told_at_once() {
    let ended = CancellationToken::new();
    let asker = Asker {
        token: TokenId(7),
        role: TokenRole::Operator,
    };
    let revoked = Caller::new(asker, String::new(), Scope::Class, None, ended.clone());
    assert!(revoked.may(Act::Tokens).is_ok());
    ended.cancel();
    revoked.over().await;
    assert_eq!(revoked.may(Act::Tokens), Err(Refused::Over));
    let past = Some(SystemTime::now() - Duration::from_secs(1));
    let expired = Caller::new(
        asker,
        String::new(),
        Scope::Class,
        past,
        CancellationToken::new(),
    );
    expired.over().await;
    assert_eq!(expired.may(Act::ReadState), Err(Refused::Over));
}
