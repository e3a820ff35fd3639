//! The adapters: one file an AWS service, each the only one that names its SDK crate.

mod cloudformation;
mod config;
mod s3;
mod stack_control;
mod stack_sets;
mod sts;

pub use cloudformation::CloudFormation;
pub use config::{SdkConfig, from_standard_chain, without_account};
pub use s3::S3;
pub use stack_sets::CloudFormationStackSets;
pub use sts::Sts;
