//! Consent, roster and rights at the command line and in the running program; and what names and marks leave behind.

// Helpers of tests may panic as tests do.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use futures_util::{SinkExt, StreamExt};
use malloc_vr::protocol::event::{Event, EventBody};
use malloc_vr::protocol::ids::{LearnerId, SessionId};
use malloc_vr::record::{Keys, Store};
use rmcp::ServiceExt;
use rmcp::model::ReadResourceRequestParams;
use rmcp::transport::StreamableHttpClientTransport;
use rmcp::transport::streamable_http_client::StreamableHttpClientTransportConfig;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

mod support;

use support::{door_in, get, malloc_vr, run, says, until_it_runs};

const TOKEN: &str = "a-token-for-this-test";
/// The trace that this test's acts belong to.
const TRACE: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
const TRACE_ID: &str = "0af7651916cd43dd8448eb211c80319c";
const PATIENCE: Duration = Duration::from_secs(20);

/// Runs it and expects that it succeeds.
fn ok(home: &Path, arguments: &[&str]) -> String {
    let (code, text) = run(malloc_vr(home).args(arguments));
    assert_eq!(code, Some(0), "{arguments:?}: {text}");
    text
}

fn refused(home: &Path, arguments: &[&str]) -> String {
    let (code, text) = run(malloc_vr(home).args(arguments));
    assert_eq!(code, Some(1), "{arguments:?}: {text}");
    text
}

#[test]
fn a_guardians_consent_is_recorded_before_the_first_lesson_counts_and_is_withdrawn() {
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    let added = ok(
        home,
        &[
            "records",
            "roster",
            "add",
            "7b-12",
            "--name",
            "Mirabel Quince",
            "--birth-year",
            "2019",
        ],
    );
    let learner = added.trim();
    says(
        &ok(home, &["records", "roster", "list"]),
        &[learner, "7b-12", "Mirabel Quince", "Under13"],
    );
    let before = ok(home, &["records", "standing", learner]);
    says(
        &before,
        &[
            "Under13",
            "nothing leaves this device",
            "Guardian or School",
        ],
    );

    let scopes = "leave-headset,instructor-view";
    let consent = |by, method| {
        [
            "records", "consent", learner, "--scope", scopes, "--by", by, "--method", method,
        ]
    };
    // A press on a screen shows nobody's word, a child's own does not count, and the roster knows better than the desk.
    says(
        &refused(home, &consent("guardian", "on-screen")),
        &["on a screen"],
    );
    says(
        &refused(home, &consent("learner", "in-person")),
        &["Learner", "Guardian"],
    );
    let as_adult = [
        &consent("learner", "in-person")[..],
        &["--age-band", "adult"],
    ]
    .concat();
    refused(home, &as_adult);
    says(
        &refused(
            home,
            &[
                "records",
                "consent",
                learner,
                "--scope",
                "hold-out",
                "--by",
                "school",
                "--method",
                "school-agreement",
            ],
        ),
        &["HoldOut"],
    );

    let reference = [
        &consent("guardian", "signed-form")[..],
        &["--reference", "form 12 of Mirabel Quince"],
    ]
    .concat();
    says(&ok(home, &reference), &["recorded", "the guardian"]);
    let shown = ok(home, &["records", "show", learner]);
    assert!(
        shown.contains("form 12") && !shown.contains("Quince"),
        "{shown}"
    );
    says(
        &ok(home, &["records", "standing", learner]),
        &["an instructor at the bridge sees", "(event 1)"],
    );

    ok(
        home,
        &[
            "records",
            "consent",
            learner,
            "--scope",
            "leave-headset",
            "--by",
            "guardian",
            "--withdraw",
        ],
    );
    says(
        &ok(home, &["records", "standing", learner]),
        &["nothing leaves this device"],
    );
    ok(
        home,
        &[
            "records",
            "amend",
            learner,
            "--event",
            "1",
            "--by",
            "guardian",
            "--note",
            "the form was for another school",
        ],
    );
    refused(
        home,
        &[
            "records", "amend", learner, "--event", "9", "--note", "nothing",
        ],
    );
    ok(home, &["records", "restrict", learner, "--by", "guardian"]);
    says(
        &ok(home, &["records", "standing", learner]),
        &["restricted by the guardian", "1 note(s)"],
    );
    refused(
        home,
        &["records", "restrict", learner, "--by", "learner", "--lift"],
    );
    ok(
        home,
        &["records", "restrict", learner, "--by", "guardian", "--lift"],
    );
    says(
        &ok(home, &["records", "audit"]),
        &["consented", "amended", "restricted", "identified"],
    );
    says(&ok(home, &["records", "verify"]), &["0 problem(s)"]);

    // The key is changed, and the names are still there; who is erased takes their name along.
    ok(home, &["records", "rotate-key"]);
    says(
        &ok(home, &["records", "roster", "list"]),
        &["Mirabel Quince"],
    );
    says(
        &ok(home, &["records", "erase", learner, "--yes"]),
        &["1 name(s)"],
    );
    assert!(!ok(home, &["records", "roster", "list"]).contains("Mirabel"));
}

