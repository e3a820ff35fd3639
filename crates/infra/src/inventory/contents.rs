use time::OffsetDateTime;

/// What a thing holds, which is lost with it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Contents {
    /// How many of each, such as 3 `images`; those of which there are none are left out.
    pub counts: Vec<(u64, &'static str)>,
    /// Bytes stored, where the service tells.
    pub bytes: Option<u64>,
}

impl Contents {
    /// Whether nothing is in it.
    pub fn is_empty(&self) -> bool {
        self.counts.iter().all(|(count, _)| *count == 0)
    }

    /// How many there are in all.
    pub fn total(&self) -> u64 {
        self.counts.iter().map(|(count, _)| count).sum()
    }
}

/// What a bucket holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BucketContents {
    /// Versions of objects; in a bucket without versions, its objects.
    pub versions: u64,
    /// Delete markers.
    pub markers: u64,
    /// Multipart uploads that were not brought to an end.
    pub uploads: u64,
    /// The bytes of all versions.
    pub bytes: u64,
}

impl From<BucketContents> for Contents {
    fn from(bucket: BucketContents) -> Self {
        Self {
            counts: some(&[
                (bucket.versions, "object versions"),
                (bucket.markers, "delete markers"),
                (bucket.uploads, "unfinished uploads"),
            ]),
            bytes: Some(bucket.bytes),
        }
    }
}

/// What an image repository holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RepositoryContents {
    /// Images, with and without a tag.
    pub images: u64,
    /// Their bytes, as the registry keeps them.
    pub bytes: u64,
}

impl From<RepositoryContents> for Contents {
    fn from(repository: RepositoryContents) -> Self {
        Self {
            counts: some(&[(repository.images, "images")]),
            bytes: Some(repository.bytes),
        }
    }
}

/// How much a table holds. DynamoDB counts every six hours: newer items are not in it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TableContents {
    /// Items.
    pub items: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Whether `DeleteTable` is refused until the protection is switched off.
    ///
    /// See [deletion protection](https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/WorkingWithTables.Basics.html).
    pub deletion_protection: bool,
    /// Whether it is on its way out.
    pub deleting: bool,
}

impl From<TableContents> for Contents {
    fn from(table: TableContents) -> Self {
        Self {
            counts: some(&[(table.items, "items")]),
            bytes: Some(table.bytes),
        }
    }
}

/// What a function holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FunctionContents {
    /// Published versions.
    pub versions: u64,
    /// Aliases.
    pub aliases: u64,
    /// The bytes of its code, in all versions.
    pub bytes: u64,
}

impl From<FunctionContents> for Contents {
    fn from(function: FunctionContents) -> Self {
        Self {
            counts: some(&[
                (function.versions, "published versions"),
                (function.aliases, "aliases"),
            ]),
            bytes: Some(function.bytes),
        }
    }
}

/// What a parameter counts as that is of the tier that costs.
///
/// See [parameter tiers](https://docs.aws.amazon.com/systems-manager/latest/userguide/parameter-store-advanced-parameters.html).
pub const ADVANCED_PARAMETERS: &str = "advanced parameters";

fn some(counts: &[(u64, &'static str)]) -> Vec<(u64, &'static str)> {
    counts
        .iter()
        .copied()
        .filter(|(count, _)| *count > 0)
        .collect()
}

/// How a KMS key stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyState {
    /// It can be used, and costs.
    InUse,
    /// It waits for its deletion, and costs nothing.
    ///
    /// See [pricing](https://aws.amazon.com/kms/pricing/).
    PendingDeletion {
        /// When it goes.
        on: Option<OffsetDateTime>,
    },
}
