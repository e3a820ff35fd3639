//! What AWS would refuse, found before it is asked. Every fault names its stage and action.
//!
//! Names and lengths are those of CodePipeline's
//! [API](https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_PipelineDeclaration.html) and
//! [quotas](https://docs.aws.amazon.com/codepipeline/latest/userguide/limits.html).

mod action;
mod artifact;
mod build;
mod condition;
mod invocation;
mod name;
mod reference;
#[cfg(test)]
mod tests;
mod trigger;

use std::collections::BTreeSet;
use std::fmt;

use crate::model::{Draft, ExecutionMode, OnFailure, OnSuccess, Pipeline};

const STAGES_MAX: usize = 50;
const ACTIONS_MAX: usize = 50;
const VARIABLES_MAX: usize = 50;
/// The most characters of a value of a configuration.
const VALUE_MAX: usize = 1000;

/// Something that AWS would refuse, or that could not work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The pipeline's short name.
    pub pipeline: String,
    /// The stage.
    pub stage: Option<String>,
    /// The action, rule or phase in it.
    pub action: Option<String>,
    /// What is wrong.
    pub message: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "pipeline `{}`", self.pipeline)?;
        if let Some(stage) = &self.stage {
            write!(f, ", stage `{stage}`")?;
        }
        if let Some(action) = &self.action {
            write!(f, ", action `{action}`")?;
        }
        write!(f, ": {}", self.message)
    }
}

/// The faults of one pipeline.
pub(crate) fn draft(draft: &Draft) -> Vec<Fault> {
    let mut faults = Faults::new(draft.name);
    pipeline(draft, &mut faults);
    trigger::check(draft, &mut faults);
    for build in &draft.builds {
        build::check(build, &mut faults);
    }
    action::sources(draft, &mut faults);
    for stage in &draft.stages {
        faults.enter(stage.name);
        name::stage(stage.name, &mut faults);
        condition::check(draft, stage, &mut faults);
        for one in &stage.actions {
            faults.at(&one.name);
            action::check(draft, one, &mut faults);
        }
        faults.leave();
    }
    artifact::check(draft, &mut faults);
    reference::check(draft, &mut faults);
    faults.found
}

/// The faults between pipelines: what one invokes must be there and get what it asks for, and none may start itself.
pub fn together(pipelines: &[Pipeline]) -> Vec<Fault> {
    invocation::check(pipelines)
}

fn pipeline(draft: &Draft, faults: &mut Faults) {
    name::pipeline(draft.name, faults);
    if draft.stages.is_empty() {
        faults.add("has one stage; CodePipeline wants at least two");
    }
    if draft.stages.len() + 1 > STAGES_MAX {
        faults.add(format!(
            "has {} stages; CodePipeline takes {STAGES_MAX}",
            draft.stages.len() + 1
        ));
    }
    let names =
        std::iter::once(draft.source_stage).chain(draft.stages.iter().map(|stage| stage.name));
    for twice in repeated(names) {
        faults.add(format!("two stages are called `{twice}`"));
    }
    if draft.variables.len() > VARIABLES_MAX {
        faults.add(format!(
            "has {} variables; CodePipeline takes {VARIABLES_MAX}",
            draft.variables.len()
        ));
    }
    for twice in repeated(draft.variables.iter().map(|variable| variable.name)) {
        faults.add(format!("two variables are called `{twice}`"));
    }
    for variable in &draft.variables {
        name::variable(variable, faults);
    }
    for stage in &draft.stages {
        let rolls_back = matches!(
            stage.on_failure,
            Some(OnFailure::Rollback | OnFailure::RollbackUnless(_))
        ) || matches!(stage.on_success, Some(OnSuccess::Rollback(_)));
        faults.enter(stage.name);
        if rolls_back && draft.execution_mode == ExecutionMode::Parallel {
            faults.add("is rolled back, which the execution mode PARALLEL rules out");
        }
        if stage.actions.is_empty() || stage.actions.len() > ACTIONS_MAX {
            faults.add(format!(
                "has {} actions; CodePipeline takes 1 to {ACTIONS_MAX}",
                stage.actions.len()
            ));
        }
        for twice in repeated(stage.actions.iter().map(|action| action.name.as_str())) {
            faults.add(format!("two actions are called `{twice}`"));
        }
        faults.leave();
    }
}

/// What is there more than once, each named once.
fn repeated<'a>(names: impl IntoIterator<Item = &'a str>) -> BTreeSet<&'a str> {
    let mut seen = BTreeSet::new();
    names
        .into_iter()
        .filter(|name| !seen.insert(*name))
        .collect()
}

/// Faults, and where the check is.
struct Faults {
    pipeline: String,
    stage: Option<String>,
    action: Option<String>,
    found: Vec<Fault>,
}

impl Faults {
    fn new(pipeline: &str) -> Self {
        Self {
            pipeline: pipeline.to_owned(),
            stage: None,
            action: None,
            found: Vec::new(),
        }
    }

    fn enter(&mut self, stage: &str) {
        self.stage = Some(stage.to_owned());
        self.action = None;
    }

    fn at(&mut self, action: &str) {
        self.action = Some(action.to_owned());
    }

    fn leave(&mut self) {
        self.stage = None;
        self.action = None;
    }

    fn add(&mut self, message: impl Into<String>) {
        self.found.push(Fault {
            pipeline: self.pipeline.clone(),
            stage: self.stage.clone(),
            action: self.action.clone(),
            message: message.into(),
        });
    }
}
