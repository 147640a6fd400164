//! `Error`: what went wrong, knowing nothing of HTTP.
//! `dialect.rs` turns it into a status and a body at the very end of a request.

/// The result of everything that can fail.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong, in the words of the caller's problem.
///
/// Messages of client errors are shown to the client and must hold no secret. The text of
/// [`Error::Unavailable`] and [`Error::Internal`] is for the log only: clients get a fixed sentence.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Error {
    /// The request is wrong as it stands; sending it again cannot help.
    #[error("{0}")]
    Invalid(String),
    /// No credential, or one that GitLab does not know.
    #[error("{0}")]
    Unauthenticated(String),
    /// The caller may see the thing but not do this to it.
    #[error("{0}")]
    Forbidden(String),
    /// There is no such thing, or the caller may not know of it.
    #[error("{0}")]
    NotFound(String),
    /// A name is taken.
    #[error("{0}")]
    AlreadyExists(String),
    /// A conditional write was lost to another writer; the client may try again.
    #[error("{0}")]
    Conflict(String),
    /// No route has this path.
    #[error("no endpoint at {0}; see /openapi.json and the README for what this hub serves")]
    NoSuchEndpoint(String),
    /// The path exists, the method does not.
    #[error("method {0} is not allowed here")]
    MethodNotAllowed(String),
    /// MLflow has this endpoint, this hub does not (yet).
    #[error("{0}")]
    NotImplemented(String),
    /// The body exceeds what the gateway carries.
    #[error("{0}")]
    TooLarge(String),
    /// The client, or we on its behalf, asked too often. Seconds to wait.
    #[error("{message}")]
    RateLimited { message: String, retry_after: u64 },
    /// What was asked for is being prepared; asking again goes on with it. Seconds to wait.
    #[error("{message}")]
    InProgress { message: String, retry_after: u64 },
    /// AWS or GitLab is down, slow or throttles; worth a retry. The cause is for the log.
    #[error("temporarily unavailable: {0}")]
    Unavailable(String),
    /// Our own fault. The cause is for the log.
    #[error("internal error: {0}")]
    Internal(String),
}

impl Error {
    /// A request that is wrong as it stands.
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::Invalid(message.into())
    }

    /// A thing that is not there, or hidden.
    pub fn not_found(message: impl Into<String>) -> Self {
        Self::NotFound(message.into())
    }

    /// Our own fault; `cause` goes to the log.
    pub fn internal(cause: impl std::fmt::Display) -> Self {
        Self::Internal(cause.to_string())
    }

    /// Is it a fault of ours or of a service behind us (5xx)?
    pub fn is_fault(&self) -> bool {
        matches!(self, Self::Unavailable(_) | Self::Internal(_))
    }
}
