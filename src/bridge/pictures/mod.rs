//! Pictures of what learners see: who may have one, how often, and that it stands in the audit.
//! In: wishes from tools and pages. Out: [`PictureAsked`] for `ui`, pictures for whoever may have them.
//! Never: a picture of a learner who did not agree to it, a picture kept for longer than [`EACH`].

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use bevy::ecs::system::SystemParam;
use bevy::prelude::*;
use tokio::sync::oneshot;

use super::audit::{Lines, by_now};
use super::gate::{Gate, opens_pictures};
use crate::protocol::asker::{Asker, TokenId};
use crate::protocol::ids::LearnerId;
use crate::record::Action;
use crate::session::picture::{NoPicture, Picture, PictureAsked, PictureTaken};
use crate::session::standing::{Age, Agreements};
use crate::session::state::LearnerState;
use crate::session::stream::mirror::Mirror;
use crate::session::{Learner, unix_ms};

pub(super) mod door;

/// A learner's picture is taken at most this often, and who has one gets another only after this. So rarely that it
/// costs no frame and says little of how somebody moves; often enough to follow what they do.
pub(super) const EACH: Duration = Duration::from_secs(1);
/// How long a wish waits: some frames of a slow headset.
pub(super) const PICTURE_WITHIN: Duration = Duration::from_secs(6);
/// Who goes on looking stands in the audit again after this.
const AUDITED: Duration = Duration::from_secs(60);
/// Wishes that wait for the same picture.
const WISHES: usize = 64;

/// A picture, or why there is none.
pub(super) type PictureAnswer = Result<Picture, PictureRefused>;

/// Somebody who may look wants to.
pub(super) struct PictureWish {
    pub(super) learner: LearnerId,
    pub(super) asker: Asker,
    pub(super) answer: oneshot::Sender<PictureAnswer>,
}

/// Why there is no picture.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum PictureRefused {
    /// Not here.
    #[error("no learner {0} is here")]
    NoLearner(LearnerId),
    /// Consent is missing.
    #[error("{0}")]
    NotAgreed(String),
    /// Too soon.
    #[error("you have this learner's newest picture; there is one a second: ask again in {} s", .0.as_secs())]
    TooOften(Duration),
    /// Too many.
    #[error("too many wait for this learner's picture; ask again in a second")]
    Crowded,
    /// Not to be had.
    #[error(transparent)]
    None(#[from] NoPicture),
}

impl PictureRefused {
    /// After how many seconds it is worth asking again; `None`: not worth it.
    pub(super) fn again_after(&self) -> Option<u64> {
        match self {
            Self::NoLearner(_) | Self::NotAgreed(_) => None,
            Self::TooOften(wait) => Some(wait.as_secs().max(1)),
            Self::Crowded => Some(1),
            Self::None(why) => why.again_after(),
        }
    }
}

/// What is asked, under way, and just taken.
#[derive(Resource, Default)]
pub(super) struct Pictures {
    pub(super) wishes: VecDeque<PictureWish>,
    last: u64,
    of: HashMap<LearnerId, Shown>,
}

/// One learner's pictures. Times on `Time<Real>`.
#[derive(Default)]
struct Shown {
    under_way: Option<UnderWay>,
    latest: Option<Latest>,
    /// Who looks, and since when that stands in the audit.
    audited: HashMap<TokenId, Duration>,
}

struct UnderWay {
    ticket: u64,
    since: Duration,
    waiting: Vec<PictureWish>,
}

struct Latest {
    /// When it was asked for.
    at: Duration,
    picture: Picture,
    had: Vec<TokenId>,
}

/// Whether a learner may be looked at, now.
#[derive(SystemParam)]
pub(super) struct MayLook<'w, 's> {
    agreements: Res<'w, Agreements>,
    learners: Query<
        'w,
        's,
        (
            &'static Learner,
            &'static LearnerState,
            &'static Age,
            &'static Gate,
            Has<Mirror>,
        ),
    >,
}

impl MayLook<'_, '_> {
    fn at(&self, learner: LearnerId) -> Result<(), PictureRefused> {
        let found = self.learners.iter().find(|(it, ..)| it.id == learner);
        let Some((_, state, age, gate, far)) = found else {
            return Err(PictureRefused::NoLearner(learner));
        };
        if let Some(why) = &gate.shut {
            return Err(PictureRefused::NotAgreed(why.clone()));
        }
        let standing = self.agreements.standing(learner, *age, state, unix_ms());
        opens_pictures(&standing).map_err(|why| PictureRefused::NotAgreed(why.to_string()))?;
        if far {
            return Err(NoPicture::Elsewhere.into());
        }
        Ok(())
    }
}

