//! The adapters: one file an AWS service, each the only one that names its SDK crate.

#[cfg(test)]
mod absence_tests;
#[cfg(test)]
mod answers;
mod any_resource;
mod billing;
mod change_set;
mod cloudformation;
mod code_build;
mod code_connections;
mod code_pipeline;
mod config;
mod functions;
mod held_parameters;
mod held_secrets;
#[cfg(test)]
mod held_tests;
mod iam;
mod images;
mod keys;
mod log_groups;
mod metric_data;
mod names;
mod parameters;
mod report_groups;
mod s3;
mod secrets;
mod stack_control;
mod stack_list;
mod stack_sets;
mod state_machines;
mod sts;
mod tables;
mod tagged;

pub use any_resource::CloudControl;
pub use billing::{AwsBudgets, CloudWatch, CostExplorer, FreeTier, PriceListApi};
pub use cloudformation::CloudFormation;
pub use code_build::CodeBuild;
pub use code_connections::CodeConnections;
pub use code_pipeline::CodePipeline;
pub use config::{SdkConfig, from_standard_chain, in_region, without_account};
pub use functions::Lambda;
pub use iam::Iam;
pub use images::Ecr;
pub use keys::Kms;
pub use log_groups::Logs;
pub use names::TakenNames;
pub use parameters::Ssm;
pub use report_groups::CodeBuildReports;
pub use s3::S3;
pub use secrets::SecretsManager;
pub use stack_sets::CloudFormationStackSets;
pub use state_machines::StepFunctions;
pub use sts::Sts;
pub use tables::DynamoDb;
pub use tagged::Tagging;
