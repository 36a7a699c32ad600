//! The whole product in a real OpenXR runtime: the real binary, a scripted learner with two hands, a real MCP client.
//! `cargo xtask xr` (part of `cargo xtask test`) brings the runtime up and runs these one after the other.

// Helpers of tests may panic as tests do.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use malloc_vr::lesson::{self, Loaded};
use malloc_vr::protocol::event::{Event, EventBody, Evidence};
use malloc_vr::protocol::ids::StepId;
use rmcp::ServiceExt;
use rmcp::model::CallToolRequestParams;
use rmcp::transport::StreamableHttpClientTransport;
use rmcp::transport::streamable_http_client::StreamableHttpClientTransportConfig;

use follow::Follower;
use monado::{Monado, Show};
use person::Person;
use script::{Learner, Manner};

#[path = "../src/bin/simulate/follow.rs"]
mod follow;
#[path = "../src/bin/simulate/monado.rs"]
#[allow(dead_code)]
mod monado;
#[path = "../src/bin/simulate/packet.rs"]
#[allow(dead_code)]
mod packet;
#[path = "../src/bin/simulate/person.rs"]
#[allow(dead_code)]
mod person;
#[path = "../src/bin/simulate/script.rs"]
#[allow(dead_code)]
mod script;

#[path = "support/looking.rs"]
mod looking;

const TOKEN: &str = "token-of-the-xr-tests";
const MALLOC_VR: &str = env!("CARGO_BIN_EXE_malloc-vr");

/// `malloc-vr play` in the simulated headset; killed when dropped.
struct Playing {
    child: Child,
    address: String,
}

impl Playing {
    fn start(monado: &Monado, home: &Path, more: impl FnOnce(&mut Command)) -> Self {
        let mut command = Command::new(MALLOC_VR);
        monado.dress(&mut command);
        command
            .args([
                "play",
                "first-steps",
                "--listen",
                "127.0.0.1:0",
                "--token",
                TOKEN,
                "--age-band",
                "adult",
            ])
            .arg("--frame-stats")
            .arg(home.join("frames.json"))
            .env("MALLOC_VR_DATA_DIR", home)
            .env("NO_COLOR", "1")
            .stdin(Stdio::null())
            .stdout(Stdio::piped());
        more(&mut command);
        let mut child = command.spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let address = loop {
            let line = lines
                .next()
                .expect("it ended before the lesson began")
                .unwrap();
            println!("{line}");
            if let Some(rest) = line.strip_prefix("instructor: http://") {
                break rest.split('/').next().unwrap().to_owned();
            }
        };
        std::thread::spawn(move || {
            lines
                .map_while(Result::ok)
                .for_each(|line| println!("{line}"));
        });
        Self { child, address }
    }

    fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Asks it to end and waits until it has.
    fn stop(mut self) {
        Command::new("sh")
            // A shell has `kill` built in; the program is not everywhere.
            .args(["-c", "kill -TERM $0", &self.child.id().to_string()])
            .status()
            .unwrap();
        let deadline = Instant::now() + Duration::from_secs(30);
        while self.child.try_wait().unwrap().is_none() {
            assert!(Instant::now() < deadline, "it did not end when asked");
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

impl Drop for Playing {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn learner<'a>(
    loaded: &'a Loaded,
    monado: &Monado,
    playing: &Playing,
    mistakes: bool,
) -> Learner<'a> {
    let (stream, packet) = monado.remote().unwrap();
    let person = Person::new(stream, packet).unwrap();
    let follower = Follower::connect(&playing.address, TOKEN).unwrap();
    Learner::new(&loaded.lesson, person, follower, Manner { mistakes })
}

/// The only learner's log, from the command that a person would use.
fn log_in(home: &Path) -> Vec<Event> {
    let output = Command::new(MALLOC_VR)
        .args(["records", "show", "--data-dir"])
        .arg(home)
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn has_no_gap(log: &[Event]) -> bool {
    log.iter().zip(1..).all(|(event, seq)| event.seq == seq)
}

fn completed(log: &[Event]) -> Vec<&str> {
    log.iter()
        .filter_map(|event| match &event.body {
            EventBody::StepCompleted { step, .. } => Some(step.as_str()),
            _ => None,
        })
        .collect()
}

/// Calls a tool as an MCP client does; gives its structured result, or the error's text.
fn call(
    address: &str,
    tool: &'static str,
    arguments: serde_json::Value,
) -> Result<serde_json::Value, String> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let config = StreamableHttpClientTransportConfig::with_uri(format!("http://{address}/mcp"))
            .auth_header(TOKEN);
        let client = ().serve(StreamableHttpClientTransport::from_config(config)).await.unwrap();
        let mut request = CallToolRequestParams::new(tool);
        request.arguments = arguments.as_object().cloned();
        let result = client.call_tool(request).await.unwrap();
        client.cancel().await.unwrap();
        let failed = result.is_error == Some(true);
        let text = format!("{:?}", result.content);
        match result.structured_content {
            Some(value) if !failed => Ok(value),
            _ => Err(text),
        }
    })
}

