use async_trait::async_trait;

use super::CloudError;

/// Lambda, as far as calling goes.
#[async_trait]
pub trait FunctionCalls: Send + Sync {
    /// Calls a function with a JSON document and waits for its answer; `None` only where the service says that there is no
    /// such function.
    async fn call(&self, function: &str, event: &str)
    -> Result<Option<FunctionAnswer>, CloudError>;
}

/// What a function answered.
///
/// See [`Invoke`](https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FunctionAnswer {
    /// Its document: what it returned, or how it failed.
    pub document: String,
    /// Whether it failed.
    pub is_error: bool,
}
