/// The types of resources that hold what cannot be made again: data, images, keys, secrets. Their replacement or removal
/// is guarded.
///
/// Log groups are not among them: what they hold is kept by `UpdateReplacePolicy`, and ages by design.
pub const STATEFUL_TYPES: &[&str] = &[
    "AWS::DynamoDB::GlobalTable",
    "AWS::DynamoDB::Table",
    "AWS::ECR::Repository",
    "AWS::KMS::Key",
    "AWS::S3::Bucket",
    "AWS::SecretsManager::Secret",
];
