//! An MCP client at a headset's door: how long a tool call takes while its frames go on.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::load::Fault;
use super::servers::TOKEN;

/// Between two calls: 50 a second.
const EVERY: Duration = Duration::from_millis(20);

/// Milliseconds of every call, by figure: tools that are answered from what the world has published, and tools that wait
/// for the world's next frame.
pub async fn at(address: &str, run: Duration) -> Result<Vec<(String, Vec<f64>)>, Fault> {
    let hello = json!({
        "jsonrpc": "2.0", "id": 0, "method": "initialize",
        "params": {
            "protocolVersion": "2025-06-18", "capabilities": {},
            "clientInfo": { "name": "measure-bridge", "version": "1" },
        },
    });
    let mut session = None;
    // The world may not have begun yet, and knows nobody then.
    let begun = Instant::now();
    let learner = loop {
        if session.is_none() {
            session = post(address, &hello, None).await?.0;
            let told = json!({ "jsonrpc": "2.0", "method": "notifications/initialized" });
            post(address, &told, session.as_deref()).await?;
        }
        let list = call("class.list_learners", &json!({}));
        let answer = post(address, &list, session.as_deref()).await?.1;
        let learners = &answer["result"]["structuredContent"]["learners"];
        if let Some(learner) = learners[0]["learner"].as_str() {
            break learner.to_owned();
        }
        if begun.elapsed() > Duration::from_secs(20) {
            return Err(format!("nobody is there: {answer}").into());
        }
        tokio::time::sleep(EVERY).await;
    };
    let who = json!({ "learner": learner });
    let dry =
        json!({ "learner": learner, "purpose": "measuring", "text": "Well done", "dry_run": true });
    let turns = [
        ("mcp_call_p99_ms", call("learner.get_state", &who)),
        ("mcp_call_p99_ms", call("class.list_learners", &json!({}))),
        ("mcp_frame_call_p99_ms", call("view.scene", &who)),
        ("mcp_frame_call_p99_ms", call("intervene.message", &dry)),
    ];
    let (mut read, mut framed) = (Vec::new(), Vec::new());
    let mut next = tokio::time::interval(EVERY);
    // Who is late does not ask twice at once.
    next.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let begun = Instant::now();
    for (name, body) in turns.iter().cycle() {
        if begun.elapsed() > run {
            break;
        }
        next.tick().await;
        let asked = Instant::now();
        let answer = post(address, body, session.as_deref()).await?.1;
        let waited = asked.elapsed().as_secs_f64() * 1e3;
        if answer["result"]["isError"] == true || answer.get("error").is_some() {
            return Err(format!("{body} was refused: {answer}").into());
        }
        match *name {
            "mcp_call_p99_ms" => read.push(waited),
            _ => framed.push(waited),
        }
    }
    Ok(vec![
        ("mcp_call_p99_ms".to_owned(), read),
        ("mcp_frame_call_p99_ms".to_owned(), framed),
    ])
}

fn call(tool: &str, arguments: &Value) -> Value {
    let params = json!({ "name": tool, "arguments": arguments });
    json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params })
}

/// The session that was opened, and the answer; null where there is none. A connection for each, as the simplest clients do.
async fn post(
    address: &str,
    body: &Value,
    session: Option<&str>,
) -> Result<(Option<String>, Value), Fault> {
    let body = body.to_string();
    let session = session.map_or_else(String::new, |it| {
        format!("Mcp-Session-Id: {it}\r\nMCP-Protocol-Version: 2025-06-18\r\n")
    });
    let request = format!(
        "POST /mcp HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {TOKEN}\r\n\
         Content-Type: application/json\r\nAccept: application/json, text/event-stream\r\n{session}\
         Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
    let mut stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await?;
    let answer = String::from_utf8_lossy(&answer);
    let (head, body) = answer.split_once("\r\n\r\n").ok_or("no HTTP")?;
    let opened = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        let is = name.eq_ignore_ascii_case("mcp-session-id");
        is.then(|| value.trim().to_owned())
    });
    // JSON as it is, or as the data of an event; chunk sizes stand on lines of their own.
    let said = body
        .lines()
        .map(|line| line.strip_prefix("data:").unwrap_or(line).trim())
        .filter(|line| line.starts_with('{'))
        .find_map(|line| serde_json::from_str(line).ok());
    Ok((opened, said.unwrap_or(Value::Null)))
}
