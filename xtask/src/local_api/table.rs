//! The table that cloudformation/table.yaml describes, in an embedded DynamoDB.

use serde_json::{Value, json};
use stackway_infra::stack_def::STACKS;
use stackway_local_cloud::EmbeddedDynamoDb;

use crate::failure::{Failure, Kind};
use crate::project::Project;

/// Starts a DynamoDB in this process that holds the project's table under `name`.
pub(crate) fn embedded_database(
    project: &Project,
    name: &str,
) -> Result<EmbeddedDynamoDb, Failure> {
    let failed = |error: stackway_local_cloud::EmbeddedError| {
        let failure = Failure::new(Kind::Io, error.to_string());
        match error.hint() {
            Some(hint) => failure.hint(hint),
            None => failure,
        }
    };
    let definition = definition(project, name)?;
    let database = EmbeddedDynamoDb::start(0).map_err(failed)?;
    database.create_table(&definition).map_err(failed)?;
    Ok(database)
}

/// The template's table as a `CreateTable` request.
fn definition(project: &Project, name: &str) -> Result<Value, Failure> {
    let refuse = |message: &str| {
        Failure::new(
            Kind::Configuration,
            format!("cloudformation/table.yaml {message}"),
        )
    };
    let def = STACKS
        .iter()
        .find(|def| def.name == "table")
        .ok_or_else(|| refuse("belongs to no stack"))?;
    let template = project.template(def)?;
    let table = template
        .resources
        .values()
        .find(|resource| resource.resource_type == "AWS::DynamoDB::Table")
        .ok_or_else(|| refuse("holds no AWS::DynamoDB::Table"))?;
    Ok(json!({
        "TableName": name,
        "KeySchema": table.properties["KeySchema"],
        "AttributeDefinitions": table.properties["AttributeDefinitions"],
        "BillingMode": "PAY_PER_REQUEST",
    }))
}
