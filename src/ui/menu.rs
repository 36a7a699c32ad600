//! The learner's menu, on the guide panel: opened by the menu button or Esc; the lesson stands still meanwhile.
//! How an instructor is let in has a page of its own (`let_in`).

use std::ops::Range;
use std::time::Instant;

use bevy::prelude::*;

use super::layout::choice_rect;
use super::let_in;
use super::view::PanelView;
use crate::protocol::command::{Command, CommandBody, Principal};
use crate::protocol::ids::CommandId;
use crate::protocol::teaching::{Preferences, PreferencesPatch};
use crate::session::pairing::{Pairing, PairingAsked, PairingCode};
use crate::session::standing::{Age, Agreements, Offer, offers};
use crate::session::state::LearnerState;
use crate::session::{CommandRequested, Learner, unix_ms};
use crate::xr::rig::{Hand, HandInput, Recenter, SeatedOffset};

/// Present while the menu is open.
#[derive(Resource, Debug, Default)]
pub(super) struct MenuOpen {
    page: Page,
}

/// What of the menu is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Page {
    /// The first of all.
    #[default]
    First,
    /// What the learner decides about their record, and how they sit and read.
    Decide(usize),
    /// How an instructor comes in.
    LetIn,
}

/// How the learner likes to read.
#[derive(Resource, Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReadingSettings {
    /// Letters a quarter larger than they must be.
    pub large_text: bool,
    /// What is said also stands on the guide panel.
    pub captions: bool,
}

impl Default for ReadingSettings {
    fn default() -> Self {
        Self {
            large_text: false,
            captions: true,
        }
    }
}

/// What the log says of how the learner likes it is so, as soon as it says something else than before. What the learner
/// set on this headset without a log stays until then.
pub(super) fn follow_preferences(
    learners: Query<&LearnerState, (With<Learner>, Changed<LearnerState>)>,
    mut reading: ResMut<ReadingSettings>,
    mut seated: ResMut<SeatedOffset>,
    mut before: Local<Preferences>,
) {
    let Some(next) = learners.iter().next().map(|state| state.preferences) else {
        return;
    };
    if next.large_text != before.large_text || next.captions != before.captions {
        reading.set_if_neq(ReadingSettings {
            large_text: next.large_text,
            captions: next.captions,
        });
    }
    if next.seated != before.seated {
        seated.0 = if next.seated { SEATED } else { 0.0 };
    }
    *before = next;
}

/// How much higher somebody sits on a chair than they would stand: eyes at 1.2 m instead of 1.6 m.
const SEATED: f32 = 0.4;

/// What the menu offers, from top to bottom.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Choice {
    GoOn,
    AskForHint,
    TakeABreak,
    TurnTheRoom,
    SitOrStand,
    LetIn,
    More,
    LettersSize,
    AnotherCode,
    Further,
    Back,
}

const CHOICES: [Choice; 6] = [
    Choice::GoOn,
    Choice::AskForHint,
    Choice::TakeABreak,
    Choice::TurnTheRoom,
    Choice::LetIn,
    Choice::More,
];
const LET_IN: [Choice; 2] = [Choice::AnotherCode, Choice::Back];

/// As many choices as a panel shows large enough to read and to point at.
const MOST: usize = 6;

/// What such a page offers besides what is the learner's to decide, and which of that: all of it, or as much as fits.
fn further(offers: usize, page: usize) -> (Range<usize>, &'static [Choice]) {
    use Choice::{Back, Further, LettersSize, SitOrStand};
    let on_first = MOST - 3;
    match page {
        0 if offers > on_first => (0..on_first, &[SitOrStand, Further, Back]),
        0 => (0..offers, &[SitOrStand, LettersSize, Back]),
        _ => (on_first.min(offers)..offers, &[LettersSize, Back]),
    }
}

