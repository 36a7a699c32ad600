//! The scripted learner: reads the lesson as a person reads the panel, and does what each step asks with their hands,
//! with the mistakes that people make if asked for. What became of it is seen in the lesson's own state.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use bevy::math::{EulerRot, Quat, Vec2, Vec3};
use malloc_vr::interaction::teleport_aim;
use malloc_vr::lesson::format::{Action, Flow, Lesson, Panel, PanelContent, RatingOf, Step};
use malloc_vr::protocol::ids::{ObjectId, PanelId, SocketId, StepId};
use malloc_vr::protocol::snapshot::LearnerSnapshot;
use malloc_vr::ui::layout::choice_rect;

use crate::follow::Follower;
use crate::packet::Side;
use crate::person::{GRAVITY, Person, facing};

/// How long a deed may take to show in the state: several frames at the simulator's rate.
const SHOWS_WITHIN: Duration = Duration::from_secs(8);
/// Tries at a step before giving up.
const TRIES: u32 = 5;
/// How far past a target a throw goes that is to miss it, metres.
const WIDE: f32 = 1.2;
/// How far from a target somebody stands who throws at it, metres.
const THROWN_FROM: f32 = 1.3;
/// How much slower each further try is.
const CARE: f32 = 1.4;
/// Height over things at which a hand travels, metres.
const ABOVE: f32 = 0.16;

/// What the learner does besides playing well.
#[derive(Debug, Clone, Copy, Default)]
pub struct Manner {
    /// Puts the first thing that is to be placed into a wrong socket first, throws past the target once, and hesitates once
    /// until help comes.
    pub mistakes: bool,
}

/// What a play-through did.
#[derive(Debug, Default)]
pub struct Played {
    pub steps: usize,
    pub wrong_placements: u32,
    pub wide_throws: u32,
    pub hints_seen: u32,
}

pub struct Learner<'a> {
    pub lesson: &'a Lesson,
    pub person: Person,
    pub follower: Follower,
    pub manner: Manner,
    /// Where the stage's origin lies in the room.
    stage: Vec3,
    /// What each hand holds: only the right one works here.
    holds: Option<ObjectId>,
    /// Where things were put down, in the room.
    lies: HashMap<ObjectId, Vec3>,
    played: Played,
    hesitated: bool,
    misplaced: bool,
}

impl<'a> Learner<'a> {
    pub fn new(lesson: &'a Lesson, person: Person, follower: Follower, manner: Manner) -> Self {
        Self {
            lesson,
            person,
            follower,
            manner,
            stage: Vec3::ZERO,
            holds: None,
            lies: HashMap::new(),
            played: Played::default(),
            hesitated: false,
            misplaced: false,
        }
    }

    /// Plays until the lesson is over, or `stop_before` stands on the panel. Says each step as it goes; `on_step` is called
    /// when a step is before the learner and nothing has been done for it yet.
    ///
    /// # Errors
    /// Where a step cannot be done in several tries, or the connection breaks.
    pub fn play(
        &mut self,
        stop_before: Option<&StepId>,
        on_step: &mut dyn FnMut(&StepId, &mut Person) -> Result<()>,
    ) -> Result<&Played> {
        loop {
            let state = self
                .follower
                .wait("a step or the end", Duration::from_secs(30), |it| {
                    it.ended || (it.step.is_some() && it.paused_by.is_empty())
                })?;
            let Some(id) = state.step.clone().filter(|_| !state.ended) else {
                return Ok(&self.played);
            };
            if stop_before == Some(&id) {
                return Ok(&self.played);
            }
            let lesson = self.lesson;
            let step = lesson
                .steps
                .iter()
                .find(|step| step.id == id)
                .with_context(|| {
                    format!("the lesson at play has a step `{id}` that this one has not")
                })?;
            on_step(&id, &mut self.person)?;
            self.do_step(step, &state)?;
        }
    }

    fn do_step(&mut self, step: &Step, before: &LearnerSnapshot) -> Result<()> {
        let start = Instant::now();
        println!(
            "{:>2}/{} {}: {}",
            before.completed.len() + 1,
            before.steps_total,
            step.id,
            step.goal
        );
        if self.manner.mistakes && !self.hesitated && matches!(step.action, Action::Touch { .. }) {
            self.hesitate(step)?;
        }
        for attempt in 1..=TRIES {
            // Who has missed takes more care; a machine with few frames a second sees slow hands better, too.
            self.person.care(CARE.powi(attempt as i32 - 1));
            if self.manner.mistakes
                && !self.misplaced
                && let Action::Place { object, socket, .. } = &step.action
                && let Some(wrong) = self.lesson.sockets.iter().find(|other| other.id != *socket)
            {
                self.misplaced = true;
                println!("      on purpose into the wrong place: {}", wrong.label);
                let failures = before.failures_on_step;
                self.place(object, &wrong.id)?;
                self.follower
                    .wait("the wrong placement to be noticed", SHOWS_WITHIN, |it| {
                        it.failures_on_step > failures
                    })?;
                self.played.wrong_placements += 1;
                continue;
            }
            // Who cannot even begin something optional goes on to what follows it; what was tried is waited for.
            let begun = self
                .follower
                .now()
                .is_some_and(|it| it.step.as_ref() == Some(&step.id) && it.failures_on_step > 0);
            let pass_over = attempt > 2 && !begun;
            let action = match self.after_optional(step).filter(|_| pass_over) {
                Some(next) => &next.action,
                None => &step.action,
            };
            self.act(action, attempt)?;
            match self
                .follower
                .wait("the step to be done", SHOWS_WITHIN, |it| {
                    it.step.as_ref() != Some(&step.id) || it.ended
                }) {
                Ok(_) => {
                    println!("      done, {:.1} s", start.elapsed().as_secs_f32());
                    self.played.steps += 1;
                    self.person.care(1.0);
                    return Ok(());
                }
                Err(_) => println!("      not yet; again"),
            }
        }
        bail!(
            "step `{}` was not done in {TRIES} tries; state: {:?}",
            step.id,
            self.follower.now()
        )
    }

