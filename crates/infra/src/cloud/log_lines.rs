use async_trait::async_trait;
use time::OffsetDateTime;

use super::CloudError;

/// A line of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLine {
    /// When it was written.
    pub at: OffsetDateTime,
    /// What it says.
    pub text: String,
}

/// The lines of log groups.
#[async_trait]
pub trait LogLines: Send + Sync {
    /// All lines since `from`; `None` only where the service says that there is no such group.
    async fn log_lines(
        &self,
        group: &str,
        from: OffsetDateTime,
    ) -> Result<Option<Vec<LogLine>>, CloudError>;
}
