//! Connections as they arrive: how many, from where, encrypted or not, and how long they may take to say something.

use std::collections::HashMap;
use std::convert::Infallible;
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderValue, Version, header};
use axum::response::Response;
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;
use tracing::{debug, error, warn};

use super::access::Peer;
use super::counters::{Counters, Open};
use super::tls::Tls;

/// A handshake takes no longer.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// The head of a request arrives within this time; a connection without requests is let go after it, too.
const HEAD: Duration = Duration::from_secs(30);
/// Bytes of a request's head, all lines together.
const HEAD_BYTES: usize = 32 * 1024;
/// Streams at once in a connection of HTTP/2.
const STREAMS: u32 = 64;
/// A silent connection of HTTP/2 is asked this often whether it is there.
const ASKED: Duration = Duration::from_secs(20);
/// After the system had no room for a connection.
const BREATHER: Duration = Duration::from_millis(50);
/// Whoever is connected is told of the end before it comes.
const NOTICE: Duration = Duration::from_millis(150);
/// How long open requests may go on after the end was called.
const FAREWELL: Duration = Duration::from_millis(300);

/// How much clients may take.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limits {
    /// Connections of everybody together.
    pub connections: usize,
    /// From one address of the network (an IPv6 /64 counts as one). This machine's own programs are not counted.
    pub per_address: usize,
    /// Requests and live connections that one token may hold open; the token of this run is not counted.
    pub per_token: usize,
    /// Messages a second of a learner's stream over any length of time; more wait.
    pub stream_rate: f64,
    /// And at once: what a runtime has under way, so that a lost link is made up for quickly.
    pub stream_burst: f64,
    /// Longest message on a WebSocket of a client that named its subprotocol, bytes.
    pub message: usize,
}

impl Limits {
    /// For the door of one headset, with classrooms behind shared addresses.
    pub const HEADSET: Self = Self {
        connections: 10_240,
        per_address: 512,
        per_token: 64,
        stream_rate: 200.0,
        stream_burst: 1024.0,
        // A picture of the largest size fits.
        message: 384 * 1024,
    };

    /// For a classroom host: one token may stand for a whole class.
    pub const CLASSROOM: Self = Self {
        per_token: 1024,
        ..Self::HEADSET
    };
}

impl Default for Limits {
    fn default() -> Self {
        Self::HEADSET
    }
}

/// Whence a request comes, for handlers and middleware.
#[derive(Debug, Clone, Copy)]
pub(super) struct Whence(pub(super) Peer);

/// How serving ends.
pub(super) struct Ends {
    /// It is to end: nobody new comes in, and whoever is connected is told.
    pub(super) stop: CancellationToken,
    /// Cancelled when they have been told: now everything ends.
    pub(super) ending: CancellationToken,
}

/// Serves until it is to end.
pub(super) async fn serve(
    listener: TcpListener,
    router: Router,
    tls: Option<Tls>,
    limits: Limits,
    counters: Counters,
    ends: Ends,
) {
    let listener = match tokio::net::TcpListener::from_std(listener) {
        Ok(listener) => listener,
        Err(error) => {
            error!("the bridge cannot listen: {error}");
            return;
        }
    };
    let tls = tls.map(|tls| TlsAcceptor::from(tls.config));
    let places = Arc::new(Semaphore::new(
        limits.connections.min(Semaphore::MAX_PERMITS),
    ));
    let crowd = Crowd::default();
    loop {
        let accepted = tokio::select! {
            () = ends.stop.cancelled() => break,
            accepted = listener.accept() => accepted,
        };
        let (stream, address) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                // Out of file descriptors, or the guest has left already.
                debug!("a connection was not accepted: {error}");
                tokio::time::sleep(BREATHER).await;
                continue;
            }
        };
        let peer = Peer::of(address.ip());
        // Whoever finds no room is hung up on, before any work is done.
        let Ok(place) = places.clone().try_acquire_owned() else {
            warn!("all {} connections are in use", limits.connections);
            continue;
        };
        let Some(seat) = crowd.enter(peer, limits.per_address) else {
            debug!(
                "an address has all its {} connections open",
                limits.per_address
            );
            continue;
        };
        let guest = Guest {
            router: router.clone(),
            address,
            stop: ends.ending.clone(),
            place: Held(Arc::new((place, seat, counters.connection()))),
        };
        tokio::spawn(guest.receive(stream, tls.clone()));
    }
    tokio::time::sleep(NOTICE).await;
    ends.ending.cancel();
    // Open streams do not end by themselves.
    tokio::time::sleep(FAREWELL).await;
}

struct Guest {
    router: Router,
    address: SocketAddr,
    stop: CancellationToken,
    place: Held,
}