impl Choice {
    fn words(self, seated: bool, large_text: bool) -> &'static str {
        match (self, seated, large_text) {
            (Self::GoOn, ..) => "Go on",
            (Self::AskForHint, ..) => "Show me a hint",
            (Self::TakeABreak, ..) => "Take a break",
            (Self::TurnTheRoom, ..) => "Turn the room to me",
            (Self::SitOrStand, false, _) => "I am sitting",
            (Self::SitOrStand, true, _) => "I am standing",
            (Self::LetIn, ..) => "Let my instructor in",
            (Self::AnotherCode, ..) => "Another code",
            (Self::More, ..) => "What I decide",
            (Self::Further, ..) => "More",
            (Self::Back, ..) => "Back",
            (Self::LettersSize, _, false) => "Larger letters",
            (Self::LettersSize, _, true) => "Smaller letters",
        }
    }
}

/// Where the choice with these words stands on the guide panel when the menu has just been opened, in 0..1 from the upper
/// left corner: for whoever points at it from outside. `None`: no choice of the first page says so.
#[must_use]
pub fn menu_place(words: &str) -> Option<Rect> {
    let said = |choice: &Choice| choice.words(false, false) == words;
    let index = CHOICES.iter().position(said)?;
    Some(choice_rect(index, CHOICES.len()))
}

const WAITS: &str = "The lesson waits for you.";

/// Who has the headset on reads the code out to whoever wants to come in; nobody else can see the panel.
fn with_code(code: &PairingCode) -> String {
    format!(
        "{WAITS} Your instructor's code: {}, at {}",
        let_in::digits(code),
        code.address
    )
}

pub(super) fn view(
    open: &MenuOpen,
    offers: &[Offer],
    seated: SeatedOffset,
    reading: ReadingSettings,
    pairing: Option<&PairingCode>,
) -> PanelView {
    let words = |choice: &Choice| choice.words(seated.0 > 0.0, reading.large_text).to_owned();
    if open.page == Page::LetIn {
        return PanelView {
            heading: Choice::LetIn.words(false, false).to_owned(),
            body: let_in::words(pairing, Instant::now()),
            choices: LET_IN.iter().map(words).collect(),
            room: MOST - LET_IN.len(),
            ..PanelView::default()
        };
    }
    if let Page::Decide(page) = open.page {
        let (shown, more) = further(offers.len(), page);
        let shown = offers.get(shown).unwrap_or_default();
        let offered = shown.iter().map(|offer| offer.words.to_owned());
        return PanelView {
            heading: "What I decide".to_owned(),
            body: "What is not here is for your parents or your school to decide.".to_owned(),
            choices: offered.chain(more.iter().map(words)).collect(),
            ..PanelView::default()
        };
    }
    PanelView {
        heading: "Menu".to_owned(),
        body: pairing.map_or_else(|| WAITS.to_owned(), with_code),
        choices: CHOICES.iter().map(words).collect(),
        ..PanelView::default()
    }
}

pub(super) fn toggle_menu(
    hands: Query<&HandInput, With<Hand>>,
    mut deeds: MenuDeeds,
    mut down_before: Local<bool>,
) {
    let down = hands.iter().any(|hand| hand.menu);
    let pressed = down && !*down_before;
    *down_before = down;
    if pressed {
        let open = !deeds.is_open();
        deeds.set_open(open);
    }
}

/// What the menu can change.
#[derive(bevy::ecs::system::SystemParam)]
pub(super) struct MenuDeeds<'w, 's> {
    commands: Commands<'w, 's>,
    learners: Query<'w, 's, (&'static Learner, &'static LearnerState, &'static Age)>,
    agreements: Res<'w, Agreements>,
    open: Option<ResMut<'w, MenuOpen>>,
    requested: MessageWriter<'w, CommandRequested>,
    recenter: MessageWriter<'w, Recenter>,
    pairing: Option<Res<'w, Pairing>>,
    code: MessageWriter<'w, PairingAsked>,
    seated: ResMut<'w, SeatedOffset>,
    reading: ResMut<'w, ReadingSettings>,
}

impl MenuDeeds<'_, '_> {
    /// Whether the menu is open.
    pub(super) fn is_open(&self) -> bool {
        self.open.is_some()
    }

    /// Opens or closes the menu; the lesson stands still, or goes on.
    fn set_open(&mut self, open: bool) {
        if open {
            self.commands.insert_resource(MenuOpen::default());
            self.request(&CommandBody::Pause, "the learner opened the menu");
        } else {
            self.commands.remove_resource::<MenuOpen>();
            self.request(&CommandBody::Resume, "the learner closed the menu");
        }
    }