#[test]
fn a_disclosure_needs_consent_and_stands_in_the_record() {
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    let learner = ok(
        home,
        &[
            "records",
            "roster",
            "add",
            "1",
            "--name",
            "Ada Zaun",
            "--birth-year",
            "1990",
        ],
    );
    let learner = learner.trim();
    ok(
        home,
        &[
            "records",
            "consent",
            learner,
            "--scope",
            "motion-recording",
            "--by",
            "learner",
            "--method",
            "in-person",
        ],
    );
    let copy = home.join("copy").display().to_string();
    let disclose = [
        "records",
        "export",
        learner,
        "--output",
        &copy,
        "--for-study",
        "University of Graz, study 7",
    ];
    says(&refused(home, &disclose), &["no consent to ResearchExport"]);
    assert!(!Path::new(&copy).exists());
    ok(
        home,
        &[
            "records",
            "consent",
            learner,
            "--scope",
            "research-export",
            "--by",
            "learner",
            "--method",
            "in-person",
        ],
    );
    ok(home, &disclose);
    let shown = ok(home, &["records", "show", learner]);
    says(&shown, &["disclosed", "University of Graz"]);
    let readme = std::fs::read_to_string(Path::new(&copy).join("README.md")).unwrap();
    says(&readme, &["give it to nobody else"]);
}

#[test]
fn figures_of_a_class_need_five_learners_name_nobody_and_end_with_the_budget() {
    let home = tempfile::tempdir().unwrap();
    let data = home.path().join("data");
    std::fs::create_dir(&data).unwrap();
    let file = data.join("records.redb");
    let learners: Vec<_> = (0..6).map(|_| LearnerId::fresh()).collect();
    let join = |learners: &[LearnerId]| {
        let store = Store::open(&file, &Keys::beside(&file).unwrap()).unwrap();
        for &learner in learners {
            let event = Event {
                seq: 1,
                at_unix_ms: 1_795_000_000_000,
                learner,
                session: SessionId::fresh(),
                body: EventBody::SessionResumed,
            };
            store.append(&[event]).unwrap();
        }
    };
    join(&learners[..4]);
    let class = ["records", "class", "--epsilon", "1"];
    says(&refused(home.path(), &class), &["4 learners are too few"]);
    join(&learners[4..]);
    let told = ok(home.path(), &class);
    says(
        &told,
        &["attempts that were right", "6 learners", "left: 2.00"],
    );
    assert!(learners.iter().all(|it| !told.contains(&it.to_string())));
    // A new master key opens what was spent, too.
    ok(home.path(), &["records", "rotate-key"]);
    ok(home.path(), &class);
    ok(home.path(), &class);
    says(&refused(home.path(), &class), &["6 of them have less left"]);
}

/// A running `play --headless` that says all it can, killed when dropped.
struct Playing {
    child: Child,
    address: String,
    said: std::thread::JoinHandle<String>,
}

fn play(home: &Path, more: &[&str]) -> Playing {
    let log = std::fs::File::create(home.join("stderr.log")).unwrap();
    let mut child = malloc_vr(home)
        .args(["play", "--headless", "--token", TOKEN])
        .args(more)
        // Ours by name: what the program says of its own crate outweighs a bare level.
        .env(
            "RUST_LOG",
            "trace,malloc_vr=trace,polling=off,bevy_ecs=off,mio=off",
        )
        .stdout(Stdio::piped())
        .stderr(log)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap());
    let mut begun = String::new();
    let address = loop {
        let before = begun.len();
        assert!(
            lines.read_line(&mut begun).unwrap() > 0,
            "it ended before it was ready: {begun}"
        );
        if let Some(address) = door_in(&begun[before..]) {
            break address;
        }
    };
    let said = std::thread::spawn(move || {
        // It may say what is no text.
        let mut rest = Vec::new();
        let _ = lines.read_to_end(&mut rest);
        begun + &String::from_utf8_lossy(&rest)
    });
    until_it_runs(&address);
    Playing {
        child,
        address,
        said,
    }
}

impl Playing {
    /// Ends it as a person at the keyboard would; gives all that it said.
    fn stop(mut self) -> String {
        let pid = self.child.id().to_string();
        std::process::Command::new("kill")
            .args(["-TERM", &pid])
            .status()
            .unwrap();
        let deadline = Instant::now() + PATIENCE;
        while self.child.try_wait().unwrap().is_none() {
            assert!(Instant::now() < deadline, "it did not stop");
            std::thread::sleep(Duration::from_millis(5));
        }
        self.said.join().unwrap()
    }
}

