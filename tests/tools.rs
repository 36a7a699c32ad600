//! What instructors and operators can do over MCP, as real clients do it: a lesson that runs, its records on the disk, and
//! for each tool what then stands in the world, in the log and in the audit.

// Helpers of a test may unwrap like the test itself; clippy knows only functions marked as tests.
#![allow(clippy::expect_used, clippy::unwrap_used)]
// Logging to the client is what every client before 2026-07-28 expects.
#![allow(deprecated)]

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bevy::prelude::*;
use malloc_vr::bridge::access::tokens::{FILE, Grant, Tokens, now_unix_ms};
use malloc_vr::bridge::access::{Act, Scope};
use malloc_vr::bridge::mcp::catalogue::Catalogue;
use malloc_vr::bridge::{Bridge, BridgeConfig};
use malloc_vr::interaction::MovedGently;
use malloc_vr::lesson;
use malloc_vr::protocol::asker::TokenRole;
use malloc_vr::protocol::ids::{CommandId, LearnerId};
use malloc_vr::protocol::privacy::AgeBand;
use malloc_vr::record::{Action, AuditEntry, Recorder};
use malloc_vr::session::join::Joining;
use malloc_vr::ui::{ReadingSettings, UiPlugin};
use malloc_vr::xr::rig::{Head, SeatedOffset};
use rmcp::model::{
    CallToolRequestParams, CallToolResult, ClientInfo, LoggingMessageNotificationParam,
    ReadResourceRequestParams,
};
use rmcp::service::{NotificationContext, RunningService};
use rmcp::transport::StreamableHttpClientTransport;
use rmcp::transport::streamable_http_client::StreamableHttpClientTransportConfig;
use rmcp::{ClientHandler, RoleClient, ServiceExt};
use serde_json::{Value, json};

#[path = "support/room.rs"]
mod room;

use room::{RunningLesson, store};

/// Nothing here takes longer than this.
const PATIENCE: Duration = Duration::from_secs(60);
const RUN: &str = "a-token-for-these-tests";

/// What the learner's headset shows and does, as far as tools change it.
#[derive(Debug, Clone, Default)]
struct Headset {
    large_text: bool,
    captions: bool,
    seated: f32,
    turn: f32,
}

#[derive(Resource, Clone, Default)]
struct Seen(Arc<Mutex<Headset>>);

/// A lesson with two learners, its door open and its records kept, on a thread of its own.
struct Room {
    address: SocketAddr,
    learners: [LearnerId; 2],
    seen: Seen,
    lesson: RunningLesson,
}

impl Room {
    fn open(folder: &Path) -> Self {
        let bridge = Bridge::start(BridgeConfig {
            listen: "127.0.0.1:0".parse().unwrap(),
            token: Some(RUN.to_owned()),
            folder: Some(folder.to_owned()),
            ..BridgeConfig::default()
        })
        .unwrap();
        let address = bridge.address();
        let joining = [Joining::newcomer(), Joining::newcomer()];
        let learners = joining.each_ref().map(|it| it.learner);
        let seen = Seen::default();
        let world_seen = seen.clone();
        let recorder = Recorder::start(store(folder)).unwrap();
        let lesson = RunningLesson::start(bridge, joining.into(), AgeBand::Adult, |app| {
            app.add_plugins(UiPlugin)
                .init_resource::<MovedGently>()
                .insert_resource(recorder)
                .insert_resource(world_seen)
                .add_systems(Last, look);
            app.world_mut()
                .spawn((Head, Transform::from_xyz(0.0, 1.6, 0.0)));
        });
        Self {
            address,
            learners,
            seen,
            lesson,
        }
    }

    async fn client(&self, token: &str) -> Client {
        let (client, _) = self.hearing(token).await;
        client
    }

    async fn hearing(&self, token: &str) -> (Client, Arc<Mutex<Vec<String>>>) {
        let uri = format!("http://{}/mcp", self.address);
        let config = StreamableHttpClientTransportConfig::with_uri(uri).auth_header(token);
        let heard = Arc::new(Mutex::new(Vec::new()));
        let person = Person(heard.clone());
        let transport = StreamableHttpClientTransport::from_config(config);
        (person.serve(transport).await.unwrap(), heard)
    }

    /// A client of whoever started it, once both learners stand before their first step.
    async fn operator(&self) -> Client {
        let client = self.client(RUN).await;
        until(async || {
            let seen = call(&client, "class.list_learners", json!({})).await;
            let all = seen["learners"].as_array().unwrap();
            (all.len() == 2 && all.iter().all(|it| it["step"].is_string())).then_some(())
        })
        .await;
        client
    }

    fn first(&self) -> LearnerId {
        self.learners[0]
    }

    /// Ends the lesson and gives the audit log.
    fn audit(self, folder: &Path) -> Vec<AuditEntry> {
        self.lesson.audit(folder)
    }
}

fn look(
    reading: Res<ReadingSettings>,
    seated: Res<SeatedOffset>,
    gently: Res<MovedGently>,
    seen: Res<Seen>,
) {
    *seen.0.lock().unwrap() = Headset {
        large_text: reading.large_text,
        captions: reading.captions,
        seated: seated.0,
        turn: gently.turn.to_degrees(),
    };
}

