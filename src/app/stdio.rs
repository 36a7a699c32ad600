//! `malloc-vr mcp`: lets a local client that speaks MCP over stdin and stdout reach the lesson that runs in another
//! process, by passing every message on to that process' `/mcp`.
//!
//! It serves nothing itself: learners and lesson are in the running process' world, and a second server would be a
//! second world. It knows no more of the protocol than it must: which message opens a session, and which ones HTTP
//! wants named in a header. So both eras of the protocol pass.

use std::collections::HashMap;
use std::io::{BufRead, Write};
use std::sync::{Arc, Mutex, PoisonError};

use axum::http::{HeaderMap, Method, Request, StatusCode, Uri, header};
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::task::AbortHandle;

/// Longest message from the client, bytes: what the bridge takes.
const LONGEST: usize = 1 << 20;

/// Why nothing can be passed on.
#[derive(Debug, thiserror::Error)]
pub enum StdioError {
    /// The address is not one of plain HTTP.
    #[error("`{0}` is no address of a running lesson; it looks like http://127.0.0.1:7878/mcp")]
    Address(String),
    /// No runtime.
    #[error("the bridge to stdin and stdout cannot start: {0}")]
    Start(#[from] std::io::Error),
}

/// Why one message was not passed on.
#[derive(Debug, thiserror::Error)]
enum Lost {
    #[error("nobody answers at {0}; is `malloc-vr play` running there? ({1})")]
    Nobody(String, std::io::Error),
    #[error("the connection to the running lesson broke: {0}")]
    Broken(#[from] hyper::Error),
    #[error("the message cannot be written as a request: {0}")]
    Unfit(#[from] axum::http::Error),
    #[error("the running lesson says {0}: {1}")]
    Refused(u16, String),
}

/// Where the running lesson is, and what the session has agreed on.
struct Line {
    uri: Uri,
    token: Option<String>,
    agreed: Mutex<Agreed>,
    out: mpsc::Sender<String>,
    under_way: Mutex<HashMap<String, AbortHandle>>,
}

/// What the opening of a session gave; nothing in the era without sessions.
#[derive(Default, Clone)]
struct Agreed {
    session: Option<String>,
    version: Option<String>,
}

/// Passes messages on until stdin ends.
///
/// # Errors
/// [`StdioError`] where that cannot even begin; a message that is not answered is told to the client.
pub fn serve(url: &str, token: Option<String>) -> Result<(), StdioError> {
    let uri: Uri = url
        .parse()
        .map_err(|_| StdioError::Address(url.to_owned()))?;
    if uri.scheme_str() != Some("http") || uri.host().is_none() {
        return Err(StdioError::Address(url.to_owned()));
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let (lines, mut read) = mpsc::channel::<Vec<u8>>(16);
    std::thread::spawn(move || {
        let mut stdin = std::io::stdin().lock();
        loop {
            let mut line = Vec::new();
            // A client that has gone ends the loop as the end of stdin does.
            match stdin.read_until(b'\n', &mut line) {
                Ok(0) | Err(_) => return,
                Ok(_) if lines.blocking_send(line).is_err() => return,
                Ok(_) => {}
            }
        }
    });
    let (out, mut written) = mpsc::channel::<String>(64);
    let writer = std::thread::spawn(move || {
        let mut stdout = std::io::stdout().lock();
        while let Some(line) = written.blocking_recv() {
            if writeln!(stdout, "{line}")
                .and_then(|()| stdout.flush())
                .is_err()
            {
                return;
            }
        }
    });
    let line = Arc::new(Line {
        uri,
        token,
        agreed: Mutex::default(),
        out,
        under_way: Mutex::default(),
    });
    runtime.block_on(async {
        while let Some(text) = read.recv().await {
            take(&line, &text).await;
        }
        // Answers that are under way are still wanted: a script closes stdin and waits.
        let pending = || !held(&line.under_way).is_empty();
        for _ in 0..300 {
            if !pending() {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        if held(&line.agreed).session.is_some() {
            // Whoever does not hear that the session is over forgets it after a while.
            let _ = line.send(Method::DELETE, Bytes::new(), &Value::Null).await;
        }
    });
    drop(runtime);
    drop(line);
    let _ = writer.join();
    Ok(())
}

fn held<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One message from the client.
async fn take(line: &Arc<Line>, text: &[u8]) {
    if text.iter().all(u8::is_ascii_whitespace) {
        return;
    }
    let message: Value = match serde_json::from_slice(text) {
        _ if text.len() > LONGEST => {
            return line
                .complain(&Value::Null, -32600, "a message has at most 1 MiB")
                .await;
        }
        Ok(message) => message,
        Err(error) => {
            return line
                .complain(&Value::Null, -32700, &error.to_string())
                .await;
        }
    };
    let id = message.get("id").cloned().unwrap_or(Value::Null);
    let method = message
        .get("method")
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned();
    if method == "notifications/cancelled" {
        let meant = message
            .pointer("/params/requestId")
            .map(Value::to_string)
            .unwrap_or_default();
        // In the era without sessions whoever hangs up has cancelled; nothing else is understood there.
        if held(&line.agreed).session.is_none() {
            if let Some(call) = held(&line.under_way).remove(&meant) {
                call.abort();
            }
            return;
        }
    }
    let passing = {
        let (line, method, id) = (line.clone(), method.clone(), id.clone());
        async move {
            if let Err(lost) = line.pass_on(&message).await
                && !id.is_null()
            {
                line.complain(&id, -32000, &lost.to_string()).await;
            }
            held(&line.under_way).remove(&id.to_string());
            if method == "notifications/initialized" {
                tokio::spawn(async move { line.listen().await });
            }
        }
    };
    // What opens a session, and notices, keep their order; requests may overtake each other.
    if id.is_null() || method == "initialize" || method.is_empty() {
        passing.await;
    } else {
        let task = tokio::spawn(passing);
        if !task.is_finished() {
            held(&line.under_way).insert(id.to_string(), task.abort_handle());
        }
    }
}

impl Line {
    async fn complain(&self, id: &Value, code: i32, why: &str) {
        let error =
            json!({ "jsonrpc": "2.0", "id": id, "error": { "code": code, "message": why } });
        let _ = self.out.send(error.to_string()).await;
    }

    async fn pass_on(&self, message: &Value) -> Result<(), Lost> {
        let body = Bytes::from(message.to_string());
        let (status, head, answer) = self.send(Method::POST, body, message).await?;
        if !status.is_success() {
            let text = answer.collect().await?.to_bytes();
            let said: Option<Value> = serde_json::from_slice(&text).ok();
            if said
                .as_ref()
                .is_some_and(|said| said.get("jsonrpc").is_some())
            {
                self.write(&text).await;
                return Ok(());
            }
            // The door itself speaks, not the protocol: no token, no room, no such path.
            let words = said.as_ref().and_then(|said| said.get("message")?.as_str());
            let words = words.map_or_else(
                || String::from_utf8_lossy(&text).into_owned(),
                str::to_owned,
            );
            return Err(Lost::Refused(status.as_u16(), words));
        }
        if message.get("method").and_then(Value::as_str) == Some("initialize") {
            let session = head.get("mcp-session-id").and_then(|it| it.to_str().ok());
            held(&self.agreed).session = session.map(str::to_owned);
        }
        self.hand_out(&head, answer).await
    }

    /// Messages that the running lesson sends of itself; only sessions have them.
    async fn listen(&self) {
        if held(&self.agreed).session.is_none() {
            return;
        }
        // Without the stream the session works, but for notices.
        if let Ok((status, head, answer)) = self.send(Method::GET, Bytes::new(), &Value::Null).await
            && status.is_success()
        {
            let _ = self.hand_out(&head, answer).await;
        }
    }

    async fn send(
        &self,
        method: Method,
        body: Bytes,
        message: &Value,
    ) -> Result<(StatusCode, HeaderMap, Incoming), Lost> {
        let host = self.uri.host().unwrap_or("127.0.0.1");
        let port = self.uri.port_u16().unwrap_or(80);
        let place = format!("{}:{port}", host.trim_matches(['[', ']']));
        let stream = TcpStream::connect((host.trim_matches(['[', ']']), port))
            .await
            .map_err(|error| Lost::Nobody(place, error))?;
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        let path = self.uri.path_and_query().map_or("/mcp", |it| it.as_str());
        let agreed = held(&self.agreed).clone();
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, format!("{host}:{port}"))
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::ACCEPT, "application/json, text/event-stream");
        if let Some(token) = &self.token {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        if let Some(session) = &agreed.session {
            request = request.header("mcp-session-id", session);
        }
        let own = message
            .pointer("/params/_meta/io.modelcontextprotocol~1protocolVersion")
            .and_then(Value::as_str);
        if let Some(version) = own.or(agreed.version.as_deref()) {
            request = request.header("mcp-protocol-version", version);
        }
        if let Some(method) = message.get("method").and_then(Value::as_str) {
            request = request.header("mcp-method", method);
        }
        let named = ["/params/name", "/params/uri"];
        if let Some(name) = named.iter().find_map(|at| message.pointer(at)?.as_str()) {
            request = request.header("mcp-name", name);
        }
        let answer = sender.send_request(request.body(Full::new(body))?).await?;
        let (head, body) = answer.into_parts();
        Ok((head.status, head.headers, body))
    }

    /// Writes every message of an answer to stdout.
    async fn hand_out(&self, head: &HeaderMap, mut body: Incoming) -> Result<(), Lost> {
        if kind(head) != "text/event-stream" {
            let text = body.collect().await?.to_bytes();
            self.write(&text).await;
            return Ok(());
        }
        let mut waiting: Vec<u8> = Vec::new();
        let mut data: Vec<u8> = Vec::new();
        while let Some(frame) = body.frame().await {
            let Ok(bytes) = frame?.into_data() else {
                continue;
            };
            waiting.extend_from_slice(&bytes);
            while let Some(end) = waiting.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = waiting.drain(..=end).collect();
                let line = line.trim_ascii_end();
                if line.is_empty() {
                    self.write(&std::mem::take(&mut data)).await;
                } else if let Some(part) = line.strip_prefix(b"data:") {
                    data.extend_from_slice(part.trim_ascii_start());
                }
            }
        }
        self.write(&data).await;
        Ok(())
    }

    async fn write(&self, text: &[u8]) {
        let Ok(message) = serde_json::from_slice::<Value>(text) else {
            // Priming events and empty acknowledgements say nothing.
            return;
        };
        if let Some(version) = message
            .pointer("/result/protocolVersion")
            .and_then(Value::as_str)
        {
            held(&self.agreed).version = Some(version.to_owned());
        }
        let _ = self.out.send(message.to_string()).await;
    }
}

fn kind(head: &HeaderMap) -> &str {
    let kind = head
        .get(header::CONTENT_TYPE)
        .and_then(|it| it.to_str().ok());
    kind.unwrap_or_default()
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
}