/// Sends a command and gives its answer.
async fn command(address: &str, learner: &str, body: Value) -> Value {
    let url = format!("ws://{address}/ws?token={TOKEN}");
    let deadline = Instant::now() + PATIENCE;
    let (mut socket, _) = tokio_tungstenite::connect_async(url).await.unwrap();
    // Refused while the program begins.
    loop {
        let asked = json!({ "command": { "learner": learner, "purpose": "for Mirabel Quince, mirabel@school.example", "body": body, "trace": TRACE } });
        socket.send(Message::text(asked.to_string())).await.unwrap();
        let answer = loop {
            let message = tokio::time::timeout(PATIENCE, socket.next())
                .await
                .unwrap()
                .unwrap()
                .unwrap();
            if let Message::Text(text) = message {
                let value: Value = serde_json::from_str(text.as_str()).unwrap();
                if let Some(answer) = value.get("answer") {
                    break answer.clone();
                }
            }
        };
        let early = ["no_such_learner", "no_step"].map(|it| answer["outcome"]["reason"] == it);
        let begins = answer["message"]
            .as_str()
            .is_some_and(|it| it.contains("just begun"));
        if !early.contains(&true) && !begins {
            return answer;
        }
        assert!(Instant::now() < deadline, "{answer}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// The line in which these words stand.
fn around(bytes: &[u8], words: &str) -> String {
    let text = String::from_utf8_lossy(bytes);
    let line = text.lines().find(|line| line.contains(words));
    line.unwrap_or_default().chars().take(400).collect()
}

fn holds(bytes: &[u8], words: &str) -> bool {
    bytes.windows(words.len()).any(|it| it == words.as_bytes())
}

fn all_bytes(folder: &Path) -> Vec<u8> {
    let files = std::fs::read_dir(folder)
        .unwrap()
        .map(|it| it.unwrap().path());
    files
        .flat_map(|path| {
            if path.is_dir() {
                all_bytes(&path)
            } else {
                std::fs::read(&path).unwrap()
            }
        })
        .collect()
}

#[tokio::test]
async fn names_that_somebody_types_reach_no_log_no_file_and_no_export_of_the_running_program() {
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    let added = ok(
        home,
        &[
            "records",
            "roster",
            "add",
            "7b-12",
            "--name",
            "Mirabel Quince",
            "--birth-year",
            "1990",
        ],
    );
    let learner = added.trim().to_owned();
    let playing = play(home, &["--learner", &learner]);
    let words = json!({ "do": "message", "text": "Well done, Mirabel Quince! Write to mirabel@school.example" });
    let answer = command(&playing.address, &learner, words).await;
    assert_eq!(answer["outcome"]["outcome"], "applied", "{answer}");
    let scopes =
        json!({ "do": "withdraw_consent", "scopes": ["instructor_view"], "actor": "learner" });
    let answer = command(&playing.address, &learner, scopes).await;
    assert_eq!(answer["outcome"]["outcome"], "applied", "{answer}");
    let health = get(&playing.address, "/healthz");
    let metrics = metrics(&playing.address).await;
    says(&metrics, &["malloc_vr_commands_applied_total"]);
    let said = playing.stop();
    says(&said, &["an instructor may see this learner"]);
    let copy = home.join("copy").display().to_string();
    ok(home, &["records", "export", &learner, "--output", &copy]);
    let exported = all_bytes(Path::new(&copy));
    assert!(holds(&exported, "Well done"), "the message was recorded");
    assert!(
        holds(&exported, "instructor_view"),
        "the refusal was recorded"
    );
    let files = all_bytes(home);
    let traced = std::fs::read(home.join("stderr.log")).unwrap();
    let spans = [said.as_bytes(), &traced];
    assert!(
        spans.iter().any(|it| holds(it, TRACE_ID)),
        "the acts were traced"
    );
    for canary in ["Mirabel", "Quince", "mirabel@school", "7b-12"] {
        for (place, bytes) in [
            ("said", said.as_bytes()),
            ("files", &files),
            ("tells of its health", health.as_bytes()),
            ("counts", metrics.as_bytes()),
        ] {
            assert!(
                !holds(bytes, canary),
                "{canary} in what it {place}: {}",
                around(bytes, canary)
            );
        }
    }
    // And the refusal holds when the program starts again.
    let again = play(home, &["--learner", &learner]);
    let answer = command(&again.address, &learner, json!({ "do": "pause" })).await;
    assert_eq!(answer["outcome"]["reason"], "not_agreed", "{answer}");
    says(
        &again.stop(),
        &["nothing leaves this device", "InstructorView"],
    );
}

#[tokio::test]
async fn nobody_is_shown_whose_age_nobody_said_unless_a_grown_up_says_so() {
    let home = tempfile::tempdir().unwrap();
    let first = play(home.path(), &[]);
    let said = first.stop();
    says(&said, &["nothing leaves this device", "--age-band adult"]);
    let grown_up = play(home.path(), &["--age-band", "adult"]);
    says(&grown_up.stop(), &["an instructor may see this learner"]);
}

/// What it counts, as an operator's program reads it.
async fn metrics(address: &str) -> String {
    let uri = format!("http://{address}/mcp");
    let config = StreamableHttpClientTransportConfig::with_uri(uri).auth_header(TOKEN);
    let transport = StreamableHttpClientTransport::from_config(config);
    let client = ().serve(transport).await.unwrap();
    let read = client
        .read_resource(ReadResourceRequestParams::new("ops://metrics"))
        .await
        .unwrap();
    client.cancel().await.unwrap();
    serde_json::to_string(&read.contents).unwrap()
}
