//! The page that says what is kept of a learner, made from the types and tables that decide it: `docs/privacy.md`.
//! In: an installation's policies. Out: Markdown. `UPDATE_DOCS=1 cargo test privacy_page` writes the checked-in one.

use std::fmt::{Debug, Write as _};

use super::access::{RULES, Relation};
use super::ages::{AgeBand, countries};
use super::compliance::rules;
use super::consent::{Asked, ConsentPolicy};
use super::purpose::{Leaves, RetentionPolicy, TREATMENTS, fields};
use super::purpose_fields::FIELDS;
use crate::protocol::consent::ConsentScope;
use crate::protocol::privacy::{DataClass, Role};

const HEAD: &str = "\
# What is kept about a learner, why, where it goes, and for how long

This page is made from the program itself: from the types that are stored and the tables that decide who may read
them (`src/record/`). A field that is not on it cannot be stored; a test sees to that. It shows the settings that
hold where a school has set none; `malloc-vr records purposes` prints the page for a school's own.

## In short

- The lesson teaches on the device, and keeps what it learns about the learner there. For that nothing has to be
  agreed to, and nothing is sent anywhere.
- Nothing about a learner who is under 13, or too young to consent alone where they live, or whose age nobody has
  said, leaves the device before a parent, a guardian or, for its own teaching, the school has agreed in a way that
  shows who agreed.
- Whatever else can be agreed to can be refused, one by one, and taken back at any time. The lesson goes on.
- Records carry a random pseudonym. Names stand in the school's roster, which is kept apart.
- Every kind of data has an end: it is deleted when its time is over, without anybody asking.
- There is no advertising, nothing is sold, nobody's feelings are inferred, and no marks are given.
- You can see everything, take it along, have a note added to what you think is wrong, have it left unused, or have
  it erased.
";

const RIGHTS: &str = "
## What you can ask for

Anyone may ask for their own record, and a parent or guardian for that of a learner under 18. The school does it for
you, or shows you how. It costs nothing and takes no reason.

| you want to | what happens | law |
|---|---|---|
| see it | all of it, in words and as it is stored | 34 CFR §99.10; 16 CFR §312.6(a)(3); GDPR Art. 15 |
| take it along | a folder with a text to read, the stored events, and xAPI statements for other programs | GDPR Art. 20 |
| say that something is wrong | your note stands beside it and goes wherever it goes; what happened is not rewritten | 34 CFR §§99.20–99.21; GDPR Art. 16 |
| have it left unused | it is kept, and neither adapted to nor shown to instructors or others, until you lift that | GDPR Art. 18 |
| refuse or withdraw consent | from that moment on it is not done; nobody else can agree in your place | 16 CFR §312.6(a)(2); GDPR Art. 7(3) |
| have it erased | the key to the records is destroyed; what is left cannot be opened by anybody | 16 CFR §312.6(a)(2); GDPR Art. 17 |
| know who got it | every disclosure outside family and school stands in the record | 34 CFR §99.32; GDPR Art. 15(1)(c) |
";

const FOR_OFFICERS: &str = "
## For the data protection officer

- **Roles.** The school is controller; whoever runs this program for it is processor. No other party takes part unless
  the table above names one and consent is recorded.
- **Legal bases.** Teaching on the device and, for learners who may consent alone, the school's own view of it: the
  school's task (GDPR Art. 6(1)(e)) or contract (Art. 6(1)(b)). Everything else: consent (Art. 6(1)(a); recorded
  movement: Art. 9(2)(a)).
- **Consent** is an event of the learner's log with scope, version of the text, time, actor and method; a decision
  names the event it rests on. Methods are those of 16 CFR §312.5(b)(2); a click counts for nobody under age; mail and
  text message do not open disclosures. That a school may agree for its own teaching follows the FTC's guidance; the
  amended rule of 2025 does not speak of it.
- **Automated decisions** choose hints, difficulty and pace inside a lesson, can be overruled by learner and
  instructor, and have no legal or similar effect (Art. 22(1)).
