use std::error::Error;

use aws_config::{BehaviorVersion, Region, retry::RetryConfig, timeout::TimeoutConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_http_client::tls;
use aws_smithy_types::error::display::DisplayErrorContext;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

pub use aws_config::SdkConfig;

use crate::cloud::CloudError;

pub(super) type SdkError<E> =
    aws_sdk_sts::error::SdkError<E, aws_smithy_runtime_api::client::orchestrator::HttpResponse>;

fn http_client() -> aws_sdk_sts::config::SharedHttpClient {
    aws_smithy_http_client::Builder::new()
        .tls_provider(tls::Provider::Rustls(
            tls::rustls_provider::CryptoMode::Ring,
        ))
        .build_https()
}

/// Adaptive to throttling: CloudFormation's Describe calls are limited per account and region.
fn retries() -> RetryConfig {
    RetryConfig::standard().with_max_attempts(6)
}

/// Configuration for AWS: credentials from the standard chain, calls to `region` only.
///
/// `endpoint_url` sends every call elsewhere, such as to an emulator that checks credentials.
pub async fn from_standard_chain(region: &str, endpoint_url: Option<&str>) -> SdkConfig {
    let mut loader = aws_config::defaults(BehaviorVersion::latest())
        .http_client(http_client())
        .retry_config(retries())
        .region(Region::new(region.to_owned()));
    if let Some(url) = endpoint_url {
        loader = loader.endpoint_url(url);
    }
    loader.load().await
}

/// The same configuration with calls to another region.
pub fn in_region(config: &SdkConfig, region: &str) -> SdkConfig {
    config
        .to_builder()
        .region(Region::new(region.to_owned()))
        .build()
}

/// Configuration for an emulator: fixed credentials that name `account`, nothing read from the environment or from
/// profiles, and no address but `endpoint_url`.
pub fn without_account(account: &str, region: &str, endpoint_url: &str) -> SdkConfig {
    let credentials = Credentials::new(account, "local", None, None, "stackway-local");
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .http_client(http_client())
        .retry_config(RetryConfig::standard().with_max_attempts(2))
        .timeout_config(
            TimeoutConfig::builder()
                .connect_timeout(std::time::Duration::from_secs(3))
                .build(),
        )
        .sleep_impl(aws_smithy_async::rt::sleep::SharedAsyncSleep::new(
            aws_smithy_async::rt::sleep::TokioSleep::new(),
        ))
        .time_source(aws_smithy_async::time::SystemTimeSource::new())
        .region(Region::new(region.to_owned()))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .endpoint_url(endpoint_url)
        .build()
}

/// The answer of a call; `None` where the service itself says, by an error that `is_absence`, that what it is about is not
/// there. Whatever else fails is no absence.
pub(super) fn answered<T, E>(
    operation: &'static str,
    answer: Result<T, SdkError<E>>,
    is_absence: impl FnOnce(&E) -> bool,
) -> Result<Option<T>, CloudError>
where
    E: ProvideErrorMetadata + Error + Send + Sync + 'static,
{
    match answer {
        Ok(answer) => Ok(Some(answer)),
        Err(error) if error.as_service_error().is_some_and(is_absence) => Ok(None),
        Err(error) => Err(cloud_error(operation, &error)),
    }
}

/// Turns an SDK error into one of ours: what a service answered keeps its code, the rest keeps its whole chain.
pub(super) fn cloud_error<E>(operation: &'static str, error: &SdkError<E>) -> CloudError
where
    E: ProvideErrorMetadata + Error + Send + Sync + 'static,
{
    if let Some(service) = error.as_service_error() {
        return CloudError::Refused {
            operation,
            code: service.code().unwrap_or("Unknown").to_owned(),
            message: service
                .message()
                .unwrap_or("the service gave no message")
                .to_owned(),
        };
    }
    if let Some(message) = unsupported_service(error) {
        return CloudError::Refused {
            operation,
            code: "UnknownOperation".to_owned(),
            message,
        };
    }
    let message = DisplayErrorContext(error).to_string();
    // The SDK has no typed kind for "no credentials"; its connector never mentions them.
    let credentials = message.contains("CredentialsNotLoaded")
        || message.contains("credentials provider")
        || message.contains("no providers in chain provided credentials");
    if credentials {
        CloudError::Credentials {
            operation,
            message: short(&message),
        }
    } else {
        CloudError::Unreachable {
            operation,
            message: short(&message),
        }
    }
}

/// What an emulator says that lacks a whole service: in a form of its own, which no SDK reads as an error.
fn unsupported_service<E>(error: &SdkError<E>) -> Option<String> {
    let body = error.raw_response()?.body().bytes()?;
    let text = std::str::from_utf8(body).ok()?.trim();
    text.contains("Unsupported service")
        .then(|| text.to_owned())
}

/// The readable part of the SDK's chain: its debug dump after the messages is left out.
fn short(message: &str) -> String {
    message
        .split(" (DispatchFailure")
        .next()
        .unwrap_or(message)
        .split(" (ConstructionFailure")
        .next()
        .unwrap_or(message)
        .to_owned()
}
