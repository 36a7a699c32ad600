//! Lesson format version 1, as authors write it (RON) and as the JSON Schema describes it.
//!
//! Positions are metres in the room: x to the right, y up, z towards the learner, who starts at the origin
//! looking along -z with the floor at y = 0. Rotations are turns about y, x, z in radians, applied in that order.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::learning::bkt::BktParams;
pub use crate::learning::event::LearningEvent;
use crate::learning::skill::SkillId;
use crate::protocol::ids::{LessonId, ObjectId, PanelId, SocketId, StepId};

/// The only version so far.
pub const FORMAT_VERSION: u16 = 1;

/// A whole lesson.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Lesson {
    /// Format version: 1.
    pub version: u16,
    /// Name of the lesson, for example `first-steps`.
    pub id: LessonId,
    /// Shown to people.
    pub title: String,
    /// One or two sentences: what the learner can do afterwards.
    pub summary: String,
    /// BCP 47 tag of all texts, for example `en`.
    pub language: String,
    /// Knowledge components that the steps are evidence for.
    pub skills: Vec<Skill>,
    /// Things in the room.
    #[serde(default)]
    pub objects: Vec<Object>,
    /// Places that objects fit into.
    #[serde(default)]
    pub sockets: Vec<Socket>,
    /// Panels with text or a question.
    #[serde(default)]
    pub panels: Vec<Panel>,
    /// The steps, in any order.
    pub steps: Vec<Step>,
    /// The way through the steps.
    pub flow: Flow,
}

/// A knowledge component.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Skill {
    /// Its name in this lesson.
    pub id: SkillId,
    /// Shown to people.
    pub title: String,
    /// Skills that come first.
    #[serde(default)]
    pub requires: Vec<SkillId>,
    /// Own tracing parameters; left out: sensible priors.
    #[serde(default)]
    pub bkt: Option<BktParams>,
}

/// A thing in the room.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Object {
    /// Its name in this lesson.
    pub id: ObjectId,
    /// What it is, in words, for captions, screen readers and instructors: "red cube".
    pub label: String,
    /// Its form.
    pub shape: Shape,
    /// Its centre at the start, metres.
    pub position: [f32; 3],
    /// Its rotation at the start: about y, x, z in radians.
    #[serde(default)]
    pub rotation: [f32; 3],
    /// Colour as `#rrggbb`.
    #[serde(default = "default_color")]
    pub color: String,
    /// What can be done with it.
    pub role: Role,
}

fn default_color() -> String {
    "#c8ccd4".to_owned()
}

/// Form of an object. Lengths in metres.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub enum Shape {
    /// A box with these full edge lengths (x, y, z).
    Box([f32; 3]),
    /// A ball.
    Sphere {
        /// Radius.
        radius: f32,
    },
    /// A cylinder standing along y.
    Cylinder {
        /// Radius.
        radius: f32,
        /// Full height.
        height: f32,
    },
    /// A cone standing along y, tip up.
    Cone {
        /// Radius of its foot.
        radius: f32,
        /// Full height.
        height: f32,
    },
    /// A glTF scene beside the lesson file, with a box for touching it.
    Gltf {
        /// Path relative to the lesson file.
        path: String,
        /// Full edge lengths of the box that hands and physics feel.
        bounds: [f32; 3],
    },
}

/// What can be done with an object.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub enum Role {
    /// Only seen.
    Decor,
    /// Seen, and solid: tables, shelves, targets.
    Fixed,
    /// Can be grasped, moved, thrown.
    Grabbable {
        /// Kilograms.
        mass: f32,
    },
    /// Can be pressed along its local -y.
    Button,
    /// A marked spot on the floor to teleport to.
    TeleportSpot,
}

/// A place that an object fits into.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Socket {
    /// Its name in this lesson.
    pub id: SocketId,
    /// What it is, in words: "round hole".
    pub label: String,
    /// Where an object's centre comes to rest, metres.
    pub position: [f32; 3],
    /// How it then lies: about y, x, z in radians.
    #[serde(default)]
    pub rotation: [f32; 3],
    /// Objects that it takes; others bounce off, which is a wrong placement.
    pub accepts: Vec<ObjectId>,
    /// An object let go within this distance counts as put here, metres.
    pub reach: f32,
}

/// A flat panel with text, standing in the room.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Panel {
    /// Its name in this lesson.
    pub id: PanelId,
    /// Its centre, metres.
    pub position: [f32; 3],
    /// Its rotation: about y, x, z in radians; 0 faces the learner's start.
    #[serde(default)]
    pub rotation: [f32; 3],
    /// Width and height, metres.
    pub size: [f32; 2],
    /// What it shows.
    pub content: PanelContent,
}

