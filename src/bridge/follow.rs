//! Whoever subscribes to a learner is told when that learner's state changed; reading it is up to them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rmcp::model::{
    ResourceUpdatedNotification, ResourceUpdatedNotificationParam, ServerNotification,
};
use tokio::sync::watch;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::desk::{Desk, Published};
use super::mcp::LEARNER;
use crate::protocol::ids::LearnerId;
use crate::protocol::snapshot::LearnerSnapshot;

/// Changes within this time are told once.
const COALESCE: Duration = Duration::from_millis(200);
/// Subscriptions that one session may hold.
const MOST: usize = 256;

/// The learner that a resource's address names.
pub(super) fn learner_of(uri: &str) -> Option<LearnerId> {
    uri.strip_prefix(LEARNER)?.parse().ok()
}

/// The changes of some learners, one after the other.
pub(super) struct Changes {
    published: watch::Receiver<Arc<Published>>,
    told: HashMap<LearnerId, Option<Arc<LearnerSnapshot>>>,
}

impl Changes {
    /// Begins now: what is already known is no change.
    pub(super) fn of(desk: &Desk, uris: &[String]) -> Self {
        let mut published = desk.watch();
        let now = published.borrow_and_update().clone();
        let told = uris
            .iter()
            .filter_map(|uri| learner_of(uri))
            .map(|id| (id, now.learners.get(&id).cloned()))
            .collect();
        Self { published, told }
    }

    /// Address of the next resource that changed; `None` when the world has ended.
    pub(super) async fn next(&mut self) -> Option<String> {
        loop {
            let now = self.published.borrow_and_update().clone();
            for (id, before) in &mut self.told {
                let after = now.learners.get(id);
                let same = match (&before, after) {
                    (None, None) => true,
                    (Some(before), Some(after)) => Arc::ptr_eq(before, after),
                    _ => false,
                };
                if !same {
                    *before = after.cloned();
                    return Some(format!("{LEARNER}{id}"));
                }
            }
            tokio::time::sleep(COALESCE).await;
            self.published.changed().await.ok()?;
        }
    }
}

/// "This resource has changed."
pub(super) fn updated(uri: &str) -> ServerNotification {
    let params = ResourceUpdatedNotificationParam::new(uri);
    ServerNotification::ResourceUpdatedNotification(ResourceUpdatedNotification::new(params))
}

/// The subscriptions of one session of the older protocol; they end with it.
#[derive(Clone, Default)]
pub(super) struct Followed(Arc<Mutex<HashMap<String, DropGuard>>>);

impl Followed {
    /// A token that is cancelled when the subscription ends; `None`: there are too many.
    pub(super) fn begin(&self, uri: &str) -> Option<CancellationToken> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= MOST && !all.contains_key(uri) {
            return None;
        }
        let token = CancellationToken::new();
        all.insert(uri.to_owned(), token.clone().drop_guard());
        Some(token)
    }

    pub(super) fn end(&self, uri: &str) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(uri);
    }
}
