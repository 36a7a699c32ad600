//! A learner's runtime by hand: the bytes of `malloc-vr.v1.msgpack`, sent as a test wants them.

// Helpers of tests may panic as tests do. Each test program uses what it needs of it.
#![allow(clippy::unwrap_used, clippy::expect_used, dead_code)]

use futures_util::{SinkExt, StreamExt};
use malloc_vr::protocol::event::{Event, EventBody};
use malloc_vr::protocol::ids::{LearnerId, LessonId, SessionId};
use malloc_vr::protocol::parcel::{Content, Parcel, Position};
use malloc_vr::protocol::privacy::AgeBand;
use malloc_vr::protocol::wire::{
    ErrorCode, FromClient, FromHost, Hello, Learning, MESSAGE_PACK, Program, Role, Welcome,
    WireError,
};
use tokio_tungstenite::tungstenite::Message;

use crate::host::{Client, PATIENCE};

pub struct Runtime {
    client: Client,
    pub session: SessionId,
    /// How large its events are made, bytes.
    pub bulk: usize,
}

impl Runtime {
    pub async fn connect(address: &str) -> Self {
        Self {
            client: Client::connect(address, MESSAGE_PACK).await,
            session: SessionId::fresh(),
            bulk: 0,
        }
    }

    pub async fn send_raw(&mut self, message: Message) {
        self.client.0.send(message).await.unwrap();
    }

    pub async fn send(&mut self, message: &FromClient) {
        let bytes = rmp_serde::to_vec_named(message).unwrap();
        self.send_raw(Message::binary(bytes)).await;
    }

    /// The next message of the host.
    pub async fn next(&mut self) -> FromHost<'static> {
        loop {
            let next = tokio::time::timeout(PATIENCE, self.client.0.next());
            match next.await.expect("something comes in time") {
                Some(Ok(Message::Binary(bytes))) => return rmp_serde::from_slice(&bytes).unwrap(),
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                other => panic!("the connection ended: {other:?}"),
            }
        }
    }

    pub async fn join(
        &mut self,
        learner: LearnerId,
        resume: Option<String>,
    ) -> Result<Welcome, WireError> {
        let learning = Learning {
            learner,
            session: self.session,
            lesson: LessonId::new("first-steps"),
            age: AgeBand::Adult,
        };
        self.send(&FromClient::Hello(Hello {
            protocol: 1,
            role: Role::Learner,
            client: Program::this(),
            learner: Some(learning),
            resume,
        }))
        .await;
        match self.next().await {
            FromHost::Welcome(welcome) => Ok(welcome),
            FromHost::Error(error) => Err(error),
            other => panic!("neither welcome nor error: {other:?}"),
        }
    }

    /// An event of this learner's log: the first begins a session, the others say how they are.
    pub async fn send_event(&mut self, learner: LearnerId, seq: u64) {
        let body = match seq {
            seq if seq == 1 || self.bulk > 0 => EventBody::SessionStarted {
                lesson: LessonId::new("first-steps"),
                lesson_digest: "x".repeat(self.bulk),
                seed: 7,
                skills: [].into(),
                protocol: 1,
            },
            _ => EventBody::SessionResumed,
        };
        let event = Event {
            seq,
            at_unix_ms: 1_793_500_000_000 + seq,
            learner,
            session: self.session,
            body,
        };
        let before = Position {
            events: seq - 1,
            samples: 0,
        };
        let content = Content::Event(event);
        self.send(&FromClient::Parcel(Box::new(Parcel { before, content })))
            .await;
    }

    /// The next acknowledgement.
    pub async fn acknowledged(&mut self) -> Position {
        loop {
            if let FromHost::Ack(has) = self.next().await {
                return has;
            }
        }
    }

    /// The next error.
    pub async fn error(&mut self) -> ErrorCode {
        loop {
            if let FromHost::Error(error) = self.next().await {
                return error.code;
            }
        }
    }
}
