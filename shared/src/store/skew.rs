//! How far this instance's clock is from DynamoDB's, measured on every answer.
//! The fold assumes at most 5 s between any two instances (data.md section 2).

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use aws_sdk_dynamodb::config::interceptors::BeforeDeserializationInterceptorContextRef;
use aws_sdk_dynamodb::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_dynamodb::error::BoxError;
use aws_sdk_dynamodb::primitives::{DateTime, DateTimeFormat};

use crate::clock::Clock;
use crate::error::{Error, Result};

/// A skew that is worth a line in the log, ms.
const SUSPICIOUS_MS: i64 = 2_000;
/// The skew beyond which metric writes are refused, ms.
const WORST_MS: i64 = 5_000;

/// Reads the `Date` of DynamoDB's answers. Clones share the measurement.
#[derive(Clone, Debug)]
pub(crate) struct Skew {
    clock: Clock,
    ahead_ms: Arc<AtomicI64>,
}

impl Skew {
    pub(crate) fn new(clock: Clock) -> Self {
        Self { clock, ahead_ms: Arc::default() }
    }

    fn note(&self, server_ms: i64) {
        let ahead_ms = match self.clock.ahead_of(server_ms) {
            // `Date` is cut to whole seconds: up to one of them is no skew.
            ahead_ms if ahead_ms > 0 => (ahead_ms - 1_000).max(0),
            behind_ms => behind_ms,
        };
        if ahead_ms.abs() > SUSPICIOUS_MS {
            tracing::warn!(ahead_ms, "this clock differs from DynamoDB's");
        }
        self.ahead_ms.store(ahead_ms, Ordering::Relaxed);
    }

    /// Metrics written with a clock this wrong could be hidden by a fold: they are refused.
    pub(crate) fn check(&self) -> Result<()> {
        let ahead_ms = self.ahead_ms.load(Ordering::Relaxed);
        if ahead_ms.abs() > WORST_MS {
            return Err(Error::Unavailable(format!(
                "this clock is {ahead_ms} ms ahead of DynamoDB's: metrics refused"
            )));
        }
        Ok(())
    }
}

impl Intercept for Skew {
    fn name(&self) -> &'static str {
        "Skew"
    }

    fn read_before_deserialization(
        &self,
        context: &BeforeDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> std::result::Result<(), BoxError> {
        let date = context.response().headers().get("date");
        let server = date.and_then(|date| DateTime::from_str(date, DateTimeFormat::HttpDate).ok());
        if let Some(server) = server {
            self.note(server.secs() * 1_000);
        }
        Ok(())
    }
}
