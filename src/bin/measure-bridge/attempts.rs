//! Attempts over links that break: every one sent is in the host's store once.

use std::collections::BTreeSet;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use malloc_vr::learning::quality::Quality;
use malloc_vr::protocol::blur::Blurs;
use malloc_vr::protocol::event::{Attempt, EventBody, Evidence};
use malloc_vr::protocol::ids::{AttemptId, LearnerId, ObjectId, StepId};
use malloc_vr::protocol::wire::JSON;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

use super::load::{Fault, Runtime};
use super::servers::TOKEN;

const LEARNERS: u64 = 64;
/// Attempts of each.
const EACH: u64 = 40;
/// Somewhere within so many attempts a link breaks, with what is under way on it.
const BREAKS: u64 = 8;

/// Attempts sent, and attempts that are in the host's store exactly once.
pub async fn count(address: &str) -> Result<(usize, usize), Fault> {
    let mut everybody = Vec::new();
    for place in 0..LEARNERS {
        everybody.push(tokio::spawn(work(address.to_owned(), place)));
    }
    let (mut sent, mut learners) = (BTreeSet::new(), Vec::new());
    for one in everybody {
        let (learner, attempts) = one.await??;
        learners.push(learner);
        sent.extend(attempts);
    }
    let stored = stored(address, &learners).await?;
    let once = |id: &&AttemptId| stored.iter().filter(|it| it == id).count() == 1;
    Ok((sent.len(), sent.iter().filter(once).count()))
}

async fn work(address: String, place: u64) -> Result<(LearnerId, Vec<AttemptId>), Fault> {
    let (mut runtime, _) = Runtime::connect(address.clone(), true, None).await?;
    let attempts: Vec<AttemptId> = (0..EACH).map(|_| AttemptId::fresh()).collect();
    let (mut next, mut broken) = (0, 0);
    loop {
        while next < EACH {
            let id = attempts.get(next as usize).copied().ok_or("too few")?;
            // Its place in the log: the session's beginning is the first event.
            runtime.send_event(next + 2, attempt(id)).await?;
            next += 1;
            if (next + place).is_multiple_of(BREAKS) && next > broken {
                broken = next;
                // What was sent may be there, on its way, or lost.
                let has = runtime.come_back(&address).await?;
                next = has.events.saturating_sub(1);
            }
        }
        let has = runtime.wait_for(EACH + 1).await?;
        if has > EACH {
            return Ok((runtime.learner, attempts));
        }
    }
}

fn attempt(id: AttemptId) -> EventBody {
    EventBody::Attempted(Attempt {
        id,
        step: StepId::new("touch-cube"),
        skills: Vec::new(),
        correct: true,
        credit: 1.0,
        latency: Duration::from_secs(3),
        hints_used: 0,
        position_error: None,
        rotation_error: None,
        quality: Quality::PERFECT,
        blurred: Blurs::default(),
        evidence: Evidence::Touched {
            object: ObjectId::new("cube"),
        },
    })
}

/// Every attempt in the host's store, as an instructor reads it.
async fn stored(address: &str, learners: &[LearnerId]) -> Result<Vec<AttemptId>, Fault> {
    let mut request = format!("ws://{address}/ws").into_client_request()?;
    let headers = request.headers_mut();
    headers.insert("authorization", format!("Bearer {TOKEN}").parse()?);
    headers.insert("sec-websocket-protocol", JSON.parse()?);
    let (mut socket, _) = tokio_tungstenite::connect_async(request).await?;
    let hello = json!({ "hello": {
        "protocol": malloc_vr::protocol::wire::WIRE_VERSION, "role": "instructor",
        "client": { "name": "measure-bridge", "version": "1" },
    } });
    socket.send(Message::text(hello.to_string())).await?;
    let mut found = Vec::new();
    for learner in learners {
        let mut after = 0;
        let (mut more, mut asked) = (true, false);
        while more {
            if !asked {
                let ask = json!({ "replay": { "learner": learner, "after": after } });
                // An instructor may ask twenty times a second.
                tokio::time::sleep(Duration::from_millis(60)).await;
                socket.send(Message::text(ask.to_string())).await?;
                asked = true;
            }
            let Some(Message::Text(text)) = socket.next().await.transpose()? else {
                continue;
            };
            let said: Value = serde_json::from_str(text.as_str())?;
            if let Some(error) = said.get("error") {
                return Err(error.to_string().into());
            }
            if let Some(done) = said.get("replayed") {
                (more, asked) = (done["more"] == true, false);
                after = done["to"].as_u64().unwrap_or(after);
            }
            let event = &said["event"];
            if event["learner"] == json!(learner) && event["body"]["type"] == "attempted" {
                found.push(serde_json::from_value(event["body"]["id"].clone())?);
            }
        }
    }
    Ok(found)
}
