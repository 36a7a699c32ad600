//! What takes the disk: copies that are handed out, records that end; and the end of a machine that is drained.

use std::time::Instant;

use bevy::prelude::*;
use crossbeam_channel::TryRecvError;

use super::{Asked, BUSY, Came, Draining, Ground, NO_RECORDS, SAFE_WITHIN};
use crate::bridge::host;
use crate::record::Became;
use crate::session::state::LearnerState;
use crate::session::{AcknowledgedSeq, LearnerErased, Outbox};

/// What the record thread has made is handed out.
pub(in crate::bridge) fn hand_out_copies(mut asked: ResMut<Asked>, mut ground: Ground) {
    let mut still = Vec::new();
    for (ask, read) in std::mem::take(&mut asked.exporting) {
        let made = match read.try_recv() {
            Err(TryRecvError::Empty) => {
                still.push((ask, read));
                continue;
            }
            Err(TryRecvError::Disconnected) => Err("the records are closed".to_owned()),
            Ok(Err(error)) => Err(error.to_string()),
            Ok(Ok(made)) => made,
        };
        let by = ground.by(&ask);
        let became = match &made {
            Ok(_) => Became::Applied,
            Err(_) => Became::Refused,
        };
        ground
            .lines
            .commanded(by, ask.what.learner(), ask.id, ask.act, became);
        drop(ask.answer.send(made.map(|export| Came {
            effect: format!("{} files were made", export.files.len()),
            export: Some(export),
        })));
    }
    asked.exporting = still;
}

/// A learner who is here leaves once everything of theirs is on the disk, so that nothing is written after the end.
pub(in crate::bridge) fn erase(
    mut commands: Commands,
    mut asked: ResMut<Asked>,
    mut ground: Ground,
    written: Query<(&Outbox, &AcknowledgedSeq)>,
    mut erased: MessageWriter<LearnerErased>,
) {
    if asked.closing.is_empty() && asked.erasing.is_empty() {
        return;
    }
    for (ask, learner, since) in std::mem::take(&mut asked.closing) {
        let entity = ground.entity(learner);
        let state = entity.and_then(|entity| ground.learners.get(entity).ok());
        let safe = match (entity, state) {
            (Some(entity), Some((.., state, _))) => written
                .get(entity)
                .is_ok_and(|(outbox, stored)| outbox.waiting() == 0 && stored.0 >= state.seq),
            _ => true,
        };
        if !safe && since.elapsed() < SAFE_WITHIN {
            asked.closing.push((ask, learner, since));
            continue;
        }
        let by = ground.by(&ask);
        let begun = match (&ground.recorder, safe) {
            (None, _) => Err(NO_RECORDS),
            (_, false) => Err(
                "the record is not written within 10 s, so it is not erased either; see ops.health",
            ),
            (Some(recorder), true) => recorder
                .ask(move |store| store.erase(learner, &by))
                .ok_or(BUSY),
        };
        match begun {
            Ok(done) => {
                if let Some(entity) = entity {
                    commands.entity(entity).despawn();
                }
                asked.erasing.push((ask, done));
            }
            Err(why) => asked.settle(ask, Err(why.to_owned()), &mut ground),
        }
    }
    for (ask, done) in std::mem::take(&mut asked.erasing) {
        let outcome = match done.try_recv() {
            Err(TryRecvError::Empty) => {
                asked.erasing.push((ask, done));
                continue;
            }
            Err(TryRecvError::Disconnected) => Err("the records are closed".to_owned()),
            Ok(Err(error)) => Err(error.to_string()),
            Ok(Ok(None)) => Err("nobody in these records has that pseudonym".to_owned()),
            Ok(Ok(Some(proof))) => {
                let words = format!(
                    "erased: {} events; {} copies of the key overwritten, {} left; {} events left in the file",
                    proof.tombstone.events,
                    proof.key_copies_overwritten,
                    proof.key_copies_left,
                    proof.events_left
                );
                erased.write(LearnerErased(proof.tombstone));
                Ok(words)
            }
        };
        asked.settle(ask, outcome, &mut ground);
    }
}

/// A machine that is being drained ends when everybody has, or its time is over.
pub(in crate::bridge) fn drain(
    draining: Res<Draining>,
    learners: Query<(&LearnerState, Option<&host::Headset>)>,
    mut exit: MessageWriter<AppExit>,
) {
    let Some(until) = draining.until else { return };
    let going_on = learners.iter().any(|(state, headset)| {
        !state.ended && headset.is_none_or(|headset| headset.gone_since().is_none())
    });
    if !going_on || Instant::now() >= until {
        info!("drained: the program ends");
        exit.write(AppExit::Success);
    }
}
