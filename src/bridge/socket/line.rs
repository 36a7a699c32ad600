//! One connection: whole messages in and out, never waiting for ever.

use std::future::Future;
use std::time::{Duration, Instant};

use axum::body::Bytes;
use axum::extract::ws::{CloseFrame, Message, WebSocket, close_code};
use serde::de::DeserializeOwned;

use crate::bridge::coding::{Coding, Written};
use crate::bridge::going::Going;
use crate::protocol::ids::CommandId;
use crate::protocol::wire::{ErrorCode, FromHost, WireError};

/// A client that takes no message for this long is let go.
const SEND_WITHIN: Duration = Duration::from_secs(10);
/// How often a silent client is asked whether it is there.
pub(super) const PING: Duration = Duration::from_secs(15);
/// A client silent for this long is let go.
pub(super) const SILENCE: Duration = Duration::from_secs(45);

/// Why a conversation ended.
#[derive(Debug)]
pub(super) enum Broken {
    /// The connection did, or the client closed it.
    Connection,
    /// The client does not read, or is silent.
    Stalled,
    /// It was told why.
    Told,
}

/// A message that came.
pub(super) enum Came<T> {
    Message(T),
    /// What came is no message of the protocol, for this reason.
    Nonsense(String),
    /// A sign of life and no more.
    Sign,
}

/// A WebSocket with its coding. Boxed: a line is moved from one future into the next, and each would keep a place for it.
pub(super) struct Line {
    socket: Box<WebSocket>,
    coding: Coding,
    heard: Instant,
}

impl Line {
    pub(super) fn new(socket: WebSocket, coding: Coding) -> Self {
        Self {
            socket: Box::new(socket),
            coding,
            heard: Instant::now(),
        }
    }

    /// Written before it is waited for, so that no future of the thousands of connections keeps a place for a
    /// [`FromHost`], which is as large as all that is published of a learner.
    pub(super) fn send<'a>(
        &'a mut self,
        message: FromHost<'_>,
    ) -> impl Future<Output = Result<(), Broken>> + Send + use<'a> {
        // These types are plain data with string keys: writing them cannot fail.
        let message = match self.coding.write(&message) {
            Ok(Written::Text(text)) => Some(Message::text(text)),
            Ok(Written::Binary(bytes)) => Some(Message::binary(bytes)),
            Err(_) => None,
        };
        async move {
            match message {
                Some(message) => self.send_raw(message).await,
                None => Ok(()),
            }
        }
    }

    async fn send_raw(&mut self, message: Message) -> Result<(), Broken> {
        match tokio::time::timeout(SEND_WITHIN, self.socket.send(message)).await {
            Ok(sent) => sent.map_err(|_| Broken::Connection),
            Err(_) => Err(Broken::Stalled),
        }
    }

    /// Tells what is wrong; the connection stays.
    pub(super) fn complain<'a>(
        &'a mut self,
        code: ErrorCode,
        message: String,
        id: Option<CommandId>,
    ) -> impl Future<Output = Result<(), Broken>> + Send + use<'a> {
        self.send(FromHost::Error(WireError { code, message, id }))
    }

    /// Tells what is wrong and closes.
    pub(super) async fn hang_up(&mut self, error: WireError) -> Broken {
        let reason = format!("{:?}", error.code).into();
        if self.send(FromHost::Error(error)).await.is_ok() {
            let code = close_code::POLICY;
            let close = Message::Close(Some(CloseFrame { code, reason }));
            let _ = self.send_raw(close).await;
        }
        Broken::Told
    }

    /// Tells that the host goes, or stays after all. True: the conversation is over by that.
    pub(super) async fn tell_of(&mut self, going: Going) -> Result<bool, Broken> {
        self.send(FromHost::Notice(going.notice())).await?;
        if going != Going::Stopping {
            return Ok(false);
        }
        self.send(FromHost::Bye {}).await?;
        let (code, reason) = (close_code::AWAY, "stopping".into());
        let close = Message::Close(Some(CloseFrame { code, reason }));
        self.send_raw(close).await?;
        Ok(true)
    }

    /// Is somebody there? Called every [`PING`].
    pub(super) async fn ping(&mut self) -> Result<(), Broken> {
        // A machine that lost its network says no goodbye.
        if self.heard.elapsed() > SILENCE {
            return Err(Broken::Stalled);
        }
        self.send_raw(Message::Ping(Bytes::new())).await
    }

    /// The next thing that comes. May be dropped while it waits: nothing is lost.
    pub(super) async fn receive<T: DeserializeOwned>(
        &mut self,
        read_text: impl FnOnce(Coding, &str) -> Result<T, String>,
    ) -> Result<Came<T>, Broken> {
        let message = self.socket.recv().await;
        self.heard = Instant::now();
        let read = match message {
            None | Some(Ok(Message::Close(_)) | Err(_)) => return Err(Broken::Connection),
            Some(Ok(Message::Text(text))) => read_text(self.coding, text.as_str()),
            Some(Ok(Message::Binary(bytes))) => self.coding.read_binary(&bytes),
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => return Ok(Came::Sign),
        };
        Ok(read.map_or_else(Came::Nonsense, Came::Message))
    }
}
