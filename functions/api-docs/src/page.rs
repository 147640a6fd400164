//! Swagger UI: a page of ours and the files that its makers publish. Nothing comes from another host.

use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use schemars::json_schema;
use shared::extract::Path;
use shared::openapi::{Answer, Answers, Contract, Schemas};
use shared::{Error, Result};

const PAGE: &str = include_str!("../page/index.html");
/// The page runs and loads what this hub serves, and nothing else; pictures of the style sheet are in itself.
const POLICY: &str = "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'none'; \
                      frame-ancestors 'none'";
/// Seconds for which a browser keeps the files.
const KEPT: &str = "public, max-age=86400";

macro_rules! published {
    ($name:literal) => {
        include_bytes!(concat!(env!("OUT_DIR"), "/", $name))
    };
}

/// Name, media type and content.
const FILES: [(&str, &str, &[u8]); 5] = [
    ("swagger-ui.css", "text/css; charset=utf-8", published!("swagger-ui.css")),
    ("swagger-ui-bundle.js", "text/javascript; charset=utf-8", published!("swagger-ui-bundle.js")),
    ("favicon-32x32.png", "image/png", published!("favicon-32x32.png")),
    ("start.js", "text/javascript; charset=utf-8", include_bytes!("../page/start.js")),
    ("page.css", "text/css; charset=utf-8", include_bytes!("../page/page.css")),
];

/// GET `/api/docs`
pub async fn get_docs() -> Page {
    Page
}

/// The page, with what it may do.
pub struct Page;

impl Answers for Page {
    fn answers(contract: &mut Contract, _: &mut Schemas) {
        contract.answers.push(Answer::ok("text/html", json_schema!({ "type": "string" })));
    }
}

impl IntoResponse for Page {
    fn into_response(self) -> Response {
        ([(CONTENT_TYPE, "text/html; charset=utf-8"), (CONTENT_SECURITY_POLICY, POLICY)], PAGE).into_response()
    }
}

/// A file that the page loads.
pub struct File(&'static str, &'static [u8]);

/// GET `/api/docs/{file}`
pub async fn get_docs_file(Path(name): Path<String>) -> Result<File> {
    let found = FILES.iter().find(|(known, ..)| *known == name);
    let (_, media_type, content) = found.ok_or_else(|| Error::not_found(format!("No such file: '{name}'")))?;
    Ok(File(media_type, content))
}

impl Answers for File {
    fn answers(contract: &mut Contract, _: &mut Schemas) {
        contract.answers.push(Answer::ok("*/*", true.into()));
    }
}

impl IntoResponse for File {
    fn into_response(self) -> Response {
        ([(CONTENT_TYPE, self.0), (CACHE_CONTROL, KEPT)], self.1).into_response()
    }
}
