use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use aws_sdk_ecr::Client;
use aws_sdk_ecr::operation::describe_images::DescribeImagesError;
use aws_sdk_ecr::types::{ImageFailureCode, ImageIdentifier};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use super::config::{SdkConfig, SdkError, answered, cloud_error};
use crate::cloud::{CloudError, Images};
use crate::inventory::RepositoryContents;

/// How many images one call deletes.
///
/// See [BatchDeleteImage](https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_BatchDeleteImage.html).
const BATCH: usize = 100;

/// [`Images`] on ECR.
#[derive(Clone, Debug)]
pub struct Ecr {
    client: Client,
}

impl Ecr {
    /// A client for this configuration.
    pub fn new(config: &SdkConfig) -> Self {
        Self {
            client: Client::new(config),
        }
    }

    /// The digests of all images with their sizes; `None` where there is no such repository.
    async fn images(&self, name: &str) -> Result<Option<BTreeMap<String, u64>>, CloudError> {
        let mut pages = self
            .client
            .describe_images()
            .repository_name(name)
            .into_paginator()
            .send();
        let mut images = BTreeMap::new();
        while let Some(page) = pages.next().await {
            let Some(page) = answered(
                "ecr:DescribeImages",
                page,
                DescribeImagesError::is_repository_not_found_exception,
            )?
            else {
                return Ok(None);
            };
            images.extend(page.image_details().iter().filter_map(|image| {
                let size = image.image_size_in_bytes().unwrap_or_default();
                Some((image.image_digest()?.to_owned(), size.unsigned_abs()))
            }));
        }
        Ok(Some(images))
    }

    /// Deletes up to 100 images; returns the digests that stay because an index names them, which goes first.
    async fn delete_batch(
        &self,
        name: &str,
        digests: &[String],
    ) -> Result<BTreeSet<String>, CloudError> {
        const OPERATION: &str = "ecr:BatchDeleteImage";
        let ids = digests
            .iter()
            .map(|digest| ImageIdentifier::builder().image_digest(digest).build());
        let answer = match self
            .client
            .batch_delete_image()
            .repository_name(name)
            .set_image_ids(Some(ids.collect()))
            .send()
            .await
        {
            Ok(answer) => answer,
            Err(error) if is_missing(&error) => return Ok(BTreeSet::new()),
            Err(error) => return Err(cloud_error(OPERATION, &error)),
        };
        let mut stay = BTreeSet::new();
        for failure in answer.failures() {
            match failure.failure_code() {
                Some(ImageFailureCode::ImageNotFound) => {}
                Some(ImageFailureCode::ImageReferencedByManifestList) => stay.extend(
                    failure
                        .image_id()
                        .and_then(ImageIdentifier::image_digest)
                        .map(str::to_owned),
                ),
                code => {
                    return Err(CloudError::Refused {
                        operation: OPERATION,
                        code: code.map_or("Unknown", ImageFailureCode::as_str).to_owned(),
                        message: failure.failure_reason().unwrap_or_default().to_owned(),
                    });
                }
            }
        }
        Ok(stay)
    }
}

fn is_missing<E: ProvideErrorMetadata>(error: &SdkError<E>) -> bool {
    error
        .as_service_error()
        .and_then(ProvideErrorMetadata::code)
        == Some("RepositoryNotFoundException")
}

#[async_trait]
impl Images for Ecr {
    async fn repository_contents(
        &self,
        name: &str,
    ) -> Result<Option<RepositoryContents>, CloudError> {
        let images = self.images(name).await?;
        Ok(images.map(|images| RepositoryContents {
            images: images.len() as u64,
            bytes: images.values().sum(),
        }))
    }

    async fn has_image(&self, name: &str, image: &str) -> Result<bool, CloudError> {
        let id = match image.strip_prefix('@') {
            Some(digest) => ImageIdentifier::builder().image_digest(digest),
            None => ImageIdentifier::builder().image_tag(image.trim_start_matches(':')),
        };
        let answer = self
            .client
            .describe_images()
            .repository_name(name)
            .image_ids(id.build())
            .send()
            .await;
        match answer {
            Ok(answer) => Ok(!answer.image_details().is_empty()),
            Err(error) if is_missing(&error) => Ok(false),
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(DescribeImagesError::is_image_not_found_exception) =>
            {
                Ok(false)
            }
            Err(error) => Err(cloud_error("ecr:DescribeImages", &error)),
        }
    }

    async fn repository_tags(&self, name: &str) -> Result<BTreeMap<String, String>, CloudError> {
        let found = match self
            .client
            .describe_repositories()
            .repository_names(name)
            .send()
            .await
        {
            Ok(found) => found,
            Err(error) if is_missing(&error) => return Ok(BTreeMap::new()),
            Err(error) => return Err(cloud_error("ecr:DescribeRepositories", &error)),
        };
        let Some(arn) = found
            .repositories()
            .first()
            .and_then(|repository| repository.repository_arn())
        else {
            return Ok(BTreeMap::new());
        };
        let answer = self
            .client
            .list_tags_for_resource()
            .resource_arn(arn)
            .send()
            .await
            .map_err(|error| cloud_error("ecr:ListTagsForResource", &error))?;
        Ok(answer
            .tags()
            .iter()
            .map(|tag| (tag.key().to_owned(), tag.value().to_owned()))
            .collect())
    }

    async fn empty_repository(&self, name: &str) -> Result<u64, CloudError> {
        let Some(images) = self.images(name).await? else {
            return Ok(0);
        };
        let count = images.len() as u64;
        let mut left: Vec<_> = images.into_keys().collect();
        while !left.is_empty() {
            let mut stay = Vec::new();
            for batch in left.chunks(BATCH) {
                stay.extend(self.delete_batch(name, batch).await?);
            }
            if stay.len() == left.len() {
                return Err(CloudError::Refused {
                    operation: "ecr:BatchDeleteImage",
                    code: ImageFailureCode::ImageReferencedByManifestList
                        .as_str()
                        .to_owned(),
                    message: format!("{} images of {name} are named by others", stay.len()),
                });
            }
            left = stay;
        }
        Ok(count)
    }

    async fn delete_repository(&self, name: &str) -> Result<(), CloudError> {
        match self
            .client
            .delete_repository()
            .repository_name(name)
            .send()
            .await
        {
            Ok(_) => Ok(()),
            Err(error) if is_missing(&error) => Ok(()),
            Err(error) => Err(cloud_error("ecr:DeleteRepository", &error)),
        }
    }
}
