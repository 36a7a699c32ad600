//! `malloc-vr play --replay`: a recorded session in the headset, in a window or without any view, from the movements that
//! were recorded with consent. Nothing of it is written to the learner's log.

use std::error::Error;
use std::process::ExitCode;
use std::str::FromStr;

use bevy::camera::Camera3d;
use bevy::prelude::*;
use bevy::transform::TransformPlugin;

use super::again;
use super::reel::{Came, Deeds, Reel, ReelPlugin, deeds};
use super::script::{self, Stretch};
use crate::adaptation::Strategies;
use crate::app::cli::PlayArgs;
use crate::app::flight::FlightRules;
use crate::app::law;
use crate::app::view::View;
use crate::app::{duties, play, policy, records, terms};
use crate::lesson::{self, Loaded};
use crate::protocol::event::{Event, EventBody};
use crate::protocol::ids::{LearnerId, SessionId};
use crate::record::consent::Consents;
use crate::record::motion::{ConsentToken, granted};
use crate::record::{Action, Run};
use crate::session::unix_ms;
use crate::xr::rig::Head;

/// Whose movements, and of which session; `None`: the last that was recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReplayOf {
    /// Whose.
    pub learner: LearnerId,
    /// Of which session.
    pub session: Option<SessionId>,
}

impl FromStr for ReplayOf {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (learner, session) = match text.split_once('/') {
            Some((learner, session)) => (learner, Some(session)),
            None => (text, None),
        };
        let of = |what: &str, id: &str| {
            format!(
                "`{id}` is no {what}'s id; give LEARNER or LEARNER/SESSION, as `malloc-vr records show` names them"
            )
        };
        Ok(Self {
            learner: learner.parse().map_err(|_| of("learner", learner))?,
            session: session
                .map(|id| id.parse().map_err(|_| of("session", id)))
                .transpose()?,
        })
    }
}

/// What should come out.
#[derive(Resource)]
struct Expected(Vec<Deeds>);

