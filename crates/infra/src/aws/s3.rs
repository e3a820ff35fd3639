use std::path::Path;

use async_trait::async_trait;
use aws_sdk_s3::Client;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{Delete, ObjectIdentifier};

use super::config::{SdkConfig, cloud_error};
use crate::cloud::{CloudError, Objects};

/// [`Objects`] on S3.
#[derive(Clone, Debug)]
pub struct S3 {
    client: Client,
}

impl S3 {
    /// A client for this configuration. With an endpoint of its own, buckets are named in the path: an emulator has no
    /// host names for them.
    pub fn new(config: &SdkConfig) -> Self {
        let settings = aws_sdk_s3::config::Builder::from(config)
            .force_path_style(config.endpoint_url().is_some());
        Self {
            client: Client::from_conf(settings.build()),
        }
    }

    async fn delete_batch(
        &self,
        bucket: &str,
        batch: Vec<ObjectIdentifier>,
    ) -> Result<u64, CloudError> {
        let count = batch.len() as u64;
        let delete = Delete::builder()
            .set_objects(Some(batch))
            .quiet(true)
            .build()
            .map_err(|error| CloudError::Refused {
                operation: "s3:DeleteObjects",
                code: "InvalidRequest".to_owned(),
                message: error.to_string(),
            })?;
        let answer = self
            .client
            .delete_objects()
            .bucket(bucket)
            .delete(delete)
            .send()
            .await
            .map_err(|error| cloud_error("s3:DeleteObjects", &error))?;
        match answer.errors().first() {
            None => Ok(count),
            Some(error) => Err(CloudError::Refused {
                operation: "s3:DeleteObjects",
                code: error.code().unwrap_or("Unknown").to_owned(),
                message: format!(
                    "{}: {}",
                    error.key().unwrap_or_default(),
                    error.message().unwrap_or_default()
                ),
            }),
        }
    }
}

#[async_trait]
impl Objects for S3 {
    async fn object_exists(&self, bucket: &str, key: &str) -> Result<bool, CloudError> {
        match self
            .client
            .head_object()
            .bucket(bucket)
            .key(key)
            .send()
            .await
        {
            Ok(_) => Ok(true),
            Err(error)
                if error.as_service_error().is_some_and(
                    aws_sdk_s3::operation::head_object::HeadObjectError::is_not_found,
                ) =>
            {
                Ok(false)
            }
            Err(error) => Err(cloud_error("s3:HeadObject", &error)),
        }
    }

    async fn put_object(&self, bucket: &str, key: &str, file: &Path) -> Result<(), CloudError> {
        let body = ByteStream::from_path(file)
            .await
            .map_err(|error| CloudError::File {
                path: file.display().to_string(),
                message: error.to_string(),
            })?;
        self.client
            .put_object()
            .bucket(bucket)
            .key(key)
            .body(body)
            .send()
            .await
            .map_err(|error| cloud_error("s3:PutObject", &error))?;
        Ok(())
    }

    async fn empty_bucket(&self, bucket: &str) -> Result<u64, CloudError> {
        let mut removed = 0;
        // What is listed is deleted before the next listing, so the first page is always the next work: batches of
        // up to 1,000, versions and delete markers alike.
        loop {
            let page = match self
                .client
                .list_object_versions()
                .bucket(bucket)
                .send()
                .await
            {
                Ok(page) => page,
                Err(error)
                    if error
                        .as_service_error()
                        .is_some_and(|e| e.meta().code() == Some("NoSuchBucket")) =>
                {
                    return Ok(removed);
                }
                Err(error) => return Err(cloud_error("s3:ListObjectVersions", &error)),
            };
            let versions = page.versions().iter().map(|v| (v.key(), v.version_id()));
            let markers = page
                .delete_markers()
                .iter()
                .map(|m| (m.key(), m.version_id()));
            let batch: Vec<_> = versions
                .chain(markers)
                .filter_map(|(key, version)| {
                    ObjectIdentifier::builder()
                        .key(key?)
                        .set_version_id(version.map(str::to_owned))
                        .build()
                        .ok()
                })
                .take(1_000)
                .collect();
            if batch.is_empty() {
                return Ok(removed);
            }
            removed += self.delete_batch(bucket, batch).await?;
        }
    }
}