    /// The step that follows an optional one.
    fn after_optional(&self, step: &Step) -> Option<&'a Step> {
        let lesson: &'a Lesson = self.lesson;
        let Flow::Sequence(items) = &lesson.flow else {
            return None;
        };
        let at = items.iter().position(
            |item| matches!(item, Flow::Optional(inner) if **inner == Flow::Step(step.id.clone())),
        )?;
        match items.get(at + 1)? {
            Flow::Step(id) => lesson.steps.iter().find(|it| it.id == *id),
            _ => None,
        }
    }

    /// Stands there until the first hint comes.
    fn hesitate(&mut self, step: &Step) -> Result<()> {
        self.hesitated = true;
        println!("      hesitates until help comes …");
        let deadline = Instant::now() + Duration::from_secs(60);
        while self.follower.now().is_none_or(|it| it.hint_level == 0) {
            if Instant::now() > deadline {
                bail!(
                    "no hint came within 60 s at `{}`; state: {:?}",
                    step.id,
                    self.follower.now()
                );
            }
            self.person.rest(0.5)?;
        }
        let hint = self
            .follower
            .now()
            .and_then(|it| it.hint.clone())
            .unwrap_or_default();
        println!("      hint: {hint}");
        self.played.hints_seen += 1;
        Ok(())
    }

    fn act(&mut self, action: &Action, attempt: u32) -> Result<()> {
        match action {
            Action::LookAt { object, hold } => {
                let at = self.centre(object)?;
                self.person.look_at(at)?;
                self.person.rest(hold + 0.8)?;
                self.person.look_at(self.person.head - Vec3::Z)
            }
            Action::Touch { object } => {
                let at = self.centre(object)?;
                self.approach(at)?;
                self.person.rest(0.3)?;
                self.person.reach(Side::Right, at + Vec3::Y * ABOVE)
            }
            Action::Grab { object } => self.take(object),
            Action::Place { object, socket, .. } => self.place(object, socket),
            Action::Throw { object, at, .. } => {
                let mut past = 0.0;
                if self.manner.mistakes && self.played.wide_throws == 0 {
                    self.played.wide_throws += 1;
                    println!("      on purpose past the target");
                    past = WIDE;
                }
                self.throw(object, at.as_ref(), attempt, past)
            }
            Action::Press { object } => self.press(object),
            Action::Teleport { to } => self.teleport(to, attempt),
            Action::Answer { panel } | Action::Rate { panel } => self.answer(panel),
        }
    }

    /// Comes to a point from above.
    fn approach(&mut self, at: Vec3) -> Result<()> {
        let here = self.person.hand(Side::Right).position;
        let height = here.y.max(at.y + ABOVE);
        self.person.reach(Side::Right, here.with_y(height))?;
        self.person.reach(Side::Right, at.with_y(height))?;
        self.person.reach(Side::Right, at)
    }

    fn take(&mut self, object: &ObjectId) -> Result<()> {
        if self.holds.as_ref() == Some(object) {
            // Perhaps it slipped away: let go and take it anew.
            self.open_hand()?;
        }
        let at = self.centre(object)?;
        self.person.turn_to(Side::Right, Quat::IDENTITY)?;
        self.person.look_at(at)?;
        self.approach(at)?;
        self.person.rest(0.15)?;
        self.person.squeeze(Side::Right, 1.0)?;
        self.person.rest(0.3)?;
        self.holds = Some(object.clone());
        self.person.reach(Side::Right, at + Vec3::Y * ABOVE)
    }

    fn open_hand(&mut self) -> Result<()> {
        self.person.squeeze(Side::Right, 0.0)?;
        self.person.rest(0.4)?;
        self.holds = None;
        Ok(())
    }

    fn place(&mut self, object: &ObjectId, socket: &SocketId) -> Result<()> {
        if self.holds.as_ref() != Some(object) {
            self.take(object)?;
        }
        let socket = self
            .lesson
            .sockets
            .iter()
            .find(|it| it.id == *socket)
            .with_context(|| format!("no socket `{socket}`"))?;
        let at = Vec3::from(socket.position) - self.stage;
        // A finger's breadth above, so that it does not scrape.
        self.approach(at + Vec3::Y * 0.012)?;
        self.person.rest(0.3)?;
        self.open_hand()?;
        self.lies.insert(object.clone(), at + self.stage);
        self.person.reach(Side::Right, at + Vec3::Y * ABOVE)
    }

    /// A throw from two steps away, so many metres past the target; a miss is corrected a little the next time.
    fn throw(
        &mut self,
        object: &ObjectId,
        target: Option<&ObjectId>,
        attempt: u32,
        past: f32,
    ) -> Result<()> {
        self.take(object)?;
        let target = match target {
            Some(target) => self.centre(target)?,
            None => self.person.head + Vec3::new(0.3, -0.2, -2.5),
        };
        self.person.look_at(target)?;
        let way = (target - self.person.head).with_y(0.0);
        let ahead = way.normalize_or(Vec3::NEG_Z);
        let walk = ahead * (way.length() - THROWN_FROM).max(0.0);
        self.person.walk(Side::Right, walk)?;
        let through = self.person.head + ahead * 0.35 - Vec3::Y * 0.3;
        let flight = 0.35;
        let way = target - through + ahead.cross(Vec3::Y) * past + Vec3::Y * 0.05 * attempt as f32;
        let velocity = way / flight + Vec3::Y * (0.5 * GRAVITY * flight);
        self.person
            .throw(Side::Right, through, velocity, 0.6 * flight)?;
        self.holds = None;
        self.person.rest(0.6)?;
        self.person.walk(Side::Right, -walk)
    }

    fn press(&mut self, object: &ObjectId) -> Result<()> {
        let at = self.centre(object)?;
        self.person.look_at(at)?;
        self.approach(at + Vec3::Y * 0.10)?;
        self.person.reach(Side::Right, at - Vec3::Y * 0.03)?;
        self.person.rest(0.2)?;
        self.person.reach(Side::Right, at + Vec3::Y * ABOVE)
    }

    fn teleport(&mut self, to: &ObjectId, attempt: u32) -> Result<()> {
        let spot = self.centre(to)?.with_y(0.0);
        self.person.look_at(spot)?;
        self.person
            .reach(Side::Right, self.person.head + Vec3::new(0.15, -0.35, -0.3))?;
        let hand = self.person.hand(Side::Right).position;
        let direction = teleport_aim(hand, spot)
            .with_context(|| format!("`{to}` is too far to teleport to"))?;
        self.person.turn_to(Side::Right, facing(direction))?;
        self.person.stick(Side::Right, 0.0, 1.0)?;
        self.person.rest(0.6 + 0.3 * attempt as f32)?;
        self.person.stick(Side::Right, 0.0, 0.0)?;
        self.person.rest(1.0)?;
        // The head stands over the spot now.
        self.stage += spot - self.person.head.with_y(0.0);
        self.person.turn_to(Side::Right, Quat::IDENTITY)
    }

    fn answer(&mut self, panel: &PanelId) -> Result<()> {
        let panel = self
            .lesson
            .panels
            .iter()
            .find(|it| it.id == *panel)
            .with_context(|| format!("no panel `{panel}`"))?;
        let (choice, choices) = match &panel.content {
            PanelContent::Question {
                choices, correct, ..
            } => (*correct as usize, choices.len()),
            // Who plays here is well, and nothing is ever hard.
            PanelContent::Rating { about, choices, .. } => match about {
                RatingOf::Comfort => (choices.len().saturating_sub(1), choices.len()),
                RatingOf::Effort => (0, choices.len()),
            },
            _ => bail!("panel `{}` asks nothing", panel.id),
        };
        let uv = choice_rect(choice, choices).center();
        let at = on_panel(panel, uv) - self.stage;
        self.person.look_at(at)?;
        self.person
            .reach(Side::Right, self.person.head + Vec3::new(0.15, -0.3, -0.3))?;
        self.person.point_at(Side::Right, at)?;
        self.person.rest(0.5)?;
        self.person.pull_trigger(Side::Right)
    }

    /// Where an object lies now, as far as somebody knows who only watched their own hands.
    fn centre(&self, object: &ObjectId) -> Result<Vec3> {
        let found = self
            .lesson
            .objects
            .iter()
            .find(|it| it.id == *object)
            .with_context(|| format!("no object `{object}`"))?;
        let lies = self.lies.get(object).copied();
        Ok(lies.unwrap_or(Vec3::from(found.position)) - self.stage)
    }
}

/// A point of a panel, given in 0..1 from its upper left corner, in the room.
pub fn on_panel(panel: &Panel, uv: Vec2) -> Vec3 {
    let size = Vec2::from(panel.size);
    let local = Vec3::new((uv.x - 0.5) * size.x, (0.5 - uv.y) * size.y, 0.0);
    Vec3::from(panel.position) + turned(panel.rotation) * local
}

/// A lesson's rotation: about y, x, z.
fn turned([y, x, z]: [f32; 3]) -> Quat {
    Quat::from_euler(EulerRot::YXZ, y, x, z)
}