#[test]
#[ignore = "needs the OpenXR runtime that `cargo xtask xr` brings up"]
fn a_learner_with_two_hands_takes_first_steps_and_an_instructor_helps() {
    let home = tempfile::tempdir().unwrap();
    let monado = Monado::start(Show::Nothing).unwrap();
    let playing = Playing::start(&monado, home.path(), |_| {});
    let loaded = lesson::load("first-steps").unwrap();
    let mut learner = learner(&loaded, &monado, &playing, true);

    // The instructor sees the learner before the first step, and helps.
    learner
        .follower
        .wait("the first step", Duration::from_secs(30), |it| {
            it.step.is_some() && it.paused_by.is_empty()
        })
        .unwrap();
    let before = call(&playing.address, "learner.get_state", serde_json::json!({})).unwrap();
    assert_eq!(before["step"], "look-at-lamp");
    assert_eq!(before["attempts"], 0);
    let done = call(
        &playing.address,
        "intervene.hint",
        serde_json::json!({"purpose": "a first look"}),
    )
    .unwrap();
    assert!(
        done["effect"].as_str().unwrap().contains("hint 1"),
        "{done}"
    );
    learner
        .follower
        .wait("the hint in the world", Duration::from_secs(10), |it| {
            it.hint_level == 1 && it.hint.is_some()
        })
        .unwrap();

    let played = learner.play(None, &mut |_, _| Ok(())).unwrap();
    assert_eq!(played.steps, loaded.lesson.steps.len());
    assert_eq!(played.wrong_placements, 1);
    assert_eq!(played.wide_throws, 1);
    assert_eq!(played.hints_seen, 1, "hesitating brought a hint");
    let after = call(&playing.address, "learner.get_state", serde_json::json!({})).unwrap();
    assert_eq!(after["ended"], true);
    assert!(after["skills"]["grasp"]["known"].as_f64().unwrap() > 0.3);
    let health = call(&playing.address, "ops.health", serde_json::json!({})).unwrap();
    let fares = &health["frames"];
    for measured in ["period_ms", "cpu_ms", "gpu_ms", "render_scale"] {
        let value = fares[measured].as_f64().unwrap_or_default();
        assert!(value > 0.0, "{measured} in {health}");
    }
    let why = fares["why"].as_str().unwrap();
    assert!(why.contains("CPU"), "{why}");
    println!("governor: {fares}");
    let refused = call(&playing.address, "intervene.hint", serde_json::json!({})).unwrap_err();
    assert!(refused.contains("no step is running"), "{refused}");

    playing.stop();
    let log = log_in(home.path());
    assert!(has_no_gap(&log));
    let steps: Vec<&str> = loaded
        .lesson
        .steps
        .iter()
        .map(|step| step.id.as_str())
        .collect();
    assert_eq!(completed(&log), steps);
    let wrong = log.iter().any(|event| {
        matches!(&event.body, EventBody::Attempted(attempt)
            if !attempt.correct && matches!(attempt.evidence, Evidence::Placed { .. }))
    });
    assert!(wrong, "the wrong placement is an attempt, too");
    let throws: Vec<bool> = log
        .iter()
        .filter_map(|event| match &event.body {
            EventBody::Attempted(attempt)
                if matches!(attempt.evidence, Evidence::Thrown { .. }) =>
            {
                Some(attempt.correct)
            }
            _ => None,
        })
        .collect();
    assert_eq!(
        (throws.first(), throws.last()),
        (Some(&false), Some(&true)),
        "the ball came back and lay still, to be taken and thrown again: {throws:?}"
    );

    let frames: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(home.path().join("frames.json")).unwrap())
            .unwrap();
    assert!(frames["frames"].as_u64().unwrap() > 100, "{frames}");
    assert!(
        frames["period_s"].as_f64().unwrap() > 0.0,
        "the runtime's own period: {frames}"
    );
    assert!(
        frames["layers"].as_u64().unwrap() > 0,
        "panels are layers of their own: {frames}"
    );
    println!("frames: {frames}");
    let start = frames["start_to_focused_s"]
        .as_f64()
        .expect("it reached FOCUSED");
    println!("start to focused: {start:.2} s");
}

