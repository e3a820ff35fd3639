use super::{Action, BeforeEntry, Build, OnFailure, OnSuccess, SourceAction, Trigger};
use crate::check::{self, Fault};

/// A pipeline as it is written down. [`Draft::check`] makes a [`Pipeline`] of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    /// Its short name; an environment's pipeline is `<project>-<region>-<environment>-<name>`.
    pub name: &'static str,
    /// What it does, in a line.
    pub summary: &'static str,
    /// What becomes of a run that starts while another is under way.
    pub execution_mode: ExecutionMode,
    /// What a start may be given.
    pub variables: Vec<Variable>,
    /// What starts it by itself.
    pub triggers: Vec<Trigger>,
    /// The name of its first stage.
    pub source_stage: &'static str,
    /// The actions of its first stage; at least one.
    pub sources: Vec<SourceAction>,
    /// The stages after the first, in their order; 1 to 49.
    pub stages: Vec<Stage>,
    /// The CodeBuild projects that its actions name.
    pub builds: Vec<Build>,
}

/// A pipeline that AWS would take, as far as that can be told without asking.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pipeline(Draft);

/// A stage after the first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stage {
    /// Its name, of 1 to 100 characters, once in its pipeline.
    pub name: &'static str,
    /// Its actions; 1 to 50.
    pub actions: Vec<Action>,
    /// What must hold before it is entered.
    pub before_entry: Option<BeforeEntry>,
    /// What must hold after it has succeeded.
    pub on_success: Option<OnSuccess>,
    /// What is done about its failure.
    pub on_failure: Option<OnFailure>,
}

/// A variable of a pipeline: `#{variables.<name>}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variable {
    /// Its name, of 1 to 128 letters, digits, `@`, `-` and `_`.
    pub name: &'static str,
    /// Its value where a start gives none, of 1 to 1,000 characters; without one a start must.
    pub default: Option<&'static str>,
    /// What it is for, in at most 200 characters.
    pub description: &'static str,
}

/// What becomes of a run that starts while another is under way.
///
/// See [execution modes](https://docs.aws.amazon.com/codepipeline/latest/userguide/concepts-how-it-works.html).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExecutionMode {
    /// One after the other.
    Queued,
    /// A newer one takes the place of one that waits.
    Superseded,
    /// Side by side; no stage can then be rolled back.
    Parallel,
}

impl Stage {
    /// A stage of these actions, without conditions.
    pub fn new(name: &'static str, actions: Vec<Action>) -> Self {
        Self {
            name,
            actions,
            before_entry: None,
            on_success: None,
            on_failure: None,
        }
    }

    /// Its actions, in the order that they start in.
    pub fn in_order(&self) -> Vec<&Action> {
        let mut actions: Vec<_> = self.actions.iter().collect();
        actions.sort_by_key(|action| action.run_order);
        actions
    }
}

impl Draft {
    /// Finds what AWS would refuse.
    ///
    /// # Errors
    ///
    /// Every fault, each with its stage and action.
    pub fn check(self) -> Result<Pipeline, Vec<Fault>> {
        let faults = check::draft(&self);
        if faults.is_empty() {
            Ok(Pipeline(self))
        } else {
            Err(faults)
        }
    }
}

impl std::ops::Deref for Pipeline {
    type Target = Draft;

    fn deref(&self) -> &Draft {
        &self.0
    }
}

impl Pipeline {
    /// The build of this name.
    pub fn build(&self, name: &str) -> Option<&Build> {
        self.builds.iter().find(|build| build.name == name)
    }
}

impl ExecutionMode {
    /// What CodePipeline calls it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "QUEUED",
            Self::Superseded => "SUPERSEDED",
            Self::Parallel => "PARALLEL",
        }
    }
}
