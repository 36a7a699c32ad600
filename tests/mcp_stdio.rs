//! `malloc-vr mcp`: a local client that knows only stdin and stdout, in both eras of the protocol.

// Helpers of a test may unwrap like the test itself; clippy knows only functions marked as tests.
#![allow(clippy::expect_used, clippy::unwrap_used)]

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use malloc_vr::bridge::{Bridge, BridgeConfig};
use serde_json::{Value, json};

const PATIENCE: Duration = Duration::from_secs(20);
const TOKEN: &str = "a-token-for-these-tests";

/// The program, and what it says line by line.
struct Local {
    child: Child,
    stdin: Option<ChildStdin>,
    lines: Receiver<Value>,
}

impl Local {
    fn start(url: &str, token: &str) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_malloc-vr"))
            .args(["mcp", "--url", url])
            .env("MALLOC_VR_TOKEN", token)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (say, lines) = channel();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        std::thread::spawn(move || {
            for line in stdout.lines().map_while(Result::ok) {
                let message = serde_json::from_str(&line)
                    .unwrap_or_else(|_| panic!("only messages go to stdout, not {line:?}"));
                if say.send(message).is_err() {
                    return;
                }
            }
        });
        let stdin = child.stdin.take();
        Self {
            child,
            stdin,
            lines,
        }
    }

    fn send(&mut self, message: &Value) {
        let stdin = self.stdin.as_mut().unwrap();
        writeln!(stdin, "{message}").unwrap();
        stdin.flush().unwrap();
    }

    /// The answer to a request.
    fn ask(&mut self, id: u32, method: &str, params: &Value) -> Value {
        self.send(&json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }));
        loop {
            let message = self.lines.recv_timeout(PATIENCE).expect("an answer comes");
            if message["id"] == id {
                return message;
            }
        }
    }
}

impl Drop for Local {
    fn drop(&mut self) {
        drop(self.stdin.take());
        let _ = self.child.wait();
    }
}

fn open() -> (Bridge, String) {
    let bridge = Bridge::start(BridgeConfig {
        listen: "127.0.0.1:0".parse().unwrap(),
        token: Some(TOKEN.to_owned()),
        ..BridgeConfig::default()
    })
    .unwrap();
    let url = format!("http://{}/mcp", bridge.address());
    (bridge, url)
}

#[test]
fn a_client_of_an_older_revision_opens_a_session_and_lists_tools() {
    let (_bridge, url) = open();
    let mut local = Local::start(&url, TOKEN);
    let begun = local.ask(
        1,
        "initialize",
        &json!({ "protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": { "name": "a test", "version": "1" } }),
    );
    assert_eq!(begun["result"]["protocolVersion"], "2025-06-18", "{begun}");
    local.send(&json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }));
    let tools = local.ask(2, "tools/list", &json!({}));
    let tools = tools["result"]["tools"].as_array().unwrap();
    assert!(
        tools
            .iter()
            .any(|tool| tool["name"] == "class.list_learners")
    );
    let listed = local.ask(
        3,
        "tools/call",
        &json!({ "name": "class.list_learners", "arguments": {} }),
    );
    assert_eq!(
        listed["result"]["structuredContent"]["learners"],
        json!([]),
        "{listed}"
    );
    // Nonsense is answered, and the next request is served.
    writeln!(local.stdin.as_mut().unwrap(), "{{nonsense").unwrap();
    assert_eq!(
        local.lines.recv_timeout(PATIENCE).unwrap()["error"]["code"],
        -32700
    );
    assert!(local.ask(4, "ping", &json!({}))["result"].is_object());
}

#[test]
fn a_client_of_2026_07_28_needs_no_session() {
    let (_bridge, url) = open();
    let mut local = Local::start(&url, TOKEN);
    let meta = json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientInfo": { "name": "a test", "version": "1" },
        "io.modelcontextprotocol/clientCapabilities": {}
    });
    let found = local.ask(1, "server/discover", &json!({ "_meta": meta }));
    assert!(
        found["result"]["supportedVersions"]
            .to_string()
            .contains("2026-07-28"),
        "{found}"
    );
    let called = local.ask(
        2,
        "tools/call",
        &json!({ "name": "ops.health", "arguments": {}, "_meta": meta }),
    );
    assert_eq!(
        called["result"]["structuredContent"]["learners"], 0,
        "{called}"
    );
}

#[test]
fn a_wrong_token_and_an_empty_room_are_said_to_the_client() {
    let (bridge, url) = open();
    let answer = Local::start(&url, "another-token-altogether").ask(1, "tools/list", &json!({}));
    let words = answer["error"]["message"].as_str().unwrap();
    assert!(words.contains("401") && words.contains("token"), "{words}");
    drop(bridge);
    let answer = Local::start(&url, TOKEN).ask(1, "tools/list", &json!({}));
    let words = answer["error"]["message"].as_str().unwrap();
    assert!(words.contains("malloc-vr play"), "{words}");
}