/// A token of a role, as `malloc-vr tokens issue` makes it.
fn issue(folder: &Path, role: TokenRole, learner: LearnerId) -> String {
    let scope = match role {
        TokenRole::Learner => Scope::Learners([learner].into()),
        _ => Scope::Class,
    };
    let grant = Grant {
        name: format!("a test's {role}"),
        role,
        scope,
        life: Duration::from_secs(3600),
    };
    let made = Tokens::change(&folder.join(FILE), |tokens| {
        tokens.issue(grant, now_unix_ms())
    });
    made.unwrap().text().to_owned()
}

struct Person(Arc<Mutex<Vec<String>>>);

impl ClientHandler for Person {
    fn get_info(&self) -> ClientInfo {
        ClientInfo::default()
    }

    async fn on_logging_message(
        &self,
        params: LoggingMessageNotificationParam,
        _: NotificationContext<RoleClient>,
    ) {
        let line = format!("{:?} {}", params.level, params.data);
        self.0.lock().unwrap().push(line);
    }
}

type Client = RunningService<RoleClient, Person>;

async fn try_call(client: &Client, tool: &str, arguments: Value) -> CallToolResult {
    let arguments = arguments.as_object().cloned().unwrap_or_default();
    let params = CallToolRequestParams::new(tool.to_owned()).with_arguments(arguments);
    tokio::time::timeout(PATIENCE, client.call_tool(params))
        .await
        .expect("it answers in time")
        .unwrap()
}

/// The structured result of a call that succeeds.
async fn call(client: &Client, tool: &str, arguments: Value) -> Value {
    let result = try_call(client, tool, arguments).await;
    assert_ne!(result.is_error, Some(true), "{tool}: {}", words(&result));
    result.structured_content.unwrap()
}

/// The words of a call that fails.
async fn refused(client: &Client, tool: &str, arguments: Value) -> String {
    let result = try_call(client, tool, arguments).await;
    assert_eq!(result.is_error, Some(true), "{tool}: {}", words(&result));
    words(&result)
}

/// The same for what asks back: a client that cannot ask anybody brings the token back.
async fn confirmed(client: &Client, tool: &str, mut arguments: Value) -> Value {
    let asked = refused(client, tool, arguments.clone()).await;
    assert!(asked.contains("cannot be undone"), "{asked}");
    let token = asked.split("confirm: \\\"").nth(1).unwrap();
    arguments["confirm"] = json!(token.split("\\\"").next().unwrap());
    call(client, tool, arguments).await
}

fn words(result: &CallToolResult) -> String {
    let text = serde_json::to_string(&result.content).unwrap();
    text.replace("\\\\", "\\")
}

