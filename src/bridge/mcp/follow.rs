//! Whoever follows a resource is told when it changed; reading it is up to them. A learner's changes are known at once
//! from what is published; other resources are read again every second while somebody follows them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rmcp::model::{
    PromptListChangedNotification, ReadResourceResponse, ResourceListChangedNotification,
    ResourceUpdatedNotification, ResourceUpdatedNotificationParam, ServerNotification,
    ToolListChangedNotification,
};
use rmcp::service::{Peer, RequestContext, SubscriptionContext};
use rmcp::{ErrorData, RoleServer};
use tokio::sync::{broadcast, watch};
use tokio::time::MissedTickBehavior;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::Instructor;
use super::call::Call;
use super::offers::resources::learner_of;
use crate::bridge::access::Caller;
use crate::bridge::desk::Published;
use crate::bridge::going::Going;
use crate::protocol::ids::LearnerId;
use crate::protocol::snapshot::LearnerSnapshot;

/// Changes within this time are told once.
const COALESCE: Duration = Duration::from_millis(200);
/// Every how many of those, resources without notices of their own are read again.
const READ_AGAIN: u32 = 5;
/// Subscriptions that one session or one listening client may hold.
pub(super) const MOST: usize = 256;
/// The key under which a session's notices of lists are kept.
const LISTS: &str = "lists";

/// A list that clients follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum List {
    /// Of tools.
    Tools,
    /// Of prompts.
    Prompts,
}

/// What was told last of a resource.
enum Told {
    Learner(LearnerId, Option<Arc<LearnerSnapshot>>),
    Text(Option<blake3::Hash>),
}

/// The changes of some resources, one after the other.
struct Changes {
    call: Call,
    published: watch::Receiver<Arc<Published>>,
    told: Vec<(String, Told)>,
    /// Who was listed, if lists are followed.
    listed: Option<Vec<LearnerId>>,
    lists: broadcast::Receiver<List>,
    /// Told in the client's log, once for each client.
    going: Option<watch::Receiver<Going>>,
    tools: bool,
    prompts: bool,
    due: Vec<ServerNotification>,
}

/// Which lists somebody follows.
#[derive(Clone, Copy)]
struct Lists {
    resources: bool,
    tools: bool,
    prompts: bool,
    /// Whether the client is told by this when the machine goes.
    going: bool,
}

impl Changes {
    /// Begins now: what is already known is no change.
    async fn of(call: Call, uris: Vec<String>, lists: Lists) -> Self {
        let mut published = call.desk().watch();
        let now = published.borrow_and_update().clone();
        let mut told = Vec::new();
        for uri in uris {
            let state = match learner_of(&uri) {
                Some(id) if !call.sees(id) => continue,
                // How frames fare changes without anything happening to the learner.
                Some(_) if uri.ends_with("/governor") => Told::Text(fingerprint(&call, &uri).await),
                Some(id) => Told::Learner(id, now.learners.get(&id).cloned()),
                None => Told::Text(fingerprint(&call, &uri).await),
            };
            told.push((uri, state));
        }
        Self {
            lists: call.shared.lists.subscribe(),
            going: lists.going.then(|| call.shared.counters.going()),
            tools: lists.tools,
            prompts: lists.prompts,
            listed: lists.resources.then(|| seen(&call, &now)),
            call,
            published,
            told,
            due: Vec::new(),
        }
    }

    /// The next notice; `None`: the world has ended.
    async fn next(&mut self) -> Option<ServerNotification> {
        let mut tick = tokio::time::interval(COALESCE);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut ticks = 0;
        loop {
            if let Some(notice) = self.due.pop() {
                return Some(notice);
            }
            if self.call.caller().is_ok_and(Caller::is_over) {
                return None;
            }
            tokio::select! {
                _ = tick.tick() => {}
                list = self.lists.recv() => {
                    self.note_list(list.ok());
                    continue;
                }
                () = changed(&mut self.going) => {
                    if let Some(going) = &mut self.going {
                        let now = *going.borrow_and_update();
                        self.call.tell_of(now).await;
                    }
                    continue;
                }
            }
            ticks += 1;
            if self.published.has_changed().ok()? {
                self.compare_learners();
            }
            if ticks % READ_AGAIN == 0 {
                self.compare_texts().await;
            }
        }
    }

    fn note_list(&mut self, list: Option<List>) {
        match list {
            Some(List::Tools) if self.tools => {
                let notice = ToolListChangedNotification::default();
                self.due
                    .push(ServerNotification::ToolListChangedNotification(notice));
            }
            Some(List::Prompts) if self.prompts => {
                let notice = PromptListChangedNotification::default();
                self.due
                    .push(ServerNotification::PromptListChangedNotification(notice));
            }
            _ => {}
        }
    }

