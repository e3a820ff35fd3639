use async_trait::async_trait;

use super::CloudError;

/// CloudWatch's alarms.
#[async_trait]
pub trait Alarms: Send + Sync {
    /// The state of an alarm of this name, by the service's word: `OK`, `ALARM`, `INSUFFICIENT_DATA`; `None` only where the
    /// service says that there is no such alarm.
    async fn alarm_state(&self, name: &str) -> Result<Option<String>, CloudError>;
}
