use std::collections::BTreeMap;
use std::path::Path;
use std::pin::pin;

use async_trait::async_trait;
use aws_sdk_s3::Client;
use aws_sdk_s3::operation::list_object_versions::ListObjectVersionsOutput;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{Delete, ObjectIdentifier, ObjectVersion};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use futures::future::{Either, select, try_join_all};
use futures::stream::{FuturesUnordered, StreamExt as _, TryStreamExt as _};

use super::config::{SdkConfig, SdkError, cloud_error};
use crate::cloud::{CloudError, Objects};
use crate::inventory::BucketContents;

const NO_BUCKET: &str = "NoSuchBucket";

/// How many batches are deleted at a time. One names 1,000 versions at most, as DeleteObjects allows.
///
/// See [DeleteObjects](https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html).
const BATCHES: usize = 8;

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

impl S3 {
    /// A page of versions and delete markers; `None` where there is no such bucket.
    async fn page(
        &self,
        bucket: &str,
        from: Option<Marker>,
    ) -> Result<Option<ListObjectVersionsOutput>, CloudError> {
        let (key, version) = from.unwrap_or_default();
        let answer = self
            .client
            .list_object_versions()
            .bucket(bucket)
            .set_key_marker(key)
            .set_version_id_marker(version)
            .send()
            .await;
        match answer {
            Ok(page) => Ok(Some(page)),
            Err(error) if has_code(&error, &[NO_BUCKET]) => Ok(None),
            Err(error) => Err(cloud_error("s3:ListObjectVersions", &error)),
        }
    }

    /// Deletes what a walk through the bucket finds: a batch for each page, several at a time, while the next page is
    /// listed. What a page leaves out since its marker was deleted meanwhile is found by the next walk.
    async fn delete_versions(&self, bucket: &str) -> Result<u64, CloudError> {
        let mut removed = 0;
        let mut deleting = FuturesUnordered::new();
        let mut from: Option<Option<Marker>> = Some(None);
        while let Some(marker) = from.take() {
            let mut listing = pin!(self.page(bucket, marker));
            let page = loop {
                if deleting.is_empty() {
                    break listing.await?;
                }
                match select(listing.as_mut(), deleting.next()).await {
                    Either::Left((page, _)) => break page?,
                    Either::Right((done, _)) => removed += done.transpose()?.unwrap_or_default(),
                }
            };
            let Some(page) = page else { break };
            from = next_of(&page).map(Some);
            let batch = identifiers(&page);
            if !batch.is_empty() {
                deleting.push(self.delete_batch(bucket, batch));
            }
            while deleting.len() >= BATCHES {
                removed += deleting.try_next().await?.unwrap_or_default();
            }
        }
        while let Some(done) = deleting.try_next().await? {
            removed += done;
        }
        Ok(removed)
    }

    /// Uploads in parts that were not brought to an end, as key and id: they are paid for and stand in the way.
    async fn uploads(&self, bucket: &str) -> Result<Vec<(String, String)>, CloudError> {
        let mut uploads = Vec::new();
        let (mut key, mut id) = (None, None);
        loop {
            let answer = self
                .client
                .list_multipart_uploads()
                .bucket(bucket)
                .set_key_marker(key)
                .set_upload_id_marker(id)
                .send()
                .await;
            let page = match answer {
                Ok(page) => page,
                Err(error) if has_code(&error, &[NO_BUCKET]) => return Ok(uploads),
                Err(error) => return Err(cloud_error("s3:ListMultipartUploads", &error)),
            };
            uploads.extend(page.uploads().iter().filter_map(|upload| {
                Some((upload.key()?.to_owned(), upload.upload_id()?.to_owned()))
            }));
            key = page.next_key_marker().map(str::to_owned);
            id = page.next_upload_id_marker().map(str::to_owned);
            if page.is_truncated() != Some(true) || key.is_none() {
                return Ok(uploads);
            }
        }
    }

