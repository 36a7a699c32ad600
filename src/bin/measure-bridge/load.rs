//! Runtimes by hand: they join, send samples, and note how long each one waited for its answer.

use std::collections::VecDeque;
use std::error::Error;
use std::time::{Duration, Instant};

use futures_util::{SinkExt, StreamExt};
use malloc_vr::protocol::event::{Event, EventBody};
use malloc_vr::protocol::ids::{LearnerId, LessonId, SessionId};
use malloc_vr::protocol::parcel::{Content, Parcel, Position};
use malloc_vr::protocol::privacy::AgeBand;
use malloc_vr::protocol::sample::{Field, Fields, Occasion, Sample, Signal, SignalSet};
use malloc_vr::protocol::wire::{
    FromClient, FromHost, Hello, Learning, MESSAGE_PACK, Program, Role,
};
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::{HeaderValue, header};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_util::either::Either;

use super::servers::TOKEN;

/// How often a headset sends a sample.
const INTERVAL: Duration = Duration::from_secs(5);
/// Samples of a learner under way, when they send as fast as they are answered: to the host and to the echo alike.
const UNDER_WAY: usize = 32;
/// Connections being made at once.
const AT_ONCE: usize = 32;

pub type Fault = Box<dyn Error + Send + Sync>;

/// Everybody who is connected.
pub struct Class {
    runtimes: Vec<Runtime>,
    connect_ms: Vec<f64>,
}

impl Class {
    pub fn take_connect_times(&mut self) -> Vec<f64> {
        std::mem::take(&mut self.connect_ms)
    }
}

/// What a run told.
#[derive(Default)]
pub struct Told {
    /// Milliseconds that each answered message waited.
    pub waits: Vec<f64>,
    pub messages: usize,
    time: Duration,
}

impl Told {
    pub fn per_second(&self) -> f64 {
        self.messages as f64 / self.time.as_secs_f64().max(1e-9)
    }
}

/// The value that this share of the values does not exceed.
pub fn quantile(values: &[f64], share: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let place = (sorted.len().saturating_sub(1) as f64 * share).round() as usize;
    sorted.get(place).copied().unwrap_or(f64::NAN)
}

pub struct Runtime {
    socket: Socket,
    pub learner: LearnerId,
    session: SessionId,
    sent: u64,
    /// When what is under way went out, oldest first.
    under_way: VecDeque<(u64, Instant)>,
    is_host: bool,
    /// With it the same learner comes back.
    resume: Option<String>,
}

/// Has `n` runtimes connect, and join where it is a host; encrypted where there is something to encrypt with.
pub async fn connect(
    address: &str,
    n: usize,
    is_host: bool,
    tls: Option<&TlsConnector>,
) -> Result<Class, Fault> {
    let mut class = Class {
        runtimes: Vec::with_capacity(n),
        connect_ms: Vec::with_capacity(n),
    };
    while class.runtimes.len() < n {
        let some = AT_ONCE.min(n - class.runtimes.len());
        let coming: Vec<_> = (0..some)
            .map(|_| tokio::spawn(Runtime::connect(address.to_owned(), is_host, tls.cloned())))
            .collect();
        for runtime in coming {
            let (runtime, time) = runtime.await??;
            class.runtimes.push(runtime);
            class.connect_ms.push(time.as_secs_f64() * 1e3);
        }
    }
    Ok(class)
}

/// Every learner sends a sample each five seconds, spread evenly.
pub async fn paced(class: &mut Class, run: Duration) -> Result<Told, Fault> {
    let begun = Instant::now();
    let n = class.runtimes.len().max(1) as u32;
    let everybody = class
        .runtimes
        .drain(..)
        .enumerate()
        .map(|(place, mut runtime)| {
            let first = INTERVAL * (place as u32) / n;
            tokio::spawn(async move {
                let mut waits = Vec::new();
                let mut due = tokio::time::Instant::from_std(begun) + first;
                while due.duration_since(begun.into()) < run {
                    tokio::time::sleep_until(due).await;
                    runtime.send_one().await?;
                    runtime.settle(0, &mut waits).await?;
                    due += INTERVAL;
                }
                Ok::<_, Fault>((runtime, waits))
            })
        });
    collect(everybody.collect(), begun, &mut class.runtimes).await
}

