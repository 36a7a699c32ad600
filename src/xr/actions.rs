//! Actions: the table of [`bindings`](super::bindings) given to the runtime, and the hands read back each frame.

use bevy::prelude::*;
use bevy_mod_openxr::helper_traits::{ToTransform, ToVec2};
use bevy_mod_openxr::session::OxrSession;
use bevy_mod_xr::session::{XrPreDestroySession, XrSessionCreated};
use openxr::{Action, ActionInput, ActionSet, ActiveActionSet, Binding, Haptic, Posef, Vector2f};
use tracing::{debug, info, warn};

use super::bindings::{Act, BARE_HAND, HANDS, PROFILES};
use super::frame::Waited;
use super::loader::explain;
use super::rig::{AimPose, Hand, HandInput, HandKind, HapticPulse, Side};
use super::session::{Link, ProfileChanged};
use super::space::{Stage, located, relate};
use super::start::Enabled;

/// The session's actions.
#[derive(Resource)]
pub(super) struct Actions {
    set: ActionSet,
    grip: Action<Posef>,
    trigger: Action<f32>,
    squeeze: Action<f32>,
    stick: Action<Vector2f>,
    menu: Action<bool>,
    haptic: Action<Haptic>,
    left: HandSource,
    right: HandSource,
}

struct HandSource {
    path: openxr::Path,
    grip: openxr::Space,
    aim: openxr::Space,
}

impl Actions {
    fn source(&self, side: Side) -> &HandSource {
        match side {
            Side::Left => &self.left,
            Side::Right => &self.right,
        }
    }
}

pub(super) struct ActionsPlugin;

impl Plugin for ActionsPlugin {
    fn build(&self, app: &mut App) {
        app.add_message::<HapticPulse>()
            .add_systems(XrSessionCreated, make_actions)
            .add_systems(XrPreDestroySession, drop_actions)
            .add_systems(PostUpdate, pulse.run_if(resource_exists::<Actions>));
    }
}

fn make_actions(
    session: Option<Res<OxrSession>>,
    enabled: Res<Enabled>,
    mut link: ResMut<Link>,
    mut commands: Commands,
) {
    let Some(session) = session else { return };
    match new_actions(&session, &enabled.0) {
        Ok(actions) => commands.insert_resource(actions),
        Err(code) => link.fall("making the actions", code),
    }
}

fn new_actions(
    session: &openxr::Session<openxr::AnyGraphics>,
    enabled: &openxr::ExtensionSet,
) -> openxr::Result<Actions> {
    let instance = session.instance();
    let hands = [
        instance.string_to_path(HANDS[0])?,
        instance.string_to_path(HANDS[1])?,
    ];
    let set = instance.create_action_set("lesson", "Lesson", 0)?;
    let grip = set.create_action::<Posef>("grip", "Hand", &hands)?;
    let aim = set.create_action::<Posef>("aim", "Pointing", &hands)?;
    let trigger = set.create_action::<f32>("select", "Select", &hands)?;
    let squeeze = set.create_action::<f32>("grasp", "Grasp", &hands)?;
    let stick = set.create_action::<Vector2f>("stick", "Move and turn", &hands)?;
    let menu = set.create_action::<bool>("menu", "Menu", &hands)?;
    let haptic = set.create_action::<Haptic>("haptic", "Vibration", &hands)?;

    for profile in PROFILES.iter().filter(|it| (it.offered)(enabled)) {
        let mut bindings = Vec::with_capacity(2 * profile.bindings.len());
        for (act, path) in profile.paths() {
            let path = instance.string_to_path(&path)?;
            bindings.push(match act {
                Act::Grip => Binding::new(&grip, path),
                Act::Aim => Binding::new(&aim, path),
                Act::Trigger => Binding::new(&trigger, path),
                Act::Squeeze => Binding::new(&squeeze, path),
                Act::Stick => Binding::new(&stick, path),
                Act::Menu => Binding::new(&menu, path),
                Act::Haptic => Binding::new(&haptic, path),
            });
        }
        let name = instance.string_to_path(profile.path)?;
        // A runtime that refuses one profile may well take the others.
        if let Err(code) = instance.suggest_interaction_profile_bindings(name, &bindings) {
            warn!("bindings for {} refused: {}", profile.path, explain(code));
        }
    }
    session.attach_action_sets(&[&set])?;

    let source = |path| -> openxr::Result<HandSource> {
        Ok(HandSource {
            path,
            grip: grip.create_space(session, path, Posef::IDENTITY)?,
            aim: aim.create_space(session, path, Posef::IDENTITY)?,
        })
    };
    Ok(Actions {
        left: source(hands[0])?,
        right: source(hands[1])?,
        set,
        grip,
        trigger,
        squeeze,
        stick,
        menu,
        haptic,
    })
}

