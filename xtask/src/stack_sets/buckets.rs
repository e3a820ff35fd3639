//! What the buckets of stacks of sets hold: CloudFormation deletes no full one, in any region.

use stackway_infra::aws;
use stackway_infra::cloud::Objects as _;
use stackway_infra::flow::roll_out::buckets_of_stack;
use stackway_infra::inventory::BucketContents;
use stackway_infra::stack_set::Pair;

use super::Standing;
use crate::cloud::Cloud;
use crate::failure::Failure;
use crate::ui::Ui;

/// A bucket of a stack of a set.
#[derive(Clone, Debug)]
pub(crate) struct HeldBucket {
    /// The stack's account and region.
    pub(crate) pair: Pair,
    pub(crate) name: String,
    pub(crate) contents: BucketContents,
}

/// Looks into the buckets of the sets' stacks, as far as they are in the account of the credentials.
///
/// # Errors
/// A region or a bucket that does not answer: what it holds is not taken for nothing.
pub(super) async fn look_into(cloud: &Cloud, sets: &mut [Standing]) -> Result<(), Failure> {
    for set in sets {
        set.buckets.clear();
        for (pair, stack_id) in &set.stacks {
            if pair.place != cloud.account {
                continue;
            }
            let config = aws::in_region(&cloud.config, &pair.region);
            let stacks = aws::CloudFormation::new(&config);
            let buckets = buckets_of_stack(&stacks, &aws::S3::new(&config), stack_id).await?;
            let held = buckets.into_iter().map(|(name, contents)| HeldBucket {
                pair: pair.clone(),
                name,
                contents,
            });
            set.buckets.extend(held);
        }
    }
    Ok(())
}

/// Empties the buckets that were found, with all versions.
///
/// # Errors
/// The first that could not be emptied.
pub(super) async fn empty(ui: &Ui, cloud: &Cloud, set: &Standing) -> Result<(), Failure> {
    for bucket in &set.buckets {
        let objects = aws::S3::new(&aws::in_region(&cloud.config, &bucket.pair.region));
        let count = objects.empty_bucket(&bucket.name).await?;
        if count > 0 {
            ui.say(format!(
                "{}: emptied bucket {} in {}: {count} objects and versions",
                set.stack, bucket.name, bucket.pair.region
            ));
        }
    }
    Ok(())
}
