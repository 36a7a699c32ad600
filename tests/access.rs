//! Who may come in, as guests of every kind try it: real sockets, real TLS, a lesson that runs and an audit log on the disk.

// Helpers of a test may unwrap like the test itself; clippy knows only functions marked as tests.
#![allow(clippy::expect_used, clippy::unwrap_used)]

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bevy::prelude::*;
use futures_util::StreamExt;
use malloc_vr::bridge::access::tokens::{FILE, Grant, Tokens, now_unix_ms};
use malloc_vr::bridge::access::{Offer, Scope};
use malloc_vr::bridge::{Bridge, BridgeConfig, Limits, TlsConfig};
use malloc_vr::protocol::asker::TokenRole;
use malloc_vr::protocol::ids::LearnerId;
use malloc_vr::protocol::privacy::AgeBand;
use malloc_vr::record::{Action, Admission, AuditEntry, Became, Recorder};
use malloc_vr::session::join::Joining;
use malloc_vr::session::pairing::{DoorAlert, Pairing, PairingAsked};
use rmcp::model::{CallToolRequestParams, CallToolResult};
use rmcp::service::RunningService;
use rmcp::transport::StreamableHttpClientTransport;
use rmcp::transport::streamable_http_client::StreamableHttpClientTransportConfig;
use rmcp::{RoleClient, ServiceExt};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, ClientConnection, DigitallySignedStruct, SignatureScheme, StreamOwned};
use serde_json::{Value, json};
use sha2::Digest;

#[path = "support/room.rs"]
mod room;

use room::{RunningLesson, store};

/// Nothing here takes longer than this.
const PATIENCE: Duration = Duration::from_secs(60);
const RUN: &str = "a-token-for-these-tests";

fn config(folder: &Path) -> BridgeConfig {
    BridgeConfig {
        listen: "127.0.0.1:0".parse().unwrap(),
        token: Some(RUN.to_owned()),
        folder: Some(folder.to_owned()),
        ..BridgeConfig::default()
    }
}

/// What the world showed of the door.
#[derive(Resource, Default, Clone)]
struct Seen(Arc<Mutex<(Option<Pairing>, Vec<DoorAlert>)>>);

#[derive(Resource, Clone, Default)]
struct Wishes {
    code: Arc<AtomicBool>,
}

/// A lesson with its door open and its records kept, on a thread of its own.
struct Room {
    door: Door,
    learner: LearnerId,
    seen: Seen,
    wishes: Wishes,
    lesson: RunningLesson,
}

impl Room {
    fn open(folder: &Path) -> Self {
        let bridge = Bridge::start(config(folder)).unwrap();
        let door = Door(bridge.address());
        let joining = Joining::newcomer();
        let learner = joining.learner;
        let (seen, wishes) = (Seen::default(), Wishes::default());
        let (world_seen, world_wishes) = (seen.clone(), wishes.clone());
        let recorder = Recorder::start(store(folder)).unwrap();
        let lesson = RunningLesson::start(bridge, vec![joining], AgeBand::Adult, |app| {
            app.insert_resource(recorder)
                .insert_resource(world_seen)
                .insert_resource(world_wishes)
                .add_systems(Last, (look, wish));
        });
        Self {
            door,
            learner,
            seen,
            wishes,
            lesson,
        }
    }

    /// Waits until something is seen in the world.
    fn sees<T>(&self, wanted: impl Fn(&Option<Pairing>, &[DoorAlert]) -> Option<T>) -> T {
        until(|| {
            let seen = self.seen.0.lock().unwrap();
            wanted(&seen.0, &seen.1)
        })
    }

    async fn mcp(&self, token: &str) -> RunningService<RoleClient, ()> {
        let uri = format!("http://{}/mcp", self.door.0);
        let config = StreamableHttpClientTransportConfig::with_uri(uri).auth_header(token);
        let transport = StreamableHttpClientTransport::from_config(config);
        ().serve(transport).await.unwrap()
    }

    /// Ends the lesson and gives the audit log.
    fn audit(self, folder: &Path) -> Vec<AuditEntry> {
        self.lesson.audit(folder)
    }
}

fn look(pairing: Res<Pairing>, mut alerts: MessageReader<DoorAlert>, seen: Res<Seen>) {
    let mut seen = seen.0.lock().unwrap();
    seen.0 = Some(pairing.clone());
    seen.1.extend(alerts.read().cloned());
}

