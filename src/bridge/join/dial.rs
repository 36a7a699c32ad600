//! The network's side of the link: dials, introduces the learner, carries, and dials again with growing pauses.

use std::collections::HashMap;
use std::io;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior, timeout};
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

use super::reach::{self, STEP_WITHIN, Socket};
use super::{Era, FromLink, HostAddress, JoinConfig, ToHost, keep};
use crate::bridge::coding::{Coding, Written};
use crate::protocol::parcel::Content;
use crate::protocol::picture::{NoPicture, View};
use crate::protocol::wire::{
    ErrorCode, FromClient, FromHost, Hello, NoticeCode, Ping, Role, WIRE_VERSION, Welcome,
    WireError,
};
use crate::session::unix_ms;

/// How often the host is asked for its clock, and whether it is there.
const PING: Duration = Duration::from_secs(5);
/// A host silent for this long is not reached.
const SILENCE: Duration = Duration::from_secs(15);
/// A message that finds no room for this long means the same.
const SEND_WITHIN: Duration = Duration::from_secs(10);
/// A link that held for this long was a good one: the pauses begin anew.
const GOOD: Duration = Duration::from_secs(10);
/// Pause where somebody has to do something first.
const REFUSED: Duration = Duration::from_secs(60);

/// Why there is no link.
#[derive(Debug)]
pub(super) enum Down {
    /// The network, or the host's end of it.
    Link,
    /// The host said no.
    Refused(WireError),
    /// This program ends.
    Over,
}

impl From<io::Error> for Down {
    fn from(error: io::Error) -> Self {
        debug!("the host is not reached: {error}");
        Self::Link
    }
}

impl From<Error> for Down {
    fn from(_: Error) -> Self {
        Self::Link
    }
}

/// Keeps the link up until `stop`.
pub(super) async fn keep_joined(
    config: JoinConfig,
    mut for_host: mpsc::Receiver<ToHost>,
    to_world: mpsc::Sender<FromLink>,
    stop: CancellationToken,
) {
    let mut link = Dialled {
        config,
        to_world,
        tokens: HashMap::new(),
        at: 0,
        era: Era::default(),
        best: None,
        wish: None,
    };
    let mut pause = link.config.first_pause;
    while !stop.is_cancelled() {
        let begun = Instant::now();
        let down = link.once(&mut for_host, &stop).await;
        let mut wait = pause;
        // One after the other, and after the last one a pause.
        let hosts = link.config.others.len() + 1;
        let elsewhere = !matches!(down, Down::Over) && hosts > 1;
        if elsewhere {
            link.at = (link.at + 1) % hosts;
            // Its clock is another.
            link.best = None;
        }
        match down {
            Down::Over => return,
            Down::Link => {
                let _ = link.to_world.send(FromLink::Down).await;
                pause = if begun.elapsed() > GOOD {
                    link.config.first_pause
                } else {
                    (pause * 2).min(link.config.longest_pause)
                };
            }
            Down::Refused(error) => {
                if error.code.needs_somebody() {
                    wait = REFUSED.max(pause);
                }
                let _ = link.to_world.send(FromLink::Down).await;
                let _ = link.to_world.send(FromLink::Refused(error)).await;
            }
        }
        // Not all headsets of a class at once, when the host comes back.
        let mut wait = wait.mul_f64(0.5 + share());
        match link.wish.take() {
            // It said when it is there again.
            Some(wish) if !elsewhere => {
                let wish = wish.min(link.config.longest_wish);
                wait = wait.max(wish.mul_f64(1.0 + share() / 2.0));
            }
            _ if elsewhere && link.at > 0 => wait = wait.min(link.config.first_pause),
            _ => {}
        }
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            () = stop.cancelled() => return,
        }
    }
}

/// Somewhere in [0, 1).
fn share() -> f64 {
    let mut bytes = [0; 4];
    // Without randomness all wait equally long, which is no harm worth an error.
    let _ = getrandom::fill(&mut bytes);
    f64::from(u32::from_be_bytes(bytes)) / (f64::from(u32::MAX) + 1.0)
}

struct Dialled {
    config: JoinConfig,
    to_world: mpsc::Sender<FromLink>,
    /// What hosts gave us, as long as this program runs.
    tokens: HashMap<String, String>,
    /// Which host: 0, or one more than the place among the others.
    at: usize,
    era: Era,
    /// The clock's offset at the shortest round trip so far, which bounds its error best.
    best: Option<(Duration, i64)>,
    /// Where the host goes: after how long it wishes to see us again.
    wish: Option<Duration>,
}