async fn until<T>(mut found: impl AsyncFnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = found().await {
            return found;
        }
        assert!(begun.elapsed() < PATIENCE, "it does not come");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

async fn state(client: &Client, learner: LearnerId) -> Value {
    call(client, "learner.get_state", json!({ "learner": learner })).await
}

/// The latest events of a learner.
async fn events(client: &Client, learner: LearnerId) -> Vec<Value> {
    let seen = call(client, "learner.timeline", json!({ "learner": learner })).await;
    seen["events"].as_array().unwrap().clone()
}

/// The first event that is this one, once it is there.
async fn event(client: &Client, learner: LearnerId, is: impl Fn(&Value) -> bool) -> Value {
    until(async || events(client, learner).await.into_iter().find(&is)).await
}

/// The event of a command that was carried out, with who and why.
async fn applied(client: &Client, learner: LearnerId, what: &str) -> Value {
    event(client, learner, |it| {
        it["body"]["type"] == "command_applied" && it["body"]["command"]["body"]["do"] == what
    })
    .await
}

async fn read(client: &Client, uri: &str) -> Vec<String> {
    let read = client
        .read_resource(ReadResourceRequestParams::new(uri))
        .await
        .unwrap_or_else(|error| panic!("{uri}: {error}"));
    let contents = serde_json::to_value(&read.contents).unwrap();
    let text = |it: &Value| it["text"].as_str().unwrap().to_owned();
    contents.as_array().unwrap().iter().map(text).collect()
}

/// Status and body of a request by hand.
fn http(address: SocketAddr, line: &str, token: &str, body: &Value) -> (u16, String) {
    let mut socket = TcpStream::connect(address).unwrap();
    let body = body.to_string();
    let request = format!(
        "{line} HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n\
         Content-Type: application/json\r\nAccept: application/json, text/event-stream\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    socket.write_all(request.as_bytes()).unwrap();
    let mut answer = Vec::new();
    let _ = socket.read_to_end(&mut answer);
    let text = String::from_utf8_lossy(&answer).into_owned();
    let status = text.split(' ').nth(1).and_then(|it| it.parse().ok());
    (status.unwrap_or(0), text)
}

/// Arguments with which a tool does nothing, as far as it takes them.
fn harmless(tool: &rmcp::model::Tool, learner: LearnerId) -> Value {
    let mut arguments = json!({});
    let properties = tool.input_schema.get("properties");
    let takes = |name: &str| properties.is_some_and(|it| it.get(name).is_some());
    if takes("dry_run") {
        arguments["dry_run"] = json!(true);
    }
    if takes("learner") {
        arguments["learner"] = json!(learner);
    }
    arguments
}

#[tokio::test]
async fn every_tool_is_for_the_roles_of_the_matrix_and_for_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let learner = LearnerId::fresh();
    let _ = issue(folder.path(), TokenRole::Observer, learner);
    let room = Room::open(folder.path());
    let operator = room.operator().await;
    let all = operator.list_all_tools().await.unwrap();
    let catalogue = Catalogue::product();
    let needs: Vec<(&str, Act)> = catalogue.needs().collect();
    assert_eq!(all.len(), needs.len(), "operators are offered everything");
    assert!(needs.len() >= 46, "{}", needs.len());
    for role in TokenRole::ALL {
        let token = issue(folder.path(), role, room.first());
        // The list is looked at each second.
        let client = until(async || {
            let answer = http(room.address, "GET /tokens/self", &token, &json!({}));
            (answer.0 == 200).then_some(())
        });
        client.await;
        let client = room.client(&token).await;
        let listed = client.list_all_tools().await.unwrap();
        for tool in &all {
            let (_, act) = needs.iter().find(|(name, _)| *name == tool.name).unwrap();
            let may = act.roles().contains(&role);
            let offered = listed.iter().any(|it| it.name == tool.name);
            assert_eq!(offered, may, "{} is listed for {role}", tool.name);
            let answer = try_call(&client, &tool.name, harmless(tool, room.first())).await;
            let told = words(&answer);
            let for_the_role = told.contains(&format!("this token is for the role {role}"));
            assert_eq!(for_the_role, !may, "{} by {role}: {told}", tool.name);
            if !may {
                assert_eq!(answer.is_error, Some(true), "{}", tool.name);
            }
        }
    }
    // Nobody has done anything; the lesson itself gives a hint after a while.
    let all = events(&operator, room.first()).await;
    let commands = |it: &&Value| {
        it["body"]["type"] == "command_applied" && it["body"]["command"]["principal"] != "automatic"
    };
    assert_eq!(all.iter().filter(commands).count(), 0, "{all:?}");
}

#[tokio::test]
async fn replayed_expired_foreign_and_forged_tokens_open_no_tool() {
    let folder = tempfile::tempdir().unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    let learner = LearnerId::fresh();
    let file = folder.path().join(FILE);
    let grant = |life: u64| Grant {
        name: "a test".to_owned(),
        role: TokenRole::Operator,
        scope: Scope::Class,
        life: Duration::from_secs(life),
    };
    let an_hour_ago = now_unix_ms() - 3_600_000;
    let expired = Tokens::change(&file, |it| it.issue(grant(60), an_hour_ago)).unwrap();
    let replayed = Tokens::change(&file, |tokens| {
        let old = tokens.issue(grant(3600), now_unix_ms())?;
        tokens.rotate(old.id, now_unix_ms())?;
        Ok(old)
    });
    let replayed = replayed.unwrap();
    let foreign = issue(elsewhere.path(), TokenRole::Operator, learner);
    let good = issue(folder.path(), TokenRole::Operator, learner);
    let (head, tail) = good.split_at(good.len() - 1);
    let forged = format!("{head}{}", if tail == "A" { "B" } else { "A" });
    let room = Room::open(folder.path());
    let catalogue = Catalogue::product();
    for token in [expired.text(), replayed.text(), &foreign, &forged] {
        for (tool, _) in catalogue.needs() {
            let body = json!({
                "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": { "name": tool, "arguments": {} }
            });
            let (status, text) = http(room.address, "POST /mcp", token, &body);
            // Who guesses has to wait, too.
            assert!(matches!(status, 401 | 429), "{tool}: {text}");
        }
    }
    let (status, _) = http(room.address, "GET /tokens/self", &good, &json!({}));
    assert!(matches!(status, 200 | 429), "{status}");
}

#[tokio::test]
async fn preferences_hold_in_the_headset_and_stand_in_the_log() {
    let folder = tempfile::tempdir().unwrap();
    let room = Room::open(folder.path());
    let client = room.operator().await;
    let first = room.first();
    let before = room.seen.0.lock().unwrap().clone();
    assert!(!before.large_text && before.captions && before.seated == 0.0);
    let patch = json!({ "large_text": true, "captions": false, "seated": true, "turn_degrees": 45.0, "more_time": 2.0 });
    let wish = json!({ "learner": first, "preferences": patch, "purpose": "reads slowly" });
    let mut dry = wish.clone();
    dry["dry_run"] = json!(true);
    let would = call(&client, "learner.set_preferences", dry).await;
    assert!(
        would["effect"].as_str().unwrap().contains("would"),
        "{would}"
    );
    let done = call(&client, "learner.set_preferences", wish.clone()).await;
    assert!(
        done["effect"].as_str().unwrap().contains("larger letters"),
        "{done}"
    );
    until(async || {
        let now = room.seen.0.lock().unwrap().clone();
        (now.large_text && !now.captions && now.seated > 0.3 && (now.turn - 45.0).abs() < 0.1)
            .then_some(())
    })
    .await;
    let event = applied(&client, first, "set_preferences").await;
    let command = &event["body"]["command"];
    assert_eq!(command["purpose"], "reads slowly");
    assert_eq!(command["asker"]["role"], "operator");
    let read = call(
        &client,
        "learner.get_preferences",
        json!({ "learner": first }),
    )
    .await;
    assert_eq!(read["preferences"]["more_time"], 2.0);
    assert_eq!(
        read["preferences"]["vignette"], 1.0,
        "what was not named stays"
    );
    let why = refused(&client, "learner.set_preferences", wish).await;
    assert!(why.contains("nothing to do"), "{why}");
    let far = json!({ "learner": first, "preferences": { "turn_degrees": 90.0 } });
    let why = refused(&client, "learner.set_preferences", far).await;
    assert!(why.contains("turn_degrees"), "{why}");
}

#[tokio::test]
async fn a_stage_that_a_person_sets_holds_against_the_models() {
    let folder = tempfile::tempdir().unwrap();
    let room = Room::open(folder.path());
    let client = room.operator().await;
    let first = room.first();
    let wish = json!({ "learner": first, "event": "Application", "seconds": 600, "purpose": "knows this from school" });
    let id = CommandId::fresh();
    let mut once = wish.clone();
    once["command_id"] = json!(id);
    call(&client, "learner.set_event", once.clone()).await;
    let again = call(&client, "learner.set_event", once).await;
    assert_eq!(again["command_id"], json!(id), "answered twice, done once");
    until(async || {
        let place = state(&client, first).await["place"].to_string();
        place.contains("Application").then_some(())
    })
    .await;
    applied(&client, first, "override_stage").await;
    let all = events(&client, first).await;
    let overrides = |it: &&Value| it["body"]["command"]["body"]["do"] == "override_stage";
    assert_eq!(all.iter().filter(overrides).count(), 1);
    let back = json!({ "learner": first, "event": null });
    call(&client, "learner.set_event", back.clone()).await;
    let why = refused(&client, "learner.set_event", back).await;
    assert!(why.contains("nothing to do"), "{why}");
    let short = json!({ "learner": first, "event": "Mastery", "seconds": 1 });
    let why = refused(&client, "learner.set_event", short).await;
    assert!(why.contains("seconds"), "{why}");
}

#[tokio::test]
async fn a_checkpoint_is_met_or_missed_in_the_world_and_counts() {
    let folder = tempfile::tempdir().unwrap();
    let room = Room::open(folder.path());
    let client = room.operator().await;
    let first = room.first();
    let graph = read(&client, "lesson://first-steps/graph").await;
    let graph: Value = serde_json::from_str(&graph[0]).unwrap();
    let skill = graph["skills"][0]["id"].clone();
    let check = |id: &str, asks: Value, within: Value| json!({ "learner": first, "id": id, "asks": asks, "skills": [skill.clone()], "within": within });
    let reach = |x: f64| json!({ "what": "reach", "into": { "form": "sphere", "center": [x, 1.6, 0.0], "radius": 0.5 } });
    let met = check("stand-here", reach(0.0), Value::Null);
    call(&client, "assess.create_checkpoint", met).await;
    let attempt = async |id: &str| {
        let is = |it: &Value| it["body"]["type"] == "attempted" && it["body"]["step"] == id;
        event(&client, first, is).await["body"].clone()
    };
    let done = attempt("stand-here").await;
    assert_eq!(
        (&done["correct"], &done["skills"][0]),
        (&json!(true), &skill)
    );
    let missed = check("far-away", reach(9.0), json!(5.0));
    call(&client, "assess.create_checkpoint", missed).await;
    let done = attempt("far-away").await;
    assert_eq!(done["evidence"]["interaction"], "timed_out");
    let now = state(&client, first).await;
    assert_eq!(now["attempts"], 2, "{now}");
    assert_eq!(now["correct"], 1, "{now}");
    assert_eq!(now["failures_on_step"], 0, "the running step is not blamed");
    let waits = check("waits", reach(9.0), Value::Null);
    call(&client, "assess.create_checkpoint", waits.clone()).await;
    let why = refused(&client, "assess.create_checkpoint", waits).await;
    assert!(why.contains("has that id"), "{why}");
    let gone = json!({ "learner": first, "checkpoint": "waits" });
    call(&client, "assess.remove_checkpoint", gone.clone()).await;
    refused(&client, "assess.remove_checkpoint", gone).await;
    for (asks, expected) in [
        (json!({ "what": "grab", "object": "moon" }), "view.scene"),
        (
            json!({ "what": "reach", "into": { "form": "sphere", "center": [99.0, 0.0, 0.0], "radius": 1.0 } }),
            "10 m",
        ),
    ] {
        let why = refused(
            &client,
            "assess.create_checkpoint",
            check("bad", asks, Value::Null),
        )
        .await;
        assert!(why.contains(expected), "{why}");
    }
}

#[tokio::test]
async fn the_adaptation_rules_are_changed_while_they_run_and_never_into_unsound_ones() {
    let folder = tempfile::tempdir().unwrap();
    let room = Room::open(folder.path());
    let client = room.operator().await;
    let rules = async || {
        let now = call(&client, "adapt.get_policy", json!({})).await;
        now["rules"].as_array().unwrap().len()
    };
    let before = rules().await;
    let set = |patch: Value| json!({ "patch": patch, "purpose": "a quiet lesson" });
    let unsound = call(
        &client,
        "adapt.set_policy",
        set(json!({ "limits": { "settle": 1.0 } })),
    )
    .await;
    assert_eq!(unsound["done"], 0, "{unsound}");
    assert!(
        unsound["outcomes"][0]["effect"]
            .as_str()
            .unwrap()
            .contains("settle"),
        "{unsound}"
    );
    assert_eq!(rules().await, before);
    let done = call(
        &client,
        "adapt.set_policy",
        set(json!({ "automatic": false })),
    )
    .await;
    assert_eq!(done["done"], 2, "{done}");
    let fewer = rules().await;
    assert!(fewer < before && fewer > 0, "{fewer} of {before}");
    let event = applied(&client, room.first(), "set_policy").await;
    assert_eq!(event["body"]["command"]["purpose"], "a quiet lesson");
    call(&client, "adapt.set_policy", set(json!({ "reset": true }))).await;
    assert_eq!(rules().await, before);
}

#[tokio::test]
async fn a_group_is_the_target_of_acts_and_of_looks() {
    let folder = tempfile::tempdir().unwrap();
    let room = Room::open(folder.path());
    let client = room.operator().await;
    let [first, second] = room.learners;
    let form = json!({ "name": "red", "mode": "project", "members": [first] });
    let mut dry = form.clone();
    dry["dry_run"] = json!(true);
    call(&client, "group.create", dry).await;
    let none = call(&client, "group.list", json!({})).await;
    assert_eq!(none["groups"], json!({}), "a dry run forms none");
    call(&client, "group.create", form).await;
    let stranger = json!({ "name": "red", "add": [LearnerId::fresh()] });
    let why = refused(&client, "group.assign", stranger).await;
    assert!(why.contains("class.list_learners"), "{why}");
    let one = call(&client, "class.list_learners", json!({ "group": "red" })).await;
    assert_eq!(one["learners"].as_array().unwrap().len(), 1);
    call(
        &client,
        "group.assign",
        json!({ "name": "red", "add": [second] }),
    )
    .await;
    let wish =
        json!({ "group": "red", "purpose": "both are stuck", "command_id": CommandId::fresh() });
    let given = call(&client, "intervene.hint", wish.clone()).await;
    assert_eq!(given["outcomes"].as_array().unwrap().len(), 2, "{given}");
    let again = call(&client, "intervene.hint", wish).await;
    assert_eq!(given["effect"], again["effect"], "done once");
    for learner in [first, second] {
        until(async || (state(&client, learner).await["hint_level"] == 1).then_some(())).await;
    }
    let both = json!({ "group": "red", "learner": first });
    let why = refused(&client, "intervene.pause", both).await;
    assert!(why.contains("not both"), "{why}");
    // As a whole, as a resource; an address has no spaces.
    let whole = call(&client, "class.dashboard", json!({ "group": "red" })).await;
    let told: Value =
        serde_json::from_str(&read(&client, "group://red/dashboard").await[0]).unwrap();
    assert_eq!(told, whole);
    let stranger = ReadResourceRequestParams::new("group://bl%20ue/dashboard");
    let why = client
        .read_resource(stranger)
        .await
        .unwrap_err()
        .to_string();
    assert!(why.contains("no group `bl ue`"), "{why}");
    call(&client, "group.dissolve", json!({ "name": "red" })).await;
    let why = refused(&client, "intervene.pause", json!({ "group": "red" })).await;
    assert!(why.contains("no group"), "{why}");
    let audit = room.audit(folder.path());
    let formed = audit
        .iter()
        .filter(|it| matches!(&it.action, Action::Commanded { act, .. } if act == "group"));
    assert_eq!(formed.count(), 4, "a line for each that was really asked");
}

#[tokio::test]
async fn a_session_begins_anew_and_the_lesson_is_switched_for_all() {
    let folder = tempfile::tempdir().unwrap();
    let room = Room::open(folder.path());
    let client = room.operator().await;
    let [first, second] = room.learners;
    let before = state(&client, first).await;
    let other = state(&client, second).await;
    confirmed(
        &client,
        "session.start",
        json!({ "learner": first, "purpose": "from the start" }),
    )
    .await;
    let anew = until(async || {
        let now = state(&client, first).await;
        (now["session"] != before["session"] && now["step"] == "look-at-lamp").then_some(now)
    })
    .await;
    assert_eq!(anew["ended"], false);
    assert_eq!(state(&client, second).await["session"], other["session"]);
    let all = events(&client, first).await;
    let kinds: Vec<&str> = all
        .iter()
        .filter_map(|it| it["body"]["type"].as_str())
        .filter(|it| it.starts_with("session") || it.starts_with("command"))
        .collect();
    assert_eq!(
        kinds,
        [
            "session_started",
            "command_applied",
            "session_ended",
            "session_started"
        ]
    );
    let started = all
        .iter()
        .rfind(|it| it["body"]["type"] == "session_started");
    assert_eq!(started.unwrap()["session"], anew["session"]);
    // A lesson of the instructor's own.
    let text = std::fs::read_to_string("assets/lessons/first-steps.ron").unwrap();
    let why = refused(&client, "lesson.load", json!({ "text": text })).await;
    assert!(why.contains("comes with the program"), "{why}");
    let mine = text.replacen("\"first-steps\"", "\"my-steps\"", 1);
    let none = refused(&client, "lesson.load", json!({ "text": "(version: 1," })).await;
    assert!(none.contains("mistakes"), "{none}");
    call(&client, "lesson.load", json!({ "text": mine })).await;
    let there = call(&client, "lesson.list", json!({})).await;
    assert!(there.to_string().contains("my-steps"), "{there}");
    let nowhere = json!({ "lesson": "nowhere", "dry_run": true });
    let nobody = call(&client, "lesson.switch", nowhere).await;
    assert!(
        nobody.to_string().contains("there is no lesson"),
        "{nobody}"
    );
    let switched = confirmed(&client, "lesson.switch", json!({ "lesson": "my-steps" })).await;
    assert_eq!(switched["done"], 2, "{switched}");
    for learner in room.learners {
        until(async || {
            let now = state(&client, learner).await;
            (now["lesson"] == "my-steps" && now["step"] == "look-at-lamp").then_some(())
        })
        .await;
    }
    let there = call(&client, "lesson.list", json!({})).await;
    assert_eq!(there["running"], "my-steps");
}

#[tokio::test]
async fn the_telemetry_level_closes_and_opens_what_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let room = Room::open(folder.path());
    let client = room.operator().await;
    let first = room.first();
    let level =
        |level: &str| json!({ "learner": first, "level": level, "purpose": "asked for it" });
    call(&client, "telemetry.set_level", level("aggregate")).await;
    until(async || {
        let view = try_call(&client, "view.scene", json!({ "learner": first })).await;
        words(&view).contains("aggregate").then_some(())
    })
    .await;
    assert_eq!(state(&client, first).await["learner"], json!(first));
    call(&client, "telemetry.set_level", level("off")).await;
    let gone = async || {
        let all = call(&client, "class.list_learners", json!({})).await;
        !all.to_string().contains(&first.to_string())
    };
    until(async || gone().await.then_some(())).await;
    let hint = json!({ "learner": first });
    let why = refused(&client, "intervene.hint", hint).await;
    assert!(why.contains("no learner"), "{why}");
    call(&client, "telemetry.set_level", level("detailed")).await;
    until(async || (!gone().await).then_some(())).await;
}