/// Every learner sends as fast as they are answered.
pub async fn saturated(class: &mut Class, run: Duration) -> Result<Told, Fault> {
    let begun = Instant::now();
    let everybody = class.runtimes.drain(..).map(|mut runtime| {
        tokio::spawn(async move {
            let mut waits = Vec::new();
            while begun.elapsed() < run {
                while runtime.under_way.len() < UNDER_WAY {
                    runtime.send_one().await?;
                }
                runtime.settle(UNDER_WAY - 1, &mut waits).await?;
            }
            Ok::<_, Fault>((runtime, waits))
        })
    });
    collect(everybody.collect(), begun, &mut class.runtimes).await
}

type Run = tokio::task::JoinHandle<Result<(Runtime, Vec<f64>), Fault>>;

async fn collect(
    everybody: Vec<Run>,
    begun: Instant,
    runtimes: &mut Vec<Runtime>,
) -> Result<Told, Fault> {
    let mut told = Told::default();
    for one in everybody {
        let (runtime, waits) = one.await??;
        runtimes.push(runtime);
        told.messages += waits.len();
        told.waits.extend(waits);
    }
    told.time = begun.elapsed();
    Ok(told)
}

type Socket = WebSocketStream<Either<TcpStream, TlsStream<TcpStream>>>;

async fn dial(address: &str, is_host: bool, tls: Option<TlsConnector>) -> Result<Socket, Fault> {
    let mut request = format!("ws://{address}/ws").into_client_request()?;
    if is_host {
        let token = HeaderValue::try_from(format!("Bearer {TOKEN}"))?;
        let headers = request.headers_mut();
        headers.insert(header::AUTHORIZATION, token);
        let protocol = HeaderValue::from_static(MESSAGE_PACK);
        headers.insert(header::SEC_WEBSOCKET_PROTOCOL, protocol);
    }
    let sizes = WebSocketConfig::default()
        .read_buffer_size(4096)
        .write_buffer_size(4096);
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let stream = match tls {
        None => Either::Left(stream),
        Some(tls) => {
            let name = ServerName::try_from("localhost")?;
            Either::Right(tls.connect(name, stream).await?)
        }
    };
    let connecting = tokio_tungstenite::client_async_with_config(request, stream, Some(sizes));
    Ok(connecting.await?.0)
}

impl Runtime {
    /// The runtime, let in, and how long that took.
    pub async fn connect(
        address: String,
        is_host: bool,
        tls: Option<TlsConnector>,
    ) -> Result<(Self, Duration), Fault> {
        let begun = Instant::now();
        let socket = dial(&address, is_host, tls).await?;
        let mut runtime = Self {
            socket,
            learner: LearnerId::fresh(),
            session: SessionId::fresh(),
            sent: 0,
            under_way: VecDeque::new(),
            is_host,
            resume: None,
        };
        if is_host {
            runtime.join().await?;
            let begun = runtime.begun();
            runtime.send_content(1, Content::Event(begun)).await?;
        }
        Ok((runtime, begun.elapsed()))
    }

    /// Breaks the link without a word, and comes back; what the host has.
    pub async fn come_back(&mut self, address: &str) -> Result<Position, Fault> {
        self.socket = dial(address, self.is_host, None).await?;
        self.join().await
    }

    /// Sends an event of the log.
    pub async fn send_event(&mut self, seq: u64, body: EventBody) -> Result<(), Fault> {
        let event = Event {
            seq,
            body,
            ..self.begun()
        };
        self.send_content(seq, Content::Event(event)).await
    }

    async fn send_content(&mut self, seq: u64, content: Content) -> Result<(), Fault> {
        let before = Position {
            events: seq - 1,
            samples: 0,
        };
        let parcel = Box::new(Parcel { before, content });
        self.send(&FromClient::Parcel(parcel)).await
    }

    /// Waits until the host has so many events.
    pub async fn wait_for(&mut self, events: u64) -> Result<u64, Fault> {
        loop {
            match self.next().await? {
                FromHost::Ack(has) if has.events >= events => return Ok(has.events),
                FromHost::Error(error) => return Err(error.message.into()),
                _ => {}
            }
        }
    }

