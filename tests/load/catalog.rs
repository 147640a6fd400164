//! What a client does with the catalog and with files of GitLab's repositories; it changes nothing there.

use std::time::Duration;

use http::Method;
use rand::Rng;

use crate::client::Client;
use crate::worker::Worker;

const CALLS: [(&str, &str); 4] = [
    ("stac/search", "/api/stac/search?collections=aimodel&q=flood"),
    ("stac/search", "/api/stac/search?limit=5&sortby=-updated"),
    ("stac item", "/api/stac/collections/aimodel/items/earth/flood-model"),
    ("download", "/api/download/earth/flood-model/repository/model.json"),
];

/// Waits for the first synchronisation, which goes on beside the first calls.
pub async fn wait(client: &Client) {
    let (call, path) = CALLS[2];
    for _ in 0..300 {
        if client.call(call, Method::GET, path, None).await.is_ok() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    panic!("the catalog has no item");
}

impl Worker {
    pub async fn use_catalog(&mut self) {
        let (call, path) = CALLS[self.random.random_range(0..CALLS.len())];
        let reply = self.client.call(call, Method::GET, path, None).await;
        self.outcome(call, &reply);
    }
}
