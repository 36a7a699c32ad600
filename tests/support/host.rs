//! A classroom host as a process of its own, and an instructor at its door.

// Helpers of tests may panic as tests do. Each test program uses what it needs of it.
#![allow(clippy::unwrap_used, clippy::expect_used, dead_code)]

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use futures_util::{SinkExt, StreamExt};
use malloc_vr::protocol::command::CommandBody;
use malloc_vr::protocol::ids::{CommandId, LearnerId};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

/// Nothing here takes longer than this.
pub const PATIENCE: Duration = Duration::from_secs(60);
pub const TOKEN: &str = "a-token-for-a-classroom";

/// `malloc-vr classroom`.
pub struct Host {
    child: Child,
    pub address: String,
    /// How a headset is told to join: what it prints.
    pub headsets: String,
}

impl Host {
    /// Starts one with its data in `home/data`.
    pub fn start(home: &Path, listen: &str) -> Self {
        Self::start_with(home, listen, &[])
    }

    /// The same with more arguments.
    pub fn start_with(home: &Path, listen: &str, more: &[&str]) -> Self {
        let mut command = crate::support::malloc_vr(home);
        command
            .args(["classroom", "--lesson", "first-steps", "--listen", listen])
            .args(more)
            .env("MALLOC_VR_TOKEN", TOKEN)
            .stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let mut address = None;
        let mut lines = stdout.lines();
        for line in lines.by_ref().map_while(Result::ok) {
            address = crate::support::door_in(&line);
            if address.is_some() {
                break;
            }
        }
        let headsets = lines.next().unwrap().unwrap();
        // Whatever else it says goes on being read, so that it never waits for us.
        std::thread::spawn(move || lines.for_each(drop));
        let address = address.expect("the host says where it listens");
        Self {
            child,
            address,
            headsets,
        }
    }

    /// Ends it as the system would, and waits until its store is closed.
    #[cfg(unix)]
    pub fn end(mut self) {
        let id = self.child.id().to_string();
        let killed = std::process::Command::new("kill")
            .arg(&id)
            .status()
            .unwrap();
        assert!(killed.success());
        let begun = Instant::now();
        while self.child.try_wait().unwrap().is_none() {
            assert!(begun.elapsed() < PATIENCE, "the host does not end");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Ends it as a power cut would.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What `/healthz` says, with its status.
pub async fn health(address: &str) -> (u16, Value) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let ask = format!("GET /healthz HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(ask.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, serde_json::from_str(body).unwrap())
}

/// A client that speaks JSON.
pub struct Client(pub WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Client {
    /// Connects with this subprotocol.
    pub async fn connect(address: &str, protocol: &'static str) -> Self {
        let mut request = format!("ws://{address}/ws").into_client_request().unwrap();
        let headers = request.headers_mut();
        headers.insert("authorization", format!("Bearer {TOKEN}").parse().unwrap());
        headers.insert("sec-websocket-protocol", protocol.parse().unwrap());
        let (socket, _) = tokio_tungstenite::connect_async(request).await.unwrap();
        Self(socket)
    }

    /// An instructor on a machine that takes little at once.
    pub async fn slow_instructor(address: &str) -> Self {
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(32 * 1024).unwrap();
        let stream = socket.connect(address.parse().unwrap()).await.unwrap();
        let mut request = format!("ws://{address}/ws").into_client_request().unwrap();
        let headers = request.headers_mut();
        headers.insert("authorization", format!("Bearer {TOKEN}").parse().unwrap());
        let json = malloc_vr::protocol::wire::JSON.parse().unwrap();
        headers.insert("sec-websocket-protocol", json);
        let stream = MaybeTlsStream::Plain(stream);
        let (socket, _) = tokio_tungstenite::client_async(request, stream)
            .await
            .unwrap();
        let mut client = Self(socket);
        client.send(&hello("instructor")).await;
        client.kind("welcome").await;
        client
    }

    /// An instructor who was welcomed.
    pub async fn instructor(address: &str) -> Self {
        let mut client = Self::connect(address, malloc_vr::protocol::wire::JSON).await;
        client.send(&hello("instructor")).await;
        client.kind("welcome").await;
        client
    }

    pub async fn send(&mut self, value: &Value) {
        self.0.send(Message::text(value.to_string())).await.unwrap();
    }

    /// The next message; `None`: the connection ended.
    pub async fn next(&mut self) -> Option<Value> {
        loop {
            let next = tokio::time::timeout(PATIENCE, self.0.next());
            match next.await.expect("something comes in time") {
                Some(Ok(Message::Text(text))) => {
                    return Some(serde_json::from_str(text.as_str()).unwrap());
                }
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                _ => return None,
            }
        }
    }

    /// The next message that `wanted` finds something in.
    pub async fn until<T>(&mut self, mut wanted: impl FnMut(&Value) -> Option<T>) -> T {
        let begun = Instant::now();
        loop {
            let value = self.next().await.expect("the connection is open");
            if let Some(found) = wanted(&value) {
                return found;
            }
            assert!(begun.elapsed() < PATIENCE, "it does not come");
        }
    }

    pub async fn kind(&mut self, kind: &str) -> Value {
        self.until(|value| value.get(kind).cloned()).await
    }

    /// What became of a command.
    pub async fn command(&mut self, learner: LearnerId, body: &CommandBody) -> Value {
        let id = CommandId::fresh();
        let command = json!({ "id": id, "learner": learner, "purpose": "a test", "body": body });
        let begun = Instant::now();
        loop {
            assert!(begun.elapsed() < PATIENCE, "nobody carries it out");
            self.send(&json!({ "command": command })).await;
            let answer = self.until(|value| {
                let about = value.get("answer").or_else(|| value.get("error"))?;
                (about["id"] == json!(id)).then(|| value.clone())
            });
            let answer = answer.await;
            // A busy machine may stand still for longer than an answer may take; sent again it is carried out once.
            if answer["error"]["code"] != "no_answer" {
                return answer;
            }
        }
    }
}

pub fn hello(role: &str) -> Value {
    json!({ "hello": { "protocol": 1, "role": role, "client": { "name": "test", "version": "1" } } })
}