- **Emotion** is not inferred (Regulation (EU) 2024/1689 Art. 5(1)(f)). The estimate of task load from movement is off:
  it needs the school's rules of consent to allow it where it is lawful, and consent besides.
- **Class figures** are given for groups of at least five, not for all but fewer than five of a class, with discrete
  Laplace noise, against a budget of ε per learner that ends.
- **Free text** is screened for mail addresses, numbers, network addresses, links, ids and the roster's names before
  it is kept. Names that stand on no roster are not found; instructors are told not to type them.
- **What this page cannot do for you**: the impact assessment (Art. 35), the contract (Art. 28), the annual notice
  (34 CFR §99.7), and the direct notice to parents (16 CFR §312.4(c)).
";

/// The page for an installation with these policies.
#[must_use]
pub fn privacy_page(consent: &ConsentPolicy, retention: &RetentionPolicy) -> String {
    let mut page = HEAD.to_owned();
    kinds(&mut page, retention);
    readers(&mut page);
    agreements(&mut page, consent);
    page.push_str(RIGHTS);
    page.push_str(FOR_OFFICERS);
    laws(&mut page);
    every_field(&mut page);
    page
}

fn kinds(page: &mut String, retention: &RetentionPolicy) {
    page.push_str(
        "
## What is kept

'Days' count from the learner's last session; for movements, reads and technical figures, from the day they arose.

| kind | what | what for | leaves the device | kept |
|---|---|---|---|---|
",
    );
    for entry in TREATMENTS {
        let leaves = match entry.leaves {
            Leaves::Never => "never".to_owned(),
            Leaves::Under(ConsentScope::LeaveHeadset) => "to the school, if agreed".to_owned(),
            Leaves::Under(scope) => format!("to the school, if '{}' is agreed too", words(&scope)),
            Leaves::Freely => "yes; it is about nobody".to_owned(),
        };
        let _ = writeln!(
            page,
            "| **{:?}** | {} | {} | {leaves} | {} days |",
            entry.class,
            entry.what,
            list(entry.why),
            retention.days(entry.class)
        );
    }
}

fn readers(page: &mut String) {
    page.push_str(
        "
## Who may read it, and for what

Whoever is not on this list may not, and nobody may for another purpose.

| who | for what | which kinds | what must be agreed | named in the record |
|---|---|---|---|---|
",
    );
    for rule in RULES {
        let who = match rule.relation {
            Relation::Self_ | Relation::Family => words(&rule.role),
            Relation::Class => format!("{} of the learner's class", words(&rule.role)),
            Relation::School if rule.role == Role::System => "this program".to_owned(),
            Relation::School => format!("{} of the school", words(&rule.role)),
            Relation::Agreement => format!("{} under a written agreement", words(&rule.role)),
            Relation::None => format!("any {}", words(&rule.role)),
        };
        let kinds = if rule.data.len() == DataClass::ALL.len() {
            "all, to keep and to delete".to_owned()
        } else {
            list(rule.data)
        };
        let _ = writeln!(
            page,
            "| {who} | {} | {kinds} | {} | {} |",
            words(&rule.purpose),
            list(rule.needs),
            if rule.discloses { "yes" } else { "" }
        );
    }
}

fn list(names: &[impl Debug]) -> String {
    let names: Vec<String> = names.iter().map(words).collect();
    names.join(", ")
}