#[test]
#[ignore = "needs the OpenXR runtime that `cargo xtask xr` brings up"]
fn the_validation_layer_finds_no_misuse_of_openxr() {
    let home = tempfile::tempdir().unwrap();
    let monado = Monado::start(Show::Nothing).unwrap();
    let report = home.path().join("validation.txt");
    let playing = Playing::start(&monado, home.path(), |command| {
        command
            .env("XR_ENABLE_API_LAYERS", "XR_APILAYER_LUNARG_core_validation")
            .env("XR_CORE_VALIDATION_EXPORT_TYPE", "text")
            .env("XR_CORE_VALIDATION_FILE_NAME", &report);
    });
    let loaded = lesson::load("first-steps").unwrap();
    let mut learner = learner(&loaded, &monado, &playing, false);
    learner.play(None, &mut |_, _| Ok(())).unwrap();
    playing.stop();
    let validation = std::fs::read_to_string(&report).expect("the layer writes its report");
    let errors: Vec<&str> = validation
        .lines()
        .filter(|line| line.contains("VALID_ERROR"))
        .collect();
    assert!(errors.is_empty(), "{}", errors.join("\n"));
}

#[test]
#[ignore = "needs the OpenXR runtime that `cargo xtask xr` brings up"]
fn a_lesson_outlives_its_runtime() {
    let home = tempfile::tempdir().unwrap();
    let mut monado = Monado::start(Show::Nothing).unwrap();
    let mut playing = Playing::start(&monado, home.path(), |_| {});
    let loaded = lesson::load("first-steps").unwrap();
    let mut learner = learner(&loaded, &monado, &playing, false);
    let middle = StepId::new("place-drum");
    learner.play(Some(&middle), &mut |_, _| Ok(())).unwrap();

    monado.kill_service();
    learner
        .follower
        .wait("the pause", Duration::from_secs(30), |it| {
            !it.paused_by.is_empty()
        })
        .unwrap();
    assert!(
        playing.child.try_wait().unwrap().is_none(),
        "the app ended with its runtime"
    );
    monado.start_service().unwrap();
    let (stream, packet) = monado.remote().unwrap();
    learner.person.reconnect(stream, packet).unwrap();
    learner
        .follower
        .wait("the lesson to go on", Duration::from_secs(60), |it| {
            it.paused_by.is_empty()
        })
        .unwrap();
    learner.play(None, &mut |_, _| Ok(())).unwrap();

    playing.stop();
    let log = log_in(home.path());
    assert!(has_no_gap(&log));
    assert_eq!(
        completed(&log).len(),
        loaded.lesson.steps.len(),
        "{:?}",
        completed(&log)
    );
}

#[test]
#[ignore = "needs the OpenXR runtime that `cargo xtask xr` brings up"]
fn a_killed_lesson_goes_on_at_its_step() {
    let home = tempfile::tempdir().unwrap();
    let monado = Monado::start(Show::Nothing).unwrap();
    let mut playing = Playing::start(&monado, home.path(), |_| {});
    let loaded = lesson::load("first-steps").unwrap();
    let mut first = learner(&loaded, &monado, &playing, false);
    let middle = StepId::new("place-drum");
    first.play(Some(&middle), &mut |_, _| Ok(())).unwrap();
    let acknowledged = first
        .follower
        .wait("the log on the disk", Duration::from_secs(10), |it| {
            it.acknowledged_seq == it.seq
        })
        .unwrap()
        .acknowledged_seq;
    playing.kill();
    drop(first);

    let again = Playing::start(&monado, home.path(), |_| {});
    let mut second = learner(&loaded, &monado, &again, false);
    let state = second
        .follower
        .wait("the step", Duration::from_secs(30), |it| it.step.is_some())
        .unwrap();
    assert_eq!(state.step, Some(middle));
    assert!(state.seq > acknowledged);
    second.play(None, &mut |_, _| Ok(())).unwrap();
    again.stop();
    let log = log_in(home.path());
    assert!(has_no_gap(&log));
    let started = log
        .iter()
        .filter(|event| matches!(event.body, EventBody::SessionStarted { .. }))
        .count();
    assert_eq!(started, 1);
    assert_eq!(completed(&log).len(), loaded.lesson.steps.len());
}

