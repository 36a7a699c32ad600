//! The one door as instructors meet it: a lesson that runs, real MCP and WebSocket clients, and guests who misbehave.

// Helpers of a test may unwrap like the test itself; clippy knows only functions marked as tests.
#![allow(clippy::expect_used, clippy::unwrap_used)]

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use bevy::prelude::*;
use futures_util::{SinkExt, StreamExt};
use malloc_vr::bridge::{Bridge, BridgeConfig, BridgeError};
use malloc_vr::protocol::ids::{CommandId, LearnerId};
use malloc_vr::record::ages::AgeBand;
use malloc_vr::session::join::Joining;
use malloc_vr::session::state::LearnerState;
use rmcp::model::{CallToolRequestParams, CallToolResult, ReadResourceRequestParams};
use rmcp::service::RunningService;
use rmcp::transport::StreamableHttpClientTransport;
use rmcp::transport::streamable_http_client::StreamableHttpClientTransportConfig;
use rmcp::{RoleClient, ServiceExt};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::{Error as WsError, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

#[path = "support/room.rs"]
mod room;

use room::RunningLesson;

/// Nothing here takes longer than this.
const PATIENCE: Duration = Duration::from_secs(20);
const TOKEN: &str = "a-token-for-these-tests";

/// A lesson with its door open, on a thread of its own.
struct Room {
    address: SocketAddr,
    learner: LearnerId,
    /// Whether the learner stands before a step, as the world itself knows.
    taught: Arc<AtomicBool>,
    /// `None`: nobody is behind the door.
    _lesson: Option<RunningLesson>,
}

#[derive(Resource)]
struct Taught(Arc<AtomicBool>);

impl Room {
    /// A grown-up plays.
    fn open() -> Self {
        Self::open_for(AgeBand::Adult)
    }

    fn open_for(band: AgeBand) -> Self {
        let bridge = Bridge::start(config("127.0.0.1:0")).unwrap();
        let address = bridge.address();
        let joining = Joining::newcomer();
        let learner = joining.learner;
        let taught = Arc::new(AtomicBool::new(false));
        let teaches = Taught(taught.clone());
        let lesson = RunningLesson::start(bridge, vec![joining], band, |app| {
            app.insert_resource(teaches).add_systems(
                Last,
                |taught: Res<Taught>, learners: Query<&LearnerState>| {
                    let stands = learners.iter().any(|state| state.step.is_some());
                    taught.0.store(stands, Ordering::Relaxed);
                },
            );
        });
        Self {
            address,
            learner,
            taught,
            _lesson: Some(lesson),
        }
    }

    async fn socket(&self) -> Socket {
        let url = format!("ws://{}/ws?token={TOKEN}", self.address);
        let (socket, _) = tokio_tungstenite::connect_async(url).await.unwrap();
        Socket(socket)
    }

    /// A connection with an operator's own token: what the program printed says nothing of who attests.
    async fn operators_socket(&self) -> Socket {
        let head = [
            &format!("Authorization: Bearer {TOKEN}") as &str,
            "Content-Type: application/json",
        ];
        let wish = json!({ "name": "the school's office", "role": "operator" }).to_string();
        let (status, answer) = self.ask("POST /tokens", &head, &wish);
        assert_eq!(status, 201, "{answer}");
        let token = answer.split("\"token\":\"").nth(1).unwrap();
        let token = token.split('"').next().unwrap();
        let url = format!("ws://{}/ws?token={token}", self.address);
        let (socket, _) = tokio_tungstenite::connect_async(url).await.unwrap();
        Socket(socket)
    }

    /// An MCP client.
    async fn mcp(&self) -> RunningService<RoleClient, ()> {
        let uri = format!("http://{}/mcp", self.address);
        let config = StreamableHttpClientTransportConfig::with_uri(uri).auth_header(TOKEN);
        let transport = StreamableHttpClientTransport::from_config(config);
        ().serve(transport).await.unwrap()
    }

    /// Sends `request` as it is and gives everything that comes back.
    fn raw(&self, request: &[u8]) -> String {
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        // The door may close before it has read everything.
        let _ = stream.write_all(request);
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        String::from_utf8_lossy(&answer).into_owned()
    }

    /// A request with these lines in its head.
    fn ask(&self, line: &str, head: &[&str], body: &str) -> (u16, String) {
        let mut request = format!("{line} HTTP/1.1\r\nConnection: close\r\n");
        if !head.iter().any(|it| it.starts_with("Host:")) {
            request += &format!("Host: {}\r\n", self.address);
        }
        for it in head {
            request += &format!("{it}\r\n");
        }
        request += &format!("Content-Length: {}\r\n\r\n{body}", body.len());
        let answer = self.raw(request.as_bytes());
        let status = answer
            .split(' ')
            .nth(1)
            .and_then(|code| code.parse().ok())
            .unwrap_or(0);
        (status, answer)
    }
}

fn config(listen: &str) -> BridgeConfig {
    BridgeConfig {
        listen: listen.parse().unwrap(),
        token: Some(TOKEN.to_owned()),
        ..BridgeConfig::default()
    }
}

/// A WebSocket client.
struct Socket(WebSocketStream<MaybeTlsStream<tokio::net::TcpStream>>);

impl Socket {
    /// The next message that `wanted` finds something in.
    async fn until<T>(&mut self, mut wanted: impl FnMut(&Value) -> Option<T>) -> T {
        let found = async {
            loop {
                match self
                    .0
                    .next()
                    .await
                    .expect("the connection is open")
                    .unwrap()
                {
                    Message::Text(text) => {
                        let value = serde_json::from_str(text.as_str()).unwrap();
                        if let Some(found) = wanted(&value) {
                            return found;
                        }
                    }
                    Message::Ping(_) | Message::Pong(_) => {}
                    other => panic!("unexpected: {other:?}"),
                }
            }
        };
        tokio::time::timeout(PATIENCE, found)
            .await
            .expect("it comes in time")
    }

    async fn kind(&mut self, kind: &str) -> Value {
        self.until(|value| value.get(kind).cloned()).await
    }

    async fn send(&mut self, value: &Value) {
        self.0.send(Message::text(value.to_string())).await.unwrap();
    }

    async fn command(&mut self, id: CommandId, learner: LearnerId, body: Value) -> Value {
        self.send(&json!({ "command": { "id": id, "learner": learner, "purpose": "a test", "body": body } }))
            .await;
        self.until(|value| {
            let answer = value.get("answer")?;
            (answer["id"] == json!(id)).then(|| answer.clone())
        })
        .await
    }

    /// Waits until the lesson has reached its first step.
    async fn first_step(&mut self) -> Value {
        self.until(|value| {
            let snapshot = value.get("snapshot")?;
            (!snapshot["step"].is_null()).then(|| snapshot.clone())
        })
        .await
    }
}

async fn call(
    client: &RunningService<RoleClient, ()>,
    tool: &'static str,
    arguments: Value,
) -> CallToolResult {
    let arguments = arguments.as_object().cloned().unwrap_or_default();
    client
        .call_tool(CallToolRequestParams::new(tool).with_arguments(arguments))
        .await
        .unwrap()
}

#[tokio::test]
async fn the_live_stream_greets_shows_the_state_and_tells_what_happens() {
    let room = Room::open();
    let mut socket = room.socket().await;
    let mut first = None;
    let hello = socket
        .until(|value| {
            first.get_or_insert_with(|| value.clone());
            value.get("hello").cloned()
        })
        .await;
    assert!(
        first.unwrap().get("hello").is_some(),
        "the greeting comes first"
    );
    assert!(hello["protocol"].is_u64());
    socket.first_step().await;
    let (id, pause) = (CommandId::fresh(), json!({ "do": "pause" }));
    let mut other = room.socket().await;
    other.first_step().await;
    let answer = socket.command(id, room.learner, pause.clone()).await;
    assert_eq!(answer["outcome"]["outcome"], "applied", "{answer}");
    assert!(
        answer["message"]
            .as_str()
            .is_some_and(|words| !words.is_empty())
    );
    let paused = |value: &Value| {
        (value["event"]["body"]["type"] == "paused").then(|| value["event"].clone())
    };
    let event = other.until(paused).await;
    assert_eq!(event["learner"], json!(room.learner));

    // Sent again, for example after a broken connection: answered again, done once.
    let again = socket.command(id, room.learner, pause).await;
    assert_eq!(again["outcome"], answer["outcome"]);
    let refused = socket
        .command(CommandId::fresh(), room.learner, json!({ "do": "pause" }))
        .await;
    assert_eq!(refused["outcome"]["outcome"], "refused", "{refused}");
}

#[tokio::test]
async fn a_late_client_sees_at_once_what_is() {
    let room = Room::open();
    room.socket().await.first_step().await;
    let mut late = room.socket().await;
    assert_eq!(late.kind("snapshot").await["learner"], json!(room.learner));
}

#[tokio::test]
async fn nonsense_is_answered_and_the_connection_stays() {
    let room = Room::open();
    let mut socket = room.socket().await;
    socket.first_step().await;
    let learner = room.learner;
    for (text, expected) in [
        ("{".to_owned(), "EOF"),
        ("[]".to_owned(), "not understood"),
        (r#"{"commando":1}"#.to_owned(), "commando"),
        (
            format!(
                r#"{{"command":{{"learner":"{learner}","body":{{"do":"give_hint","levle":2}}}}}}"#
            ),
            "levle",
        ),
        (
            format!(r#"{{"command":{{"learner":"{learner}","body":{{"do":"dance"}}}}}}"#),
            "dance",
        ),
    ] {
        socket.0.send(Message::text(text)).await.unwrap();
        let error = socket.kind("error").await;
        assert!(
            error["message"].as_str().unwrap().contains(expected),
            "{error}"
        );
    }
    socket.0.send(Message::binary(vec![0_u8; 8])).await.unwrap();
    assert!(
        socket.kind("error").await["message"]
            .as_str()
            .unwrap()
            .contains("text")
    );
    let nobody = socket
        .command(
            CommandId::fresh(),
            LearnerId::fresh(),
            json!({ "do": "pause" }),
        )
        .await;
    assert_eq!(nobody["outcome"]["reason"], "no_such_learner", "{nobody}");
}

#[tokio::test]
async fn a_flood_of_commands_is_slowed_down_and_the_world_goes_on() {
    let room = Room::open();
    let mut socket = room.socket().await;
    socket.first_step().await;
    for _ in 0..200 {
        socket
            .send(&json!({ "command": { "learner": room.learner, "body": { "do": "resume" } } }))
            .await;
    }
    let (mut answered, mut refused) = (0, 0);
    while answered + refused < 200 {
        socket
            .until(|value| {
                let about = value.get("answer").or_else(|| value.get("error"))?;
                // What stood still for too long was taken, too.
                let slowed = about["code"] == "too_fast";
                refused += usize::from(slowed);
                answered += usize::from(!slowed);
                Some(())
            })
            .await;
    }
    assert!(answered >= 20, "{answered}");
    assert!(refused >= 50, "{refused}");
    healthy(&room);
}

#[tokio::test]
async fn a_message_that_is_too_long_ends_only_its_own_connection() {
    let room = Room::open();
    let mut socket = room.socket().await;
    socket.first_step().await;
    let _ = socket.0.send(Message::text("x".repeat(100_000))).await;
    let closed = async {
        loop {
            match socket.0.next().await {
                None | Some(Err(_) | Ok(Message::Close(_))) => return,
                Some(Ok(_)) => {}
            }
        }
    };
    tokio::time::timeout(PATIENCE, closed).await.unwrap();
    room.socket().await.first_step().await;
}

#[tokio::test]
async fn without_the_token_neither_door_opens() {
    let room = Room::open();
    for url in [
        format!("ws://{}/ws", room.address),
        format!("ws://{}/ws?token=wrong", room.address),
    ] {
        match tokio_tungstenite::connect_async(url).await {
            Err(WsError::Http(response)) => assert_eq!(response.status(), 401),
            other => panic!("{other:?}"),
        }
    }
    for head in [
        vec![],
        vec!["Authorization: Bearer wrong-token-of-some-length"],
        vec!["Authorization: Basic YTpi"],
        vec!["Authorization: Bearer "],
    ] {
        let (status, answer) = room.ask("POST /mcp", &head, "{}");
        assert_eq!(status, 401, "{answer}");
        assert!(answer.contains("Authorization: Bearer TOKEN"), "{answer}");
        assert!(
            answer.to_lowercase().contains("www-authenticate: bearer"),
            "{answer}"
        );
    }
    // The token is for headers; in the address of /mcp it would land in logs.
    assert_eq!(
        room.ask(&format!("POST /mcp?token={TOKEN}"), &[], "{}").0,
        401
    );
}

#[test]
fn foreign_pages_and_foreign_names_stay_outside() {
    let room = Room::open();
    let token = format!("Authorization: Bearer {TOKEN}");
    for line in ["GET /healthz", "GET /", "POST /mcp", "GET /ws"] {
        for head in [
            "Origin: https://evil.example",
            "Origin: null",
            "Host: evil.example",
        ] {
            let (status, answer) = room.ask(line, &[&token, head], "");
            assert_eq!(status, 403, "{line} {head}: {answer}");
        }
    }
    // The world may not have ticked yet: let through is what counts here.
    let (status, _) = room.ask("GET /healthz", &["Origin: http://localhost:5173"], "");
    assert!([200, 503].contains(&status), "{status}");
}

#[test]
fn health_is_told_without_a_token_and_says_nothing_about_anybody() {
    let room = Room::open();
    let begun = Instant::now();
    let (status, answer) = loop {
        let (status, answer) = room.ask("GET /healthz", &[], "");
        let is_told = status == 200 && answer.contains("\"learners\":1");
        if is_told || begun.elapsed() > PATIENCE {
            break (status, answer);
        }
    };
    assert_eq!(status, 200, "{answer}");
    assert!(answer.contains("\"ticking\":true"), "{answer}");
    assert!(!answer.contains(&room.learner.to_string()));
    assert_eq!(room.ask("GET /", &[], "").0, 200);
    let (status, answer) = room.ask("GET /nowhere", &[], "");
    assert_eq!(status, 404);
    assert!(answer.contains("/healthz"), "{answer}");
}

#[test]
fn a_world_that_does_not_tick_is_not_healthy() {
    let bridge = Bridge::start(config("127.0.0.1:0")).unwrap();
    let room = Room {
        taught: Arc::default(),
        address: bridge.address(),
        learner: LearnerId::fresh(),
        _lesson: None,
    };
    let (status, answer) = room.ask("GET /healthz", &[], "");
    assert_eq!(status, 503);
    assert!(answer.contains("\"ticking\":false"), "{answer}");
}

#[test]
fn oversized_and_broken_requests_are_turned_away_and_the_next_is_served() {
    let room = Room::open();
    let head = [
        &format!("Authorization: Bearer {TOKEN}") as &str,
        "Content-Type: application/json",
        "Accept: application/json, text/event-stream",
    ];
    let (status, answer) = room.ask("POST /mcp", &head, &"x".repeat(2 << 20));
    assert!(status == 413 || status == 0, "{answer}");
    let (status, _) = room.ask("POST /mcp", &head, "{\"jsonrpc\":");
    assert!((400..500).contains(&status), "{status}");
    for garbage in [
        &b"\x00\xff\xfe\r\n\r\n"[..],
        b"GET\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
        b"GET /ws HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
    ] {
        let answer = room.raw(garbage);
        assert!(
            answer.is_empty() || answer.starts_with("HTTP/1.1 4"),
            "{answer}"
        );
    }
    healthy(&room);
}

#[test]
fn a_port_is_free_again_when_the_door_is_closed() {
    let bridge = Bridge::start(config("127.0.0.1:0")).unwrap();
    let address = bridge.address().to_string();
    let taken = Bridge::start(config(&address))
        .err()
        .expect("the port is taken");
    assert!(matches!(taken, BridgeError::Listen { .. }));
    assert!(
        taken.to_string().contains(&address) && taken.to_string().contains("--listen"),
        "{taken}"
    );
    drop(bridge);
    drop(Bridge::start(config(&address)).unwrap());
}

#[test]
fn a_door_to_the_network_and_a_weak_token_must_be_meant() {
    assert!(matches!(
        Bridge::start(config("0.0.0.0:0")),
        Err(BridgeError::Plaintext { .. })
    ));
    let with_token = |token: &str| {
        Bridge::start(BridgeConfig {
            token: Some(token.to_owned()),
            ..config("127.0.0.1:0")
        })
        .err()
    };
    assert!(matches!(
        with_token("short"),
        Some(BridgeError::ShortToken { length: 5 })
    ));
    assert!(matches!(
        with_token("a token with many spaces"),
        Some(BridgeError::UnfitToken)
    ));
    let fresh = Bridge::start(BridgeConfig {
        token: None,
        ..config("127.0.0.1:0")
    })
    .unwrap();
    assert_eq!(fresh.token().len(), 64);
}

#[tokio::test]
async fn who_asks_a_world_that_stands_still_gets_a_clear_answer() {
    let bridge = Bridge::start(config("127.0.0.1:0")).unwrap();
    let url = format!("ws://{}/ws?token={TOKEN}", bridge.address());
    let (socket, _) = tokio_tungstenite::connect_async(url).await.unwrap();
    let mut socket = Socket(socket);
    socket
        .send(&json!({ "command": { "learner": LearnerId::fresh(), "body": { "do": "pause" } } }))
        .await;
    let error = socket.kind("error").await;
    let words = error["message"].as_str().unwrap();
    assert!(
        words.contains("2 s") && words.contains("healthz"),
        "{words}"
    );
}
/// Waits until the world has ticked and says so.
fn healthy(room: &Room) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while room.ask("GET /healthz", &[], "").0 != 200 {
        assert!(Instant::now() < deadline, "the world does not tick");
        std::thread::yield_now();
    }
}

/// Everything that comes until a command for nobody is answered: by then whatever was to be said before is said.
async fn heard(socket: &mut Socket) -> Vec<String> {
    let id = CommandId::fresh();
    let nobody = LearnerId::fresh();
    let body = json!({ "do": "pause" });
    socket
        .send(&json!({ "command": { "id": id, "learner": nobody, "body": body } }))
        .await;
    let mut heard = Vec::new();
    socket
        .until(|value| {
            heard.push(value.to_string());
            (value["answer"]["id"] == json!(id)).then_some(())
        })
        .await;
    heard
}

fn consent(actor: &str, method: &str) -> Value {
    json!({ "do": "give_consent", "scopes": ["leave_headset", "instructor_view"], "text_version": "1",
            "actor": actor, "evidence": { "method": method } })
}

#[tokio::test]
async fn nothing_of_a_child_leaves_without_consent_and_the_lesson_goes_on() {
    for band in [AgeBand::Under13, AgeBand::Unknown] {
        let room = Room::open_for(band);
        let mut socket = room.socket().await;
        let deadline = Instant::now() + PATIENCE;
        while !room.taught.load(Ordering::Relaxed) {
            assert!(Instant::now() < deadline, "the lesson does not begin");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let id = room.learner.to_string();
        for text in heard(&mut socket).await {
            assert!(!text.contains(&id), "{text}");
            assert!(
                !text.contains("snapshot") && !text.contains("\"event\""),
                "{text}"
            );
        }
        let client = room.mcp().await;
        let listed = client.list_all_resources().await.unwrap();
        assert!(listed.iter().all(|it| !it.uri.contains(&id)), "{listed:?}");
        let listed = call(&client, "class.list_learners", json!({})).await;
        assert!(!format!("{listed:?}").contains(&id), "{listed:?}");
        let asked = call(&client, "learner.get_state", json!({ "learner": id })).await;
        assert_eq!(asked.is_error, Some(true));
        let uri = format!("learner://{id}");
        assert!(
            client
                .read_resource(ReadResourceRequestParams::new(uri))
                .await
                .is_err()
        );
        let (_, health) = room.ask("GET /healthz", &[], "");
        assert!(health.contains("\"learners\":0"), "{health}");

        // Whoever knows the pseudonym gets no answer that tells of the learner either …
        for body in [
            json!({ "do": "pause" }),
            json!({ "do": "give_hint", "level": null }),
        ] {
            let answer = socket.command(CommandId::fresh(), room.learner, body).await;
            assert_eq!(answer["outcome"]["reason"], "not_agreed", "{answer}");
        }
        // … and a press on a screen opens nothing.
        for body in [
            consent("guardian", "on_screen"),
            consent("learner", "in_person"),
        ] {
            let answer = socket.command(CommandId::fresh(), room.learner, body).await;
            assert_eq!(answer["outcome"]["outcome"], "refused", "{answer}");
        }
        assert!(
            heard(&mut socket)
                .await
                .iter()
                .all(|text| !text.contains("snapshot"))
        );
    }
}

#[tokio::test]
async fn a_consent_opens_the_door_and_its_withdrawal_shuts_it_at_once() {
    let room = Room::open_for(AgeBand::Under13);
    healthy(&room);
    let given = consent("guardian", "signed_form");
    let mut socket = room.socket().await;
    let answer = socket
        .command(CommandId::fresh(), room.learner, given.clone())
        .await;
    assert_eq!(answer["outcome"]["reason"], "not_for_you", "{answer}");
    let mut socket = room.operators_socket().await;
    let answer = socket
        .command(CommandId::fresh(), room.learner, given)
        .await;
    assert_eq!(answer["outcome"]["outcome"], "applied", "{answer}");
    socket.first_step().await;
    let answer = socket
        .command(CommandId::fresh(), room.learner, json!({ "do": "pause" }))
        .await;
    assert_eq!(answer["outcome"]["outcome"], "applied", "{answer}");
    let no = json!({ "do": "withdraw_consent", "scopes": ["leave_headset"], "actor": "guardian" });
    socket
        .send(&json!({ "command": { "learner": room.learner, "body": no } }))
        .await;
    // Answer and farewell come in either order.
    let (mut answer, mut gone) = (Value::Null, Value::Null);
    socket
        .until(|value| {
            for (kind, seen) in [("answer", &mut answer), ("gone", &mut gone)] {
                if let Some(it) = value.get(kind) {
                    *seen = it.clone();
                }
            }
            (!answer.is_null() && !gone.is_null()).then_some(())
        })
        .await;
    assert_eq!(answer["outcome"]["outcome"], "applied", "{answer}");
    assert_eq!(gone["learner"], json!(room.learner));
    let answer = socket
        .command(CommandId::fresh(), room.learner, json!({ "do": "resume" }))
        .await;
    assert_eq!(answer["outcome"]["reason"], "not_agreed", "{answer}");
    assert!(
        heard(&mut socket)
            .await
            .iter()
            .all(|text| !text.contains("snapshot"))
    );
    // The school cannot open what the guardian shut.
    let school = consent("school", "school_agreement");
    let answer = socket
        .command(CommandId::fresh(), room.learner, school)
        .await;
    assert_eq!(answer["outcome"]["outcome"], "refused", "{answer}");
}

#[tokio::test]
async fn who_restricts_their_record_is_not_shown_and_consents_are_no_news_for_instructors() {
    let room = Room::open();
    let mut socket = room.socket().await;
    socket.first_step().await;
    let id = CommandId::fresh();
    let body = json!({ "do": "restrict", "actor": "learner", "ground": "objection" });
    socket
        .send(&json!({ "command": { "id": id, "learner": room.learner, "body": body } }))
        .await;
    let mut before = Vec::new();
    socket
        .until(|value| {
            before.push(value.to_string());
            value.get("gone").cloned()
        })
        .await;
    assert!(
        before
            .iter()
            .all(|text| !text.contains("processing_restricted")),
        "{before:?}"
    );
    let lift = json!({ "do": "lift_restriction", "actor": "learner" });
    let answer = socket.command(CommandId::fresh(), room.learner, lift).await;
    assert_eq!(answer["outcome"]["outcome"], "applied", "{answer}");
    socket.kind("snapshot").await;
}
