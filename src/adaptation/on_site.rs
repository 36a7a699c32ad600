//! Commands of somebody who stands beside the learner: pointing, adding things to the scene, scoring, ending. Pure, as
//! `decide` is.

use std::time::Duration;

use super::decide::{Effect, Standing, who};
use crate::learning::event_criteria::Criterion;
use crate::protocol::command::{AddedObject, MOST_ADDED, POINTING, Principal, Refusal};
use crate::protocol::ids::ObjectId;

/// How far from the room's origin a thing may be, metres: where a millimetre still is one.
const REACH: f32 = 10.0;
const SIZE: [f32; 2] = [0.02, 2.0];
const MASS: [f32; 2] = [0.01, 20.0];

/// A score by rubric.
pub(super) fn score(
    criterion: Criterion,
    value: f64,
    principal: Principal,
    standing: &Standing,
) -> Result<(Effect, String), Refusal> {
    running(standing)?;
    if principal != Principal::Instructor {
        return Err(Refusal::NotForYou {
            who: who(principal).to_owned(),
            instead: "only the instructor scores".to_owned(),
        });
    }
    if !criterion.by_rubric() {
        return Err(Refusal::NotHere {
            what: format!("{criterion:?}, which is measured or said by the learner,"),
        });
    }
    if !(0.0..=1.0).contains(&value) {
        return Err(out_of_range("value", value, [0.0, 1.0]));
    }
    let words = format!("{criterion:?} is scored {value:.2}, and the models take it in");
    Ok((Effect::Score(criterion, value), words))
}

/// Something stands out for a while.
pub(super) fn point_at(
    object: &ObjectId,
    seconds: f32,
    standing: &Standing,
) -> Result<(Effect, String), Refusal> {
    running(standing)?;
    let [low, high] = POINTING;
    if !(low..=high).contains(&seconds) {
        return Err(out_of_range(
            "seconds",
            f64::from(seconds),
            POINTING.map(f64::from),
        ));
    }
    let label = label_of(object, standing).ok_or_else(|| Refusal::NoSuchObject {
        object: object.to_string(),
    })?;
    let words = format!("{label} shines, with a marker over it, for {seconds:.0} s");
    let lasts = Duration::from_secs_f32(seconds);
    Ok((Effect::PointAt(object.clone(), lasts), words))
}

/// A thing more in the scene.
pub(super) fn spawn(
    object: &AddedObject,
    standing: &Standing,
) -> Result<(Effect, String), Refusal> {
    running(standing)?;
    let bad = |why: String| {
        Err(Refusal::BadObject {
            object: object.id.to_string(),
            why,
        })
    };
    let id = object.id.as_str();
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if id.is_empty() || id.len() > 64 || !id.chars().all(plain) {
        return bad("an id has 1 to 64 letters, digits, `-` and `_`".to_owned());
    }
    if !(1..=60).contains(&object.label.trim().chars().count()) {
        return bad("a label has 1 to 60 characters".to_owned());
    }
    if label_of(&object.id, standing).is_some() {
        return bad(
            "something else has that id; scene.remove takes away what was added".to_owned(),
        );
    }
    if standing.adapted.added.len() >= MOST_ADDED {
        return bad(format!(
            "{MOST_ADDED} things were added already; remove one first"
        ));
    }
    if !(SIZE[0]..=SIZE[1]).contains(&object.size) {
        return Err(out_of_range(
            "size",
            f64::from(object.size),
            SIZE.map(f64::from),
        ));
    }
    if let Some(mass) = object.mass
        && !(MASS[0]..=MASS[1]).contains(&mass)
    {
        return Err(out_of_range("mass", f64::from(mass), MASS.map(f64::from)));
    }
    let [x, y, z] = object.position;
    let within = |axis: f32| (-REACH..=REACH).contains(&axis);
    if !(within(x) && within(z) && (0.0..=REACH).contains(&y)) {
        return bad(format!(
            "its centre must lie within {REACH} m of the room's origin and not under the floor"
        ));
    }
    let hex = |text: &str| text.len() == 6 && text.chars().all(|c| c.is_ascii_hexdigit());
    if !object.color.strip_prefix('#').is_some_and(hex) {
        return bad("a colour is written #rrggbb".to_owned());
    }
    let words = format!(
        "{} stands at x {x:.2}, y {y:.2}, z {z:.2} m",
        object.label.trim()
    );
    Ok((Effect::Scene, words))
}

/// An added thing is taken away again.
pub(super) fn remove(object: &ObjectId, standing: &Standing) -> Result<(Effect, String), Refusal> {
    running(standing)?;
    let added = &standing.adapted.added;
    if added.iter().any(|it| it.id == *object) {
        return Ok((Effect::Scene, format!("{object} is gone")));
    }
    Err(match label_of(object, standing) {
        Some(_) => Refusal::NotHere {
            what: format!("`{object}` belongs to the lesson and"),
        },
        None => Refusal::NoSuchObject {
            object: object.to_string(),
        },
    })
}

/// The session is over.
pub(super) fn end(principal: Principal, standing: &Standing) -> Result<(Effect, String), Refusal> {
    if standing.ended {
        return Err(Refusal::AlreadySo {
            state: "the session is over".to_owned(),
        });
    }
    if principal != Principal::Instructor {
        return Err(Refusal::NotForYou {
            who: who(principal).to_owned(),
            instead: "the learner leaves by the menu, the instructor ends by session.stop"
                .to_owned(),
        });
    }
    let words = "the session is over; the record stays".to_owned();
    Ok((Effect::End, words))
}

fn running(standing: &Standing) -> Result<(), Refusal> {
    match standing.step {
        Some(_) => Ok(()),
        None => Err(Refusal::NoStep),
    }
}

fn label_of<'a>(object: &ObjectId, standing: &'a Standing) -> Option<&'a str> {
    let added = &standing.adapted.added;
    let of_lesson = || {
        let objects = &standing.lesson?.objects;
        objects.iter().find(|it| it.id == *object)
    };
    added
        .iter()
        .find(|it| it.id == *object)
        .map(|it| it.label.as_str())
        .or_else(|| of_lesson().map(|it| it.label.as_str()))
}

fn out_of_range(what: &str, value: f64, [low, high]: [f64; 2]) -> Refusal {
    Refusal::OutOfRange {
        what: what.to_owned(),
        value: value.to_string(),
        low: low.to_string(),
        high: high.to_string(),
    }
}

#[cfg(test)]
#[path = "on_site_tests.rs"]
mod tests;