fn wish(wishes: Res<Wishes>, mut asked: MessageWriter<PairingAsked>) {
    if wishes.code.swap(false, Ordering::Relaxed) {
        asked.write(PairingAsked);
    }
}

fn until<T>(mut found: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = found() {
            return found;
        }
        assert!(Instant::now() < deadline, "it does not come");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// An address that answers HTTP/1.1.
#[derive(Clone, Copy)]
struct Door(SocketAddr);

impl Door {
    fn connect(self) -> TcpStream {
        let stream = TcpStream::connect(self.0).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream
    }

    fn ask(self, line: &str, token: Option<&str>, body: &str) -> Answer {
        self.ask_over(self.connect(), line, token, &[], body)
    }

    fn ask_over(
        self,
        mut stream: impl Read + Write,
        line: &str,
        token: Option<&str>,
        head: &[&str],
        body: &str,
    ) -> Answer {
        let mut request = format!(
            "{line} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nContent-Type: application/json\r\n",
            self.0
        );
        for it in head {
            request += &format!("{it}\r\n");
        }
        if let Some(token) = token {
            request += &format!("Authorization: Bearer {token}\r\n");
        }
        request += &format!("Content-Length: {}\r\n\r\n{body}", body.len());
        let _ = stream.write_all(request.as_bytes());
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        Answer(String::from_utf8_lossy(&answer).into_owned())
    }

    fn pair(self, code: &str) -> Answer {
        let body = json!({ "code": code, "name": "tablet 3" }).to_string();
        self.ask("POST /pair", None, &body)
    }

    /// A token of this kind, from the token of the run.
    fn issue(self, body: &Value) -> (String, String) {
        let answer = self.ask("POST /tokens", Some(RUN), &body.to_string());
        assert_eq!(answer.status(), 201, "{}", answer.0);
        let issued = answer.json();
        let text = |name: &str| issued[name].as_str().unwrap().to_owned();
        (text("token"), text("id"))
    }
}

struct Answer(String);

impl Answer {
    fn status(&self) -> u16 {
        let code = self.0.split(' ').nth(1);
        code.and_then(|code| code.parse().ok()).unwrap_or(0)
    }

    fn json(&self) -> Value {
        let (_, body) = self.0.split_once("\r\n\r\n").unwrap();
        serde_json::from_str(body).unwrap_or_else(|_| panic!("{}", self.0))
    }

    fn head(&self, name: &str) -> Option<String> {
        let (head, _) = self.0.split_once("\r\n\r\n")?;
        let named = |line: &str| {
            let (key, value) = line.split_once(": ")?;
            key.eq_ignore_ascii_case(name).then(|| value.to_owned())
        };
        head.lines().find_map(named)
    }
}

/// Six digits that are not these.
fn other_than(code: &str) -> &'static str {
    if code == "000000" { "000001" } else { "000000" }
}

#[test]
fn a_code_that_is_shown_becomes_a_token_once() {
    let folder = tempfile::tempdir().unwrap();
    let bridge = Bridge::start(config(folder.path())).unwrap();
    let door = Door(bridge.address());
    let code = bridge.open_pairing(Offer::default()).unwrap();
    assert_eq!(code.address, format!("http://{}/", bridge.address()));
    let spaced = format!("{} {}", &code.code[..3], &code.code[3..]);
    let paired = door.pair(&spaced);
    assert_eq!(paired.status(), 201, "{}", paired.0);
    assert_eq!(paired.head("cache-control").as_deref(), Some("no-store"));
    let paired = paired.json();
    assert_eq!(paired["role"], "instructor");
    let token = paired["token"].as_str().unwrap();
    let me = door.ask("GET /tokens/self", Some(token), "").json();
    assert_eq!(
        (&me["id"], &me["name"]),
        (&paired["id"], &json!("tablet 3"))
    );
    let again = door.pair(&code.code);
    assert_eq!(
        (again.status(), &again.json()["error"]),
        (403, &json!("wrong_code"))
    );
    // It holds over a restart, and lies nowhere in the clear.
    drop(bridge);
    let kept = std::fs::read_to_string(folder.path().join(FILE)).unwrap();
    assert!(!kept.contains(token.rsplit('_').next().unwrap()));
    let bridge = Bridge::start(config(folder.path())).unwrap();
    let door = Door(bridge.address());
    assert_eq!(door.ask("GET /tokens/self", Some(token), "").status(), 200);
}