#[tokio::test]
async fn a_record_is_copied_and_erased_for_good() {
    let folder = tempfile::tempdir().unwrap();
    let room = Room::open(folder.path());
    let client = room.operator().await;
    let [first, second] = room.learners;
    let wish = json!({ "learner": first, "purpose": "the family asked" });
    let copy = call(&client, "session.export", wish.clone()).await;
    let file = |name: &str| {
        let files = copy["files"].as_array().unwrap();
        let found = files.iter().find(|it| it["name"] == name).expect(name);
        found["text"].as_str().unwrap().to_owned()
    };
    assert!(file("events.jsonl").contains(&first.to_string()));
    assert!(!file("events.jsonl").contains(&second.to_string()));
    assert!(file("record.md").len() > 100 && file("SHA256SUMS").contains("xapi.json"));
    let would = json!({ "learner": first, "dry_run": true });
    call(&client, "session.erase", would).await;
    let done = confirmed(&client, "session.erase", wish).await;
    assert!(
        done["effect"].as_str().unwrap().contains("0 events left"),
        "{done}"
    );
    until(async || {
        let all = call(&client, "class.list_learners", json!({})).await;
        (all["learners"].as_array().unwrap().len() == 1).then_some(())
    })
    .await;
    let why = refused(&client, "session.export", json!({ "learner": first })).await;
    assert!(why.contains("nobody"), "{why}");
    drop(client);
    let audit = room.audit(folder.path());
    for wanted in ["Exported", "Erased"] {
        assert!(
            audit
                .iter()
                .any(|it| format!("{:?}", it.action).starts_with(wanted)),
            "{wanted}"
        );
    }
    let left = store(folder.path()).learners().unwrap();
    assert!(left.iter().all(|it| it.learner == second), "{left:?}");
}