    async fn abort_uploads(&self, bucket: &str) -> Result<u64, CloudError> {
        let uploads = self.uploads(bucket).await?;
        for some in uploads.chunks(BATCHES) {
            let aborts = some
                .iter()
                .map(|(key, id)| self.abort_upload(bucket, key, id));
            try_join_all(aborts).await?;
        }
        Ok(uploads.len() as u64)
    }

    async fn abort_upload(&self, bucket: &str, key: &str, id: &str) -> Result<(), CloudError> {
        let answer = self
            .client
            .abort_multipart_upload()
            .bucket(bucket)
            .key(key)
            .upload_id(id)
            .send()
            .await;
        match answer {
            Ok(_) => Ok(()),
            Err(error) if has_code(&error, &["NoSuchUpload", NO_BUCKET]) => Ok(()),
            Err(error) => Err(cloud_error("s3:AbortMultipartUpload", &error)),
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

    async fn bucket_contents(&self, bucket: &str) -> Result<Option<BucketContents>, CloudError> {
        let mut contents = BucketContents::default();
        let mut from = None;
        loop {
            let Some(page) = self.page(bucket, from).await? else {
                return Ok(None);
            };
            contents.versions += page.versions().len() as u64;
            contents.markers += page.delete_markers().len() as u64;
            let sizes = page.versions().iter().filter_map(ObjectVersion::size);
            contents.bytes += sizes.map(i64::unsigned_abs).sum::<u64>();
            from = next_of(&page);
            if from.is_none() {
                break;
            }
        }
        contents.uploads = self.uploads(bucket).await?.len() as u64;
        Ok(Some(contents))
    }

    async fn bucket_tags(&self, bucket: &str) -> Result<BTreeMap<String, String>, CloudError> {
        match self.client.get_bucket_tagging().bucket(bucket).send().await {
            Ok(answer) => Ok(answer
                .tag_set()
                .iter()
                .map(|tag| (tag.key().to_owned(), tag.value().to_owned()))
                .collect()),
            Err(error) if has_code(&error, &["NoSuchTagSet", NO_BUCKET]) => Ok(BTreeMap::new()),
            Err(error) => Err(cloud_error("s3:GetBucketTagging", &error)),
        }
    }

    async fn empty_bucket(&self, bucket: &str) -> Result<u64, CloudError> {
        let mut removed = 0;
        // What is written meanwhile, such as a late access log, is found by the next pass; a pass that finds nothing
        // is the last.
        loop {
            let uploads = self.abort_uploads(bucket).await?;
            let versions = self.delete_versions(bucket).await?;
            removed += uploads + versions;
            if uploads + versions == 0 {
                return Ok(removed);
            }
        }
    }

    async fn delete_bucket(&self, bucket: &str) -> Result<(), CloudError> {
        match self.client.delete_bucket().bucket(bucket).send().await {
            Ok(_) => Ok(()),
            Err(error) if has_code(&error, &[NO_BUCKET]) => Ok(()),
            Err(error) => Err(cloud_error("s3:DeleteBucket", &error)),
        }
    }
}

/// Where the next page begins: a key, and a version of it.
type Marker = (Option<String>, Option<String>);

fn next_of(page: &ListObjectVersionsOutput) -> Option<Marker> {
    let next = (
        page.next_key_marker().map(str::to_owned),
        page.next_version_id_marker().map(str::to_owned),
    );
    (page.is_truncated() == Some(true) && next.0.is_some()).then_some(next)
}

fn identifiers(page: &ListObjectVersionsOutput) -> Vec<ObjectIdentifier> {
    let versions = page.versions().iter().map(|v| (v.key(), v.version_id()));
    let markers = page.delete_markers().iter();
    versions
        .chain(markers.map(|m| (m.key(), m.version_id())))
        .filter_map(|(key, version)| {
            ObjectIdentifier::builder()
                .key(key?)
                .set_version_id(version.map(str::to_owned))
                .build()
                .ok()
        })
        .collect()
}

fn has_code<E: ProvideErrorMetadata>(error: &SdkError<E>, codes: &[&str]) -> bool {
    error
        .as_service_error()
        .and_then(ProvideErrorMetadata::code)
        .is_some_and(|code| codes.contains(&code))
}
