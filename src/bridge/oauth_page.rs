//! What a login by OAuth shows and sends: the page that asks for the six digits, and addresses and codes in their forms.

use std::collections::HashMap;
use std::fmt::Write as _;

use axum::http::{HeaderValue, StatusCode, Uri, header};
use axum::response::{Html, IntoResponse, Response};
use sha2::Digest;

use super::access::Unpaired;

/// Longest address, bytes.
const ADDRESS: usize = 1024;

/// Whether a client may be sent back there: a program on the user's machine, or a page that came encrypted.
pub(super) fn may_return_to(address: &str) -> bool {
    let Ok(uri) = address.parse::<Uri>() else {
        return false;
    };
    let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
        return false;
    };
    let good =
        address.len() <= ADDRESS && !address.contains('#') && !authority.as_str().contains('@');
    let local = ["127.0.0.1", "localhost", "[::1]"].contains(&uri.host().unwrap_or_default());
    good && match scheme {
        "http" => local,
        "https" => true,
        // Schemes of programs; those that browsers run or show themselves are none.
        other => ![
            "javascript",
            "data",
            "file",
            "blob",
            "vbscript",
            "about",
            "ws",
            "wss",
            "ftp",
        ]
        .contains(&other),
    }
}

/// The page that asks for the six digits. No script; everything that came from outside is escaped.
pub(super) fn page(
    client: &str,
    back: &str,
    given: &HashMap<String, String>,
    why: Option<&Unpaired>,
) -> Response {
    let mut fields = String::new();
    for name in [
        "client_id",
        "redirect_uri",
        "response_type",
        "code_challenge",
        "code_challenge_method",
        "state",
        "scope",
        "resource",
    ] {
        if let Some(value) = given.get(name) {
            let value = escaped(value);
            let _ = write!(
                fields,
                "<input type=\"hidden\" name=\"{name}\" value=\"{value}\">"
            );
        }
    }
    let name = if client.is_empty() {
        "A program"
    } else {
        client
    };
    let wrong = why.map_or_else(String::new, |why| {
        format!("<p role=\"alert\">{}</p>", escaped(&why.to_string()))
    });
    let origin = origin_of(back);
    let html = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
         <title>Malloc VR: let a program in</title><main><h1>Let a program in?</h1>\
         <p><strong>{}</strong> wants to come in, and will be told at <code>{}</code>. If you do not know it, close this page.</p>{wrong}\
         <form method=\"post\" action=\"/oauth/authorize\">{fields}\
         <label>The six digits that are shown beside the learner: \
         <input name=\"code\" inputmode=\"numeric\" autocomplete=\"off\" maxlength=\"9\" required autofocus></label> \
         <button>Let it in</button></form></main></html>",
        escaped(name),
        escaped(&origin),
    );
    let status = if why.is_some() {
        StatusCode::FORBIDDEN
    } else {
        StatusCode::OK
    };
    let mut response = (status, Html(html)).into_response();
    // Browsers apply `form-action` to where the form's answer sends them, too.
    let policy = format!(
        "default-src 'none'; form-action 'self' {origin}; base-uri 'none'; frame-ancestors 'none'"
    );
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        response
            .headers_mut()
            .insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    response
}

/// Scheme and host of an address; only the scheme where it is a program's own.
fn origin_of(address: &str) -> String {
    let uri = address.parse::<Uri>().unwrap_or_default();
    let scheme = uri.scheme_str().unwrap_or_default();
    match uri.authority() {
        Some(authority) if ["http", "https"].contains(&scheme) => format!("{scheme}://{authority}"),
        _ => format!("{scheme}:"),
    }
}

fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for it in text.chars() {
        match it {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            it => safe.push(it),
        }
    }
    safe
}

pub(super) fn encoded(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            safe.push(char::from(byte));
        } else {
            let _ = write!(safe, "%{byte:02X}");
        }
    }
    safe
}

/// What a verifier's challenge is (RFC 7636 §4.2, S256).
pub(super) fn challenge_of(verifier: &str) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let digest = sha2::Sha256::digest(verifier.as_bytes());
    let mut text = String::with_capacity(43);
    for three in digest.chunks(3) {
        let byte = |at: usize| u32::from(three.get(at).copied().unwrap_or(0));
        let bits = (byte(0) << 16) | (byte(1) << 8) | byte(2);
        for place in 0..=three.len() {
            let letter = (bits >> (18 - 6 * place)) & 63;
            let letter = LETTERS.get(letter as usize).copied().unwrap_or(b'A');
            text.push(char::from(letter));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bridge::access::parameters;

    #[test]
    fn a_challenge_is_that_of_the_standard() {
        // RFC 7636, appendix B.
        let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
        assert_eq!(
            challenge_of(verifier),
            "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
        );
    }

    #[test]
    fn nobody_is_sent_where_secrets_could_be_read() {
        for good in [
            "http://127.0.0.1:33418/",
            "http://localhost:8080/callback",
            "http://[::1]:1/",
            "https://chat.example/cb?x=1",
            "cursor://anysphere.cursor-mcp/oauth/callback",
        ] {
            assert!(may_return_to(good), "{good}");
        }
        for bad in [
            "http://evil.example/",
            "http://127.0.0.1.evil.example/",
            "http://127.0.0.1@evil.example/",
            "javascript://x/%0aalert(1)",
            "data://text/html",
            "/relative",
            "",
            "https://a.example/#f",
        ] {
            assert!(!may_return_to(bad), "{bad}");
        }
    }

    proptest::proptest! {
        #[test]
        fn what_is_shown_can_be_no_markup(text in "\\PC{0,40}") {
            let safe = escaped(&text);
            proptest::prop_assert!(!safe.contains(['<', '>', '"', '\'']));
        }

        #[test]
        fn parameters_come_back_as_they_went(text in "\\PC{0,40}") {
            let query = format!("a=1&state={}", encoded(&text));
            let read = parameters(&query);
            proptest::prop_assert_eq!(read.get("state"), Some(&text));
            let _ = parameters(&text);
        }
    }
}