#[tokio::test]
async fn only_an_operator_with_a_token_of_their_own_attests_a_consent() {
    let folder = tempfile::tempdir().unwrap();
    let own = issue(folder.path(), TokenRole::Operator, LearnerId::fresh());
    let teacher = issue(folder.path(), TokenRole::Instructor, LearnerId::fresh());
    let room = Room::open(folder.path());
    let client = room.operator().await;
    let first = room.first();
    let refusal = json!({ "learner": first, "scopes": ["hold_out"], "actor": "learner" });
    call(&client, "consent.withdraw", refusal).await;
    let hold_out = async |client: &Client| {
        let shown = call(client, "consent.show", json!({ "learner": first })).await;
        let scopes = shown["scopes"].as_array().unwrap().clone();
        scopes
            .into_iter()
            .find(|it| it["scope"] == "hold_out")
            .unwrap()
    };
    until(async || {
        let now = hold_out(&client).await;
        (now["refused_by"] == json!(["learner"])).then_some(())
    })
    .await;
    let given = json!({ "learner": first, "scopes": ["hold_out"], "actor": "learner", "method": "in_person" });
    let why = refused(&client, "consent.record", given.clone()).await;
    assert!(why.contains("token of their own"), "{why}");
    let teacher = room.client(&teacher).await;
    let why = refused(&teacher, "consent.record", given.clone()).await;
    assert!(why.contains("for the role instructor"), "{why}");
    assert_eq!(
        hold_out(&teacher).await["allowed"],
        json!(false),
        "an instructor sees what was agreed to"
    );
    let own = room.client(&own).await;
    call(&own, "consent.record", given).await;
    until(async || (hold_out(&own).await["given_by"] == json!(["learner"])).then_some(())).await;
    // Nobody sees a learner who does not want to be seen, and the door to saying otherwise stays open.
    let unseen = json!({ "learner": first, "scopes": ["instructor_view"], "actor": "learner" });
    call(&own, "consent.withdraw", unseen).await;
    until(async || {
        let shown = call(&own, "consent.show", json!({ "learner": first })).await;
        (shown["shown"] == false).then_some(())
    })
    .await;
    let gone = call(&own, "class.list_learners", json!({})).await;
    assert!(!gone.to_string().contains(&first.to_string()), "{gone}");
}