impl Dialled {
    /// The host whose turn it is.
    fn host(&self) -> &HostAddress {
        let other = self.at.checked_sub(1);
        let other = other.and_then(|at| self.config.others.get(at));
        other.unwrap_or(&self.config.host)
    }

    /// One link, from dialling to its end.
    async fn once(
        &mut self,
        for_host: &mut mpsc::Receiver<ToHost>,
        stop: &CancellationToken,
    ) -> Down {
        let dialled = tokio::select! {
            dialled = reach::dial(self.host(), &self.config) => dialled,
            () = stop.cancelled() => return Down::Over,
        };
        let socket = match dialled {
            Ok(socket) => socket,
            Err(down) => return down,
        };
        match self.talk(socket, for_host, stop).await {
            Ok(()) => Down::Over,
            Err(down) => down,
        }
    }

    async fn talk(
        &mut self,
        mut socket: Socket,
        for_host: &mut mpsc::Receiver<ToHost>,
        stop: &CancellationToken,
    ) -> Result<(), Down> {
        let hello = FromClient::Hello(Hello {
            protocol: WIRE_VERSION,
            role: Role::Learner,
            client: crate::protocol::wire::Program::this(),
            learner: Some(self.config.learning.clone()),
            resume: self.resume(),
        });
        send(&mut socket, &hello).await?;
        let welcome = timeout(STEP_WITHIN, welcomed(&mut socket)).await;
        let welcome = welcome.map_err(|_| Down::Link)??;
        if let Some(lesson) = &welcome.config.lesson
            && *lesson != self.config.learning.lesson
        {
            warn!(
                "the class plays `{lesson}`, and here it is `{}`",
                self.config.learning.lesson
            );
        }
        if let Some(token) = &welcome.resume_token {
            self.keep(token);
        }
        self.era = Era(self.era.0 + 1);
        self.tell(FromLink::Up(self.era, welcome.has)).await?;
        let mut offset = i64::try_from(welcome.at_unix_ms).unwrap_or(0) - now_ms();
        let mut heard = Instant::now();
        let mut ping = tokio::time::interval(PING);
        ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let clock = Instant::now();
        loop {
            tokio::select! {
                outgoing = for_host.recv() => match outgoing {
                    None => return Ok(()),
                    // Meant for the link before this one: the world sends it again.
                    Some(ToHost::Parcel(era, _)) if era != self.era => {}
                    Some(ToHost::Parcel(_, mut parcel)) => {
                        if let Content::Sample(sample) = &mut parcel.content {
                            // By the clock of whoever judges whether it is late.
                            sample.at_unix_ms = sample.at_unix_ms.and_then(|at| at.checked_add_signed(offset));
                        }
                        send(&mut socket, &FromClient::Parcel(parcel)).await?;
                    }
                    Some(ToHost::Shown(mut shown)) => {
                        // Within what the host said it takes, with some room for the words around it.
                        if let View::Png(png) = &shown.what
                            && png.0.len() as u64 + 1024 > welcome.config.message_bytes
                        {
                            let why = "the picture is larger than the host takes".to_owned();
                            shown.what = View::None(NoPicture::Failed(why));
                        }
                        send(&mut socket, &FromClient::Shown(*shown)).await?;
                    }
                    Some(ToHost::Done(done)) => send(&mut socket, &FromClient::Done(done)).await?,
                },
                incoming = socket.next() => {
                    heard = Instant::now();
                    match read(incoming)? {
                        None => {}
                        Some(FromHost::Ack(has)) => self.tell(FromLink::Ack(has)).await?,
                        Some(FromHost::Do(command)) => {
                            self.tell(FromLink::Do(Box::new(command.into_owned()))).await?;
                        }
                        Some(FromHost::Look(look)) => self.tell(FromLink::Look(look)).await?,
                        Some(FromHost::Notice(notice)) => {
                            let wish = Duration::from_millis(notice.again_ms);
                            let goes = notice.code != NoticeCode::Staying;
                            self.wish = goes.then_some(wish);
                            let leaves = goes && !self.config.others.is_empty();
                            self.tell(FromLink::Notice(notice)).await?;
                            if leaves {
                                send(&mut socket, &FromClient::Bye {}).await?;
                                let _ = timeout(Duration::from_secs(1), socket.close(None)).await;
                                return Err(Down::Link);
                            }
                        }
                        Some(FromHost::Pong(pong)) => {
                            let round = clock.elapsed().saturating_sub(Duration::from_millis(pong.at));
                            offset = self.set_clock(round, pong.at_unix_ms);
                            self.tell(FromLink::Offset(offset)).await?;
                        }
                        Some(FromHost::Error(error)) => match error.code {
                            ErrorCode::BadMessage | ErrorCode::TooFast | ErrorCode::Busy | ErrorCode::NoAnswer => {
                                warn!("the host did not take a message: {}", error.message);
                            }
                            _ => return Err(Down::Refused(error)),
                        },
                        Some(FromHost::Bye {}) => return Err(Down::Link),
                        // What is meant for others, or for later versions.
                        Some(_) => {}
                    }
                }
                _ = ping.tick() => {
                    if heard.elapsed() > SILENCE {
                        return Err(Down::Link);
                    }
                    let at = u64::try_from(clock.elapsed().as_millis()).unwrap_or(0);
                    send(&mut socket, &FromClient::Ping(Ping { at })).await?;
                }
                () = stop.cancelled() => {
                    send(&mut socket, &FromClient::Bye {}).await?;
                    let _ = timeout(Duration::from_secs(1), socket.close(None)).await;
                    return Ok(());
                }
            }
        }
    }