#[test]
fn who_guesses_at_codes_has_to_wait_and_the_world_is_told() {
    // The first wait is a second long; a machine that stands still for so long tries again.
    let (folder, room) = (0..20)
        .find_map(|_| {
            let folder = tempfile::tempdir().unwrap();
            let room = Room::open(folder.path());
            room.wishes.code.store(true, Ordering::Relaxed);
            let code = room.sees(|pairing, _| pairing.as_ref()?.0.clone()).code;
            let begun = Instant::now();
            let statuses: Vec<u16> = (0..5)
                .map(|_| room.door.pair(other_than(&code)).status())
                .collect();
            let right = room.door.pair(&code);
            if begun.elapsed() > Duration::from_millis(900) {
                return None;
            }
            assert_eq!(statuses, [403, 403, 403, 429, 429]);
            assert_eq!(
                right.status(),
                429,
                "the right code does not help who has guessed"
            );
            assert!(right.head("retry-after").is_some());
            Some((folder, room))
        })
        .expect("guessing takes less than a second");
    let alert = room.sees(|_, alerts| alerts.first().cloned());
    assert!(!alert.words.contains("127.0.0.1"), "{}", alert.words);
    let audit = room.audit(folder.path());
    let did = |wanted: Admission| {
        audit
            .iter()
            .any(|entry| matches!(entry.action, Action::Admitted { what, .. } if what == wanted))
    };
    assert!(did(Admission::PairingOpened) && did(Admission::Suspected));
    assert!(!did(Admission::Paired));
}

