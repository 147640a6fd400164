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

/// By the kind of the error alone: the rest of it may repeat what a client wrote.
fn is_throttle(error: &str) -> bool {
    let kind = error.split_once("\"__type\":\"").and_then(|(_, rest)| rest.split('"').next()).unwrap_or_default();
    ["ProvisionedThroughputExceeded", "Throttling", "RequestLimitExceeded"].iter().any(|one| kind.contains(one))
        || kind.contains("TransactionCanceled") && error.contains("\"Code\":\"ThrottlingError\"")
}

#[cfg(test)]
mod tests {
    use super::is_throttle;

    #[test]
    fn the_kind_of_the_error_counts_not_what_it_quotes() {
        for (error, expected) in [
            (r#"{"__type":"com.amazonaws.dynamodb.v20120810#ThrottlingException","message":"x"}"#, true),
            (r#"{"__type":"com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException"}"#, true),
            (r#"{"__type":"a#ConditionalCheckFailedException","Item":{"name":{"S":"ThrottlingException"}}}"#, false),
            (r#"{"__type":"a#TransactionCanceledException","CancellationReasons":[{"Code":"ThrottlingError"}]}"#, true),
            (r#"{"__type":"a#TransactionCanceledException","CancellationReasons":[{"Code":"None"}]}"#, false),
            ("<html>Throttling</html>", false),
        ] {
            assert_eq!(is_throttle(error), expected, "{error}");
        }
    }
}
