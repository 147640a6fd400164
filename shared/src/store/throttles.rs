//! Counts the requests that DynamoDB throttled, which the SDK's further tries hide from their callers.

use std::sync::atomic::Ordering;

use aws_sdk_dynamodb::config::interceptors::FinalizerInterceptorContextRef;
use aws_sdk_dynamodb::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_dynamodb::error::BoxError;

use crate::record::note;

/// Bytes of an answer in which its kind of error stands.
const HEAD: usize = 2_048;

/// Looks at every answer of DynamoDB.
#[derive(Clone, Debug)]
pub(super) struct Throttles;

impl Intercept for Throttles {
    fn name(&self) -> &'static str {
        "Throttles"
    }

    fn read_after_attempt(
        &self,
        context: &FinalizerInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let refused = context.response().filter(|response| response.status().as_u16() == 400);
        if let Some(body) = refused.and_then(|response| response.body().bytes())
            && is_throttle(&String::from_utf8_lossy(&body[..body.len().min(HEAD)]))
        {
            note(|record| {
                record.dynamodb_throttles.fetch_add(1, Ordering::Relaxed);
            });
        }
        Ok(())
    }
}

fn is_throttle(error: &str) -> bool {
    ["ProvisionedThroughputExceeded", "Throttling", "RequestLimitExceeded"].iter().any(|kind| error.contains(kind))
}
