//! What is found, what is let through, and that nothing found remains.

use proptest::prelude::*;

use super::*;

fn kinds(text: &str) -> Vec<Kind> {
    Screen::with_names(["Ada Lovelace", "Seán O\u{2019}Casey", "Mark Li"])
        .find(text)
        .into_iter()
        .map(|find| find.kind)
        .collect()
}

#[test]
fn what_identifies_somebody_is_found() {
    for (text, kind) in [
        ("write to ada.l+vr@school.example please", Kind::Email),
        ("<ada@mail.example>", Kind::Email),
        ("ask @ada_lovelace", Kind::Email),
        ("ada\u{ff20}school.example", Kind::Email),
        ("call +43 660 123 45 67 now", Kind::Number),
        ("call (555) 123-4567", Kind::Number),
        ("0660/1234567.", Kind::Number),
        ("card 4111 1111 1111 1111", Kind::Number),
        ("ssn 078-05-1120", Kind::Number),
        ("from 192.168.1.20:8080", Kind::Ip),
        ("[2001:db8::7]", Kind::Ip),
        ("https://school.example/pupils/4711", Kind::Link),
        ("see https://x.example/?u=ada", Kind::Link),
        ("01890a5d-ac96-774b-bcce-b302099a8057", Kind::Id),
        ("well done, Ada!", Kind::Name),
        ("well done, ada lovelace", Kind::Name),
        ("that was O'Casey", Kind::Name),
        ("LOVELACE", Kind::Name),
    ] {
        assert_eq!(kinds(text), [kind], "{text}");
    }
}

#[test]
fn words_of_a_lesson_are_let_through() {
    for text in [
        "",
        "mark the cube, then put it into the round hole",
        "you needed 12.5 s and 3 tries; 100 % of 200 points",
        "the lesson of 2026-11-21 at 10:30",
        "look @ the lamp",
        "read https://docs.example/start",
        "step 3.2.1, 1/2 turn",
        "f(x) = 2x + 1",
    ] {
        assert_eq!(kinds(text), [], "{text}");
    }
}

#[test]
fn masking_leaves_the_rest_as_it_was() {
    let screen = Screen::with_names(["Ada Lovelace"]);
    assert_eq!(
        screen.mask("Ada Lovelace (ada@x.example, 0660 1234567) did well."),
        "[name] ([mail], [number]) did well."
    );
    assert!(matches!(screen.mask("turn it round"), Cow::Borrowed(_)));
}

#[test]
fn a_refusal_and_a_debug_print_tell_no_name() {
    let screen = Screen::with_names(["Ada Lovelace"]);
    let refused = screen.check("Ada wrote ada@x.example").unwrap_err();
    assert_eq!(refused.kinds, [Kind::Email, Kind::Name]);
    assert!(
        !format!("{refused} {refused:?} {screen:?}")
            .to_lowercase()
            .contains("ada")
    );
}

fn mail() -> impl Strategy<Value = String> {
    "[a-z0-9._%+-]{1,12}@[a-z0-9]{1,10}\\.[a-z]{2,6}"
}

fn phone() -> impl Strategy<Value = String> {
    "\\+?[1-9][0-9]{1,3}[ -][0-9]{3}[ -][0-9]{3,4}"
}

proptest! {
    #[test]
    fn any_text_is_looked_through_without_harm(text in any::<String>()) {
        let screen = Screen::with_names(["Ada Lovelace"]);
        let mut end = 0;
        for find in screen.find(&text) {
            prop_assert!(find.bytes.start >= end && find.bytes.start < find.bytes.end);
            prop_assert!(text.get(find.bytes.clone()).is_some());
            end = find.bytes.end;
        }
    }

    #[test]
    fn a_mail_address_never_survives(
        before in "[a-zäß0-9 ]{0,20}", mail in mail(), after in "( [a-z ]{0,20}|[.!,]?)",
    ) {
        let text = format!("{before} {mail}{after}");
        let masked = Screen::default().mask(&text).into_owned();
        prop_assert!(!masked.contains('@'), "{} -> {}", text, masked);
        let kept = Screen::default().mask_but(Kind::Number, &text).into_owned();
        prop_assert!(!kept.contains('@'), "{} -> {}", text, kept);
    }

    #[test]
    fn a_telephone_number_never_survives(before in "[a-z ]{0,20}", phone in phone(), after in "[a-z ]{0,20}") {
        let masked = Screen::default().mask(&format!("{before} {phone} {after}")).into_owned();
        let digits = masked.chars().filter(char::is_ascii_digit).count();
        prop_assert_eq!(digits, 0, "{}", masked);
    }

    #[test]
    fn a_name_on_the_roster_never_survives(
        first in "[A-Z][a-z]{2,9}", last in "[A-Z][a-z]{2,9}", before in "[a-z ]{0,20}", after in "[a-z ]{0,20}",
    ) {
        let name = format!("{first} {last}");
        let screen = Screen::with_names([name.as_str()]);
        for written in [name.clone(), name.to_lowercase(), name.to_uppercase(), last.clone()] {
            let masked = screen.mask(&format!("{before} {written}, {after}")).into_owned();
            prop_assert!(!masked.contains(&written), "{}", masked);
        }
    }
}
