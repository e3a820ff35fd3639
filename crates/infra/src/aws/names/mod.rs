//! Whether names are taken: one question to four services.

mod buckets;
mod log_groups;
mod repositories;
mod tables;

use async_trait::async_trait;

use super::config::SdkConfig;
use crate::cloud::{CloudError, Names};

/// [`Names`] on S3, DynamoDB, ECR and CloudWatch Logs.
#[derive(Clone, Debug)]
pub struct TakenNames {
    buckets: aws_sdk_s3::Client,
    tables: aws_sdk_dynamodb::Client,
    repositories: aws_sdk_ecr::Client,
    log_groups: aws_sdk_cloudwatchlogs::Client,
}

impl TakenNames {
    /// Clients for this configuration.
    pub fn new(config: &SdkConfig) -> Self {
        Self {
            buckets: buckets::client(config),
            tables: aws_sdk_dynamodb::Client::new(config),
            repositories: aws_sdk_ecr::Client::new(config),
            log_groups: aws_sdk_cloudwatchlogs::Client::new(config),
        }
    }
}

#[async_trait]
impl Names for TakenNames {
    async fn is_taken(&self, resource_type: &str, name: &str) -> Result<bool, CloudError> {
        match resource_type {
            "AWS::S3::Bucket" => buckets::is_taken(&self.buckets, name).await,
            "AWS::DynamoDB::GlobalTable" | "AWS::DynamoDB::Table" => {
                tables::is_taken(&self.tables, name).await
            }
            "AWS::ECR::Repository" => repositories::is_taken(&self.repositories, name).await,
            "AWS::Logs::LogGroup" => log_groups::is_taken(&self.log_groups, name).await,
            other => Err(CloudError::Refused {
                operation: "names",
                code: "UnknownType".to_owned(),
                message: format!("names of {other} cannot be looked up"),
            }),
        }
    }
}
