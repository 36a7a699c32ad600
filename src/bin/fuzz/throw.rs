//! How an input reaches its target, and what came back.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use malloc_vr::lesson::check_text;

use crate::Target;
use crate::room::{self, TOKEN};

/// A door that answers nothing for this long has died.
const PATIENCE: Duration = Duration::from_secs(30);
/// What comes back to nonsense comes at once, or not at all.
const GLANCE: Duration = Duration::from_millis(2);

/// One target, ready to be thrown at.
pub(crate) struct Thrower {
    target: Target,
    door: Option<SocketAddr>,
    /// Kept open from throw to throw, as long as the door keeps it.
    line: Option<TcpStream>,
    /// Goes with the process.
    _folder: tempfile::TempDir,
}

impl Thrower {
    pub(crate) fn new(target: Target) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let door = match target {
            Target::Lesson => None,
            _ => Some(room::open(folder.path(), target == Target::Tls)?),
        };
        Ok(Self {
            target,
            door,
            line: None,
            _folder: folder,
        })
    }

    /// Throws it; what comes back, as text.
    pub(crate) fn throw(&mut self, input: &[u8]) -> Result<String> {
        match self.target {
            Target::Lesson => {
                let text = String::from_utf8_lossy(input);
                let read = || check_text(Path::new("fuzz.ron"), &text, None).1.to_string();
                // The panic is noticed by its hook, and the input kept.
                Ok(std::panic::catch_unwind(read).unwrap_or_default())
            }
            Target::Http | Target::Tls => self.bytes(input),
            Target::Mcp => self.post("/mcp", true, input),
            Target::Pairing => self.post("/pair", false, input),
            Target::Websocket => self.frame(input),
        }
    }

    /// Whether the door still answers.
    pub(crate) fn is_well(&mut self) -> Result<()> {
        let Some(door) = self.door else { return Ok(()) };
        let mut stream = connect(door)?;
        if self.target == Target::Tls {
            // It still takes connections; nobody else keeps it from doing so.
            return Ok(());
        }
        let ask = format!("GET /healthz HTTP/1.1\r\nHost: {door}\r\nConnection: close\r\n\r\n");
        stream.write_all(ask.as_bytes())?;
        let mut answer = String::new();
        stream
            .read_to_string(&mut answer)
            .context("the door does not answer")?;
        ensure!(
            answer.contains("\"ticking\":true"),
            "the world stands still: {answer}"
        );
        Ok(())
    }

    fn bytes(&mut self, input: &[u8]) -> Result<String> {
        let mut stream = connect(self.door.context("no door")?)?;
        // The door may close before it has read everything.
        let _ = stream.write_all(input);
        let _ = stream.shutdown(Shutdown::Write);
        let mut answer = Vec::new();
        match stream.take(64 * 1024).read_to_end(&mut answer) {
            Err(error) if is_late(&error) => bail!("no answer and no end within {PATIENCE:?}"),
            _ => Ok(String::from_utf8_lossy(&answer).into_owned()),
        }
    }

    fn post(&mut self, path: &str, with_token: bool, body: &[u8]) -> Result<String> {
        let door = self.door.context("no door")?;
        let mut stream = connect(door)?;
        let token = if with_token {
            format!("Authorization: Bearer {TOKEN}\r\n")
        } else {
            String::new()
        };
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: {door}\r\n{token}Content-Type: application/json\r\nConnection: close\r\n\
             Accept: application/json, text/event-stream\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        let _ = stream.write_all(head.as_bytes());
        let _ = stream.write_all(body);
        // A subscription stays open on purpose: its beginning is enough.
        stream.set_read_timeout(Some(Duration::from_millis(500)))?;
        let mut answer = Vec::new();
        let _ = stream.take(64 * 1024).read_to_end(&mut answer);
        Ok(String::from_utf8_lossy(&answer).into_owned())
    }

    /// Every other input goes as the text of a good frame, the rest as it is, where a frame is expected.
    fn frame(&mut self, input: &[u8]) -> Result<String> {
        let mut line = match self.line.take() {
            Some(line) => line,
            None => upgraded(self.door.context("no door")?)?,
        };
        let raw = input.first().is_some_and(|byte| byte & 0x80 != 0);
        let sent = if raw {
            line.write_all(input)
        } else {
            line.write_all(&masked(input))
        };
        line.set_read_timeout(Some(GLANCE))?;
        let mut answer = vec![0; 64 * 1024];
        let read = line.read(&mut answer);
        let open = sent.is_ok()
            && !raw
            && match &read {
                Ok(read) => *read > 0,
                Err(error) => is_late(error),
            };
        if open {
            self.line = Some(line);
        }
        // Two bytes say what kind of frame it is.
        answer.truncate(read.unwrap_or(0).min(200));
        Ok(String::from_utf8_lossy(&answer).into_owned())
    }
}

fn is_late(error: &std::io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut)
}

fn connect(door: SocketAddr) -> Result<TcpStream> {
    let stream = TcpStream::connect_timeout(&door, PATIENCE).context("the door takes nobody in")?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    Ok(stream)
}

fn upgraded(door: SocketAddr) -> Result<TcpStream> {
    let mut stream = connect(door)?;
    let ask = format!(
        "GET /ws HTTP/1.1\r\nHost: {door}\r\nAuthorization: Bearer {TOKEN}\r\nConnection: Upgrade\r\n\
         Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    );
    stream.write_all(ask.as_bytes())?;
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        stream
            .read_exact(&mut byte)
            .context("the WebSocket does not open")?;
        head.extend(byte);
    }
    ensure!(
        head.starts_with(b"HTTP/1.1 101"),
        "{}",
        String::from_utf8_lossy(&head)
    );
    Ok(stream)
}

/// A whole text frame from a client (RFC 6455 §5.2), masked with zeros.
fn masked(payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![0x81];
    match payload.len() {
        length @ 0..126 => frame.push(0x80 | length as u8),
        length @ 126..65_536 => {
            frame.push(0x80 | 126);
            frame.extend((length as u16).to_be_bytes());
        }
        length => {
            frame.push(0x80 | 127);
            frame.extend((length as u64).to_be_bytes());
        }
    }
    frame.extend([0; 4]);
    frame.extend(payload);
    frame
}
