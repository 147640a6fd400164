//! Webhooks: who is told of changes, and how it went: <https://docs.gitlab.com/user/project/integrations/webhooks/>.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde_json::Value;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::watch;
use uuid::Uuid;

use super::events::Change;
use super::world::{NotThere, World};

/// How long GitLab waits for an answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// One event on its way to one hook, or there.
#[derive(Debug, Clone)]
pub struct Delivery {
    /// Header `X-Gitlab-Event`: `System Hook`, `Push Hook`, ..
    pub event: &'static str,
    /// Header `X-Gitlab-Event-UUID`: the same for all hooks that are told of one change.
    pub event_uuid: Uuid,
    /// Header `Idempotency-Key`: the same when this delivery is repeated.
    pub key: Uuid,
    pub body: Value,
    /// What the receiver answered; `None` if it did not.
    pub status: Option<u16>,
}

#[derive(Debug, Default)]
pub(super) struct Hooks {
    all: Vec<Hook>,
    done: Arc<Mutex<Vec<Delivery>>>,
    waiting: watch::Sender<usize>,
}

#[derive(Debug)]
struct Hook {
    /// `None`: a system hook, which hears of everything.
    project: Option<u64>,
    sender: UnboundedSender<Delivery>,
}

impl Hooks {
    /// Sends a change to whoever hears of it, in the order of the changes.
    pub fn tell(&self, change: Change) {
        let event_uuid = Uuid::new_v4();
        for hook in &self.all {
            let event = match (hook.project, change.webhook_event) {
                (None, _) => "System Hook",
                (Some(project), Some(event)) if project == change.project => event,
                _ => continue,
            };
            let (key, body) = (Uuid::new_v4(), change.body.clone());
            self.send(hook, Delivery { event, event_uuid, key, body, status: None });
        }
    }

    fn send(&self, hook: &Hook, delivery: Delivery) {
        self.waiting.send_modify(|waiting| *waiting += 1);
        if hook.sender.send(delivery).is_err() {
            self.waiting.send_modify(|waiting| *waiting -= 1);
        }
    }

    fn add(&mut self, project: Option<u64>, url: &str, secret: &str) {
        let (sender, receiver) = unbounded_channel();
        let target = Target { url: url.to_owned(), secret: secret.to_owned(), id: Uuid::new_v4() };
        tokio::spawn(deliver(target, receiver, self.done.clone(), self.waiting.clone()));
        self.all.push(Hook { project, sender });
    }
}

struct Target {
    url: String,
    secret: String,
    id: Uuid,
}

/// Posts events one after the other until the world is gone.
async fn deliver(
    target: Target,
    mut receiver: UnboundedReceiver<Delivery>,
    done: Arc<Mutex<Vec<Delivery>>>,
    waiting: watch::Sender<usize>,
) {
    let client = shared::http_client::client();
    while let Some(mut delivery) = receiver.recv().await {
        let request = client
            .post(&target.url)
            .timeout(PATIENCE)
            .header("user-agent", "GitLab/18.5.0")
            .header("x-gitlab-event", delivery.event)
            .header("x-gitlab-instance", "https://gitlab.example.com")
            .header("x-gitlab-webhook-uuid", target.id.to_string())
            .header("x-gitlab-event-uuid", delivery.event_uuid.to_string())
            .header("idempotency-key", delivery.key.to_string())
            .header("x-gitlab-token", &target.secret)
            .json(&delivery.body);
        delivery.status = request.send().await.ok().map(|answer| answer.status().as_u16());
        tracing::debug!(event = delivery.event, status = delivery.status, "told a hook");
        done.lock().unwrap_or_else(PoisonError::into_inner).push(delivery);
        waiting.send_modify(|waiting| *waiting -= 1);
    }
}

impl World {
    /// Tells `url` of every change from now on, as a system hook of GitLab. Needs Tokio's runtime.
    pub fn hook(&self, url: &str, secret: &str) {
        self.write(|inner| inner.hooks.add(None, url, secret));
    }

    /// Tells `url` of pushes to one project, as a webhook of that project. Needs Tokio's runtime.
    pub fn project_hook(&self, path: &str, url: &str, secret: &str) -> Result<(), NotThere> {
        self.write(|inner| {
            let project = inner.state.project_at(path).map(|project| project.id);
            let project = project.ok_or_else(|| NotThere(format!("project {path:?}")))?;
            inner.hooks.add(Some(project), url, secret);
            Ok(())
        })
    }

    /// Sends a delivery again, as GitLab does when it saw no answer: to all hooks of its kind, with the same keys.
    pub fn redeliver(&self, delivery: &Delivery) {
        self.write(|inner| {
            let is_system = delivery.event == "System Hook";
            for hook in inner.hooks.all.iter().filter(|hook| hook.project.is_none() == is_system) {
                inner.hooks.send(hook, Delivery { status: None, ..delivery.clone() });
            }
        });
    }

    /// Waits until all hooks have been told; all deliveries so far, in order of their answers.
    pub async fn deliveries(&self) -> Vec<Delivery> {
        let (mut waiting, done) = self.write(|inner| (inner.hooks.waiting.subscribe(), inner.hooks.done.clone()));
        // The sender lives as long as the world.
        let _ = waiting.wait_for(|waiting| *waiting == 0).await;
        done.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
