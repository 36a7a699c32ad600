//! MCP as instructors' clients meet it, in both eras of the protocol: a lesson that runs, and real clients beside it.

// Helpers of a test may unwrap like the test itself; clippy knows only functions marked as tests.
#![allow(clippy::expect_used, clippy::unwrap_used)]
// The older revisions know no other way to subscribe.
#![allow(deprecated)]

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use malloc_vr::bridge::{Bridge, BridgeConfig};
use malloc_vr::protocol::ids::{CommandId, LearnerId};
use malloc_vr::record::ages::AgeBand;
use malloc_vr::session::join::Joining;
use rmcp::model::{
    CallToolRequestParams, CallToolResult, ClientCapabilities, CompleteRequestParams,
    ElicitRequestParams, ElicitResult, ElicitationAction, GetPromptRequestParams, Implementation,
    InitializeRequestParams, ProtocolVersion, ReadResourceRequestParams, Reference,
    RequestMetaObject, ResourceUpdatedNotificationParam, SubscribeRequestParams,
    SubscriptionFilter,
};
use rmcp::service::{
    ClientLifecycleMode, ClientServiceExt, NotificationContext, RequestContext, RunningService,
};
use rmcp::transport::StreamableHttpClientTransport;
use rmcp::transport::streamable_http_client::StreamableHttpClientTransportConfig;
use rmcp::{ClientHandler, ErrorData, RoleClient, ServiceExt};
use serde_json::{Value, json};
use tokio::sync::mpsc;

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
    _lesson: RunningLesson,
}

impl Room {
    fn open() -> Self {
        let bridge = Bridge::start(BridgeConfig {
            listen: "127.0.0.1:0".parse().unwrap(),
            token: Some(TOKEN.to_owned()),
            ..BridgeConfig::default()
        })
        .unwrap();
        let address = bridge.address();
        let joining = Joining::newcomer();
        let learner = joining.learner;
        let lesson = RunningLesson::start(bridge, vec![joining], AgeBand::Adult, |_| {});
        Self {
            address,
            learner,
            _lesson: lesson,
        }
    }

    fn config(&self) -> StreamableHttpClientTransportConfig {
        let uri = format!("http://{}/mcp", self.address);
        StreamableHttpClientTransportConfig::with_uri(uri).auth_header(TOKEN)
    }

    /// A client of a revision before 2026-07-28.
    async fn older(&self, person: Person) -> Client {
        let transport = StreamableHttpClientTransport::from_config(self.config());
        let client = person.serve(transport).await.unwrap();
        at_first_step(&client).await;
        client
    }

    /// A client of 2026-07-28.
    async fn newer(&self, person: Person) -> Client {
        let lifecycle = ClientLifecycleMode::Discover {
            preferred_versions: vec![ProtocolVersion::V_2026_07_28],
        };
        let transport = StreamableHttpClientTransport::from_config(self.config());
        let client = person
            .serve_with_lifecycle(transport, lifecycle)
            .await
            .unwrap();
        at_first_step(&client).await;
        client
    }
}

type Client = RunningService<RoleClient, Person>;

/// Who sits at the client, and what they answer when they are asked.
#[derive(Clone)]
struct Person {
    answers: Option<bool>,
    told: mpsc::UnboundedSender<String>,
}

impl Person {
    /// A program that cannot ask anybody.
    fn nobody() -> Self {
        Self::hearing().0
    }

    fn who_says(yes: bool) -> Self {
        Self {
            answers: Some(yes),
            ..Self::nobody()
        }
    }

    fn hearing() -> (Self, mpsc::UnboundedReceiver<String>) {
        let (told, heard) = mpsc::unbounded_channel();
        let person = Self {
            answers: None,
            told,
        };
        (person, heard)
    }
}