/// The red cube of `first-steps`, in any light.
fn red([r, g, b]: [u8; 3]) -> bool {
    r > 90 && f32::from(r) > 1.8 * f32::from(g) && f32::from(r) > 1.8 * f32::from(b)
}

#[test]
#[ignore = "needs the OpenXR runtime that `cargo xtask xr` brings up"]
fn an_instructor_sees_what_the_learner_sees_if_the_learner_agrees() {
    let home = tempfile::tempdir().unwrap();
    let monado = Monado::start(Show::Nothing).unwrap();
    // At emergency nobody is looked at, and a machine without a graphics card is at emergency.
    let playing = Playing::start(&monado, home.path(), |command| {
        command.args(["--governor", "off"]);
    });
    let address = playing.address.clone();
    let loaded = lesson::load("first-steps").unwrap();
    let mut learner = learner(&loaded, &monado, &playing, false);
    learner
        .play(Some(&StepId::new("touch-cube")), &mut |_, _| Ok(()))
        .unwrap();
    let id = learner.follower.now().unwrap().learner.to_string();

    let refused = looking::capture(&address, TOKEN).unwrap_err();
    assert!(refused.contains("no consent to ViewPicture"), "{refused}");
    // What the program printed says nothing of who attests.
    let office = looking::token_of(&address, TOKEN, "operator");
    let agreed = looking::command(&address, &office, &id, &looking::agrees());
    assert_eq!(agreed["outcome"], "applied", "{agreed}");

    // The cube lies where the tool says it lies: looked at, it is in the middle; looked past, it is beside it.
    let scene = call(&address, "view.scene", serde_json::json!({})).unwrap();
    let things = scene["things"].as_array().unwrap();
    let cube = things.iter().find(|it| it["id"] == "red-cube").unwrap();
    let place: [f32; 3] = serde_json::from_value(cube["position"].clone()).unwrap();
    let place = bevy::math::Vec3::from(place);
    learner.person.look_at(place).unwrap();
    let (png, said) = looking::capture(&address, TOKEN).unwrap();
    let keep = Path::new(env!("CARGO_TARGET_TMPDIR"));
    std::fs::write(keep.join("capture-cube.png"), &png).unwrap();
    assert_eq!(said["bytes"], png.len());
    assert!(png.len() <= 300_000, "{}", png.len());
    let image = looking::Image::read(&png);
    assert!(image.colours() > 200, "{} colours", image.colours());
    // Around the middle: the left eye is some centimetres beside the line from the head.
    let ([x, y], pixels) = image.find(red).expect("the cube");
    assert!(
        (0.45..0.65).contains(&x) && (0.4..0.6).contains(&y),
        "{x} {y}"
    );
    assert!(pixels > 20, "{pixels}");

    // Looked past, it is beside: what was in the middle is wood now. As a page gets it.
    learner
        .person
        .look_at(place + bevy::math::Vec3::X * 0.3)
        .unwrap();
    learner.person.rest(2.0).unwrap();
    let path = format!("/learners/{id}/view.png");
    let (status, head, png) = looking::fetch(&address, &path, TOKEN);
    std::fs::write(keep.join("capture-beside.png"), &png).unwrap();
    assert_eq!(status, 200, "{head}");
    assert!(
        head.contains("content-type: image/png") && head.contains("no-store"),
        "{head}"
    );
    let image = looking::Image::read(&png);
    let left = |x: usize, y: usize| x < image.width * 2 / 5 && y > image.height / 4;
    let found = image.find_where(|x, y| left(x, y) && red(image.at(x, y)));
    assert!(found.expect("the cube, to the left").1 > 20);
    let middle = image.at(image.width / 2, image.height / 2);
    assert!(!red(middle), "{middle:?}");

    // The learner is shown that somebody looks; whoever took their consent back is not looked at.
    learner
        .person
        .look_at(bevy::math::Vec3::new(0.0, 1.4, -1.5))
        .unwrap();
    learner.person.rest(1.5).unwrap();
    let (_, _, png) = looking::fetch(&address, &path, TOKEN);
    std::fs::write(keep.join("capture-panel.png"), &png).unwrap();
    let withdrawn = looking::command(&address, &office, &id, &looking::agrees_no_more());
    assert_eq!(withdrawn["outcome"], "applied", "{withdrawn}");
    learner.person.rest(1.1).unwrap();
    let (status, head, _) = looking::fetch(&address, &path, TOKEN);
    assert_eq!(status, 403, "{head}");
    playing.stop();
}
