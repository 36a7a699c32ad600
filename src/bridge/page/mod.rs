//! The instructor's page: plain HTML, CSS and ES modules, as they lie here.
//! In: requests for `/` and its parts. Out: the files; and all of them in one, for a chat client that shows the page as an
//! MCP App. Never: anything of a learner. The page asks for that as every other client does, with a token.

use axum::Router;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use super::access::{Origins, origin_host};
use super::door::problem;

const INDEX: &str = include_str!("index.html");
const PALETTE: &str = include_str!("palette.css");
const STYLE: &str = include_str!("page.css");
const PICTURE: &str = include_str!("mark.svg");

/// The modules, each after those that it imports.
const MODULES: [(&str, &str); 17] = [
    ("dom.js", include_str!("dom.js")),
    ("words.js", include_str!("words.js")),
    ("mcp.js", include_str!("mcp.js")),
    ("door.js", include_str!("door.js")),
    ("host.js", include_str!("host.js")),
    ("store.js", include_str!("store.js")),
    ("form.js", include_str!("form.js")),
    ("acts.js", include_str!("acts.js")),
    ("more.js", include_str!("more.js")),
    ("groups.js", include_str!("groups.js")),
    ("access.js", include_str!("access.js")),
    ("machine.js", include_str!("machine.js")),
    ("tiles.js", include_str!("tiles.js")),
    ("learner.js", include_str!("learner.js")),
    ("graph.js", include_str!("graph.js")),
    ("lists.js", include_str!("lists.js")),
    ("main.js", include_str!("main.js")),
];

/// What stands in `index.html` for the style and for the program.
const PALETTE_LINK: &str = "<link rel=\"stylesheet\" href=\"/page/palette.css\">";
const STYLE_LINK: &str = "<link rel=\"stylesheet\" href=\"/page/page.css\">";
const ICON_LINK: &str = "<link rel=\"icon\" href=\"/page/mark.svg\">";
const PROGRAM_LINK: &str = "<script type=\"module\" src=\"/page/main.js\"></script>";

/// `/`, and what it loads.
pub(super) fn routes(origins: Origins) -> Router {
    Router::new()
        .route("/", get(index))
        .route("/page/{file}", get(part))
        .with_state(origins)
}

async fn index(State(origins): State<Origins>, headers: HeaderMap) -> Response {
    let mut response = of_kind("text/html; charset=utf-8", INDEX);
    if let Some(policy) = policy(&origins, &headers) {
        response
            .headers_mut()
            .insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    response
}

/// The page may open the WebSocket of the address that it came from: not every browser takes `'self'` for that.
fn policy(origins: &Origins, headers: &HeaderMap) -> Option<HeaderValue> {
    let host = origin_host(headers)?;
    let plain = |it: char| it.is_ascii_alphanumeric() || ".-:[]".contains(it);
    if !host.chars().all(plain) {
        return None;
    }
    let socket = if origins.scheme == "https" {
        "wss"
    } else {
        "ws"
    };
    let policy = format!(
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
         connect-src 'self' {socket}://{host}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; \
         require-trusted-types-for 'script'; trusted-types 'none'"
    );
    HeaderValue::from_str(&policy).ok()
}

async fn part(Path(file): Path<String>) -> Response {
    match file.as_str() {
        "palette.css" => of_kind("text/css; charset=utf-8", PALETTE),
        "page.css" => of_kind("text/css; charset=utf-8", STYLE),
        "mark.svg" => of_kind("image/svg+xml", PICTURE),
        name => match MODULES.iter().find(|(known, _)| *known == name) {
            Some((_, text)) => of_kind("text/javascript; charset=utf-8", text),
            None => problem(
                StatusCode::NOT_FOUND,
                "not_found",
                "the instructor's page has no such part; open `/`",
            ),
        },
    }
}

fn of_kind(kind: &'static str, text: &'static str) -> Response {
    let kind = HeaderValue::from_static(kind);
    ([(header::CONTENT_TYPE, kind)], text).into_response()
}

/// The whole page in one file without anything to load: style and modules stand in it, the modules one after the other
/// as one module. So a chat client that lets a page load nothing can show it.
pub(super) fn in_one_file() -> String {
    let mut program = String::with_capacity(128 * 1024);
    for (_, text) in MODULES {
        for line in text.lines() {
            if line.starts_with("import ") {
                continue;
            }
            program.push_str(line.strip_prefix("export ").unwrap_or(line));
            program.push('\n');
        }
    }
    INDEX
        .replace(ICON_LINK, "")
        .replace(PALETTE_LINK, "")
        .replace(STYLE_LINK, &format!("<style>\n{PALETTE}{STYLE}</style>"))
        .replace(
            PROGRAM_LINK,
            &format!("<script type=\"module\">\n{program}</script>"),
        )
}

#[cfg(test)]
mod tests;