impl ClientHandler for Person {
    fn get_info(&self) -> InitializeRequestParams {
        let capabilities = if self.answers.is_some() {
            ClientCapabilities::builder().enable_elicitation().build()
        } else {
            ClientCapabilities::default()
        };
        InitializeRequestParams::new(capabilities, Implementation::new("a test", "1"))
    }

    async fn create_elicitation(
        &self,
        request: ElicitRequestParams,
        _: RequestContext<RoleClient>,
    ) -> Result<ElicitResult, ErrorData> {
        let _ = self.told.send(format!("{request:?}"));
        let yes = self.answers == Some(true);
        let mut answer = ElicitResult::new(if yes {
            ElicitationAction::Accept
        } else {
            ElicitationAction::Decline
        });
        answer.content = yes.then(|| json!({ "really": true }));
        Ok(answer)
    }

    async fn on_resource_updated(
        &self,
        params: ResourceUpdatedNotificationParam,
        _: NotificationContext<RoleClient>,
    ) {
        let _ = self.told.send(params.uri);
    }
}

async fn try_call(client: &Client, tool: &'static str, arguments: Value) -> CallToolResult {
    let arguments = arguments.as_object().cloned().unwrap_or_default();
    let params = CallToolRequestParams::new(tool).with_arguments(arguments);
    tokio::time::timeout(PATIENCE, client.call_tool(params))
        .await
        .expect("it answers in time")
        .unwrap()
}

/// The structured result of a call that succeeds.
async fn call(client: &Client, tool: &'static str, arguments: Value) -> Value {
    let result = try_call(client, tool, arguments).await;
    assert_ne!(result.is_error, Some(true), "{tool}: {}", words(&result));
    result.structured_content.unwrap()
}

/// The words of a call that fails.
async fn refused(client: &Client, tool: &'static str, arguments: Value) -> String {
    let result = try_call(client, tool, arguments).await;
    assert_eq!(result.is_error, Some(true), "{tool}: {}", words(&result));
    words(&result)
}

fn words(result: &CallToolResult) -> String {
    serde_json::to_string(&result.content).unwrap()
}

