//! The way to a host: TCP, encryption where it is asked for, and the door's answer before there is a WebSocket.

use std::time::Duration;

use rustls::CertificateError;
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::client::TlsStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Error;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::handshake::client::Request;
use tokio_tungstenite::tungstenite::http::{HeaderValue, StatusCode, header};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_util::either::Either;
use tracing::debug;

use super::dial::Down;
use super::{HostAddress, JoinConfig, Trust};
use crate::protocol::wire::{ErrorCode, MESSAGE_PACK, WireError};

/// Connecting, and each step of the introduction.
pub(super) const STEP_WITHIN: Duration = Duration::from_secs(10);
/// Largest message from the host, and buffers, bytes.
const MESSAGE: usize = 1 << 20;
const BUFFER: usize = 8 * 1024;

type Stream = Either<TcpStream, TlsStream<TcpStream>>;

/// A conversation with a host.
pub(super) type Socket = WebSocketStream<Stream>;

/// Connects to this host and asks for the protocol.
pub(super) async fn dial(host: &HostAddress, config: &JoinConfig) -> Result<Socket, Down> {
    let request = request(host, config)?;
    let sizes = WebSocketConfig::default()
        .read_buffer_size(BUFFER)
        .write_buffer_size(BUFFER)
        .max_message_size(Some(MESSAGE))
        .max_frame_size(Some(MESSAGE));
    let stream = match timeout(STEP_WITHIN, reach(host, config.trust.as_ref())).await {
        Ok(reached) => reached?,
        Err(_) => return Err(Down::Link),
    };
    let connecting = tokio_tungstenite::client_async_with_config(request, stream, Some(sizes));
    match timeout(STEP_WITHIN, connecting).await {
        Ok(Ok((socket, _))) => Ok(socket),
        Ok(Err(Error::Http(answer))) => Err(Down::Refused(refusal(answer.status()))),
        Ok(Err(error)) => {
            debug!("the host is not reached: {error}");
            Err(Down::Link)
        }
        Err(_) => Err(Down::Link),
    }
}

/// The host's end, encrypted where that is asked for.
async fn reach(host: &HostAddress, trust: Option<&Trust>) -> Result<Stream, Down> {
    let stream = TcpStream::connect(host.authority()).await?;
    // An attempt is small and must not wait for company.
    stream.set_nodelay(true)?;
    if !host.encrypted {
        return Ok(Either::Left(stream));
    }
    let no = |message: String| {
        Down::Refused(WireError {
            code: ErrorCode::Forbidden,
            message,
            id: None,
        })
    };
    let unknown = || {
        no(format!(
            "nothing says by what {host} is known, so it is not trusted"
        ))
    };
    let trust = trust.ok_or_else(unknown)?;
    let connector = trust.connector().map_err(|why| no(why.to_string()))?;
    let name = ServerName::try_from(host.name().to_owned())
        .map_err(|_| no(format!("{host} is no name that a certificate could be for")))?;
    match connector.connect(name, stream).await {
        Ok(stream) => Ok(Either::Right(stream)),
        Err(error) => match error.get_ref().and_then(|it| it.downcast_ref()) {
            Some(rustls::Error::InvalidCertificate(why)) => {
                let why = match why {
                    CertificateError::Other(why) => why.0.to_string(),
                    why => why.to_string(),
                };
                Err(no(format!(
                    "{host} is not known by what it shows ({why}); compare with what `malloc-vr classroom` printed there"
                )))
            }
            _ => Err(error.into()),
        },
    }
}

fn request(host: &HostAddress, config: &JoinConfig) -> Result<Request, Down> {
    let url = format!("ws://{}/ws", host.authority());
    let mut request = url.into_client_request()?;
    let token = HeaderValue::try_from(format!("Bearer {}", config.token));
    let mut token = token.map_err(|_| {
        Down::Refused(WireError {
            code: ErrorCode::Forbidden,
            message: "the join token has characters that no header can carry; copy it again"
                .to_owned(),
            id: None,
        })
    })?;
    token.set_sensitive(true);
    let headers = request.headers_mut();
    headers.insert(header::AUTHORIZATION, token);
    let protocol = HeaderValue::from_static(MESSAGE_PACK);
    headers.insert(header::SEC_WEBSOCKET_PROTOCOL, protocol);
    Ok(request)
}

/// What the host's door said before there was a WebSocket.
fn refusal(status: StatusCode) -> WireError {
    let (code, message) = match status {
        StatusCode::UNAUTHORIZED => (
            ErrorCode::Forbidden,
            "the host does not know this join token; copy the one that it printed".to_owned(),
        ),
        StatusCode::FORBIDDEN => (
            ErrorCode::Forbidden,
            "the host does not let this machine in; name it by its address".to_owned(),
        ),
        StatusCode::NOT_FOUND | StatusCode::BAD_REQUEST => (
            ErrorCode::Version,
            format!(
                "what answers there is no host of this version ({status}); update the older of the two"
            ),
        ),
        StatusCode::SERVICE_UNAVAILABLE => (
            ErrorCode::Busy,
            "the host has no place left just now; it is tried again".to_owned(),
        ),
        other => (
            ErrorCode::Busy,
            format!("the host answered {other}; it is tried again"),
        ),
    };
    let id = None;
    WireError { code, message, id }
}
