//! What a request says of its sender: one fixed header.

use aws_runtime::{
    invocation_id::InvocationIdInterceptor, request_info::RequestInfoInterceptor,
    user_agent::UserAgentInterceptor,
};
use aws_sdk_dynamodb::config::{
    ConfigBag, Intercept, RuntimeComponents,
    interceptors::{BeforeSerializationInterceptorContextRef, BeforeTransmitInterceptorContextMut},
};
use aws_smithy_runtime_api::{
    box_error::BoxError,
    client::interceptors::{disable_interceptor, dyn_dispatch_hint},
};

/// What CloudTrail shows of a request.
const USER_AGENT: &str = concat!("stackway-api/", env!("CARGO_PKG_VERSION"));

/// Sends [`USER_AGENT`] in place of what the SDK would write for each request.
///
/// The SDK describes itself twice, once among the headers that are signed, and adds an id and a count of tries.
/// `DynamoDB` reads none of it, and writing and signing it is a twentieth of a request.
#[derive(Debug)]
pub(super) struct NameCaller;

#[dyn_dispatch_hint]
impl Intercept for NameCaller {
    fn name(&self) -> &'static str {
        "NameCaller"
    }

    fn read_before_execution(
        &self,
        _: &BeforeSerializationInterceptorContextRef<'_>,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        const WHY: &str = "one fixed header is sent";
        let state = config.interceptor_state();
        state.store_put(disable_interceptor::<UserAgentInterceptor>(WHY));
        state.store_put(disable_interceptor::<InvocationIdInterceptor>(WHY));
        state.store_put(disable_interceptor::<RequestInfoInterceptor>(WHY));
        Ok(())
    }

    fn modify_before_transmit(
        &self,
        context: &mut BeforeTransmitInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let headers = context.request_mut().headers_mut();
        headers.insert("user-agent", USER_AGENT);
        Ok(())
    }
}
