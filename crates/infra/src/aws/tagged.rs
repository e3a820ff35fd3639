use async_trait::async_trait;
use aws_sdk_resourcegroupstagging::Client;
use aws_sdk_resourcegroupstagging::types::TagFilter;

use super::config::{SdkConfig, cloud_error};
use crate::cloud::{CloudError, Tagged};

/// [`Tagged`] on the Resource Groups Tagging API.
#[derive(Clone, Debug)]
pub struct Tagging {
    client: Client,
}

impl Tagging {
    /// A client for this configuration.
    pub fn new(config: &SdkConfig) -> Self {
        Self {
            client: Client::new(config),
        }
    }
}

#[async_trait]
impl Tagged for Tagging {
    async fn tagged(&self, project: &str, environment: &str) -> Result<Vec<String>, CloudError> {
        let filter = |key: &str, value: &str| TagFilter::builder().key(key).values(value).build();
        let mut pages = self
            .client
            .get_resources()
            .tag_filters(filter("project", project))
            .tag_filters(filter("environment", environment))
            .into_paginator()
            .send();
        let mut arns = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| cloud_error("tag:GetResources", &error))?;
            arns.extend(
                page.resource_tag_mapping_list()
                    .iter()
                    .filter_map(|resource| resource.resource_arn())
                    .map(str::to_owned),
            );
        }
        Ok(arns)
    }
}