/// What a panel shows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub enum PanelContent {
    /// The running step's goal, hint, caption and progress.
    Guide,
    /// A fixed text.
    Text {
        /// Heading.
        title: String,
        /// Body.
        body: String,
    },
    /// A question with one right answer.
    Question {
        /// The question.
        prompt: String,
        /// What can be chosen, two to six.
        choices: Vec<String>,
        /// Index of the right one, from 0.
        correct: u32,
    },
    /// A question about how the learner is. Nothing is right or wrong about the answer.
    Rating {
        /// The question.
        prompt: String,
        /// What it is about.
        about: RatingOf,
        /// What can be chosen, two to nine, from the least to the most, in even steps.
        choices: Vec<String>,
    },
}

/// What a learner is asked to say of themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub enum RatingOf {
    /// How well they feel in the headset: the first choice is not well at all, the last very well.
    Comfort,
    /// How much mental effort it took, as on the nine-point scale (Paas 1992): from very low to very high.
    Effort,
}

/// One step: something the learner does, and how it is judged.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// Its name in this lesson.
    pub id: StepId,
    /// Which phase of learning it belongs to.
    pub event: LearningEvent,
    /// What is asked, as the learner reads it.
    pub goal: String,
    /// A line said on entering, with its caption.
    #[serde(default)]
    pub say: Option<Line>,
    /// The interaction that counts.
    pub action: Action,
    /// Seconds until the step counts as failed; left out: no limit.
    #[serde(default)]
    pub time_limit: Option<f32>,
    /// Skills that an attempt is evidence for.
    #[serde(default)]
    pub evidence_for: Vec<SkillId>,
    /// Hints, gentlest first.
    #[serde(default)]
    pub hints: Vec<Hint>,
    /// What a failed attempt leads to.
    #[serde(default)]
    pub on_failure: OnFailure,
}

/// Words said, and always shown.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Line {
    /// Caption: what is said, word for word.
    pub caption: String,
    /// Sound file beside the lesson; left out: caption only.
    #[serde(default)]
    pub audio: Option<String>,
}

/// The interaction that counts, with its tolerances.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub enum Action {
    /// Turn the head towards it and stay.
    LookAt {
        /// At what.
        object: ObjectId,
        /// For how many seconds.
        hold: f32,
    },
    /// Touch it with a hand.
    Touch {
        /// What.
        object: ObjectId,
    },
    /// Take it into a hand.
    Grab {
        /// What.
        object: ObjectId,
    },
    /// Put it into a socket.
    Place {
        /// What.
        object: ObjectId,
        /// Where.
        socket: SocketId,
        /// Allowed distance from the socket when let go, metres (at least 0.005: tracking noise).
        position_tolerance: f32,
        /// Allowed angle from the socket's rotation when let go, radians (at least 0.03); left out: any.
        #[serde(default)]
        rotation_tolerance: Option<f32>,
    },
    /// Throw it.
    Throw {
        /// What.
        object: ObjectId,
        /// What it has to strike; left out: anywhere.
        #[serde(default)]
        at: Option<ObjectId>,
        /// Speed on leaving the hand, metres per second.
        min_speed: f32,
    },
    /// Press a button.
    Press {
        /// Which.
        object: ObjectId,
    },
    /// Teleport to a marked spot.
    Teleport {
        /// Which.
        to: ObjectId,
    },
    /// Answer the question on a panel.
    Answer {
        /// Which panel.
        panel: PanelId,
    },
    /// Say on a panel how it is. No attempt, and evidence for no skill.
    Rate {
        /// Which panel.
        panel: PanelId,
    },
}

/// One rung of the hint ladder.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Hint {
    /// The words.
    pub text: String,
    /// Objects that glow while it is shown.
    #[serde(default)]
    pub highlight: Vec<ObjectId>,
}

/// What a failed attempt leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub enum OnFailure {
    /// Try again, as often as it takes.
    #[default]
    Retry,
    /// After this many failures go on, the step counting as not achieved.
    GoOnAfter {
        /// How many.
        failures: u32,
    },
}

/// The way through the steps.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub enum Flow {
    /// One step.
    Step(StepId),
    /// One after the other.
    Sequence(Vec<Flow>),
    /// The learner does one of them; the first interaction that counts for one chooses it.
    Choice(Vec<Flow>),
    /// The same in several forms and at several difficulties, of which the lesson gives the one that suits the learner.
    Variants(Vec<Variant>),
    /// May be left out: skipped when the learner does what the following step asks.
    Optional(Box<Flow>),
    /// Again until `successes` right attempts in a row, at most `at_most` rounds.
    Repeat {
        /// What is repeated.
        flow: Box<Flow>,
        /// Rounds without a mistake in a row that end it.
        successes: u32,
        /// Rounds after which it ends anyway.
        at_most: u32,
    },
}

/// One form of a task.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Variant {
    /// How hard it is, as a multiple of the authored difficulty, 0.4 to 1.6; left out: 1. Several of the same difficulty
    /// are forms that can stand for each other.
    #[serde(default = "as_authored")]
    pub difficulty: f64,
    /// What is done.
    pub flow: Flow,
}

fn as_authored() -> f64 {
    1.0
}
