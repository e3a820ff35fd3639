use crate::cloud::{CloudError, Objects, Stacks};
use crate::inventory::BucketContents;

/// The buckets of a stack with what they hold, since CloudFormation deletes no full one. A stack that is gone has none.
///
/// # Errors
/// A stack or a bucket that does not answer: what it holds is not taken for nothing.
pub async fn buckets_of_stack(
    stacks: &dyn Stacks,
    objects: &dyn Objects,
    stack_id: &str,
) -> Result<Vec<(String, BucketContents)>, CloudError> {
    if stacks.describe_stack(stack_id).await?.is_none() {
        return Ok(Vec::new());
    }
    let mut found = Vec::new();
    for resource in stacks.stack_resources(stack_id).await? {
        let name = resource.physical_id;
        let is_there = resource.status != "DELETE_COMPLETE" && !name.is_empty();
        if resource.resource_type == "AWS::S3::Bucket"
            && is_there
            && let Some(contents) = objects.bucket_contents(&name).await?
        {
            found.push((name, contents));
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cloud::fake::FakeCloud;

    #[tokio::test]
    async fn the_buckets_of_a_stack_are_found_with_what_they_hold() {
        let cloud = FakeCloud::default();
        cloud.put_stack("builds", "CREATE_COMPLETE", &[]);
        cloud.put_bucket("builds", "full", 12);
        cloud.put_bucket("builds", "empty", 0);
        cloud.put_resource("builds", "Topic", "AWS::SNS::Topic", "CREATE_COMPLETE");
        let found = buckets_of_stack(&cloud, &cloud, "builds").await.unwrap();
        let told: Vec<_> = found
            .iter()
            .map(|(name, contents)| (name.as_str(), contents.versions))
            .collect();
        assert_eq!(told, [("full", 12), ("empty", 0)]);
        let gone = buckets_of_stack(&cloud, &cloud, "gone").await.unwrap();
        assert!(gone.is_empty());
    }
}
