use async_trait::async_trait;
use aws_sdk_codebuild::Client;

use super::config::{SdkConfig, cloud_error};
use crate::cloud::{CloudError, ReportGroup, ReportGroups};

/// How many report groups one call describes.
///
/// See [BatchGetReportGroups](https://docs.aws.amazon.com/codebuild/latest/APIReference/API_BatchGetReportGroups.html).
const BATCH: usize = 100;

/// [`ReportGroups`] on CodeBuild.
#[derive(Clone, Debug)]
pub struct CodeBuildReports {
    client: Client,
}

impl CodeBuildReports {
    /// A client for this configuration.
    pub fn new(config: &SdkConfig) -> Self {
        Self {
            client: Client::new(config),
        }
    }
}

#[async_trait]
impl ReportGroups for CodeBuildReports {
    async fn report_groups(&self) -> Result<Vec<ReportGroup>, CloudError> {
        let mut pages = self.client.list_report_groups().into_paginator().send();
        let mut arns = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| cloud_error("codebuild:ListReportGroups", &error))?;
            arns.extend(page.report_groups().iter().cloned());
        }
        let mut groups = Vec::new();
        for batch in arns.chunks(BATCH) {
            let answer = self
                .client
                .batch_get_report_groups()
                .set_report_group_arns(Some(batch.to_vec()))
                .send()
                .await
                .map_err(|error| cloud_error("codebuild:BatchGetReportGroups", &error))?;
            groups.extend(answer.report_groups().iter().map(|group| {
                ReportGroup {
                    arn: group.arn().unwrap_or_default().to_owned(),
                    name: group.name().unwrap_or_default().to_owned(),
                    tags: group
                        .tags()
                        .iter()
                        .filter_map(|tag| Some((tag.key()?.to_owned(), tag.value()?.to_owned())))
                        .collect(),
                }
            }));
        }
        Ok(groups)
    }

    async fn delete_report_group(&self, arn: &str) -> Result<(), CloudError> {
        match self
            .client
            .delete_report_group()
            .arn(arn)
            .delete_reports(true)
            .send()
            .await
        {
            Ok(_) => Ok(()),
            Err(error) => match cloud_error("codebuild:DeleteReportGroup", &error) {
                error if error.code() == Some("ResourceNotFoundException") => Ok(()),
                error => Err(error),
            },
        }
    }
}
