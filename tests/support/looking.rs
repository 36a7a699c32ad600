//! An instructor who looks through a learner's eyes: pictures as tools and pages get them, and what is in them.

// Helpers of tests may panic as tests do. Each test program uses what it needs of it.
#![allow(clippy::unwrap_used, clippy::expect_used, dead_code)]

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use futures_util::{SinkExt, StreamExt};
use rmcp::ServiceExt;
use rmcp::model::{CallToolRequestParams, CallToolResult};
use rmcp::transport::StreamableHttpClientTransport;
use rmcp::transport::streamable_http_client::StreamableHttpClientTransportConfig;
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;

/// Pixels of a PNG.
pub struct Image {
    pub width: usize,
    pub height: usize,
    rgb: Vec<u8>,
}

impl Image {
    pub fn read(png: &[u8]) -> Self {
        let mut reader = png::Decoder::new(std::io::Cursor::new(png))
            .read_info()
            .unwrap();
        let mut rgb = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut rgb).unwrap();
        assert_eq!(info.color_type, png::ColorType::Rgb);
        Self {
            width: info.width as usize,
            height: info.height as usize,
            rgb,
        }
    }

    pub fn at(&self, x: usize, y: usize) -> [u8; 3] {
        let at = (y * self.width + x) * 3;
        [self.rgb[at], self.rgb[at + 1], self.rgb[at + 2]]
    }

    /// How many colours there are.
    pub fn colours(&self) -> usize {
        let all: std::collections::BTreeSet<&[u8]> = self.rgb.chunks_exact(3).collect();
        all.len()
    }

    /// Middle (in 0..1 from the upper left corner) and number of the pixels of a colour.
    pub fn find(&self, is: impl Fn([u8; 3]) -> bool) -> Option<([f32; 2], usize)> {
        self.find_where(|x, y| is(self.at(x, y)))
    }

    /// The same of the pixels at certain places.
    pub fn find_where(&self, is: impl Fn(usize, usize) -> bool) -> Option<([f32; 2], usize)> {
        let (mut sum, mut count) = ([0.0, 0.0], 0);
        for y in 0..self.height {
            for x in 0..self.width {
                if is(x, y) {
                    sum = [sum[0] + x as f32 + 0.5, sum[1] + y as f32 + 0.5];
                    count += 1;
                }
            }
        }
        let size = [self.width as f32, self.height as f32];
        (count > 0).then(|| ([0, 1].map(|i| sum[i] / count as f32 / size[i]), count))
    }
}

/// Calls a tool as an MCP client does.
pub fn tool(address: &str, token: &str, tool: &'static str, arguments: &Value) -> CallToolResult {
    waiting(async {
        let config = StreamableHttpClientTransportConfig::with_uri(format!("http://{address}/mcp"))
            .auth_header(token);
        let client = ().serve(StreamableHttpClientTransport::from_config(config)).await.unwrap();
        let mut request = CallToolRequestParams::new(tool);
        request.arguments = arguments.as_object().cloned();
        let result = client.call_tool(request).await.unwrap();
        client.cancel().await.unwrap();
        result
    })
}

/// The picture of `view.capture` with what is said beside it, or the refusal.
pub fn capture(address: &str, token: &str) -> Result<(Vec<u8>, Value), String> {
    let result = tool(address, token, "view.capture", &json!({}));
    let content = serde_json::to_value(&result.content).unwrap();
    if result.is_error == Some(true) {
        return Err(content.to_string());
    }
    assert_eq!(content[0]["type"], "image");
    assert_eq!(content[0]["mimeType"], "image/png");
    let png = BASE64_STANDARD
        .decode(content[0]["data"].as_str().unwrap())
        .unwrap();
    Ok((png, result.structured_content.unwrap()))
}

/// Status, head and body of what a page fetches.
pub fn fetch(address: &str, path: &str, token: &str) -> (u16, String, Vec<u8>) {
    request(address, &format!("GET {path}"), token, "")
}

/// A token of a role, from the operator's.
pub fn token_of(address: &str, operator: &str, role: &str) -> String {
    let body = json!({ "name": role, "role": role }).to_string();
    let (status, head, body) = request(address, "POST /tokens", operator, &body);
    assert!((200..300).contains(&status), "{head}");
    let given: Value = serde_json::from_slice(&body).unwrap();
    given["token"].as_str().unwrap().to_owned()
}

fn request(address: &str, what: &str, token: &str, body: &str) -> (u16, String, Vec<u8>) {
    let mut socket = TcpStream::connect(address).unwrap();
    write!(
        socket,
        "{what} HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    let mut answer = Vec::new();
    socket.read_to_end(&mut answer).unwrap();
    let end = answer.windows(4).position(|it| it == b"\r\n\r\n").unwrap();
    let head = String::from_utf8(answer[..end].to_vec())
        .unwrap()
        .to_lowercase();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, head, answer[end + 4..].to_vec())
}

/// Writes down a consent, or that it was taken back: what an operator does by WebSocket. Gives what became of it.
pub fn command(address: &str, token: &str, learner: &str, body: &Value) -> Value {
    waiting(async {
        let url = format!("ws://{address}/ws?token={token}");
        let (mut socket, _) = tokio_tungstenite::connect_async(url).await.unwrap();
        let id = malloc_vr::protocol::ids::CommandId::fresh();
        let command = json!({ "command": { "id": id, "learner": learner, "purpose": "a test", "body": body } });
        let command = Message::text(command.to_string());
        socket.send(command.clone()).await.unwrap();
        loop {
            let Message::Text(text) = socket.next().await.unwrap().unwrap() else {
                continue;
            };
            let value: Value = serde_json::from_str(text.as_str()).unwrap();
            if value["answer"]["id"] == json!(id) {
                return value["answer"]["outcome"].clone();
            }
            // A busy machine may stand still for longer than an answer may take; sent again it is carried out once.
            if value["error"]["code"] == "no_answer" {
                socket.send(command.clone()).await.unwrap();
            }
        }
    })
}

/// The learner agrees to pictures, in person.
pub fn agrees() -> Value {
    json!({ "do": "give_consent", "scopes": ["view_picture"], "text_version": "1", "actor": "learner",
            "evidence": { "method": "in_person" } })
}

/// And takes it back.
pub fn agrees_no_more() -> Value {
    json!({ "do": "withdraw_consent", "scopes": ["view_picture"], "actor": "learner" })
}

fn waiting<T>(what: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let patience = std::time::Duration::from_secs(60);
        tokio::time::timeout(patience, what)
            .await
            .expect("it answers in time")
    })
}
