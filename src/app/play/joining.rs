//! Whom `play` joins: what the command line says of a classroom host, and why it may not be enough.

use std::error::Error;

use crate::app::cli::PlayArgs;
use crate::bridge::join::{HostAddress, JoinConfig, ToJoin, Trust};
use crate::lesson::Loaded;
use crate::protocol::wire::Learning;
use crate::session::Learner;
use crate::session::standing::Age;

/// The host asked for does not say who may come in.
#[derive(Debug, thiserror::Error)]
#[error(
    "to join {0}, give the token that `malloc-vr classroom` printed there, with --join-token or MALLOC_VR_JOIN_TOKEN"
)]
struct NoJoinToken(HostAddress);

/// The host asked for is to be reached by an encrypted link, and nothing says which certificate is its.
#[derive(Debug, thiserror::Error)]
#[error(
    "to join {0}, say by what it is known: --join-fingerprint with what `malloc-vr classroom --tls` printed there, or \
     --join-ca with a PEM file of who vouches for its certificate"
)]
struct NotKnown(HostAddress);

/// Starts to dial the classroom host, where one is named.
pub(super) fn join(
    args: &PlayArgs,
    lesson: &Loaded,
    learner: Option<&Learner>,
    age: Age,
) -> Result<Option<ToJoin>, Box<dyn Error>> {
    let mut hosts = args.join.clone().into_iter();
    let (Some(mut host), Some(learner)) = (hosts.next(), learner) else {
        return Ok(None);
    };
    let mut others: Vec<HostAddress> = hosts.collect();
    let Some(token) = args.join_token.clone() else {
        return Err(NoJoinToken(host).into());
    };
    let learning = Learning {
        learner: learner.id,
        session: learner.session,
        lesson: lesson.lesson.id.clone(),
        age: age.0,
    };
    let trust = match (args.join_fingerprint, &args.join_ca) {
        (Some(fingerprint), _) => Some(Trust::Fingerprint(fingerprint)),
        (None, Some(file)) => Some(Trust::Authorities(file.clone())),
        (None, None) => None,
    };
    trust.as_ref().map_or(Ok(()), Trust::check)?;
    for host in std::iter::once(&mut host).chain(&mut others) {
        host.encrypted |= trust.is_some();
        if host.encrypted && trust.is_none() {
            return Err(NotKnown(host.clone()).into());
        }
    }
    let tokens = args.data.data_dir.join("hosts.json");
    let config = JoinConfig {
        others,
        trust,
        ..JoinConfig::new(host, token, learning, tokens)
    };
    Ok(Some(ToJoin(config)))
}