#[tokio::test]
async fn what_the_process_counts_is_told_as_json_and_as_openmetrics() {
    let folder = tempfile::tempdir().unwrap();
    let room = Room::open(folder.path());
    let client = room.operator().await;
    call(&client, "intervene.pause_all", json!({})).await;
    let risk = call(&client, "predict.risk", json!({ "learner": room.first() })).await;
    assert!(
        risk["calibration"].as_str().unwrap().contains("simulated"),
        "{risk}"
    );
    let contents = read(&client, "ops://metrics").await;
    let figures: Value = serde_json::from_str(&contents[0]).unwrap();
    assert_eq!(figures["world"]["learners"], 2);
    assert!(
        figures["world"]["commands_applied"].as_u64().unwrap() >= 2,
        "{figures}"
    );
    assert!(figures["door"]["calls"].as_u64().unwrap() >= 3, "{figures}");
    assert!(
        contents[1].contains("malloc_vr_sessions_paused 2\n"),
        "{}",
        contents[1]
    );
    assert!(contents[1].ends_with("# EOF\n"));
    let frames: Value = serde_json::from_str(&read(&client, "ops://frames").await[0]).unwrap();
    assert!(frames["took"]["n"].as_u64().unwrap() > 1, "{frames}");
}

#[tokio::test]
async fn a_machine_that_is_drained_takes_nobody_new_and_ends_with_its_sessions() {
    let folder = tempfile::tempdir().unwrap();
    let mut room = Room::open(folder.path());
    let client = room.operator().await;
    let health = || http(room.address, "GET /healthz", RUN, &json!({})).0;
    call(&client, "ops.drain", json!({ "dry_run": true })).await;
    until(async || (health() == 200).then_some(())).await;
    let (_other, heard) = room.hearing(RUN).await;
    let says = async |part: &str| {
        until(async || {
            let heard = heard.lock().unwrap();
            heard.iter().any(|line| line.contains(part)).then_some(())
        })
        .await;
    };
    call(&client, "ops.drain", json!({ "purpose": "an update" })).await;
    assert_eq!(health(), 503);
    // Whoever only listens is told, with a code and how long.
    says("draining").await;
    says("again_ms").await;
    let alerts = read(&client, "ops://alerts").await.join("");
    assert!(alerts.contains("\"draining\""), "{alerts}");
    let pairing = http(
        room.address,
        "POST /pair",
        RUN,
        &json!({ "code": "123456" }),
    );
    assert!(
        pairing.0 == 503 && pairing.1.contains("draining"),
        "{}",
        pairing.1
    );
    call(&client, "ops.drain", json!({ "on": false })).await;
    assert_eq!(health(), 200);
    says("staying").await;
    let why = refused(&client, "ops.drain", json!({ "on": false })).await;
    assert!(why.contains("nothing to do"), "{why}");
    call(&client, "ops.drain", json!({})).await;
    for learner in room.learners {
        let _ = confirmed(&client, "session.stop", json!({ "learner": learner })).await;
    }
    until(async || room.lesson.is_over().then_some(())).await;
    room.lesson.end();
}

