//! The hub's front page: what it serves, and commands for the visitor's project. One document that loads nothing.

use std::sync::{Arc, LazyLock};

use axum::extract::State;
use axum::http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use schemars::json_schema;
use sha2::{Digest, Sha256};
use shared::catalog::Category;
use shared::config::Config;
use shared::openapi::{Answer, Answers, Contract, Schemas};
use shared::state::AppState;

const PAGE: &str = include_str!("../page/landing.html");
const STYLE: &str = include_str!("../page/landing.css");
const SCRIPT: &str = include_str!("../page/landing.js");

/// The page runs its own script, known by its hash, and may ask nobody for anything.
static POLICY: LazyLock<String> = LazyLock::new(|| {
    let hash = |text: &str| STANDARD.encode(Sha256::digest(text));
    format!(
        "default-src 'none'; script-src 'sha256-{}'; style-src 'sha256-{}'; img-src data:; base-uri 'none'; \
         form-action 'none'; frame-ancestors 'none'",
        hash(SCRIPT),
        hash(STYLE)
    )
});

/// GET `/`
pub async fn get_front_page(State(state): State<Arc<AppState>>) -> Landing {
    Landing(page(&state.config))
}

/// The page, with what it may do.
pub struct Landing(String);

impl Answers for Landing {
    fn answers(contract: &mut Contract, _: &mut Schemas) {
        contract.answers.push(Answer::ok("text/html", json_schema!({ "type": "string" })));
    }
}

impl IntoResponse for Landing {
    fn into_response(self) -> Response {
        let headers = [(CONTENT_TYPE, "text/html; charset=utf-8"), (CONTENT_SECURITY_POLICY, POLICY.as_str())];
        (headers, self.0).into_response()
    }
}

fn page(config: &Config) -> String {
    let visitors = match config.anonymous {
        true => "Without a token one sees what is public, with one what its owner may see.",
        false => "One sees what the owner of one’s token may see.",
    };
    let readers = match config.members_only {
        true => "Members of the project",
        false => "Everybody to whom GitLab shows the project",
    };
    let categories: String = config.categories.iter().map(category).collect();
    // Settings last: what they say is not looked through for places to fill.
    PAGE.replace("{{visitors}}", visitors)
        .replace("{{readers}}", readers)
        .replace("{{style}}", STYLE)
        .replace("{{script}}", SCRIPT)
        .replace("{{hub}}", &escaped(&config.public_url))
        .replace("{{gitlab}}", &escaped(&config.gitlab_url))
        .replace("{{categories}}", &categories)
}

fn category(category: &Category) -> String {
    let [id, title, topic] = [&category.id, &category.title, &category.topic].map(|text| escaped(text));
    format!("<li><a href=\"api/stac/collections/{id}\">{title}</a>: <code>{topic}</code></li>")
}

/// A text as HTML writes it, also between quotes.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;").replace('\'', "&#39;")
}
