use async_trait::async_trait;
use aws_sdk_cloudwatchlogs::operation::get_log_events::GetLogEventsError;
use aws_sdk_codebuild::Client;
use aws_sdk_codebuild::types::{Build, BuildPhase, StatusType};

use super::config::{SdkConfig, cloud_error};
use crate::cloud::{BuildLog, BuildLogs, CloudError};

/// [`BuildLogs`] on CodeBuild and CloudWatch Logs.
#[derive(Clone, Debug)]
pub struct CodeBuild {
    client: Client,
    logs: aws_sdk_cloudwatchlogs::Client,
}

impl CodeBuild {
    /// A client for this configuration.
    pub fn new(config: &SdkConfig) -> Self {
        Self {
            client: Client::new(config),
            logs: aws_sdk_cloudwatchlogs::Client::new(config),
        }
    }

    /// The newest events of the stream, oldest first. A build that has not written yet has no stream.
    async fn tail(&self, group: &str, stream: &str, max: usize) -> Result<Vec<String>, CloudError> {
        const OPERATION: &str = "logs:GetLogEvents";
        let limit = i32::try_from(max).unwrap_or(10_000).clamp(1, 10_000);
        let answer = self
            .logs
            .get_log_events()
            .log_group_name(group)
            .log_stream_name(stream)
            .start_from_head(false)
            .limit(limit)
            .send()
            .await;
        match answer {
            Ok(answer) => Ok(answer
                .events()
                .iter()
                .filter_map(|event| event.message())
                .map(|line| line.trim_end().to_owned())
                .collect()),
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(GetLogEventsError::is_resource_not_found_exception) =>
            {
                Ok(Vec::new())
            }
            Err(error) => Err(cloud_error(OPERATION, &error)),
        }
    }
}

#[async_trait]
impl BuildLogs for CodeBuild {
    async fn build_log(&self, build_id: &str, max: usize) -> Result<Option<BuildLog>, CloudError> {
        let answer = self
            .client
            .batch_get_builds()
            .ids(build_id)
            .send()
            .await
            .map_err(|error| cloud_error("codebuild:BatchGetBuilds", &error))?;
        let Some(build) = answer.builds().first() else {
            return Ok(None);
        };
        let place = build.logs();
        let lines = match place.and_then(|logs| Some((logs.group_name()?, logs.stream_name()?))) {
            Some((group, stream)) => self.tail(group, stream, max).await?,
            None => Vec::new(),
        };
        Ok(Some(BuildLog {
            status: build
                .build_status()
                .map_or("no status", StatusType::as_str)
                .to_owned(),
            troubles: troubles(build),
            lines,
            url: place.and_then(|logs| logs.deep_link()).map(str::to_owned),
        }))
    }
}

/// `PHASE: what it says`, of the phases that did not succeed.
fn troubles(build: &Build) -> Vec<String> {
    let failed = |phase: &&BuildPhase| {
        phase
            .phase_status()
            .is_some_and(|status| !matches!(status, StatusType::Succeeded | StatusType::InProgress))
    };
    build
        .phases()
        .iter()
        .filter(failed)
        .map(|phase| {
            let name = phase.phase_type().map_or("a phase", |phase| phase.as_str());
            let said: Vec<_> = phase
                .contexts()
                .iter()
                .filter_map(|context| context.message())
                .filter(|message| !message.trim().is_empty())
                .collect();
            let said = if said.is_empty() {
                phase
                    .phase_status()
                    .map_or("", StatusType::as_str)
                    .to_owned()
            } else {
                said.join("; ")
            };
            format!("{name}: {said}")
        })
        .collect()
}