/// Plays a recording.
///
/// # Errors
/// No consent, no recording, or nothing to show it with.
pub(in crate::app) fn play_again(
    args: &PlayArgs,
    of: ReplayOf,
    view: View,
) -> Result<ExitCode, Box<dyn Error>> {
    let store = records::open(&args.data.data_dir)?;
    let log = store.events(of.learner)?;
    let now = unix_ms();
    let policy = args.law.policy()?;
    let roster = law::roster(&args.data.data_dir, store.keys())?;
    let band = law::band(of.learner, &roster, &args.age, &policy);
    let rules = FlightRules::of(&policy, band, &terms::in_force(&args.data.data_dir)?);
    let consents = Consents::of(&log);
    let grant = granted(
        of.learner,
        &rules.policy,
        rules.band,
        &consents,
        now,
        rules.keep,
    )?;
    let token = ConsentToken::from_grant(&grant, now, rules.keep)?;
    let kept = store.recordings(of.learner)?;
    let started = |event: &&Event| {
        matches!(event.body, EventBody::SessionStarted { .. })
            && kept
                .iter()
                .any(|recording| recording.session == event.session)
    };
    let session = of
        .session
        .or_else(|| log.iter().rfind(started).map(|event| event.session));
    let session = session.ok_or("no movements are kept of this learner; they are recorded only with consent, and kept for days")?;
    store.audit(
        &duties::by("movements played again"),
        Some(of.learner),
        Action::Accessed,
    )?;
    let runs = store.movements(&token, of.learner, session, now)?;
    let stretches: Vec<Stretch> = script::cut(&log)
        .into_iter()
        .filter(|stretch| stretch.session == session)
        .collect();
    let strategies = policy::read(args.policy.as_deref())?;
    let mut pairs: Vec<(&Stretch, &Run)> = runs
        .iter()
        .filter_map(|run| Some((stretches.get(run.number as usize)?, run)))
        .collect();
    if view != View::Headless {
        // One window, one run of the program: the longest.
        let longest = pairs
            .iter()
            .copied()
            .max_by_key(|(_, run)| run.frames.len());
        pairs = longest.into_iter().collect();
    }
    let mut same = !pairs.is_empty();
    for (stretch, run) in pairs {
        let lesson = lesson_of(args, stretch)?;
        let reel = Reel::of(stretch, &lesson, &run.frames, &token);
        println!(
            "session {session}, run {}: {} frames of movements, lesson {}",
            run.number,
            run.frames.len(),
            stretch.lesson
        );
        let expected = expected(stretch);
        let mut app = stage(view, &lesson, &strategies, reel, expected);
        again::enter(app.world_mut(), stretch, of.learner)?;
        same &= match view {
            View::Headless => project(&mut app),
            View::Headset | View::Desktop => app.run(),
        } == AppExit::Success;
    }
    Ok(if same {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// The lesson named, where it is not the default; else the one that the session played.
fn lesson_of(args: &PlayArgs, stretch: &Stretch) -> Result<Loaded, Box<dyn Error>> {
    let bundled = lesson::load(stretch.lesson.as_str());
    let loaded = match bundled {
        Ok(loaded) if loaded.digest == stretch.digest => loaded,
        _ => lesson::load(&args.lesson)?,
    };
    if loaded.lesson.id == *stretch.lesson {
        return Ok(loaded);
    }
    Err(format!(
        "the session played the lesson `{}`; name its file: malloc-vr play FILE --replay …",
        stretch.lesson
    )
    .into())
}

pub(super) fn expected(stretch: &Stretch) -> Vec<Deeds> {
    let events = stretch.frames.iter().flat_map(|frame| frame.events);
    deeds(events.map(|event| &event.body))
}

/// The rooms, without anything that writes, listens or reads hands.
pub(super) fn stage(
    view: View,
    lesson: &Loaded,
    strategies: &Strategies,
    reel: Reel,
    expected: Vec<Deeds>,
) -> App {
    let mut app = match view {
        View::Headless => {
            let mut app = App::new();
            app.add_plugins((MinimalPlugins, TransformPlugin));
            app
        }
        View::Headset | View::Desktop => play::engine(view, lesson),
    };
    // An edit of the file is no part of what happened.
    let lesson = Loaded {
        path: None,
        ..lesson.clone()
    };
    play::add_rooms(&mut app, &lesson, View::Headless);
    app.insert_resource(strategies.clone())
        .insert_resource(reel)
        .insert_resource(Expected(expected))
        .add_plugins(ReelPlugin)
        .add_systems(Last, tell.after(super::reel::turn));
    if view == View::Desktop {
        app.add_systems(PostStartup, look_along);
    }
    app
}

/// Runs to the end, as fast as the machine can.
pub(super) fn project(app: &mut App) -> AppExit {
    app.finish();
    app.cleanup();
    loop {
        app.update();
        if let Some(exit) = app.should_exit() {
            return exit;
        }
    }
}

/// Whoever watches at the desk sees with the learner's head.
fn look_along(mut commands: Commands, heads: Query<Entity, With<Head>>) {
    for head in &heads {
        commands.entity(head).with_child(Camera3d::default());
    }
}

/// When all is shown: whether the same came of it.
fn tell(
    reel: Res<Reel>,
    came: Res<Came>,
    expected: Res<Expected>,
    mut after: Local<u32>,
    mut exit: MessageWriter<AppExit>,
) {
    // What the last frame began is done in the two that follow.
    if reel.left() > 0 || *after < 2 {
        *after = if reel.left() > 0 { 0 } else { *after + 1 };
        return;
    }
    let (then, now) = (&expected.0, came.deeds());
    if *then == now {
        println!("{} attempts and decisions, all the same again", now.len());
        exit.write(AppExit::Success);
        return;
    }
    let differs = then.iter().zip(&now).position(|(then, now)| then != now);
    let place = differs.unwrap_or_else(|| then.len().min(now.len()));
    let word = |deed: Option<&Deeds>| match deed {
        Some(deed) => serde_json::to_string(deed).unwrap_or_default(),
        None => "nothing".to_owned(),
    };
    println!(
        "NOT the same: {} attempts and decisions then, {} now; the first to differ is number {}\n  then: {}\n  now:  {}",
        then.len(),
        now.len(),
        place + 1,
        word(then.get(place)),
        word(now.get(place))
    );
    exit.write(AppExit::from_code(1));
}

#[cfg(test)]
pub(in crate::app) mod tests {
    use super::*;
    use crate::record::Store;
    use crate::record::motion::MotionFrame;

    /// The token of a log's consents.
    fn token(log: &[Event]) -> ConsentToken {
        let rules = FlightRules::default();
        let (consents, now) = (Consents::of(log), unix_ms());
        let learner = log[0].learner;
        let grant = granted(
            learner,
            &rules.policy,
            rules.band,
            &consents,
            now,
            rules.keep,
        );
        ConsentToken::from_grant(&grant.unwrap(), now, rules.keep).unwrap()
    }

    /// What is kept of the last session.
    pub fn recorded(store: &Store, log: &[Event]) -> Vec<Run> {
        let last = log.last().unwrap();
        let runs = store.movements(&token(log), last.learner, last.session, unix_ms());
        runs.unwrap()
    }

    /// Whether the same came of all runs, each with what `cut` leaves of its movements.
    pub fn played_again(
        log: &[Event],
        runs: &[Run],
        lesson: &Loaded,
        cut: impl for<'a> Fn(&'a [MotionFrame]) -> &'a [MotionFrame],
    ) -> bool {
        let stretches = script::cut(log);
        assert_eq!(stretches.len(), runs.len());
        stretches.iter().zip(runs).all(|(stretch, run)| {
            let reel = Reel::of(stretch, lesson, cut(&run.frames), &token(log));
            let table = Strategies::default();
            let mut app = stage(View::Headless, lesson, &table, reel, expected(stretch));
            again::enter(app.world_mut(), stretch, log[0].learner).unwrap();
            project(&mut app) == AppExit::Success
        })
    }
}
