//! The Lambda of the front page, the OpenAPI document and Swagger UI.

// One request at a time: a second thread would only have to be woken.
#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), shared::lambda::Failure> {
    shared::lambda::run_open(api_docs::router).await
}