/// A connection's place, for as long as one of these lives. A WebSocket holds one, since it outlives the HTTP that it
/// came by.
#[derive(Clone)]
pub(super) struct Held(
    #[expect(dead_code, reason = "held, not read")] Arc<(OwnedSemaphorePermit, Seat, Open)>,
);

impl Guest {
    async fn receive(self, stream: TcpStream, tls: Option<TlsAcceptor>) {
        // Answers are short, and learners wait for them.
        let _ = stream.set_nodelay(true);
        let Some(tls) = tls else {
            return self.talk(stream, false).await;
        };
        match tokio::time::timeout(HANDSHAKE, tls.accept(stream)).await {
            Ok(Ok(stream)) => {
                let h2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
                self.talk(stream, h2).await;
            }
            Ok(Err(error)) => debug!("no encrypted connection: {error}"),
            Err(_) => debug!("no encrypted connection within {HANDSHAKE:?}"),
        }
    }

    async fn talk(self, stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static, h2: bool) {
        let whence = Whence(Peer::of(self.address.ip()));
        let (router, place) = (self.router, self.place);
        let service = hyper::service::service_fn(move |request: hyper::Request<Incoming>| {
            answer(
                router.clone(),
                whence,
                place.clone(),
                request.map(Body::new),
            )
        });
        let io = TokioIo::new(stream);
        let ended = if h2 {
            let mut http = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
            http.timer(TokioTimer::new())
                .max_concurrent_streams(STREAMS)
                .max_header_list_size(HEAD_BYTES as u32)
                .keep_alive_interval(ASKED)
                .keep_alive_timeout(HANDSHAKE);
            let mut connection = std::pin::pin!(http.serve_connection(io, service));
            tokio::select! {
                ended = &mut connection => ended,
                () = self.stop.cancelled() => {
                    connection.as_mut().graceful_shutdown();
                    connection.await
                }
            }
        } else {
            let mut http = hyper::server::conn::http1::Builder::new();
            http.timer(TokioTimer::new())
                .header_read_timeout(HEAD)
                .max_buf_size(HEAD_BYTES);
            let connection = http.serve_connection(io, service).with_upgrades();
            let mut connection = std::pin::pin!(connection);
            tokio::select! {
                ended = &mut connection => ended,
                () = self.stop.cancelled() => {
                    connection.as_mut().graceful_shutdown();
                    connection.await
                }
            }
        };
        if let Err(error) = ended {
            debug!("a connection broke: {error}");
        }
    }
}

async fn answer(
    router: Router,
    whence: Whence,
    place: Held,
    mut request: Request,
) -> Result<Response, Infallible> {
    request.extensions_mut().insert(whence);
    request.extensions_mut().insert(place);
    // HTTP/2 names the host elsewhere.
    if request.version() == Version::HTTP_2
        && let Some(authority) = request.uri().authority()
        && let Ok(host) = HeaderValue::from_str(authority.as_str())
    {
        request.headers_mut().insert(header::HOST, host);
    }
    router.oneshot(request).await
}

/// Connections by address.
#[derive(Debug, Clone, Default)]
struct Crowd(Arc<Mutex<HashMap<Peer, usize>>>);

/// A place in the crowd, given back when dropped.
struct Seat {
    crowd: Crowd,
    peer: Peer,
}

impl Crowd {
    fn enter(&self, peer: Peer, most: usize) -> Option<Seat> {
        let mut seats = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let taken = seats.entry(peer).or_default();
        if *taken >= most && !peer.is_this_machine() {
            return None;
        }
        *taken += 1;
        Some(Seat {
            crowd: self.clone(),
            peer,
        })
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut seats = self.crowd.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(taken) = seats.get_mut(&self.peer) {
            *taken = taken.saturating_sub(1);
            if *taken == 0 {
                seats.remove(&self.peer);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::*;

    #[test]
    fn an_address_has_so_many_places_and_gets_them_back() {
        let crowd = Crowd::default();
        let far = Peer::of(IpAddr::from([192, 168, 1, 9]));
        let first = crowd.enter(far, 2);
        let second = crowd.enter(far, 2);
        assert!(first.is_some() && second.is_some());
        assert!(crowd.enter(far, 2).is_none());
        assert!(
            crowd
                .enter(Peer::of(IpAddr::from([192, 168, 1, 8])), 2)
                .is_some()
        );
        drop(first);
        assert!(crowd.enter(far, 2).is_some());
        drop(second);
        assert!(
            crowd.0.lock().unwrap().is_empty(),
            "nobody is remembered who left"
        );
        let here = Peer::of(IpAddr::from([127, 0, 0, 1]));
        let many: Vec<_> = (0..10).filter_map(|_| crowd.enter(here, 2)).collect();
        assert_eq!(many.len(), 10);
    }
}