fn agreements(page: &mut String, consent: &ConsentPolicy) {
    page.push_str(
        "
## What has to be agreed to

'Children' are learners too young to consent alone where they live, and those whose age nobody has said.

| scope | what it means | asked | who agrees for a child | asked apart |
|---|---|---|---|---|
",
    );
    let meanings = schemars::schema_for!(ConsentScope).to_value();
    for scope in ConsentScope::ALL {
        let name = serde_json::to_value(scope).unwrap_or_default();
        let meaning = meanings["oneOf"]
            .as_array()
            .into_iter()
            .flatten()
            .find(|variant| variant["const"] == name)
            .and_then(|variant| variant["description"].as_str())
            .unwrap_or_default();
        let asked = match consent.asked.get(&scope).unwrap_or(&Asked::Everybody) {
            Asked::Nobody => "nobody",
            Asked::ForChildren => "for children",
            Asked::Everybody => "everybody",
        };
        let who = match consent.asked.get(&scope) {
            Some(Asked::Nobody) => vec![],
            _ => consent.may_agree(scope, AgeBand::Under13),
        };
        let who: Vec<String> = who.iter().map(words).collect();
        let _ = writeln!(
            page,
            "| {} | {} | {asked} | {} | {} |",
            words(&scope),
            meaning.split_whitespace().collect::<Vec<_>>().join(" "),
            who.join(" or "),
            if consent.apart.contains(&scope) {
                "yes"
            } else {
                ""
            }
        );
    }
    page.push_str(
        "
### From which age a learner consents alone

In the United States 13 (16 CFR §312.2), but disclosure of school records is the guardian's to allow until 18 (34 CFR
§99.3, §99.30). Elsewhere as GDPR Art. 8(1) and the country's law say, as of 2025; a country that is not listed is
treated as 16. A date of birth is never asked for: where the school gives a year, a learner counts as the youngest
they may be.

| country | age | law |
|---|---|---|
",
    );
    for (code, age, law) in countries() {
        let _ = writeln!(page, "| {code} | {age} | {law} |");
    }
}

fn laws(page: &mut String) {
    page.push_str(
        "
## What the laws ask of the program, and what holds it

Each is tried on the running mechanism by `record::compliance`; the score is what passed of what applies, and whatever
fails is listed with its reason.

| rule | source | what it asks | what holds it |
|---|---|---|---|
",
    );
    for rule in rules() {
        let _ = writeln!(
            page,
            "| `{}` | {} | {} | {} |",
            rule.id, rule.source, rule.demands, rule.mechanism
        );
    }
}

fn every_field(page: &mut String) {
    page.push_str("\n## Every field, by kind\n");
    let meanings = fields();
    for (class, fields) in FIELDS {
        let _ = write!(page, "\n### {class:?}\n\n");
        for field in *fields {
            let meaning = meanings.get(*field).map_or("", String::as_str);
            let gap = if meaning.is_empty() { "" } else { ": " };
            let _ = writeln!(page, "- `{field}`{gap}{meaning}");
        }
    }
}

/// `InstructorView` as `instructor view`.
fn words(name: &impl Debug) -> String {
    let mut words = String::new();
    for c in format!("{name:?}").chars() {
        if c.is_uppercase() && !words.is_empty() {
            words.push(' ');
        }
        words.extend(c.to_lowercase());
    }
    words
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;

    #[test]
    fn the_checked_in_page_is_what_the_program_does() {
        let page = privacy_page(&ConsentPolicy::default(), &RetentionPolicy::default());
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/privacy.md");
        if std::env::var_os("UPDATE_DOCS").is_some() {
            fs::write(&file, &page).unwrap();
        }
        let checked_in = fs::read_to_string(&file).unwrap_or_default();
        assert!(
            checked_in == page,
            "docs/privacy.md is out of date; make it anew with `UPDATE_DOCS=1 cargo test privacy_page`, and read what changed"
        );
    }

    #[test]
    fn a_schools_own_terms_are_on_its_page() {
        let retention = RetentionPolicy {
            log_days: 41,
            ..RetentionPolicy::default()
        };
        let page = privacy_page(&ConsentPolicy::default(), &retention);
        let attempts = page.lines().find(|line| line.starts_with("| **Attempts**"));
        assert!(attempts.is_some_and(|line| line.ends_with("41 days |")));
    }

    #[test]
    fn no_cell_is_empty_where_a_reader_needs_it() {
        let page = privacy_page(&ConsentPolicy::default(), &RetentionPolicy::default());
        for class in DataClass::ALL {
            let rows = RULES.iter().filter(|rule| rule.data.contains(&class));
            assert!(rows.count() >= 2, "{class:?}");
        }
        for scope in ConsentScope::ALL {
            let row = format!("| {} | ", words(&scope));
            let line = page.lines().find(|line| line.starts_with(&row));
            assert!(
                line.is_some_and(|line| !line.contains("|  | everybody")),
                "{scope:?}"
            );
        }
    }
}