#[tokio::test]
async fn what_comes_of_an_act_is_a_line_in_the_clients_log() {
    let folder = tempfile::tempdir().unwrap();
    let room = Room::open(folder.path());
    let _ready = room.operator().await;
    let (client, heard) = room.hearing(RUN).await;
    call(
        &client,
        "intervene.pause",
        json!({ "learner": room.first() }),
    )
    .await;
    refused(
        &client,
        "intervene.pause",
        json!({ "learner": room.first() }),
    )
    .await;
    let says = async |part: &'static [&'static str]| {
        until(async || {
            let heard = heard.lock().unwrap();
            let fits = |line: &&String| part.iter().all(|it| line.contains(it));
            heard.iter().find(fits).map(|_| ())
        })
        .await;
    };
    says(&["Notice", "intervene.pause: the lesson stands still"]).await;
    says(&["Warning", "nothing to do"]).await;
}

#[tokio::test]
async fn the_latest_adaptation_is_taken_back_and_then_the_one_before_and_each_says_which() {
    let folder = tempfile::tempdir().unwrap();
    let room = Room::open(folder.path());
    let client = room.operator().await;
    let learner = room.first();
    let of = |arguments: Value| {
        let mut arguments = arguments;
        arguments["learner"] = json!(learner);
        arguments
    };
    let set = async |what: &str, multiplier: f64| {
        let change = json!({ "change": { "what": what, "multiplier": multiplier } });
        let id = call(&client, "adapt.apply", of(change)).await["command_id"].clone();
        // What is taken back is found in the log.
        event(&client, learner, |it| it["body"]["command"]["id"] == id).await;
        let now = json!(multiplier);
        until(async || (state(&client, learner).await[what] == now).then_some(())).await;
        id
    };
    let first = set("difficulty", 1.2).await;
    let slower = set("pace", 0.8).await;
    let second = set("difficulty", 1.4).await;
    let dry = call(&client, "adapt.revert", of(json!({ "dry_run": true }))).await;
    assert_eq!(dry["took_back"][0]["command_id"], second, "{dry}");
    let back = async |arguments: Value, expected: &Value, what: &str, now: f64| {
        let done = call(&client, "adapt.revert", of(arguments)).await;
        assert_eq!(done["took_back"][0]["command_id"], *expected, "{done}");
        assert_eq!(done["took_back"][0]["asked_by"], "instructor", "{done}");
        assert_eq!(done["outcomes"][0]["done"], true, "{done}");
        until(async || (state(&client, learner).await[what] == json!(now)).then_some(())).await;
    };
    // What came after it goes first.
    let why = refused(&client, "adapt.revert", of(json!({ "command_id": first }))).await;
    assert!(why.contains("not in force any more"), "{why}");
    back(json!({}), &second, "difficulty", 1.2).await;
    // What is sent twice with the same key is taken back once.
    let key = json!(CommandId::fresh());
    back(json!({ "key": key }), &slower, "pace", 1.0).await;
    let again = call(&client, "adapt.revert", of(json!({ "key": key }))).await;
    assert_eq!(again["outcomes"][0]["command_id"], key, "{again}");
    assert_eq!(
        state(&client, learner).await["difficulty"],
        json!(1.2),
        "{again}"
    );
    back(json!({ "command_id": first }), &first, "difficulty", 1.0).await;
    let why = refused(&client, "adapt.revert", of(json!({}))).await;
    assert!(why.contains("nothing of what happened"), "{why}");
    let stranger = CommandId::fresh();
    let why = refused(
        &client,
        "adapt.revert",
        of(json!({ "command_id": stranger })),
    )
    .await;
    assert!(why.contains("was carried out"), "{why}");
    // As its author wrote it, in one go.
    set("difficulty", 1.3).await;
    set("pace", 0.9).await;
    let done = call(
        &client,
        "adapt.revert",
        of(json!({ "what": ["everything"] })),
    )
    .await;
    assert_eq!(done["outcomes"].as_array().unwrap().len(), 2, "{done}");
}

