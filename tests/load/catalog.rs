//! What a client does with the catalog and with files of GitLab's repositories; it changes nothing there.

use http::Method;
use rand::Rng;

use crate::worker::Worker;

const CALLS: [(&str, &str); 4] = [
    ("stac/search", "/api/stac/search?collections=aimodel&q=flood"),
    ("stac/search", "/api/stac/search?limit=5&sortby=-updated"),
    ("stac item", "/api/stac/collections/aimodel/items/earth/flood-model"),
    ("download", "/api/download/earth/flood-model/repository/model.json"),
];

impl Worker {
    pub async fn use_catalog(&mut self) {
        let (call, path) = CALLS[self.random.random_range(0..CALLS.len())];
        let reply = self.client.call(call, Method::GET, path, None).await;
        self.outcome(call, &reply);
    }
}
