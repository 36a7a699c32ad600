use bevy::time::TimeUpdateStrategy;

use super::*;
use crate::protocol::asker::TokenRole;
use crate::protocol::consent::{
    Consent, ConsentActor, ConsentEvidence, ConsentMethod, ConsentScope, OUTSIDE_SESSIONS,
    Withdrawal,
};
use crate::protocol::event::{Event, EventBody};
use crate::protocol::ids::SessionId;
use crate::record::ages::AgeBand;

/// Pictures taken, and whether they take a frame more.
#[derive(Resource, Default)]
struct Painter {
    taken: u8,
    slow: bool,
    waiting: Vec<u64>,
}

fn paint(
    mut painter: ResMut<Painter>,
    mut asked: MessageReader<PictureAsked>,
    mut taken: MessageWriter<PictureTaken>,
) {
    let waited = std::mem::take(&mut painter.waiting);
    let asked: Vec<u64> = asked.read().map(|it| it.ticket).collect();
    let now = if painter.slow {
        painter.waiting = asked;
        waited
    } else {
        asked
    };
    for ticket in now {
        painter.taken += 1;
        let picture = Picture {
            png: [painter.taken].into(),
            width: 1,
            height: 1,
        };
        taken.write(PictureTaken {
            ticket,
            picture: Ok(picture),
        });
    }
}

struct Room {
    app: App,
    learner: LearnerId,
    entity: Entity,
}

type Answer = oneshot::Receiver<PictureAnswer>;

impl Room {
    /// A grown-up who agreed to pictures; a frame takes 100 ms.
    fn new() -> Self {
        let mut app = App::new();
        app.add_plugins(MinimalPlugins)
            .insert_resource(TimeUpdateStrategy::ManualDuration(Duration::from_millis(
                100,
            )))
            .init_resource::<Pictures>()
            .init_resource::<Lines>()
            .init_resource::<Agreements>()
            .init_resource::<Painter>()
            .add_message::<PictureAsked>()
            .add_message::<PictureTaken>()
            .add_systems(
                Update,
                (ask_for_pictures, paint, hand_over_pictures).chain(),
            );
        let learner = LearnerId::fresh();
        let mut gate = Gate::default();
        gate.shut = None;
        let who = Learner {
            id: learner,
            session: SessionId::fresh(),
        };
        let age = Age(AgeBand::Adult);
        let entity = app
            .world_mut()
            .spawn((who, LearnerState::default(), age, gate))
            .id();
        let mut room = Self {
            app,
            learner,
            entity,
        };
        room.says(EventBody::ConsentGiven(Consent {
            scopes: [ConsentScope::ViewPicture].into(),
            text_version: "1".to_owned(),
            actor: ConsentActor::Learner,
            evidence: ConsentEvidence {
                method: ConsentMethod::OnScreen,
                reference: None,
            },
            until_unix_ms: None,
        }));
        room
    }

    fn says(&mut self, body: EventBody) {
        let mut state = self
            .app
            .world_mut()
            .get_mut::<LearnerState>(self.entity)
            .unwrap();
        let event = Event {
            seq: state.seq + 1,
            at_unix_ms: 1,
            learner: self.learner,
            session: OUTSIDE_SESSIONS,
            body,
        };
        state.fold(&event).unwrap();
    }

    fn agrees_no_more(&mut self) {
        self.says(EventBody::ConsentWithdrawn(Withdrawal {
            scopes: [ConsentScope::ViewPicture].into(),
            actor: ConsentActor::Learner,
        }));
    }

    fn wish(&mut self, token: u64) -> Answer {
        let (answer, answered) = oneshot::channel();
        let wish = PictureWish {
            learner: self.learner,
            asker: Asker {
                token: TokenId(token),
                role: TokenRole::Instructor,
            },
            answer,
            at_the_host: false,
        };
        self.app
            .world_mut()
            .resource_mut::<Pictures>()
            .wishes
            .push_back(wish);
        answered
    }

    fn frames(&mut self, frames: u32) {
        (0..frames).for_each(|_| self.app.update());
    }

    /// Asks and gets the answer within a frame: the picture's number.
    fn look(&mut self, token: u64) -> Result<u8, PictureRefused> {
        let mut answer = self.wish(token);
        self.frames(1);
        number(&mut answer).expect("an answer")
    }
}

fn number(answer: &mut Answer) -> Option<Result<u8, PictureRefused>> {
    let answer = answer.try_recv().ok()?;
    Some(answer.map(|picture| picture.png[0]))
}

