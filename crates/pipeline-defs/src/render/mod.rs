//! Every form of the pipelines: CodePipeline's JSON, the resources in the template, buildspecs, workflows of GitHub
//! Actions, and the policies of the roles. One renderer writes and checks: what is compared is what would be written.

mod buildspec;
mod configuration;
mod declaration;
mod github;
mod policy;
mod site;
mod template;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

pub use policy::{Condition, Statement};
pub use site::Site;

use crate::check::Fault;
use crate::model::Pipeline;

/// A file as it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RenderedFile {
    /// Its path in the workspace, with `/` between.
    pub path: String,
    /// What is in it.
    pub contents: String,
    /// The file that it follows from: what to edit in its place.
    pub definition: String,
}

/// What rendering takes from outside of this crate.
#[derive(Clone, Debug, Default)]
pub struct Workspace {
    /// The text of `cloudformation/delivery.yaml`; what is hand-written in it stays.
    pub delivery_template: String,
    /// The environments of `stackway.toml`.
    pub environments: Vec<EnvironmentInput>,
}

/// What an environment gives the stack that the pipelines deploy.
#[derive(Clone, Debug, Default)]
pub struct EnvironmentInput {
    /// Its name.
    pub name: String,
    /// The stack's parameters.
    pub parameters: BTreeMap<String, String>,
    /// The stack's tags; a value `COMMIT_ID` is put in by the pipeline.
    pub tags: BTreeMap<String, String>,
}

/// Why something could not be rendered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RenderError {
    /// The definitions do not hold.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
    Faults(Vec<Fault>),
    /// The template has no place for the pipelines.
    #[error(
        "`{path}` has no line `{start}` where the pipelines would start, or no line `{end}` after it"
    )]
    Marker {
        /// The template.
        path: &'static str,
        /// The line before the rendered part.
        start: &'static str,
        /// The line after it.
        end: &'static str,
    },
    /// GitHub Actions have nothing that does what the action does.
    #[error("pipeline `{pipeline}`, stage `{stage}`, action `{action}`: {message}")]
    Mirror {
        /// The pipeline.
        pipeline: String,
        /// The stage.
        stage: String,
        /// The action.
        action: String,
        /// What cannot be mirrored.
        message: String,
    },
}

/// Every committed file that follows from the definitions, in the order of their paths.
///
/// # Errors
///
/// [`RenderError`]: definitions that do not hold, or that one of the forms cannot say.
pub fn render(workspace: &Workspace) -> Result<Vec<RenderedFile>, RenderError> {
    let pipelines = crate::pipelines::all().map_err(RenderError::Faults)?;
    render_all(&pipelines, workspace)
}

fn render_all(
    pipelines: &[Pipeline],
    workspace: &Workspace,
) -> Result<Vec<RenderedFile>, RenderError> {
    let mut files = vec![template::file(pipelines, &workspace.delivery_template)?];
    files.extend(pipelines.iter().flat_map(buildspec::files));
    for pipeline in pipelines {
        files.push(github::workflow(pipeline, pipelines)?);
    }
    files.push(github::ci(pipelines));
    files.extend(workspace.environments.iter().map(configuration::file));
    files.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(files)
}

/// Each pipeline as `aws codepipeline create-pipeline --cli-input-json` takes it, for one environment:
/// `codepipeline/<name>.json`.
///
/// # Errors
///
/// As [`render`].
pub fn declarations(site: &Site) -> Result<Vec<RenderedFile>, RenderError> {
    let pipelines = crate::pipelines::all().map_err(RenderError::Faults)?;
    Ok(pipelines
        .iter()
        .map(|pipeline| site::declaration(pipeline, site))
        .collect())
}

/// What the pipeline's role may do for one of its actions.
pub fn statements(pipeline: &Pipeline) -> Vec<Statement> {
    policy::statements(pipeline)
}

/// The file that a pipeline is written down in.
fn definition(name: &str) -> String {
    format!("crates/pipeline-defs/src/pipelines/{name}.rs")
}

/// The first lines of a file that is rendered.
fn heading(definition: &str) -> String {
    format!("# Rendered from {definition} by `cargo xtask render`: edits here are lost.\n")
}