fn drop_actions(mut commands: Commands, mut hands: Query<(&mut HandInput, &mut HandKind)>) {
    commands.remove_resource::<Actions>();
    for (mut input, mut kind) in &mut hands {
        *input = HandInput::default();
        *kind = HandKind::None;
    }
}

/// Both hands where they will be when the frame is shown, and what their fingers do.
pub(super) fn read_hands(
    session: Option<Res<OxrSession>>,
    actions: Option<Res<Actions>>,
    stage: Option<Res<Stage>>,
    waited: Res<Waited>,
    mut hands: Query<(&Hand, &mut Transform, &mut AimPose, &mut HandInput)>,
) {
    let (Some(session), Some(actions), Some(stage), Some(frame)) =
        (session, actions, stage, waited.0)
    else {
        return;
    };
    // Not being focused is no error: the actions are then inactive, and every value below says so.
    if let Err(code) = session.sync_actions(&[ActiveActionSet::new(&actions.set)]) {
        debug!("reading the hands: {}", explain(code));
        return;
    }
    let time = frame.predicted_display_time;
    for (hand, mut transform, mut aim, mut input) in &mut hands {
        let source = actions.source(hand.0);
        let mut now = HandInput::default();
        if actions
            .grip
            .is_active(&session, source.path)
            .unwrap_or(false)
            && let Ok(Some(grip)) = relate(&source.grip, &stage.space, time)
        {
            *transform = grip.pose;
            now.tracked = true;
            now.linear_velocity = grip.linear;
            now.angular_velocity = grip.angular;
            if let Ok(at) = source.aim.locate(&stage.space, time)
                && located(at.location_flags)
            {
                aim.0 = at.pose.to_transform();
            }
            now.trigger = value(&actions.trigger, &session, source.path).clamp(0.0, 1.0);
            now.squeeze = value(&actions.squeeze, &session, source.path).clamp(0.0, 1.0);
            now.stick = value(&actions.stick, &session, source.path)
                .to_vec2()
                .clamp(Vec2::NEG_ONE, Vec2::ONE);
            now.menu = value(&actions.menu, &session, source.path);
        }
        input.set_if_neq(now);
    }
}

/// The action's value; at rest while it is inactive.
fn value<T: ActionInput + Default>(
    action: &Action<T>,
    session: &openxr::Session<openxr::AnyGraphics>,
    hand: openxr::Path,
) -> T {
    match action.state(session, hand) {
        Ok(state) if state.is_active => state.current_state,
        _ => T::default(),
    }
}

/// After the runtime told that the controllers changed: which kind of hand is it now?
pub(super) fn name_hands(
    mut changed: ResMut<ProfileChanged>,
    session: Option<Res<OxrSession>>,
    actions: Option<Res<Actions>>,
    mut hands: Query<(&Hand, &mut HandKind)>,
) {
    let (Some(session), Some(actions), true) = (session, actions, changed.0) else {
        return;
    };
    changed.0 = false;
    for (hand, mut kind) in &mut hands {
        let profile = session
            .current_interaction_profile(actions.source(hand.0).path)
            .ok()
            .filter(|profile| *profile != openxr::Path::NULL)
            .and_then(|profile| session.instance().path_to_string(profile).ok());
        info!(
            "{:?} hand: {}",
            hand.0,
            profile.as_deref().unwrap_or("nothing")
        );
        kind.set_if_neq(match profile.as_deref() {
            None => HandKind::None,
            Some(BARE_HAND) => HandKind::Bare,
            Some(_) => HandKind::Controller,
        });
    }
}

fn pulse(
    mut pulses: MessageReader<HapticPulse>,
    session: Option<Res<OxrSession>>,
    actions: Res<Actions>,
) {
    let Some(session) = session else { return };
    for pulse in pulses.read() {
        let nanos = i64::try_from(pulse.duration.as_nanos()).unwrap_or(i64::MAX);
        let buzz = openxr::HapticVibration::new()
            .duration(openxr::Duration::from_nanos(nanos))
            .frequency(openxr::FREQUENCY_UNSPECIFIED)
            .amplitude(pulse.amplitude.clamp(0.0, 1.0));
        let hand = actions.source(pulse.side).path;
        if let Err(code) = actions.haptic.apply_feedback(&session, hand, &buzz) {
            debug!("no vibration: {}", explain(code));
        }
    }
}