#[test]
fn whoever_has_the_newest_picture_waits_and_somebody_else_gets_the_same() {
    let mut room = Room::new();
    assert_eq!(room.look(1), Ok(1));
    let refused = room.look(1).unwrap_err();
    assert_eq!(refused.again_after(), Some(1));
    assert!(refused.to_string().contains("one a second"), "{refused}");
    assert_eq!(room.look(2), Ok(1));
    assert!(room.look(2).is_err());
    room.frames(10);
    assert_eq!(room.look(1), Ok(2));
}

#[test]
fn many_who_ask_at_once_wait_for_one_picture() {
    let mut room = Room::new();
    room.app.world_mut().resource_mut::<Painter>().slow = true;
    let mut answers: Vec<Answer> = (0..WISHES as u64 + 1)
        .map(|token| room.wish(token))
        .collect();
    room.frames(2);
    let last = answers.pop().and_then(|mut it| number(&mut it));
    assert_eq!(last, Some(Err(PictureRefused::Crowded)));
    for mut answer in answers {
        assert_eq!(number(&mut answer), Some(Ok(1)));
    }
}

#[test]
fn without_consent_there_is_no_picture_and_none_once_it_is_taken_back() {
    let mut room = Room::new();
    room.app.world_mut().resource_mut::<Painter>().slow = true;
    let mut answer = room.wish(1);
    room.frames(1);
    room.agrees_no_more();
    room.frames(1);
    let Some(Err(PictureRefused::NotAgreed(why))) = number(&mut answer) else {
        panic!("taken while they agreed, and shown when they did not");
    };
    assert!(why.contains("ViewPicture"), "{why}");
    assert!(matches!(room.look(2), Err(PictureRefused::NotAgreed(_))));
    assert_eq!(room.app.world().resource::<Painter>().taken, 1);
}

#[test]
fn the_newest_picture_of_somebody_who_agrees_no_more_is_shown_to_nobody() {
    let mut room = Room::new();
    assert_eq!(room.look(1), Ok(1));
    room.agrees_no_more();
    assert!(matches!(room.look(2), Err(PictureRefused::NotAgreed(_))));
}

#[test]
fn a_shut_gate_shuts_pictures_too_and_strangers_have_none() {
    let mut room = Room::new();
    let mut gate = room.app.world_mut().get_mut::<Gate>(room.entity).unwrap();
    gate.shut = Some("restricted".to_owned());
    assert_eq!(
        room.look(1),
        Err(PictureRefused::NotAgreed("restricted".to_owned()))
    );
    let here = std::mem::replace(&mut room.learner, LearnerId::fresh());
    let stranger = room.learner;
    assert_eq!(room.look(1), Err(PictureRefused::NoLearner(stranger)));
    room.learner = here;
}

#[test]
fn no_picture_outlasts_its_second_and_no_question_its_patience() {
    let mut room = Room::new();
    room.look(1).unwrap();
    room.frames(10);
    let pictures = room.app.world().resource::<Pictures>();
    assert!(pictures.of[&room.learner].latest.is_none());
    // Nobody paints: the question is given up, and the next one asks anew.
    room.app.world_mut().resource_mut::<Painter>().slow = true;
    let mut asked = room.wish(1);
    room.frames(1);
    room.app
        .world_mut()
        .resource_mut::<Painter>()
        .waiting
        .clear();
    // Frames of a tenth of a second.
    let patience = u32::try_from(PICTURE_WITHIN.as_secs()).unwrap();
    room.frames(10 * patience + 1);
    assert_eq!(number(&mut asked), Some(Err(NoPicture::NoAnswer.into())));
    room.app.world_mut().resource_mut::<Painter>().slow = false;
    assert_eq!(room.look(1), Ok(2));
}

#[test]
fn that_somebody_looks_stands_in_the_audit_once_a_minute() {
    let mut room = Room::new();
    for _ in 0..70 {
        room.look(7).unwrap();
        room.frames(10);
    }
    let lines = room.app.world().resource::<Lines>().told();
    let looks: Vec<_> = lines.iter().filter(|it| it.2 == Action::Accessed).collect();
    assert_eq!(looks.len(), 2, "77 seconds of looking");
    assert_eq!(looks[0].1, Some(room.learner));
    assert!(
        looks[0].0.actor.contains("instructor"),
        "{}",
        looks[0].0.actor
    );
}
