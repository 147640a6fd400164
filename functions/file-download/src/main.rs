//! The Lambda of downloads from GitLab's repositories, and of the question what a caller may do in a project.

// One request at a time: a second thread would only have to be woken.
#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), shared::lambda::Failure> {
    shared::lambda::run(file_download::router).await
}