#[test]
fn expired_revoked_replaced_foreign_and_forged_tokens_are_refused() {
    let (folder, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let grant = |life| Grant {
        name: "a test".to_owned(),
        role: TokenRole::Operator,
        scope: Scope::Class,
        life: Duration::from_secs(life),
    };
    let issue = |folder: &Path, life, at| {
        Tokens::change(&folder.join(FILE), |it| it.issue(grant(life), at)).unwrap()
    };
    let expired = issue(folder.path(), 10, now_unix_ms() - 10_001);
    let foreign = issue(elsewhere.path(), 600, now_unix_ms());
    let bridge = Bridge::start(config(folder.path())).unwrap();
    let door = Door(bridge.address());
    let status = |token: &str| door.ask("GET /tokens/self", Some(token), "").status();
    let (good, id) = door.issue(&json!({ "name": "good", "role": "instructor" }));
    assert_eq!(status(&good), 200);
    let forged_role = good.replace("mvr1_", "mvr2_");
    let last = if good.ends_with('0') { "1" } else { "0" };
    let forged_secret = format!("{}{last}", &good[..good.len() - 1]);
    for (token, why) in [
        (expired.text(), "expired"),
        (foreign.text(), "foreign"),
        (&forged_role, "forged"),
        (&forged_secret, "forged"),
        (&id, "an id alone"),
        ("", "nothing"),
    ] {
        let answer = door.ask("GET /tokens/self", Some(token), "");
        assert_eq!(answer.status(), 401, "{why}: {}", answer.0);
        let challenge = answer.head("www-authenticate").unwrap();
        assert!(challenge.starts_with("Bearer "), "{challenge}");
    }
    let rotated = door.ask("POST /tokens/self/rotate", Some(&good), "").json();
    let fresh = rotated["token"].as_str().unwrap();
    assert_eq!((status(&good), status(fresh)), (401, 200));
    let revoked = door.ask("DELETE /tokens/self", Some(fresh), "");
    assert_eq!((revoked.status(), status(fresh)), (204, 401));
}

#[test]
fn only_operators_manage_who_may_come_in() {
    let folder = tempfile::tempdir().unwrap();
    let bridge = Bridge::start(config(folder.path())).unwrap();
    let door = Door(bridge.address());
    let learner = LearnerId::fresh();
    for (role, learners, status) in [
        ("observer", json!(null), 403),
        ("instructor", json!(null), 403),
        ("learner", json!([learner]), 403),
        ("operator", json!([learner]), 403),
        ("operator", json!(null), 200),
    ] {
        let (token, _) = door.issue(&json!({ "name": "x", "role": role, "learners": learners }));
        assert_eq!(
            door.ask("GET /tokens", Some(&token), "").status(),
            status,
            "{role}"
        );
        let changes = if status == 200 { 201 } else { 403 };
        let body = json!({ "name": "y" }).to_string();
        assert_eq!(
            door.ask("POST /tokens", Some(&token), &body).status(),
            changes
        );
        let offered = door.ask("POST /pairing", Some(&token), "{}");
        assert_eq!(offered.status(), status, "{}", offered.0);
    }
    assert_eq!(door.ask("GET /tokens", None, "").status(), 401);
    let wide = json!({ "name": "x", "role": "learner" }).to_string();
    assert_eq!(door.ask("POST /tokens", Some(RUN), &wide).status(), 400);
    let none = json!({ "name": "x", "learners": [] }).to_string();
    assert_eq!(door.ask("POST /tokens", Some(RUN), &none).status(), 400);
    let unknown = door.ask("DELETE /tokens/0000000000000001", Some(RUN), "");
    assert_eq!(unknown.status(), 404);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_may_not_changes_nothing_by_any_tool_and_the_audit_names_who_tried() {
    let folder = tempfile::tempdir().unwrap();
    let room = Room::open(folder.path());
    let (observer, observer_id) = room.door.issue(&json!({ "name": "x", "role": "observer" }));
    let (stranger, _) = room
        .door
        .issue(&json!({ "name": "y", "learners": [LearnerId::fresh()] }));
    let (teacher, teacher_id) = room.door.issue(&json!({ "name": "z" }));
    let learner = room.learner;
    let client = room.mcp(&teacher).await;
    until_async(|| async { !roster(&client).await.is_empty() }).await;
    let onlooker = room.mcp(&observer).await;
    assert_eq!(roster(&onlooker).await.len(), 1);
    let writes = |tool: &rmcp::model::Tool| {
        let hints = tool.annotations.as_ref();
        hints.is_none_or(|hints| hints.read_only_hint != Some(true))
    };
    let mut tried = 0;
    let offered = onlooker.list_all_tools().await.unwrap();
    assert!(!offered.iter().any(writes), "{offered:?}");
    for tool in client.list_all_tools().await.unwrap() {
        if writes(&tool) {
            let refused = call(
                &onlooker,
                &tool.name,
                json!({ "learner": learner, "text": "x" }),
            )
            .await;
            assert!(is_refused(&refused), "{}: {refused:?}", tool.name);
            tried += 1;
        }
    }
    assert!(tried > 0);
    let elsewhere = room.mcp(&stranger).await;
    assert!(roster(&elsewhere).await.is_empty());
    let refused = call(&elsewhere, "intervene.pause", json!({ "learner": learner })).await;
    assert!(is_refused(&refused), "{refused:?}");
    let paused = json!({ "learner": learner, "purpose": "to talk" });
    let paused = call(&client, "intervene.pause", paused).await.unwrap();
    assert_ne!(paused.is_error, Some(true), "{paused:?}");
    drop((client, onlooker, elsewhere));
    let audit = tokio::task::block_in_place(|| room.audit(folder.path()));
    let line = |by: &str, wanted: Became| {
        audit.iter().any(|entry| {
            let Action::Commanded { act, became, .. } = &entry.action else {
                return false;
            };
            entry.by.actor == by && *became == wanted && act == "pause" && entry.subject.is_some()
        })
    };
    assert!(
        line(&format!("instructor {teacher_id}"), Became::Applied),
        "{audit:?}"
    );
    assert!(
        line(&format!("observer {observer_id}"), Became::NotAllowed),
        "{audit:?}"
    );
    assert!(audit.iter().any(|entry| entry.by.purpose == "to talk"));
}

async fn until_async<F: Future<Output = bool>>(mut found: impl FnMut() -> F) {
    let deadline = Instant::now() + PATIENCE;
    while !found().await {
        assert!(Instant::now() < deadline, "it does not come");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn call(
    client: &RunningService<RoleClient, ()>,
    tool: &str,
    arguments: Value,
) -> Result<CallToolResult, rmcp::ServiceError> {
    let mut arguments = arguments.as_object().cloned().unwrap();
    if tool != "intervene.message" {
        arguments.remove("text");
    }
    let params = CallToolRequestParams::new(tool.to_owned()).with_arguments(arguments);
    client.call_tool(params).await
}

fn is_refused(answer: &Result<CallToolResult, rmcp::ServiceError>) -> bool {
    answer.as_ref().map_or(true, |it| it.is_error == Some(true))
}

async fn roster(client: &RunningService<RoleClient, ()>) -> Vec<Value> {
    let listed = call(client, "class.list_learners", json!({}))
        .await
        .unwrap();
    let roster = listed.structured_content.unwrap();
    roster["learners"].as_array().cloned().unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_revoked_token_ends_the_live_connection_within_seconds() {
    let folder = tempfile::tempdir().unwrap();
    let bridge = Bridge::start(config(folder.path())).unwrap();
    let door = Door(bridge.address());
    let (token, id) = door.issue(&json!({ "name": "x" }));
    let url = format!("ws://{}/ws?token={token}", bridge.address());
    let (mut socket, _) = tokio_tungstenite::connect_async(url).await.unwrap();
    // As the command line does it, in another process.
    let file = folder.path().join(FILE);
    Tokens::change(&file, |it| it.revoke(id.parse().unwrap(), now_unix_ms())).unwrap();
    let ended = async { while let Some(Ok(_)) = socket.next().await {} };
    tokio::time::timeout(PATIENCE, ended)
        .await
        .expect("it ends");
    assert_eq!(door.ask("GET /tokens/self", Some(&token), "").status(), 401);
}

#[test]
fn a_session_of_mcp_is_of_no_use_to_another_token() {
    let folder = tempfile::tempdir().unwrap();
    let bridge = Bridge::start(config(folder.path())).unwrap();
    let door = Door(bridge.address());
    let (other, _) = door.issue(&json!({ "name": "x" }));
    let accept = "Accept: application/json, text/event-stream";
    let hello = json!({ "jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
        "protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": { "name": "t", "version": "1" } } });
    let begin = |token: &str| {
        door.ask_over(
            door.connect(),
            "POST /mcp",
            Some(token),
            &[accept],
            &hello.to_string(),
        )
    };
    let mine = begin(RUN).head("mcp-session-id").expect("a session");
    let list = json!({ "jsonrpc": "2.0", "id": 2, "method": "tools/list" }).to_string();
    let in_session = |token: &str, session: &str| {
        let head = [accept, &format!("Mcp-Session-Id: {session}") as &str];
        door.ask_over(door.connect(), "DELETE /mcp", Some(token), &head, &list)
            .status()
    };
    assert_eq!(in_session(&other, &mine), 404);
    assert_eq!(in_session(RUN, "made-up"), 404);
    assert!((200..300).contains(&in_session(RUN, &mine)));
}

#[test]
fn a_client_that_knows_only_the_address_finds_its_way() {
    let folder = tempfile::tempdir().unwrap();
    let bridge = Bridge::start(config(folder.path())).unwrap();
    let door = Door(bridge.address());
    let challenge = door
        .ask("POST /mcp", None, "{}")
        .head("www-authenticate")
        .unwrap();
    let address = challenge
        .split('"')
        .find(|it| it.starts_with("http://"))
        .unwrap();
    let base = format!("http://{}", bridge.address());
    let path = address.strip_prefix(&base).unwrap();
    let metadata = door.ask(&format!("GET {path}"), None, "").json();
    assert_eq!(metadata["resource"], format!("{base}/mcp"));
    assert_eq!(metadata["bearer_methods_supported"], json!(["header"]));
    let server = metadata["authorization_servers"][0].as_str().unwrap();
    let path = |address: &Value| {
        address
            .as_str()
            .unwrap()
            .strip_prefix(server)
            .unwrap()
            .to_owned()
    };
    let server = door
        .ask("GET /.well-known/oauth-authorization-server", None, "")
        .json();
    let register = |back: &str| {
        let body = json!({ "redirect_uris": [back], "client_name": "<b>Client</b>" }).to_string();
        door.ask(
            &format!("POST {}", path(&server["registration_endpoint"])),
            None,
            &body,
        )
    };
    assert_eq!(register("http://evil.example/").status(), 400);
    let client = register("http://127.0.0.1:9/cb").json()["client_id"].clone();
    let client = client.as_str().unwrap();
    // Verifier and challenge of RFC 7636, appendix B.
    let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    let ask = |back: &str| {
        format!(
            "response_type=code&client_id={client}&redirect_uri={back}&state=a%20b&code_challenge_method=S256\
             &code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
        )
    };
    let authorize = path(&server["authorization_endpoint"]);
    let page = |query: &str| door.ask(&format!("GET {authorize}?{query}"), None, "");
    let good = ask("http%3A%2F%2F127.0.0.1%3A9%2Fcb");
    let shown = page(&good);
    assert_eq!(shown.status(), 200);
    assert!(!shown.0.contains("<b>Client") && shown.0.contains("&lt;b&gt;Client"));
    let policy = shown.head("content-security-policy").unwrap();
    assert!(
        policy.contains("form-action 'self' http://127.0.0.1:9;"),
        "{policy}"
    );
    assert_eq!(page(&ask("http%3A%2F%2F127.0.0.1%3A10%2Fcb")).status(), 400);
    let code = bridge.open_pairing(Offer::default()).unwrap().code;
    let own = [&format!("Origin: {base}") as &str];
    let post = |digits: &str| {
        let form = format!("{good}&code={digits}");
        door.ask_over(
            door.connect(),
            &format!("POST {authorize}"),
            None,
            &own,
            &form,
        )
    };
    assert_eq!(post(other_than(&code)).status(), 403);
    let sent = post(&code);
    assert_eq!(sent.status(), 303, "{}", sent.0);
    let back = sent.head("location").unwrap();
    assert!(
        back.starts_with("http://127.0.0.1:9/cb?code=") && back.ends_with("&state=a%20b"),
        "{back}"
    );
    let code = back.split(['=', '&']).nth(1).unwrap();
    let redeem = |verifier: &str| {
        let form = format!(
            "grant_type=authorization_code&code={code}&client_id={client}&code_verifier={verifier}\
             &redirect_uri=http%3A%2F%2F127.0.0.1%3A9%2Fcb"
        );
        door.ask(
            &format!("POST {}", path(&server["token_endpoint"])),
            None,
            &form,
        )
    };
    let given = redeem(verifier);
    assert_eq!(given.status(), 200, "{}", given.0);
    let given = given.json();
    assert_eq!(
        (&given["token_type"], &given["scope"]),
        (&json!("Bearer"), &json!("instructor"))
    );
    let token = given["access_token"].as_str().unwrap();
    let me = || door.ask("GET /tokens/self", Some(token), "").status();
    assert_eq!(me(), 200);
    // A code that comes twice was stolen: what it became ends.
    assert_eq!(redeem(verifier).json()["error"], "invalid_grant");
    assert_eq!(me(), 401);
}

#[test]
fn every_answer_tells_browsers_to_be_careful() {
    let folder = tempfile::tempdir().unwrap();
    let bridge = Bridge::start(config(folder.path())).unwrap();
    let door = Door(bridge.address());
    for line in ["GET /", "GET /nowhere", "POST /mcp", "GET /healthz"] {
        let answer = door.ask(line, None, "");
        let policy = answer.head("content-security-policy").unwrap();
        assert!(
            policy.contains("frame-ancestors 'none'"),
            "{line}: {policy}"
        );
        assert_eq!(
            answer.head("x-content-type-options").as_deref(),
            Some("nosniff")
        );
        assert_eq!(
            answer.head("referrer-policy").as_deref(),
            Some("same-origin")
        );
    }
    // A form of a foreign page cannot send JSON.
    let form = "Content-Type: text/plain";
    let mut request = format!("POST /pair HTTP/1.1\r\nHost: {}\r\n{form}\r\n", door.0);
    request += "Connection: close\r\nContent-Length: 2\r\n\r\n{}";
    let mut stream = door.connect();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 415"), "{answer}");
}

#[test]
fn beyond_the_most_connections_one_is_hung_up_on_and_places_come_back() {
    let folder = tempfile::tempdir().unwrap();
    let limits = Limits {
        connections: 2,
        ..Limits::default()
    };
    let bridge = Bridge::start(BridgeConfig {
        limits,
        ..config(folder.path())
    })
    .unwrap();
    let door = Door(bridge.address());
    let held = [door.connect(), door.connect()];
    let served = || door.ask("GET /", None, "").status() == 200;
    until(|| (!served()).then_some(()));
    drop(held);
    until(|| served().then_some(()));
}

#[test]
fn a_websocket_keeps_its_place_among_the_connections_as_long_as_it_is_open() {
    let folder = tempfile::tempdir().unwrap();
    let limits = Limits {
        connections: 2,
        ..Limits::default()
    };
    let bridge = Bridge::start(BridgeConfig {
        limits,
        ..config(folder.path())
    })
    .unwrap();
    let door = Door(bridge.address());
    let open = || {
        let mut stream = door.connect();
        let ask = format!(
            "GET /ws?token={} HTTP/1.1\r\nHost: {}\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
            bridge.token(),
            door.0
        );
        stream.write_all(ask.as_bytes()).unwrap();
        let mut head = [0; 12];
        stream.read_exact(&mut head).unwrap();
        assert_eq!(&head, b"HTTP/1.1 101");
        stream
    };
    let held = [open(), open()];
    let served = || door.ask("GET /", None, "").status() == 200;
    // Long enough for the HTTP that they came by to be over.
    for _ in 0..20 {
        assert!(!served(), "a WebSocket has lost its place");
        std::thread::sleep(Duration::from_millis(10));
    }
    drop(held);
    until(|| served().then_some(()));
}

/// Goes by the fingerprint, as a person who reads it from the panel.
#[derive(Debug)]
struct Pinned {
    fingerprint: String,
    provider: Arc<rustls::crypto::CryptoProvider>,
}

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let digest = sha2::Sha256::digest(certificate.as_ref());
        let pairs: Vec<String> = digest.iter().map(|byte| format!("{byte:02X}")).collect();
        if pairs.join(":") == self.fingerprint {
            Ok(ServerCertVerified::assertion())
        } else {
            Err(rustls::Error::General("another certificate".to_owned()))
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, certificate, signed, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, certificate, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        let algorithms = self.provider.signature_verification_algorithms;
        algorithms.supported_schemes()
    }
}

fn secure(
    door: Door,
    fingerprint: &str,
    protocols: &[&[u8]],
) -> std::io::Result<StreamOwned<ClientConnection, TcpStream>> {
    let provider = Arc::new(rustls_graviola::default_provider());
    let verifier = Arc::new(Pinned {
        fingerprint: fingerprint.to_owned(),
        provider: provider.clone(),
    });
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth();
    config.alpn_protocols = protocols.iter().map(|it| it.to_vec()).collect();
    let name = ServerName::from(door.0.ip());
    let mut connection = ClientConnection::new(Arc::new(config), name).unwrap();
    let mut stream = door.connect();
    while connection.is_handshaking() {
        connection.complete_io(&mut stream)?;
    }
    Ok(StreamOwned::new(connection, stream))
}

#[test]
fn an_encrypted_door_shows_its_fingerprint_with_the_code_and_speaks_both_versions_of_http() {
    let folder = tempfile::tempdir().unwrap();
    let start = || {
        let tls = Some(TlsConfig::SelfSigned);
        Bridge::start(BridgeConfig {
            tls,
            ..config(folder.path())
        })
        .unwrap()
    };
    let bridge = start();
    let door = Door(bridge.address());
    let code = bridge.open_pairing(Offer::default()).unwrap();
    assert!(code.address.starts_with("https://"));
    let fingerprint = code.fingerprint.unwrap();
    let stream = secure(door, &fingerprint, &[b"http/1.1"]).unwrap();
    let body = json!({ "code": code.code }).to_string();
    let paired = door.ask_over(stream, "POST /pair", None, &[], &body);
    assert_eq!(paired.status(), 201, "{}", paired.0);
    assert_eq!(paired.json()["fingerprint"], fingerprint);
    let h2 = secure(door, &fingerprint, &[b"h2", b"http/1.1"]).unwrap();
    assert_eq!(h2.conn.alpn_protocol(), Some(&b"h2"[..]));
    let wrong = "00:".repeat(31) + "00";
    assert!(secure(door, &wrong, &[b"http/1.1"]).is_err());
    // Nothing is answered in the clear.
    let plain = door.ask("GET /healthz", None, "");
    assert!(!plain.0.contains("HTTP/1.1 200"), "{}", plain.0);
    // Another guest's nonsense does not disturb.
    door.connect().write_all(&[0xff; 400]).unwrap();
    assert!(secure(door, &fingerprint, &[b"h2"]).is_ok());
    drop(bridge);
    assert_eq!(
        start().fingerprint(),
        Some(&fingerprint as &str),
        "made once and kept"
    );
}