    /// What the host gave us when we were there last.
    fn resume(&self) -> Option<String> {
        let host = self.host().to_string();
        let kept = self.tokens.get(&host).cloned();
        kept.or_else(|| keep::token(&self.config.tokens, &host, self.config.learning.learner))
    }

    /// The host's clock minus ours (Cristian 1989): its answer was written half a round trip ago, give or take half
    /// of one. The shortest round trip errs least.
    fn set_clock(&mut self, round: Duration, host_unix_ms: u64) -> i64 {
        let half = i64::try_from(round.as_millis() / 2).unwrap_or(0);
        let offset = i64::try_from(host_unix_ms).unwrap_or(0) + half - now_ms();
        match self.best {
            Some((shortest, best)) if shortest <= round => best,
            _ => {
                self.best = Some((round, offset));
                offset
            }
        }
    }

    fn keep(&mut self, token: &str) {
        let host = self.host().to_string();
        let learner = self.config.learning.learner;
        let kept: io::Result<()> = keep::keep(&self.config.tokens, &host, learner, token);
        if let Err(error) = kept {
            warn!(
                "the host's resume token can't be kept ({error}): after a crash this headset has to be paired again"
            );
        }
        self.tokens.insert(host, token.to_owned());
    }

    async fn tell(&self, message: FromLink) -> Result<(), Down> {
        self.to_world.send(message).await.map_err(|_| Down::Over)
    }
}

fn now_ms() -> i64 {
    i64::try_from(unix_ms()).unwrap_or(0)
}

async fn send(socket: &mut Socket, message: &FromClient) -> Result<(), Down> {
    let message = match Coding::MessagePack.write(message) {
        Ok(Written::Binary(bytes)) => Message::binary(bytes),
        Ok(Written::Text(text)) => Message::text(text),
        Err(why) => {
            warn!("a message can't be written: {why}");
            return Ok(());
        }
    };
    match timeout(SEND_WITHIN, socket.send(message)).await {
        Ok(sent) => Ok(sent?),
        Err(_) => Err(Down::Link),
    }
}

/// What came; `None`: nothing for us.
fn read(incoming: Option<Result<Message, Error>>) -> Result<Option<FromHost<'static>>, Down> {
    match incoming {
        None | Some(Ok(Message::Close(_))) => Err(Down::Link),
        Some(Err(error)) => Err(error.into()),
        Some(Ok(Message::Binary(bytes))) => match Coding::MessagePack.read_binary(&bytes) {
            Ok(message) => Ok(Some(message)),
            Err(why) => {
                debug!("passed over a message of the host: {why}");
                Ok(None)
            }
        },
        Some(Ok(_)) => Ok(None),
    }
}

async fn welcomed(socket: &mut Socket) -> Result<Welcome, Down> {
    loop {
        match read(socket.next().await)? {
            Some(FromHost::Welcome(welcome)) => return Ok(welcome),
            Some(FromHost::Error(error)) => return Err(Down::Refused(error)),
            _ => {}
        }
    }
}