    fn compare_learners(&mut self) {
        let now = self.published.borrow_and_update().clone();
        for (uri, told) in &mut self.told {
            let Told::Learner(id, before) = told else {
                continue;
            };
            let after = now.learners.get(id);
            let same = match (&before, after) {
                (None, None) => true,
                (Some(before), Some(after)) => Arc::ptr_eq(before, after),
                _ => false,
            };
            if !same {
                *before = after.cloned();
                self.due.push(updated(uri));
            }
        }
        let here = seen(&self.call, &now);
        if let Some(listed) = &mut self.listed
            && *listed != here
        {
            *listed = here;
            let notice = ResourceListChangedNotification::default();
            self.due
                .push(ServerNotification::ResourceListChangedNotification(notice));
        }
    }

    async fn compare_texts(&mut self) {
        for (uri, told) in &mut self.told {
            if let Told::Text(before) = told {
                let after = fingerprint(&self.call, uri).await;
                if *before != after {
                    *before = after;
                    self.due.push(updated(uri));
                }
            }
        }
    }
}

/// The machine goes, or stays after all.
async fn changed(going: &mut Option<watch::Receiver<Going>>) {
    let news = match going {
        Some(going) => going.changed().await.is_ok(),
        None => false,
    };
    if !news {
        std::future::pending::<()>().await;
    }
}

/// Those published whom the caller may see.
fn seen(call: &Call, published: &Published) -> Vec<LearnerId> {
    let all = published.learners.keys().copied();
    all.filter(|id| call.sees(*id)).collect()
}

/// Of the resource's contents as a client would read them; `None`: it cannot be read.
async fn fingerprint(call: &Call, uri: &str) -> Option<blake3::Hash> {
    let rows = &call.shared.catalogue.resources;
    let row = rows.iter().find(|row| (row.is)(uri))?.clone();
    match (row.read)(call.clone(), uri.to_owned()).await {
        Ok(ReadResourceResponse::Complete(read)) => {
            let text = serde_json::to_vec(&read.contents).ok()?;
            Some(blake3::hash(&text))
        }
        _ => None,
    }
}

/// "This resource has changed."
fn updated(uri: &str) -> ServerNotification {
    let params = ResourceUpdatedNotificationParam::new(uri);
    ServerNotification::ResourceUpdatedNotification(ResourceUpdatedNotification::new(params))
}

/// `subscriptions/listen` of 2026-07-28.
pub(super) async fn listen(
    instructor: &Instructor,
    context: SubscriptionContext,
) -> Result<(), ErrorData> {
    let accepted = context.accepted();
    let uris = accepted.resource_subscriptions.clone().unwrap_or_default();
    let lists = Lists {
        resources: accepted.resources_list_changed == Some(true),
        tools: accepted.tools_list_changed == Some(true),
        prompts: accepted.prompts_list_changed == Some(true),
        going: true,
    };
    let call = instructor.call("subscriptions/listen", context.request_context().clone());
    let mut changes = Changes::of(call, uris, lists).await;
    loop {
        let notice = tokio::select! {
            () = context.cancelled() => return Ok(()),
            notice = changes.next() => notice,
        };
        let Some(notice) = notice else { return Ok(()) };
        if context.sink().send(notice).await.is_err() {
            return Ok(());
        }
    }
}

/// `resources/subscribe` of the revisions before.
pub(super) fn subscribe(
    instructor: &Instructor,
    uri: String,
    context: RequestContext<RoleServer>,
) -> Result<(), ErrorData> {
    let Some(ended) = instructor.followed.begin(&uri) else {
        let why = "too many subscriptions in this session; end one that is not needed";
        return Err(ErrorData::invalid_request(why, None));
    };
    let peer = context.peer.clone();
    let call = instructor.call("resources/subscribe", context);
    let none = Lists {
        resources: false,
        tools: false,
        prompts: false,
        going: false,
    };
    tell(ended, call, vec![uri], none, peer);
    Ok(())
}

/// A session of the older revisions has begun: it is told when the list of resources changes.
pub(super) fn announce(instructor: &Instructor, context: RequestContext<RoleServer>) {
    if let Some(ended) = instructor.followed.begin(LISTS) {
        let peer = context.peer.clone();
        let call = instructor.call("resources/list", context);
        let all = Lists {
            resources: true,
            tools: true,
            prompts: true,
            going: true,
        };
        tell(ended, call, Vec::new(), all, peer);
    }
}

fn tell(
    ended: CancellationToken,
    call: Call,
    uris: Vec<String>,
    lists: Lists,
    peer: Peer<RoleServer>,
) {
    tokio::spawn(ended.run_until_cancelled_owned(async move {
        let mut changes = Changes::of(call, uris, lists).await;
        while let Some(notice) = changes.next().await {
            if peer.send_notification(notice).await.is_err() {
                return;
            }
        }
    }));
}

/// The subscriptions of one session of the older protocol; they end with it.
#[derive(Clone, Default)]
pub(super) struct Followed(Arc<Mutex<HashMap<String, DropGuard>>>);

impl Followed {
    /// A token that is cancelled when the subscription ends; `None`: there are too many.
    fn begin(&self, uri: &str) -> Option<CancellationToken> {
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
