//! What DynamoDB refuses for load: told to the client at once, never waited for.

use aws_sdk_dynamodb::config::retry::{ClassifyRetry, RetryAction};
use aws_smithy_runtime_api::client::{
    interceptors::context::InterceptorContext,
    retries::classifiers::{RetryClassifierPriority, RetryReason},
};
use aws_smithy_types::retry::ErrorKind;

/// The codes with which DynamoDB refuses for load.
///
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html>
const CODES: [&str; 4] = [
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "ThrottlingException",
    "Throttling",
];

/// Whether an error's code is a refusal for load.
pub(super) fn is_throttle(code: &str) -> bool {
    CODES.contains(&code)
}

/// Forbids the retry that the SDK would make after a throttle.
///
/// A Lambda is paid for while it waits, and its client, told 503 with `Retry-After`, can wait for nothing.
#[derive(Debug)]
pub(super) struct AnswerThrottles;

impl ClassifyRetry for AnswerThrottles {
    fn classify_retry(&self, _: &InterceptorContext) -> RetryAction {
        RetryAction::NoActionIndicated
    }

    fn classify_retry_v2(&self, _: &InterceptorContext, previous: &RetryAction) -> RetryAction {
        match previous {
            RetryAction::RetryIndicated(RetryReason::RetryableError {
                kind: ErrorKind::ThrottlingError,
                ..
            }) => RetryAction::RetryForbidden,
            _ => RetryAction::NoActionIndicated,
        }
    }

    /// After all that the SDK brings, whose verdict it changes.
    fn priority(&self) -> RetryClassifierPriority {
        RetryClassifierPriority::run_after(RetryClassifierPriority::transient_error_classifier())
    }

    fn name(&self) -> &'static str {
        "throttles are answered"
    }
}
