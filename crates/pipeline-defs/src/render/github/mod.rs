//! Workflows of GitHub Actions that do what the pipelines do: a job a stage, the same commands in the same order.
//!
//! What differs is what the two services differ in: a job checks the commit out in place of a source stage; variables of
//! the repository (`vars`) stand for the environment's resources; a role is taken through OpenID Connect; an
//! environment's reviewers approve.

mod expression;
mod job;
mod step;

use super::{RenderError, RenderedFile, definition, heading};
use crate::model::{Draft, ExecutionMode, Filter, Pipeline, Provider, PushFilter, Stage, Variable};
use crate::pipelines::BRANCH;
use crate::tree::Tree;
use expression::job_id;

/// `.github/workflows/<name>.yml`.
pub(super) fn workflow(pipeline: &Pipeline, all: &[Pipeline]) -> Result<RenderedFile, RenderError> {
    let definition = definition(pipeline.name);
    let mut tree = Tree::map([
        ("name", Tree::text(pipeline.name)),
        ("on", events(pipeline, all)),
        ("permissions", Tree::Map(Vec::new())),
    ]);
    tree.insert_some("concurrency", concurrency(pipeline));
    let mut jobs = Vec::new();
    for (index, stage) in pipeline.stages.iter().enumerate() {
        let earlier = &pipeline.stages[..index];
        jobs.push((job_id(stage.name), job::job(pipeline, stage, earlier)?));
    }
    tree.insert("jobs", Tree::Map(jobs));
    Ok(RenderedFile {
        path: format!(".github/workflows/{}.yml", pipeline.name),
        contents: format!(
            "{}# {}.\n{}",
            heading(&definition),
            pipeline.summary,
            tree.to_yaml()
        ),
        definition,
    })
}

/// `.github/workflows/ci.yml`: what the pipelines test, for pull requests, what they cost, and everything that the tree checks.
pub(super) fn ci(pipelines: &[Pipeline]) -> RenderedFile {
    let mut jobs = Vec::new();
    for pipeline in pipelines {
        for build in &pipeline.builds {
            jobs.push((job_id(build.name), job::build_alone(build)));
        }
    }
    jobs.push(("cost".to_owned(), job::cost()));
    jobs.push(("tree".to_owned(), job::tree()));
    let concurrency = Tree::map([
        ("group", Tree::text("ci-${{ github.ref }}")),
        ("cancel-in-progress", Tree::Bool(true)),
    ]);
    let tree = Tree::map([
        ("name", Tree::text("ci")),
        (
            "on",
            Tree::map([(
                "pull_request",
                Tree::map([("branches", Tree::texts([BRANCH]))]),
            )]),
        ),
        ("permissions", Tree::Map(Vec::new())),
        ("concurrency", concurrency),
        ("jobs", Tree::Map(jobs)),
    ]);
    let definition = "crates/pipeline-defs/src/pipelines".to_owned();
    RenderedFile {
        path: ".github/workflows/ci.yml".to_owned(),
        contents: format!(
            "{}# What the pipelines test, on each pull request, what it costs, and everything that the tree checks.\n{}",
            heading(&definition),
            tree.to_yaml()
        ),
        definition,
    }
}

/// Triggers as events; a pipeline that others invoke can be called, and any can be started by hand.
fn events(pipeline: &Draft, all: &[Pipeline]) -> Tree {
    let mut events = Tree::Map(Vec::new());
    for trigger in &pipeline.triggers {
        let mut push = Tree::Map(Vec::new());
        for filter in &trigger.push {
            match filter {
                PushFilter::Tags(tags) => add(&mut push, "tags", tags),
                PushFilter::Branches { branches, paths } => {
                    add(&mut push, "branches", branches);
                    add(&mut push, "paths", paths);
                }
            }
        }
        if push != Tree::Map(Vec::new()) {
            events.insert("push", push);
        }
        for request in &trigger.pull_request {
            let mut tree = Tree::Map(Vec::new());
            let types = request.events.iter().map(|event| match event.as_str() {
                "OPEN" => "opened",
                "UPDATED" => "synchronize",
                _ => "closed",
            });
            tree.insert("types", Tree::texts(types));
            add(&mut tree, "branches", &request.branches);
            add(&mut tree, "paths", &request.paths);
            events.insert("pull_request", tree);
        }
    }
    let invoked = all.iter().flat_map(|other| &other.stages).flat_map(|stage| &stage.actions).any(
        |action| matches!(&action.provider, Provider::Invocation(one) if one.pipeline == pipeline.name),
    );
    let inputs = || {
        Tree::map(
            pipeline
                .variables
                .iter()
                .map(|variable| (variable.name, input(variable))),
        )
    };
    let with_inputs = |inputs: Tree| {
        if pipeline.variables.is_empty() {
            Tree::Map(Vec::new())
        } else {
            Tree::map([("inputs", inputs)])
        }
    };
    if invoked {
        events.insert("workflow_call", with_inputs(inputs()));
    }
    events.insert("workflow_dispatch", with_inputs(inputs()));
    events
}

/// GitHub takes includes and excludes apart, never both; patterns are its own kind of glob, as AWS's are.
fn add(tree: &mut Tree, key: &str, filter: &Filter) {
    if !filter.includes.is_empty() {
        let negated = filter.excludes.iter().map(|pattern| format!("!{pattern}"));
        tree.insert(
            key,
            Tree::texts(filter.includes.iter().cloned().chain(negated)),
        );
    } else if !filter.excludes.is_empty() {
        tree.insert(
            format!("{key}-ignore"),
            Tree::texts(filter.excludes.iter().cloned()),
        );
    }
}

fn input(variable: &Variable) -> Tree {
    let mut tree = Tree::map([
        ("description", Tree::text(variable.description)),
        ("type", Tree::text("string")),
        ("required", Tree::Bool(variable.default.is_none())),
    ]);
    tree.insert_some("default", variable.default.map(Tree::text));
    tree
}

/// A group lets one run go on and one wait, and a newer one takes the place of the one that waits. That is what
/// SUPERSEDED means; it is as near as GitHub comes to QUEUED.
fn concurrency(pipeline: &Draft) -> Option<Tree> {
    match pipeline.execution_mode {
        ExecutionMode::Parallel => None,
        ExecutionMode::Queued | ExecutionMode::Superseded => Some(Tree::map([
            ("group", Tree::text(pipeline.name)),
            ("cancel-in-progress", Tree::Bool(false)),
        ])),
    }
}

fn unmirrored(
    pipeline: &Draft,
    stage: &Stage,
    action: &str,
    message: impl Into<String>,
) -> RenderError {
    RenderError::Mirror {
        pipeline: pipeline.name.to_owned(),
        stage: stage.name.to_owned(),
        action: action.to_owned(),
        message: message.into(),
    }
}
