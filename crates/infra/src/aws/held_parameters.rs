use std::collections::BTreeMap;

use async_trait::async_trait;
use aws_sdk_ssm::operation::list_tags_for_resource::ListTagsForResourceError;
use aws_sdk_ssm::types::{
    ParameterMetadata, ParameterStringFilter, ParameterTier, ResourceTypeForTagging,
};

use super::Ssm;
use super::config::cloud_error;
use crate::cloud::{CloudError, HeldParameter, HeldParameters};

/// How many parameters one call deletes.
///
/// See [DeleteParameters](https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_DeleteParameters.html).
const BATCH: usize = 10;

impl Ssm {
    /// What is known of a parameter beside its value.
    async fn metadata(&self, name: &str) -> Result<Option<ParameterMetadata>, CloudError> {
        const OPERATION: &str = "ssm:DescribeParameters";
        // The ARN of `/name` is that of `name`: whichever there is, is meant.
        let mut names = vec![name.to_owned()];
        if !name.starts_with('/') {
            names.push(format!("/{name}"));
        }
        let filter = ParameterStringFilter::builder()
            .key("Name")
            .option("Equals")
            .set_values(Some(names))
            .build()
            .map_err(|error| CloudError::Refused {
                operation: OPERATION,
                code: "InvalidFilterValue".to_owned(),
                message: error.to_string(),
            })?;
        let mut pages = self
            .client
            .describe_parameters()
            .parameter_filters(filter)
            .into_paginator()
            .send();
        let mut found = Vec::new();
        // A page may be empty, and the next one not.
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| cloud_error(OPERATION, &error))?;
            found.extend(page.parameters.unwrap_or_default());
        }
        found.sort_by_key(|one| one.name() != Some(name));
        Ok(found.into_iter().next())
    }
}

#[async_trait]
impl HeldParameters for Ssm {
    async fn held_parameter(&self, name: &str) -> Result<Option<HeldParameter>, CloudError> {
        let Some(found) = self.metadata(name).await? else {
            return Ok(None);
        };
        let name = found.name().unwrap_or(name).to_owned();
        let tags = match self
            .client
            .list_tags_for_resource()
            .resource_type(ResourceTypeForTagging::Parameter)
            .resource_id(&name)
            .send()
            .await
        {
            Ok(answer) => answer
                .tag_list()
                .iter()
                .map(|tag| (tag.key().to_owned(), tag.value().to_owned()))
                .collect(),
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(ListTagsForResourceError::is_invalid_resource_id) =>
            {
                BTreeMap::new()
            }
            Err(error) => return Err(cloud_error("ssm:ListTagsForResource", &error)),
        };
        Ok(Some(HeldParameter {
            name,
            advanced: found.tier() == Some(&ParameterTier::Advanced),
            tags,
        }))
    }

    async fn delete_parameters(&self, names: &[String]) -> Result<(), CloudError> {
        for batch in names.chunks(BATCH) {
            // Those that it calls invalid are gone.
            self.client
                .delete_parameters()
                .set_names(Some(batch.to_vec()))
                .send()
                .await
                .map_err(|error| cloud_error("ssm:DeleteParameters", &error))?;
        }
        Ok(())
    }
}
