//! Pictures of what learners see: who may have one, how often, and that it stands in the audit.
//! In: wishes from tools and pages. Out: [`PictureAsked`] for `ui`, pictures for whoever may have them.
//! Never: a picture of a learner who did not agree to it, a picture kept for longer than [`EACH`].

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use bevy::ecs::system::SystemParam;
use bevy::prelude::*;
use tokio::sync::oneshot;

use super::audit::{Lines, by_now};
use super::coming::ToRuntime;
use super::gate::{Gate, opens_pictures};
use super::host::Headset;
use crate::protocol::asker::{Asker, TokenId};
use crate::protocol::ids::LearnerId;
use crate::protocol::picture::{Look, NoPicture, Shown, View};
use crate::record::Action;
use crate::session::picture::{Picture, PictureAsked, PictureTaken};
use crate::session::standing::{Age, Agreements};
use crate::session::state::LearnerState;
use crate::session::stream::mirror::Mirror;
use crate::session::{Learner, unix_ms};

pub(super) mod door;

/// A learner's picture is taken at most this often, and who has one gets another only after this. So rarely that it
/// costs no frame and says little of how somebody moves; often enough to follow what they do.
pub(super) const EACH: Duration = Duration::from_secs(1);
/// How long a wish waits: some frames of a slow headset, and its link.
pub(super) const PICTURE_WITHIN: Duration = Duration::from_secs(8);
/// How long a headset that joined has for its answer; a little less, so that who asked is told what is the matter.
const THERE_WITHIN: Duration = Duration::from_secs(7);
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
    /// Asked over the link to a classroom host, by somebody who is let in there.
    pub(super) at_the_host: bool,
}

/// A headset that joined has answered.
#[derive(Message, Debug, Clone)]
pub(super) struct PictureShown {
    /// The learner entity.
    pub(super) learner: Entity,
    /// What it says.
    pub(super) shown: Shown,
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

    /// As a headset tells it to the host that asked.
    pub(super) fn over_the_link(self) -> NoPicture {
        match self {
            Self::NoLearner(_) => NoPicture::Elsewhere,
            Self::NotAgreed(why) => NoPicture::NotAgreed(why),
            Self::TooOften(_) | Self::Crowded => NoPicture::TooOften,
            Self::None(why) => why,
        }
    }
}

/// What is asked, under way, and just taken.
#[derive(Resource, Default)]
pub(super) struct Pictures {
    pub(super) wishes: VecDeque<PictureWish>,
    last: u64,
    of: HashMap<LearnerId, Views>,
}

/// One learner's pictures. Times on `Time<Real>`.
#[derive(Default)]
struct Views {
    under_way: Option<UnderWay>,
    latest: Option<Latest>,
    /// Who looks, and since when that stands in the audit.
    audited: HashMap<TokenId, Duration>,
}

struct UnderWay {
    ticket: u64,
    /// The headset that joined has been asked.
    there: bool,
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
            Option<&'static Headset>,
        ),
    >,
}

/// Where the learner's headset is.
enum Eyes<'a> {
    /// This machine's.
    Here,
    /// One that joined.
    There(&'a Headset),
}

impl MayLook<'_, '_> {
    fn at(&self, learner: LearnerId) -> Result<Eyes<'_>, PictureRefused> {
        let found = self.learners.iter().find(|(it, ..)| it.id == learner);
        let Some((_, state, age, gate, far, headset)) = found else {
            return Err(PictureRefused::NoLearner(learner));
        };
        if let Some(why) = &gate.shut {
            return Err(PictureRefused::NotAgreed(why.clone()));
        }
        let standing = self.agreements.standing(learner, *age, state, unix_ms());
        opens_pictures(&standing).map_err(|why| PictureRefused::NotAgreed(why.to_string()))?;
        match headset {
            Some(headset) if headset.gone_since().is_some() => Err(NoPicture::NotReached.into()),
            Some(headset) => Ok(Eyes::There(headset)),
            None if far => Err(NoPicture::Elsewhere.into()),
            None => Ok(Eyes::Here),
        }
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
        let eyes = match may.at(wish.learner) {
            Ok(eyes) => eyes,
            Err(why) => {
                drop(wish.answer.send(Err(why)));
                continue;
            }
        };
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
        let (learner, ticket) = (wish.learner, pictures.last);
        let there = match eyes {
            Eyes::Here => {
                asked.write(PictureAsked { learner, ticket });
                false
            }
            Eyes::There(headset) => {
                let by = wish.asker;
                // The headset asks itself whether its learner agrees, and how often.
                if headset
                    .send(ToRuntime::Look(Box::new(Look { ticket, by })))
                    .is_none()
                {
                    drop(wish.answer.send(Err(NoPicture::NotReached.into())));
                    continue;
                }
                true
            }
        };
        shown.under_way = Some(UnderWay {
            ticket,
            there,
            since: now,
            waiting: vec![wish],
        });
    }
}

/// What a headset shows is taken as if it were taken here, where it was asked for and is what it says.
pub(super) fn take_shown(
    learners: Query<&Learner>,
    pictures: Res<Pictures>,
    mut shown: MessageReader<PictureShown>,
    mut taken: MessageWriter<PictureTaken>,
) {
    for PictureShown { learner, shown } in shown.read() {
        let who = learners.get(*learner).ok();
        let of = who.and_then(|who| pictures.of.get(&who.id)?.under_way.as_ref());
        // An answer that came too late, or to a question that was never asked of this learner, is none.
        if of.is_none_or(|it| !it.there || it.ticket != shown.ticket) {
            continue;
        }
        let picture = match &shown.what {
            View::Png(png) => match png.size() {
                Some([width, height]) => Ok(Picture {
                    png: png.0.clone(),
                    width,
                    height,
                }),
                None => Err(NoPicture::Failed(
                    "what the headset sent is no picture".to_owned(),
                )),
            },
            View::None(why) => Err(why.clone()),
        };
        let ticket = shown.ticket;
        taken.write(PictureTaken { ticket, picture });
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
        let of = |shown: &Views| {
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
        let picture = may.at(*learner).and_then(|_| Ok(picture.clone()?));
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
            let within = |it: &UnderWay| {
                if it.there {
                    THERE_WITHIN
                } else {
                    PICTURE_WITHIN
                }
            };
            let late = shown.under_way.take_if(|it| now >= it.since + within(it));
            for wish in late.into_iter().flat_map(|it| it.waiting) {
                drop(wish.answer.send(Err(NoPicture::NoAnswer.into())));
            }
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
        let purpose = match wish.at_the_host {
            true => "to see what the learner sees, asked at the classroom host",
            false => "to see what the learner sees",
        };
        let by = by_now(wish.asker.to_string(), purpose);
        lines.add(by, Some(wish.learner), Action::Accessed);
        now
    });
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
