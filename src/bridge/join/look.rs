//! The host asks what the learner sees. Whether they agree, and how often, is decided here as for this machine's own
//! door; the picture goes over the link and is not kept.

use bevy::ecs::system::SystemParam;
use bevy::prelude::*;
use tokio::sync::oneshot;
use tokio::sync::oneshot::error::TryRecvError;

use super::carry::Carried;
use super::{Joined, ToHost};
use crate::bridge::pictures::{PictureAnswer, PictureWish, Pictures};
use crate::protocol::ids::LearnerId;
use crate::protocol::picture::{Look, NoPicture, Png, Shown, View};

/// Questions of the host under way; one more is told to come again.
const UNDER_WAY: usize = 4;

/// What the host has asked and has no answer to.
#[derive(Resource, Debug, Default)]
pub(super) struct Looking {
    asked: Vec<(u64, oneshot::Receiver<PictureAnswer>)>,
    /// Answers that found no room yet.
    answers: Vec<Shown>,
}

/// Where the host's questions go.
#[derive(SystemParam)]
pub(super) struct Asked<'w> {
    looking: ResMut<'w, Looking>,
    /// There where this machine has a door of its own.
    pictures: Option<ResMut<'w, Pictures>>,
}

impl Asked<'_> {
    /// Asks as somebody at this machine's own door would.
    pub(super) fn ask(&mut self, learner: LearnerId, Look { ticket, by }: Look) {
        let room = self.looking.asked.len() < UNDER_WAY;
        let Some(pictures) = self.pictures.as_mut().filter(|_| room) else {
            let why = match room {
                true => NoPicture::NothingDrawn,
                false => NoPicture::TooOften,
            };
            let what = View::None(why);
            self.looking.answers.push(Shown { ticket, what });
            return;
        };
        let (answer, answered) = oneshot::channel();
        pictures.wishes.push_back(PictureWish {
            learner,
            asker: by,
            answer,
            at_the_host: true,
        });
        self.looking.asked.push((ticket, answered));
    }
}

/// Answers what the host asked. What was asked over an older link nobody waits for.
pub(super) fn show_the_host(
    joined: Res<Joined>,
    carried: Res<Carried>,
    mut looking: ResMut<Looking>,
) {
    if looking.asked.is_empty() && looking.answers.is_empty() {
        return;
    }
    let Looking { asked, answers } = &mut *looking;
    asked.retain_mut(|(ticket, answered)| {
        let what = match answered.try_recv() {
            Err(TryRecvError::Empty) => return true,
            Ok(Ok(picture)) => View::Png(Png(picture.png)),
            Ok(Err(why)) => View::None(why.over_the_link()),
            Err(TryRecvError::Closed) => View::None(NoPicture::NoAnswer),
        };
        let ticket = *ticket;
        answers.push(Shown { ticket, what });
        false
    });
    if carried.era.is_none() {
        answers.clear();
        return;
    }
    answers.retain(|shown| {
        let shown = Box::new(shown.clone());
        joined.to_host.try_send(ToHost::Shown(shown)).is_err()
    });
}