#[tokio::test]
async fn a_path_is_suggested_skill_by_skill_with_reasons_and_leads_to_a_goal() {
    let folder = tempfile::tempdir().unwrap();
    let room = Room::open(folder.path());
    let client = room.operator().await;
    let learner = room.first();
    let path = call(
        &client,
        "learner.suggest_path",
        json!({ "learner": learner }),
    )
    .await;
    let lesson = lesson::load("first-steps").unwrap().lesson;
    let next = path["next"].as_array().unwrap();
    assert_eq!(next.len(), lesson.skills.len(), "{path}");
    assert_eq!(path["way"], json!([]));
    let of = |id: &str| next.iter().find(|it| it["skill"] == id).unwrap();
    for skill in &lesson.skills {
        let found = of(skill.id.as_str());
        // Nobody has tried anything: what needs nothing is within reach, the others wait.
        let verdict = if skill.requires.is_empty() {
            "in-zone"
        } else {
            "blocked"
        };
        assert_eq!(found["verdict"], verdict, "{found}");
        assert_eq!(found["title"], json!(skill.title));
        assert!(
            found["why"].as_str().unwrap().contains(skill.id.as_str()),
            "{found}"
        );
        let practised = |it: &&Value| {
            let step = lesson
                .steps
                .iter()
                .find(|step| json!(step.id) == **it)
                .unwrap();
            step.evidence_for.contains(&skill.id)
        };
        assert!(
            found["steps"]
                .as_array()
                .unwrap()
                .iter()
                .all(|it| practised(&it)),
            "{found}"
        );
    }
    let last = lesson
        .skills
        .iter()
        .find(|it| !it.requires.is_empty())
        .unwrap();
    let wanted = json!({ "learner": learner, "goal": last.id });
    let path = call(&client, "learner.suggest_path", wanted).await;
    let way = path["way"].as_array().unwrap();
    assert_eq!(way.last(), Some(&json!(last.id)));
    assert!(way.contains(&json!(last.requires[0])), "{path}");
    let wanted = json!({ "learner": learner, "goal": "flying" });
    let why = refused(&client, "learner.suggest_path", wanted).await;
    assert!(why.contains("no skill `flying`"), "{why}");
}

#[tokio::test]
async fn a_session_that_stands_still_is_taken_up_again_and_one_that_is_over_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let room = Room::open(folder.path());
    let client = room.operator().await;
    let learner = json!({ "learner": room.first() });
    call(&client, "intervene.pause", learner.clone()).await;
    let paused = async |is: bool| {
        until(async || {
            let by = state(&client, room.first()).await["paused_by"].clone();
            (by == if is { json!(["instructor"]) } else { json!([]) }).then_some(())
        })
        .await;
    };
    paused(true).await;
    call(&client, "session.resume", learner.clone()).await;
    paused(false).await;
    let why = refused(&client, "session.resume", learner.clone()).await;
    assert!(why.contains("running"), "{why}");
    let _ = confirmed(&client, "session.stop", learner.clone()).await;
    let why = refused(&client, "session.resume", learner).await;
    assert!(why.contains("session.start"), "{why}");
}

#[tokio::test]
async fn the_governor_is_told_of_each_learner_as_tool_and_as_resource() {
    let folder = tempfile::tempdir().unwrap();
    let room = Room::open(folder.path());
    let client = room.operator().await;
    let all = call(&client, "governor.get", json!({})).await;
    assert_eq!(all["learners"].as_array().unwrap().len(), 2, "{all}");
    let one = call(&client, "governor.get", json!({ "learner": room.first() })).await;
    let one = &one["learners"][0];
    assert_eq!(one["learner"], json!(room.first()));
    assert_eq!(one["here"], true);
    // Nothing is drawn here, and it says so.
    assert!(
        one["why"].as_str().unwrap().contains("no headset shows"),
        "{one}"
    );
    let uri = format!("learner://{}/governor", room.first());
    let told: Value = serde_json::from_str(&read(&client, &uri).await[0]).unwrap();
    assert_eq!(told, *one);
}
