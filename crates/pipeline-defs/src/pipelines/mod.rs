//! The project's pipelines. To add one: a file here, and a line in [`all`].

mod application;
mod deployment;

use crate::check::{Fault, together};
use crate::model::{ArtifactFormat, CodeConnections, Draft, Pipeline, Resource, SourceAction};

/// The branch that is delivered.
pub const BRANCH: &str = "main";
/// The tags that are delivered too: versions.
const VERSIONS: &str = "v*";
/// What a name of such a tag contains.
const VERSION_MARK: &str = "v";

/// The artifact that every run starts from.
const SOURCE: &str = "SourceArtifact";
/// The template of the stack that the pipelines deploy.
const TEMPLATE: &str = "cloudformation/api.yaml";
/// The name of that stack in `stackway.toml` and in its tags.
pub const STACK: &str = "api";

/// Where the template configuration of the stack is, for an environment.
pub fn configuration_path(environment: &str) -> String {
    format!("cloudformation/configuration/{environment}/{STACK}.json")
}

/// Every pipeline, checked by itself and together with the others.
///
/// # Errors
///
/// All faults.
pub fn all() -> Result<Vec<Pipeline>, Vec<Fault>> {
    checked([application::draft(), deployment::draft()])
}

fn checked(drafts: impl IntoIterator<Item = Draft>) -> Result<Vec<Pipeline>, Vec<Fault>> {
    let mut pipelines = Vec::new();
    let mut faults = Vec::new();
    for draft in drafts {
        match draft.check() {
            Ok(pipeline) => pipelines.push(pipeline),
            Err(found) => faults.extend(found),
        }
    }
    if faults.is_empty() {
        faults = together(&pipelines);
    }
    if faults.is_empty() {
        Ok(pipelines)
    } else {
        Err(faults)
    }
}

/// The project's repository, as a source.
fn source(detect_changes: bool) -> SourceAction {
    let repository = CodeConnections {
        connection: Resource::Connection.into(),
        repository: Resource::RepositoryId.into(),
        branch: BRANCH.into(),
        format: ArtifactFormat::Zip,
        detect_changes,
    };
    SourceAction::new("Repository", repository, SOURCE)
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_definitions_hold() {
        if let Err(faults) = super::all() {
            let faults: Vec<_> = faults.iter().map(ToString::to_string).collect();
            panic!("{}", faults.join("\n"));
        }
    }
}
