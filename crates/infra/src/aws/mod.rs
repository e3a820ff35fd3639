//! The adapters: one file an AWS service, each the only one that names its SDK crate.

mod billing;
mod change_set;
mod cloudformation;
mod code_build;
mod code_connections;
mod code_pipeline;
mod config;
mod iam;
mod names;
mod s3;
mod stack_control;
mod stack_sets;
mod sts;

pub use billing::{AwsBudgets, CloudWatch, CostExplorer, FreeTier, PriceListApi};
pub use cloudformation::CloudFormation;
pub use code_build::CodeBuild;
pub use code_connections::CodeConnections;
pub use code_pipeline::CodePipeline;
pub use config::{SdkConfig, from_standard_chain, without_account};
pub use iam::Iam;
pub use names::TakenNames;
pub use s3::S3;
pub use stack_sets::CloudFormationStackSets;
pub use sts::Sts;
