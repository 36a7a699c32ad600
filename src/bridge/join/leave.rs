//! Whether the link may be: as long as the learner's data may leave this device. Looked at when the log, the age or the
//! rules change, and once a second, since a consent may end.

use std::time::Duration;

use bevy::prelude::*;
use tracing::{error, info, warn};

use super::carry::Carried;
use super::{Joined, LinkState, ToJoin};
use crate::bridge::gate::opens;
use crate::protocol::teaching::TelemetryLevel;
use crate::session::standing::{Age, Agreements};
use crate::session::state::LearnerState;
use crate::session::{Learner, unix_ms};

const LOOK_AGAIN: Duration = Duration::from_secs(1);

pub(super) fn mind(
    mut commands: Commands,
    time: Res<Time<Real>>,
    wish: Res<ToJoin>,
    agreements: Res<Agreements>,
    joined: Option<Res<Joined>>,
    mut carried: ResMut<Carried>,
    mut link: ResMut<LinkState>,
    learners: Query<(&Learner, Ref<LearnerState>, Ref<Age>)>,
    mut looked: Local<Option<Duration>>,
    mut said: Local<bool>,
) {
    let Ok((learner, state, age)) = learners.single() else {
        return;
    };
    let due = looked.is_none_or(|at| time.elapsed() >= at + LOOK_AGAIN);
    if !(due || state.is_changed() || age.is_changed() || agreements.is_changed()) {
        return;
    }
    *looked = Some(time.elapsed());
    let standing = agreements.standing(learner.id, *age, &state, unix_ms());
    let opened = match state.telemetry {
        // The host could not tell nobody what it has.
        TelemetryLevel::Off => Err("the telemetry level of this learner is off".to_owned()),
        _ => opens(&standing).map_err(|refusal| refusal.to_string()),
    };
    match (opened, joined.is_some()) {
        (Ok(_), false) => {
            let mut config = wish.0.clone();
            config.learning.age = age.0;
            match Joined::start(config) {
                Ok(joined) => commands.insert_resource(joined),
                Err(cause) => error!("the host cannot be dialled: {cause}"),
            }
            *said = false;
        }
        (Err(refusal), true) => {
            warn!("nothing goes to the host any more: {refusal}");
            *carried = Carried::default();
            link.up = false;
            commands.queue(|world: &mut World| {
                // Its goodbye takes a moment, which the frame must not wait for.
                let joined = world.remove_resource::<Joined>();
                let ending = std::thread::Builder::new().name("unjoin".to_owned());
                if let Err(cause) = ending.spawn(move || drop(joined)) {
                    error!("the link could not be ended by itself: {cause}");
                }
            });
        }
        (Err(refusal), false) => {
            if !*said {
                info!("nothing goes to the host yet: {refusal}");
            }
            *said = true;
        }
        (Ok(_), true) => {}
    }
}
