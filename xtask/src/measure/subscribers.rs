//! Instructors' programs on a headset's `/ws`, by hand: they connect, read all that comes, and answer nothing but that they
//! live.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

/// Longest wait for the bridge's answer to one that connects.
const ANSWER: Duration = Duration::from_secs(10);
/// How often one says that it lives; the bridge takes 45 s of silence for the end.
const SIGN: Duration = Duration::from_secs(10);
/// An empty pong with a mask of zeros, as a client may send one unasked (RFC 6455, 5.5.3).
const PONG: [u8; 6] = [0x8a, 0x80, 0, 0, 0, 0];

/// So many who listen, until dropped.
pub(super) struct Subscribers {
    ends: Arc<AtomicBool>,
    bytes: Arc<AtomicU64>,
    threads: Vec<JoinHandle<()>>,
}

impl Subscribers {
    /// Has `n` connect to `address`.
    ///
    /// # Errors
    /// Where the bridge takes one of them not in.
    pub(super) fn connect(address: &str, token: &str, n: usize) -> Result<Self> {
        let mut all = Self {
            ends: Arc::default(),
            bytes: Arc::default(),
            threads: Vec::with_capacity(n),
        };
        for _ in 0..n {
            let socket = shake_hands(address, token)?;
            let (ends, bytes) = (all.ends.clone(), all.bytes.clone());
            let thread = std::thread::Builder::new().name("subscriber".to_owned());
            // It sleeps in its read: a small stack is enough.
            let thread = thread.stack_size(64 * 1024);
            all.threads
                .push(thread.spawn(move || listen(socket, &ends, &bytes))?);
        }
        Ok(all)
    }

    /// Bytes that came to all of them.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// How many are still connected.
    pub(super) fn connected(&self) -> usize {
        self.threads.iter().filter(|it| !it.is_finished()).count()
    }
}

impl Drop for Subscribers {
    fn drop(&mut self) {
        self.ends.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

fn shake_hands(address: &str, token: &str) -> Result<TcpStream> {
    let mut socket = TcpStream::connect(address).with_context(|| format!("to {address}"))?;
    socket.set_read_timeout(Some(ANSWER))?;
    // Any sixteen bytes will do for a key that nobody checks.
    let head = format!(
        "GET /ws HTTP/1.1\r\nHost: {address}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Key: bWVhc3VyZS1zdWJzY3JpYg==\r\nAuthorization: Bearer {token}\r\n\r\n"
    );
    socket.write_all(head.as_bytes())?;
    let (mut answer, mut byte) = (Vec::new(), [0]);
    while !answer.ends_with(b"\r\n\r\n") {
        if answer.len() > 8192 || socket.read(&mut byte)? == 0 {
            break;
        }
        answer.extend(byte);
    }
    if !answer.starts_with(b"HTTP/1.1 101") {
        bail!(
            "the bridge takes no subscriber in: {}",
            String::from_utf8_lossy(&answer)
                .lines()
                .next()
                .unwrap_or("nothing was answered")
        );
    }
    socket.set_read_timeout(Some(Duration::from_secs(1)))?;
    Ok(socket)
}

/// Reads until it is ended, or the bridge hangs up.
fn listen(mut socket: TcpStream, ends: &AtomicBool, bytes: &AtomicU64) {
    let mut buffer = [0; 4096];
    let mut told = Instant::now();
    while !ends.load(Ordering::Relaxed) {
        match socket.read(&mut buffer) {
            Ok(0) => return,
            Ok(came) => {
                bytes.fetch_add(came as u64, Ordering::Relaxed);
            }
            Err(error)
                if matches!(
                    error.kind(),
                    std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut
                ) => {}
            Err(_) => return,
        }
        if told.elapsed() > SIGN {
            told = Instant::now();
            if socket.write_all(&PONG).is_err() {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    /// A door that answers so, then sends some bytes to whoever came in.
    fn door(answer: &'static str) -> Result<String> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?.to_string();
        std::thread::spawn(move || {
            for mut socket in listener.incoming().flatten() {
                let _ = socket.write_all(answer.as_bytes());
                let _ = socket.write_all(b"0123456789");
                std::mem::forget(socket);
            }
        });
        Ok(address)
    }

    #[test]
    fn who_is_taken_in_reads_what_comes() -> Result<()> {
        let address = door("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n")?;
        let all = Subscribers::connect(&address, "t", 3)?;
        while all.bytes() < 30 {
            std::thread::sleep(Duration::from_millis(5));
        }
        assert_eq!((all.bytes(), all.connected()), (30, 3));
        Ok(())
    }

    #[test]
    fn who_is_not_says_what_the_door_said() -> Result<()> {
        let address = door("HTTP/1.1 401 Unauthorized\r\n\r\n")?;
        let refused = Subscribers::connect(&address, "t", 1).err();
        let said = refused.map(|it| it.to_string()).unwrap_or_default();
        assert!(said.contains("401"), "{said}");
        Ok(())
    }
}