    /// Introduces itself; what the host has of it.
    async fn join(&mut self) -> Result<Position, Fault> {
        let learning = Learning {
            learner: self.learner,
            session: self.session,
            lesson: LessonId::new("first-steps"),
            age: AgeBand::Adult,
        };
        self.send(&FromClient::Hello(Hello {
            protocol: malloc_vr::protocol::wire::WIRE_VERSION,
            role: Role::Learner,
            client: Program::this(),
            learner: Some(learning),
            resume: self.resume.clone(),
        }))
        .await?;
        loop {
            match self.next().await? {
                FromHost::Welcome(welcome) => {
                    self.resume = welcome.resume_token.or(self.resume.take());
                    return Ok(welcome.has);
                }
                FromHost::Error(error) => return Err(error.message.into()),
                _ => {}
            }
        }
    }

    fn begun(&self) -> Event {
        let body = EventBody::SessionStarted {
            lesson: LessonId::new("first-steps"),
            lesson_digest: String::new(),
            seed: 1,
            skills: [].into(),
            protocol: malloc_vr::protocol::PROTOCOL_VERSION,
        };
        Event {
            seq: 1,
            at_unix_ms: 0,
            learner: self.learner,
            session: self.session,
            body,
        }
    }

    async fn send_one(&mut self) -> Result<(), Fault> {
        self.sent += 1;
        self.under_way.push_back((self.sent, Instant::now()));
        let parcel = sample(self.learner, self.session, self.sent);
        self.send(&FromClient::Parcel(Box::new(parcel))).await
    }

    /// Waits until no more than this many are under way.
    async fn settle(&mut self, at_most: usize, waits: &mut Vec<f64>) -> Result<(), Fault> {
        while self.under_way.len() > at_most {
            let upto = if self.is_host {
                match self.next().await? {
                    FromHost::Ack(has) => has.samples,
                    FromHost::Error(error) => return Err(error.message.into()),
                    _ => continue,
                }
            } else {
                // The same work of reading as with an answer of the host.
                let Some(message) = self.socket.next().await else {
                    return Err("the echo is gone".into());
                };
                let _: FromClient = rmp_serde::from_slice(&message?.into_data())?;
                self.under_way.front().map_or(0, |(number, _)| *number)
            };
            while let Some((number, at)) = self.under_way.front()
                && *number <= upto
            {
                waits.push(at.elapsed().as_secs_f64() * 1e3);
                self.under_way.pop_front();
            }
        }
        Ok(())
    }

    async fn send(&mut self, message: &FromClient) -> Result<(), Fault> {
        let bytes = rmp_serde::to_vec_named(message)?;
        Ok(self.socket.send(Message::binary(bytes)).await?)
    }

    async fn next(&mut self) -> Result<FromHost<'static>, Fault> {
        loop {
            match self.socket.next().await {
                None => return Err("the host is gone".into()),
                Some(message) => {
                    if let Message::Binary(bytes) = message? {
                        return Ok(rmp_serde::from_slice(&bytes)?);
                    }
                }
            }
        }
    }
}

/// The nth sample of somebody in the middle of a lesson.
pub fn sample(learner: LearnerId, session: SessionId, n: u64) -> Parcel {
    let mut fields = Fields::default();
    for (place, signal) in Signal::ALL.into_iter().enumerate().take(12) {
        let value = 0.25 + (place as f32 + n as f32 % 7.0) / 32.0;
        fields.set(signal, Field::Measured { value });
    }
    let mastery = Field::inferred(0.61, 0.4, 0.8);
    fields.set(Signal::Mastery, mastery);
    let sample = Sample {
        learner,
        session,
        number: n,
        after: 1,
        at: Duration::from_millis(n),
        at_unix_ms: None,
        interval: INTERVAL,
        occasion: Occasion::Tick,
        expected: SignalSet::default(),
        fields,
    };
    Parcel {
        before: Position {
            events: 1,
            samples: n - 1,
        },
        content: Content::Sample(sample),
    }
}