/// What `wanted` finds, as soon as it finds it.
async fn until<T>(
    client: &Client,
    tool: &'static str,
    mut wanted: impl FnMut(&Value) -> Option<T>,
) -> T {
    let begun = Instant::now();
    loop {
        let seen = call(client, tool, json!({})).await;
        if let Some(found) = wanted(&seen) {
            return found;
        }
        assert!(begun.elapsed() < PATIENCE, "{tool} still says {seen}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

async fn at_first_step(client: &Client) {
    until(client, "class.list_learners", |seen| {
        (seen["learners"][0]["step"] == "look-at-lamp").then_some(())
    })
    .await;
}

fn thing<'a>(scene: &'a Value, id: &str) -> Option<&'a Value> {
    scene["things"].as_array()?.iter().find(|it| it["id"] == id)
}

async fn read(client: &Client, uri: &str) -> Value {
    let read = client
        .read_resource(ReadResourceRequestParams::new(uri))
        .await
        .unwrap_or_else(|error| panic!("{uri}: {error}"));
    let contents = serde_json::to_value(&read.contents).unwrap();
    let text = contents[0]["text"].as_str().unwrap();
    serde_json::from_str(text).unwrap_or_else(|_| json!(text))
}

#[tokio::test]
async fn every_tool_says_what_it_takes_what_it_gives_and_what_it_changes() {
    let room = Room::open();
    let client = room.older(Person::nobody()).await;
    let tools = client.list_all_tools().await.unwrap();
    for tool in &tools {
        let name = &tool.name;
        let output = tool.output_schema.as_ref().expect(name);
        assert_eq!(output["type"], "object", "{name}");
        assert_eq!(tool.input_schema["type"], "object", "{name}");
        assert!(
            tool.description.as_ref().is_some_and(|it| it.len() > 20),
            "{name}"
        );
        let schemas = format!("{:?}{output:?}", tool.input_schema);
        for unknown in ["uint", "double", "float"] {
            let named = schemas.contains(&format!("\"format\": String(\"{unknown}"));
            assert!(!named, "{name}: JSON Schema knows no {unknown}");
        }
        let notes = tool.annotations.as_ref().expect(name);
        assert!(
            notes.title.is_some() && notes.read_only_hint.is_some(),
            "{name}"
        );
        let properties = tool.input_schema["properties"].as_object().unwrap();
        // Whatever changes something can be tried first, and says why it was done.
        let writes = notes.read_only_hint == Some(false);
        for property in ["dry_run", "purpose"] {
            assert_eq!(
                properties.contains_key(property),
                writes,
                "{name}: {property}"
            );
        }
        let ends = notes.destructive_hint == Some(true);
        assert_eq!(properties.contains_key("confirm"), ends, "{name}");
    }
    let names: Vec<&str> = tools.iter().map(|tool| tool.name.as_ref()).collect();
    assert!(
        names.is_sorted(),
        "a list that changes its order defeats caches"
    );
    assert!(
        !names.iter().any(|name| name.starts_with("test_")),
        "the conformance suite's fixtures are not for instructors"
    );
    for name in [
        "view.scene",
        "intervene.pause_all",
        "adapt.apply",
        "session.stop",
    ] {
        assert!(names.contains(&name), "{name} is missing from {names:?}");
    }
}

#[tokio::test]
async fn a_hint_given_in_either_era_is_shown_in_the_world() {
    let room = Room::open();
    let older = room.older(Person::nobody()).await;
    let newer = room.newer(Person::nobody()).await;
    let learner = json!({ "learner": room.learner, "purpose": "to help" });
    let given = call(&older, "intervene.hint", learner.clone()).await;
    assert_eq!(given["done"], true, "{given}");
    let hint = |level: u8| {
        move |seen: &Value| (seen["hint_level"] == level && seen["hint"].is_string()).then_some(())
    };
    until(&newer, "learner.get_state", hint(1)).await;
    // Clients whose models know no dots write underscores.
    call(&newer, "intervene_hint", learner).await;
    until(&older, "learner.get_state", hint(2)).await;
    call(&newer, "intervene.hint", json!({ "level": 0 })).await;
    until(&older, "learner.get_state", |seen| {
        (seen["hint_level"] == 0).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_dry_run_says_what_would_happen_and_does_nothing() {
    let room = Room::open();
    let client = room.newer(Person::nobody()).await;
    let tried = call(&client, "intervene.pause", json!({ "dry_run": true })).await;
    assert_eq!(tried["done"], false, "{tried}");
    assert!(
        tried["effect"].as_str().unwrap().contains("would"),
        "{tried}"
    );
    let state = call(&client, "learner.get_state", json!({})).await;
    assert_eq!(state["paused_by"], json!([]));
    let why = refused(&client, "intervene.resume", json!({ "dry_run": true })).await;
    assert!(why.contains("nothing to do"), "{why}");
    let timeline = call(&client, "learner.timeline", json!({})).await;
    assert!(!timeline.to_string().contains("command_"), "{timeline}");
    // What only was tried can then be done, under the same id.
    let id = CommandId::fresh();
    let wish = |dry: bool| json!({ "dry_run": dry, "command_id": id });
    call(&client, "intervene.pause", wish(true)).await;
    let done = call(&client, "intervene.pause", wish(false)).await;
    assert_eq!(done["done"], true, "{done}");
}

#[tokio::test]
async fn the_same_command_id_is_carried_out_once_and_answered_twice() {
    let room = Room::open();
    let client = room.newer(Person::nobody()).await;
    let pause = json!({ "command_id": CommandId::fresh() });
    let first = call(&client, "intervene.pause", pause.clone()).await;
    let second = call(&client, "intervene.pause", pause).await;
    assert_eq!(first["effect"], second["effect"]);
    let applied = |timeline: &Value| {
        let events = timeline["events"].as_array().unwrap();
        let of = |it: &&Value| it["body"]["type"] == "command_applied";
        let count = events.iter().filter(of).count();
        (count > 0).then_some(count)
    };
    assert_eq!(until(&client, "learner.timeline", applied).await, 1);
}

#[tokio::test]
async fn a_tool_that_cannot_help_says_why_and_what_to_do() {
    let room = Room::open();
    let client = room.older(Person::nobody()).await;
    let stranger = json!({ "learner": LearnerId::fresh() });
    for (tool, arguments, expected) in [
        ("intervene.hint", json!({ "level": 9 }), "hint(s)"),
        ("intervene.hint", json!({ "levle": 2 }), "levle"),
        ("intervene.resume", json!({}), "nothing to do"),
        ("intervene.message", json!({ "text": "" }), "1 to 280"),
        (
            "learner.get_state",
            json!({ "learner": "bob" }),
            "class.list_learners",
        ),
        ("intervene.pause", stranger, "class.list_learners"),
        ("intervene.pause", json!({ "command_id": "7" }), "UUID"),
        ("scene.point_at", json!({ "object": "moon" }), "view.scene"),
        (
            "scene.remove",
            json!({ "object": "lamp" }),
            "belongs to the lesson",
        ),
        (
            "adapt.apply",
            json!({ "change": { "what": "difficulty", "multiplier": 9.0 } }),
            "between",
        ),
        (
            "assess.submit_rubric",
            json!({ "criterion": "comfort", "score": 1.0 }),
            "measured or said by the learner",
        ),
        ("class.list_learners", json!({ "cursor": "x" }), "cursor"),
    ] {
        let why = refused(&client, tool, arguments).await;
        assert!(why.contains(expected), "{tool}: {why}");
    }
}

#[tokio::test]
async fn ending_a_session_asks_back_in_both_eras_and_a_no_ends_nothing() {
    for newer in [false, true] {
        let room = Room::open();
        let connect = async |person| {
            if newer {
                room.newer(person).await
            } else {
                room.older(person).await
            }
        };
        let (told, mut heard) = mpsc::unbounded_channel();
        let wary = Person {
            answers: Some(false),
            told,
        };
        let client = connect(wary).await;
        let why = refused(&client, "session.stop", json!({})).await;
        assert!(why.contains("did not say yes"), "{why}");
        let question = heard.try_recv().expect("somebody was asked");
        assert!(question.contains(&room.learner.to_string()), "{question}");
        let state = call(&client, "learner.get_state", json!({})).await;
        assert_eq!(state["ended"], false);
        let sure = connect(Person::who_says(true)).await;
        let done = call(&sure, "session.stop", json!({})).await;
        assert_eq!(done["done"], true, "{done}");
        until(&sure, "learner.get_state", |seen| {
            (seen["ended"] == true).then_some(())
        })
        .await;
    }
}

#[tokio::test]
async fn a_client_that_can_ask_nobody_confirms_with_a_token_for_that_very_act() {
    let room = Room::open();
    let client = room.older(Person::nobody()).await;
    let purpose = json!({ "purpose": "the lesson is over" });
    let why = refused(&client, "session.stop", purpose.clone()).await;
    let token = why
        .split("confirm: \\\"")
        .nth(1)
        .unwrap()
        .split("\\\"")
        .next()
        .unwrap();
    let other = json!({ "purpose": "something else", "confirm": token });
    let foreign = refused(&client, "session.stop", other).await;
    assert!(foreign.contains("does not belong to this act"), "{foreign}");
    let mut confirmed = purpose;
    confirmed["confirm"] = json!(token);
    let done = call(&client, "session.stop", confirmed).await;
    assert_eq!(done["done"], true, "{done}");
}

#[tokio::test]
async fn what_is_pointed_at_or_added_is_in_the_scene_that_is_viewed() {
    let room = Room::open();
    let client = room.newer(Person::nobody()).await;
    let scene = call(&client, "view.scene", json!({})).await;
    let lamp = thing(&scene, "lamp").expect("the lamp is in the scene");
    assert_eq!(lamp["asked_for"], true, "{lamp}");
    assert_eq!(lamp["shines"], false);
    assert!(lamp["bearing"]["distance"].as_f64().unwrap() > 0.0);
    assert!(
        lamp["words"].as_str().unwrap().contains(" m away"),
        "{lamp}"
    );
    assert_eq!(scene["body"], Value::Null, "never head or hands");

    call(
        &client,
        "scene.point_at",
        json!({ "object": "lamp", "seconds": 30.0 }),
    )
    .await;
    let shines = |scene: &Value| (thing(scene, "lamp")?["shines"] == true).then_some(());
    until(&client, "view.scene", shines).await;

    let ball = json!({
        "id": "my-ball", "label": "blue ball", "form": "ball", "size": 0.1, "color": "#3355ff",
        "position": [0.2, 1.0, -0.5], "mass": 0.2
    });
    call(&client, "scene.spawn", ball.clone()).await;
    let there = |scene: &Value| thing(scene, "my-ball").cloned();
    let seen = until(&client, "view.scene", there).await;
    assert_eq!(
        (&seen["kind"], &seen["label"]),
        (&json!("added"), &json!("blue ball"))
    );
    let why = refused(&client, "scene.spawn", ball).await;
    assert!(why.contains("something else has that id"), "{why}");
    // Everything that is not as authored goes with one act.
    until(&client, "learner.get_state", |seen| {
        (seen["added"] == json!(["my-ball"])).then_some(())
    })
    .await;
    let reverted = call(&client, "adapt.revert", json!({})).await;
    assert_eq!(
        reverted["outcomes"].as_array().unwrap().len(),
        1,
        "{reverted}"
    );
    until(&client, "view.scene", |scene| {
        thing(scene, "my-ball").is_none().then_some(())
    })
    .await;
}

#[tokio::test]
async fn one_trace_leads_from_the_client_to_the_record() {
    let room = Room::open();
    let client = room.newer(Person::nobody()).await;
    let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let mut meta = RequestMetaObject::new();
    meta.set_traceparent(trace);
    let mut params = CallToolRequestParams::new("intervene.pause");
    params.meta = Some(meta);
    let paused = client.call_tool(params).await.unwrap();
    assert_eq!(paused.structured_content.unwrap()["trace"], trace);
    until(&client, "learner.timeline", |timeline| {
        let events = timeline["events"].as_array()?;
        events
            .iter()
            .find(|it| it["body"]["command"]["trace"] == trace)
            .map(drop)
    })
    .await;
}

#[tokio::test]
async fn everything_listed_can_be_read() {
    let room = Room::open();
    let client = room.older(Person::nobody()).await;
    let listed = client.list_all_resources().await.unwrap();
    assert!(listed.len() >= 12, "{listed:?}");
    for resource in &listed {
        read(&client, &resource.uri).await;
    }
    let templates = client.list_all_resource_templates().await.unwrap();
    let templates: Vec<&str> = templates
        .iter()
        .map(|it| it.uri_template.as_str())
        .collect();
    assert!(
        templates.contains(&"learner://{learner}/timeline"),
        "{templates:?}"
    );
    let state = read(&client, &format!("learner://{}/state", room.learner)).await;
    assert_eq!(state["lesson"], "first-steps");
    let graph = read(&client, "lesson://first-steps/graph").await;
    assert!(graph["steps"].as_array().unwrap().len() > 3);
    let ready = read(&client, "lesson://first-steps/content_readiness").await;
    assert_eq!(ready["playable"], true, "{ready}");
    for nothing in [
        format!("learner://{}", LearnerId::fresh()),
        "lesson://no-such-lesson/graph".to_owned(),
        "file:///etc/passwd".to_owned(),
    ] {
        let params = ReadResourceRequestParams::new(nothing.clone());
        assert!(client.read_resource(params).await.is_err(), "{nothing}");
    }
}

#[tokio::test]
async fn who_follows_a_learner_or_the_class_is_told_of_changes_in_both_eras() {
    let room = Room::open();
    let uris = [
        format!("learner://{}/state", room.learner),
        "class://roster".to_owned(),
    ];
    let (person, mut heard) = Person::hearing();
    let older = room.older(person).await;
    for uri in &uris {
        older
            .subscribe(SubscribeRequestParams::new(uri.clone()))
            .await
            .unwrap();
    }
    let newer = room.newer(Person::nobody()).await;
    let filter = uris
        .iter()
        .fold(SubscriptionFilter::builder(), |filter, uri| {
            filter.resource_subscription(uri.clone())
        });
    let mut subscription = newer.listen(filter.build()).await.unwrap();
    call(&newer, "intervene.pause", json!({})).await;
    let (mut to_older, mut to_newer) = (Vec::new(), String::new());
    let all = async {
        while !uris.iter().all(|uri| to_older.contains(uri)) {
            to_older.push(heard.recv().await.unwrap());
        }
        while !uris.iter().all(|uri| to_newer.contains(uri.as_str())) {
            to_newer += &format!("{:?}", subscription.next().await);
        }
    };
    tokio::time::timeout(PATIENCE, all).await.unwrap();
}

#[tokio::test]
async fn the_class_is_a_query() {
    let room = Room::open();
    let client = room.newer(Person::nobody()).await;
    // Nobody to be compared with, once the learner is at the first step.
    until(&client, "class.stuck", |stuck| {
        assert_eq!(stuck["stuck"], json!([]));
        (stuck["cannot_tell"] == 1).then_some(())
    })
    .await;
    let dashboard = call(&client, "class.dashboard", json!({})).await;
    assert_eq!(dashboard["learners"], 1);
    assert!(
        !dashboard.to_string().contains(&room.learner.to_string()),
        "{dashboard}"
    );
    let at = |step: &str| json!({ "step": step });
    let here = call(&client, "class.list_learners", at("look-at-lamp")).await;
    assert_eq!(here["learners"].as_array().unwrap().len(), 1);
    let elsewhere = call(&client, "class.list_learners", at("elsewhere")).await;
    assert_eq!(elsewhere["learners"], json!([]));
    let all = call(&client, "intervene.pause_all", json!({})).await;
    assert_eq!(all["done"], 1, "{all}");
}

#[tokio::test]
async fn prompts_bring_the_state_they_need_and_arguments_are_completed() {
    let room = Room::open();
    let client = room.newer(Person::nobody()).await;
    let prompts = client.list_all_prompts().await.unwrap();
    let names: Vec<&str> = prompts.iter().map(|it| it.name.as_str()).collect();
    let expected = [
        "class-debrief",
        "coach-struggling-learner",
        "incident-review",
        "plan-lesson",
    ];
    assert_eq!(names, expected);
    for name in names {
        let arguments = json!({ "what": "a red light", "objectives": "tie a bowline" });
        let mut params = GetPromptRequestParams::new(name);
        params.arguments = arguments.as_object().cloned();
        let filled = client.get_prompt(params).await.unwrap();
        let text = serde_json::to_string(&filled.messages).unwrap();
        let knows_learner = text.contains(&room.learner.to_string());
        let about_one = ["coach-struggling-learner", "incident-review"].contains(&name);
        assert_eq!(knows_learner, about_one, "{name}");
    }
    let complete = async |argument: &str, typed: &str| {
        let argument = rmcp::model::ArgumentInfo::new(argument, typed);
        let reference = Reference::for_prompt("coach-struggling-learner");
        let params = CompleteRequestParams::new(reference, argument);
        client.complete(params).await.unwrap().completion.values
    };
    let begun: String = room.learner.to_string().chars().take(5).collect();
    assert_eq!(
        complete("learner", &begun).await,
        [room.learner.to_string()]
    );
    assert_eq!(complete("lesson", "first").await, ["first-steps"]);
    assert!(complete("learner", "zzz").await.is_empty());
}

#[tokio::test]
async fn a_lesson_is_checked_with_every_mistake_and_its_line() {
    let room = Room::open();
    let client = room.older(Person::nobody()).await;
    let checked = call(
        &client,
        "lesson.validate",
        json!({ "text": "(version: 1," }),
    )
    .await;
    assert_eq!(checked["playable"], false);
    assert!(checked["mistakes"][0]["line"].is_u64(), "{checked}");
    let score = json!({ "criterion": "creativity", "score": 0.8 });
    let scored = call(&client, "assess.submit_rubric", score).await;
    assert_eq!(scored["done"], true, "{scored}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chat_client_finds_the_instructors_page_and_what_it_lives_on() {
    let room = Room::open();
    for client in [
        room.older(Person::nobody()).await,
        room.newer(Person::nobody()).await,
    ] {
        let tools = client.list_all_tools().await.unwrap();
        let ui = |name: &str| {
            let tool = tools.iter().find(|it| it.name == name).unwrap();
            tool.meta.as_ref().unwrap().0["ui"].clone()
        };
        // The model opens it with the class; what keeps it alive is none of the model's business.
        let uri = ui("class.dashboard")["resourceUri"].clone();
        assert_eq!(ui("class.watch")["visibility"], json!(["app"]));
        let uri = uri.as_str().unwrap();
        let listed = client.list_all_resources().await.unwrap();
        let kind = listed.iter().find(|it| it.uri == uri).unwrap();
        assert_eq!(kind.mime_type.as_deref(), Some("text/html;profile=mcp-app"));
        let request = ReadResourceRequestParams::new(uri);
        let read = client.read_resource(request).await.unwrap();
        let read = serde_json::to_value(&read.contents[0]).unwrap();
        assert_eq!(read["mimeType"], "text/html;profile=mcp-app");
        assert!(read["_meta"]["ui"]["csp"].is_object());
        let page = read["text"].as_str().unwrap();
        assert!(page.starts_with("<!doctype html>") && page.contains("ui/initialize"));

        let me = call(&client, "door.me", json!({})).await;
        assert_eq!(me["role"], "operator");
        assert!(
            me["tools"]
                .as_array()
                .unwrap()
                .contains(&json!("intervene.hint"))
        );

        // All at first; then only what the client has not.
        let id = room.learner.to_string();
        let all = call(&client, "class.watch", json!({})).await;
        assert_eq!(all["here"], json!([id]));
        assert_eq!(all["changed"][0]["snapshot"]["learner"], json!(id));
        // It is shown for as long as it takes to read.
        let words = "well done, and well looked ".repeat(10);
        let text = json!({ "learner": id, "text": words.trim() });
        call(&client, "intervene.message", text).await;
        let last = |news: &Value| {
            let events = news["events"].as_array().unwrap();
            events.last().map(|it| it["seq"].as_u64().unwrap())
        };
        let known = |news: &Value, seq: u64| {
            let version = news["changed"][0]["version"].clone();
            json!({ "known": { id.as_str(): { "version": version, "seq": seq } } })
        };
        let seq = last(&all).unwrap();
        let begun = Instant::now();
        let news = loop {
            let news = call(&client, "class.watch", known(&all, seq)).await;
            if last(&news).is_some() && !news["changed"].as_array().unwrap().is_empty() {
                break news;
            }
            assert!(begun.elapsed() < PATIENCE, "{news}");
        };
        let events = news["events"].as_array().unwrap();
        assert!(events.iter().all(|it| it["seq"].as_u64().unwrap() > seq));
        assert_eq!(news["changed"][0]["snapshot"]["message"], words.trim());
    }
}