    /// Whoever rests goes on.
    fn end_break(&mut self) {
        let resting = self
            .learners
            .iter()
            .any(|(_, state, _)| state.adapted.resting);
        if resting {
            self.request(&CommandBody::EndBreak, "the learner goes on after a break");
        }
    }

    fn request(&mut self, body: &CommandBody, purpose: &str) {
        for (learner, ..) in &self.learners {
            self.requested.write(CommandRequested(Command {
                id: CommandId::fresh(),
                learner: learner.id,
                principal: Principal::Learner,
                asker: None,
                purpose: purpose.to_owned(),
                body: body.clone(),
                trace: None,
            }));
        }
    }

    /// It is so already; the log remembers it for the next time.
    fn prefer(&mut self, patch: PreferencesPatch) {
        let body = CommandBody::SetPreferences { patch };
        self.request(&body, "the learner likes it so");
    }

    /// What this learner can decide about their record.
    fn offers(&self) -> Vec<Offer> {
        let offers = |(learner, state, age): (&Learner, &LearnerState, &Age)| {
            offers_to(&self.agreements, learner, state, *age)
        };
        self.learners.iter().next().map(offers).unwrap_or_default()
    }

    /// Does what was chosen.
    pub(super) fn act(&mut self, choice: usize) {
        match self.open.as_ref().map(|open| open.page) {
            Some(Page::Decide(page)) => {
                let offers = self.offers();
                let (shown, more) = further(offers.len(), page);
                let shown = offers.get(shown).unwrap_or_default();
                match shown.get(choice) {
                    Some(offer) => self.request(&offer.body, "the learner decided so in the menu"),
                    None => self.do_it(choice.checked_sub(shown.len()).and_then(|at| more.get(at))),
                }
            }
            Some(Page::LetIn) => self.do_it(LET_IN.get(choice)),
            Some(Page::First) | None => self.do_it(CHOICES.get(choice)),
        }
    }

    fn turn_page(&mut self, page: Page) {
        if let Some(open) = &mut self.open {
            open.page = page;
        }
    }

    fn do_it(&mut self, choice: Option<&Choice>) {
        match choice {
            None => {}
            Some(Choice::More) => self.turn_page(Page::Decide(0)),
            Some(Choice::Further) => self.turn_page(Page::Decide(1)),
            Some(Choice::Back) => self.turn_page(Page::First),
            Some(Choice::LetIn) => {
                self.turn_page(Page::LetIn);
                // One that is still good is shown; its reader may be typing it just now.
                if self.pairing.as_ref().is_none_or(|it| it.0.is_none()) {
                    self.code.write(PairingAsked);
                }
            }
            Some(Choice::AnotherCode) => {
                self.code.write(PairingAsked);
            }
            Some(Choice::GoOn) => {
                self.end_break();
                self.set_open(false);
            }
            Some(Choice::AskForHint) => {
                self.request(
                    &CommandBody::GiveHint { level: None },
                    "the learner asked for it",
                );
                self.set_open(false);
            }
            Some(Choice::TakeABreak) => {
                self.request(&CommandBody::Rest, "the learner wants a break");
                self.set_open(false);
            }
            Some(Choice::TurnTheRoom) => {
                self.recenter.write(Recenter);
            }
            Some(Choice::SitOrStand) => {
                let seated = self.seated.0 <= 0.0;
                self.seated.0 = if seated { SEATED } else { 0.0 };
                self.prefer(PreferencesPatch {
                    seated: Some(seated),
                    ..PreferencesPatch::default()
                });
            }
            Some(Choice::LettersSize) => {
                let large_text = !self.reading.large_text;
                self.reading.large_text = large_text;
                self.prefer(PreferencesPatch {
                    large_text: Some(large_text),
                    ..PreferencesPatch::default()
                });
            }
        }
    }
}

/// What this learner can decide about their record now.
pub(super) fn offers_to(
    agreements: &Agreements,
    learner: &Learner,
    state: &LearnerState,
    age: Age,
) -> Vec<Offer> {
    offers(&agreements.standing(learner.id, age, state, unix_ms()))
}

#[cfg(test)]
mod tests;
