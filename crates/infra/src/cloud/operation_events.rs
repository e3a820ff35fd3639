use async_trait::async_trait;
use time::OffsetDateTime;

use super::CloudError;
use crate::stack::OperationEvent;

/// Whose events are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventsOf<'a> {
    /// A stack's, from a time on.
    Stack {
        /// The stack's ARN.
        stack_id: &'a str,
        /// Older events are left out.
        since: OffsetDateTime,
    },
    /// One operation's, whichever stack it is on.
    Operation(&'a str),
}

/// CloudFormation's events by operation, which say more of a failure than a stack's own events.
#[async_trait]
pub trait OperationEvents: Send + Sync {
    /// The failed events, oldest first; `None` where the service does not know the call, as most emulators.
    ///
    /// See [DescribeEvents](https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DescribeEvents.html).
    async fn failed_events(
        &self,
        of: EventsOf<'_>,
    ) -> Result<Option<Vec<OperationEvent>>, CloudError>;
}