/// Takes up what was asked. A wish for a picture that is being taken waits for it; whoever has not had the newest gets
/// it while it is new.
pub(super) fn ask_for_pictures(
    time: Res<Time<Real>>,
    may: MayLook,
    mut lines: ResMut<Lines>,
    mut pictures: ResMut<Pictures>,
    mut asked: MessageWriter<PictureAsked>,
) {
    let now = time.elapsed();
    let pictures = &mut *pictures;
    pictures.forget(now);
    while let Some(wish) = pictures.wishes.pop_front() {
        // Whoever stopped waiting needs no answer.
        if let Err(why) = may.at(wish.learner) {
            drop(wish.answer.send(Err(why)));
            continue;
        }
        let shown = pictures.of.entry(wish.learner).or_default();
        if let Some(under_way) = &mut shown.under_way {
            if under_way.waiting.len() < WISHES {
                under_way.waiting.push(wish);
            } else {
                drop(wish.answer.send(Err(PictureRefused::Crowded)));
            }
            continue;
        }
        if let Some(latest) = &mut shown.latest {
            let token = wish.asker.token;
            let answer = if latest.had.contains(&token) {
                Err(PictureRefused::TooOften(EACH))
            } else {
                latest.had.push(token);
                note_look(&mut shown.audited, &wish, now, &mut lines);
                Ok(latest.picture.clone())
            };
            drop(wish.answer.send(answer));
            continue;
        }
        pictures.last += 1;
        asked.write(PictureAsked {
            learner: wish.learner,
            ticket: pictures.last,
        });
        shown.under_way = Some(UnderWay {
            ticket: pictures.last,
            since: now,
            waiting: vec![wish],
        });
    }
}

/// Hands over what was taken, unless somebody took their consent back meanwhile.
pub(super) fn hand_over_pictures(
    time: Res<Time<Real>>,
    may: MayLook,
    mut lines: ResMut<Lines>,
    mut pictures: ResMut<Pictures>,
    mut taken: MessageReader<PictureTaken>,
) {
    let now = time.elapsed();
    for PictureTaken { ticket, picture } in taken.read() {
        let of = |shown: &Shown| {
            shown
                .under_way
                .as_ref()
                .is_some_and(|it| it.ticket == *ticket)
        };
        let found = pictures.of.iter_mut().find(|(_, shown)| of(shown));
        let Some((learner, shown)) = found else {
            continue;
        };
        let Some(done) = shown.under_way.take() else {
            continue;
        };
        let picture = may.at(*learner).and_then(|()| Ok(picture.clone()?));
        let mut had = Vec::new();
        for wish in done.waiting {
            if picture.is_ok() {
                had.push(wish.asker.token);
                note_look(&mut shown.audited, &wish, now, &mut lines);
            }
            drop(wish.answer.send(picture.clone()));
        }
        shown.latest = picture.ok().map(|picture| Latest {
            at: done.since,
            picture,
            had,
        });
    }
}

impl Pictures {
    /// Whether there is anything to do.
    pub(super) fn are_asked_for(pictures: Res<Self>) -> bool {
        !pictures.wishes.is_empty() || !pictures.of.is_empty()
    }

    /// Forgets what is no longer new, and questions that nobody answered.
    fn forget(&mut self, now: Duration) {
        self.of.retain(|_, shown| {
            shown.latest.take_if(|it| now >= it.at + EACH);
            shown
                .under_way
                .take_if(|it| now >= it.since + PICTURE_WITHIN);
            shown.audited.retain(|_, at| now < *at + AUDITED);
            shown.latest.is_some() || shown.under_way.is_some() || !shown.audited.is_empty()
        });
    }
}

/// A line in the audit when somebody begins to look, and each minute that they go on.
fn note_look(
    audited: &mut HashMap<TokenId, Duration>,
    wish: &PictureWish,
    now: Duration,
    lines: &mut Lines,
) {
    audited.entry(wish.asker.token).or_insert_with(|| {
        let by = by_now(wish.asker.to_string(), "to see what the learner sees");
        lines.add(by, Some(wish.learner), Action::Accessed);
        now
    });
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
