use time::OffsetDateTime;

use super::{ActionRun, ApprovalWait, Declared, ExecutionSummary, RunStatus, Standing, Trouble};

/// A pipeline's stages as they stand now, whichever execution is in them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PipelineState {
    /// In the pipeline's order.
    pub stages: Vec<StageState>,
}

/// One stage of a [`PipelineState`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StageState {
    /// Its name.
    pub name: String,
    /// The execution that was in it last, and how that ended.
    pub execution: Option<(String, RunStatus)>,
    /// Why nothing may enter it, where somebody has switched its transition off.
    pub closed: Option<String>,
    /// What waits for a person.
    pub waits: Vec<ApprovalWait>,
}

/// An execution with everything that has come of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    /// The pipeline's name.
    pub pipeline: String,
    /// The execution.
    pub execution: ExecutionSummary,
    /// All stages of the pipeline, those without a run too.
    pub stages: Vec<StagePicture>,
}

/// One stage of a [`Picture`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StagePicture {
    /// Its name.
    pub name: String,
    /// How it stands for this execution.
    pub status: RunStatus,
    /// Why nothing may enter it.
    pub closed: Option<String>,
    /// All its actions.
    pub actions: Vec<ActionPicture>,
}

/// One action of a [`StagePicture`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActionPicture {
    /// Its name.
    pub name: String,
    /// Who carries it out.
    pub provider: String,
    /// How its latest run stands.
    pub status: RunStatus,
    /// How often it was run.
    pub runs: usize,
    /// When the latest run began.
    pub started: Option<OffsetDateTime>,
    /// When the latest run changed last.
    pub updated: Option<OffsetDateTime>,
    /// What the provider calls the latest run.
    pub external_id: Option<String>,
    /// A page that shows it.
    pub external_url: Option<String>,
    /// What the provider says.
    pub summary: Option<String>,
    /// What went wrong.
    pub trouble: Option<Trouble>,
    /// The decision that it waits for.
    pub wait: Option<ApprovalWait>,
}

impl Picture {
    /// Puts together what the service tells in four answers.
    ///
    /// `runs` are those of the execution, in any order. Stages and actions that the pipeline no longer has, but the
    /// execution ran, come last.
    pub fn new(
        pipeline: &str,
        declared: &Declared,
        execution: ExecutionSummary,
        runs: &[ActionRun],
        state: &PipelineState,
    ) -> Self {
        let mut order: Vec<(String, Vec<(String, String)>)> = declared
            .stages
            .iter()
            .map(|stage| {
                let actions = stage.actions.iter();
                let named = actions.map(|one| (one.name.clone(), one.provider.clone()));
                (stage.name.clone(), named.collect())
            })
            .collect();
        for run in runs {
            let known = order.iter().position(|(name, _)| *name == run.stage);
            let at = known.unwrap_or_else(|| {
                order.push((run.stage.clone(), Vec::new()));
                order.len() - 1
            });
            let actions = &mut order[at].1;
            if !actions.iter().any(|(name, _)| *name == run.action) {
                actions.push((run.action.clone(), run.provider.clone()));
            }
        }
        let stages = order
            .into_iter()
            .map(|(name, actions)| stage(&name, actions, &execution, runs, state))
            .collect();
        Self {
            pipeline: pipeline.to_owned(),
            execution,
            stages,
        }
    }

    /// The decisions that it waits for.
    pub fn waits(&self) -> impl Iterator<Item = &ApprovalWait> {
        self.stages
            .iter()
            .flat_map(|stage| &stage.actions)
            .filter_map(|action| action.wait.as_ref())
    }

    /// The stages that failed.
    pub fn failed(&self) -> impl Iterator<Item = &StagePicture> {
        self.stages
            .iter()
            .filter(|stage| stage.status == RunStatus::Failed)
    }

    /// Where it stands.
    pub fn standing(&self) -> Standing {
        match &self.execution.status {
            RunStatus::Succeeded => Standing::Succeeded,
            RunStatus::Failed => Standing::Failed,
            RunStatus::Stopped
            | RunStatus::Superseded
            | RunStatus::Cancelled
            | RunStatus::Abandoned
            | RunStatus::Skipped => Standing::Stopped,
            RunStatus::Unknown(_) => Standing::Unknown,
            RunStatus::NotStarted | RunStatus::Stopping => Standing::Running,
            RunStatus::InProgress => {
                let mut busy = self
                    .stages
                    .iter()
                    .flat_map(|stage| &stage.actions)
                    .filter(|action| action.status == RunStatus::InProgress)
                    .peekable();
                if busy.peek().is_some() && busy.all(|action| action.wait.is_some()) {
                    Standing::Waiting
                } else {
                    Standing::Running
                }
            }
        }
    }
}

/// Something that is new since the last look.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The stage; none where it is the execution's own.
    pub stage: Option<String>,
    /// The action; none where it is the stage's or the execution's own.
    pub action: Option<String>,
    /// How it stands now.
    pub status: RunStatus,
    /// Whether it waits for a person from now on.
    pub waits: bool,
    /// Its trouble, else what its provider says.
    pub said: Option<String>,
}

impl Picture {
    /// What is new since an earlier look at the same execution; without one, everything that has begun.
    pub fn changes_since(&self, earlier: Option<&Self>) -> Vec<Change> {
        let mut changes = Vec::new();
        let own = |status: &RunStatus| Change {
            stage: None,
            action: None,
            status: status.clone(),
            waits: false,
            said: self.execution.status_summary.clone(),
        };
        let old_status = earlier.map(|picture| &picture.execution.status);
        let has_changed = old_status != Some(&self.execution.status);
        if has_changed && !self.execution.status.is_over() {
            changes.push(own(&self.execution.status));
        }
        for stage in &self.stages {
            let old_stage = earlier.and_then(|picture| {
                let mut stages = picture.stages.iter();
                stages.find(|old| old.name == stage.name)
            });
            for action in &stage.actions {
                let old = old_stage
                    .and_then(|old| old.actions.iter().find(|old| old.name == action.name));
                let was = old.map_or((&RunStatus::NotStarted, 0, false), |old| {
                    (&old.status, old.runs, old.wait.is_some())
                });
                let is = (&action.status, action.runs, action.wait.is_some());
                if was != is {
                    changes.push(Change {
                        stage: Some(stage.name.clone()),
                        action: Some(action.name.clone()),
                        status: action.status.clone(),
                        waits: action.wait.is_some(),
                        said: action.said(),
                    });
                }
            }
            let was = old_stage.map_or(&RunStatus::NotStarted, |old| &old.status);
            if *was != stage.status && stage.status.is_over() {
                changes.push(Change {
                    stage: Some(stage.name.clone()),
                    action: None,
                    status: stage.status.clone(),
                    waits: false,
                    said: None,
                });
            }
        }
        if has_changed && self.execution.status.is_over() {
            changes.push(own(&self.execution.status));
        }
        changes
    }
}

impl ActionPicture {
    /// Its trouble, else what its provider says.
    pub fn said(&self) -> Option<String> {
        match &self.trouble {
            Some(trouble) => Some(format!("{}: {}", trouble.code, trouble.message)),
            None => self.summary.clone().filter(|summary| !summary.is_empty()),
        }
    }
}

fn stage(
    name: &str,
    actions: Vec<(String, String)>,
    execution: &ExecutionSummary,
    runs: &[ActionRun],
    state: &PipelineState,
) -> StagePicture {
    let now = state.stages.iter().find(|stage| stage.name == name);
    let waits = now.map(|stage| stage.waits.as_slice()).unwrap_or_default();
    let actions: Vec<_> = actions
        .into_iter()
        .map(|(action, provider)| {
            let mut own: Vec<_> = runs
                .iter()
                .filter(|run| run.stage == name && run.action == action)
                .collect();
            own.sort_by_key(|run| run.started);
            let latest = own.last().copied();
            let is_busy = latest.is_some_and(|run| run.status == RunStatus::InProgress);
            ActionPicture {
                status: latest.map(|run| run.status.clone()).unwrap_or_default(),
                runs: own.len(),
                started: latest.and_then(|run| run.started),
                updated: latest.and_then(|run| run.updated),
                external_id: latest.and_then(|run| run.external_id.clone()),
                external_url: latest.and_then(|run| run.external_url.clone()),
                summary: latest.and_then(|run| run.summary.clone()),
                trouble: latest.and_then(|run| run.trouble.clone()),
                wait: waits
                    .iter()
                    .find(|wait| {
                        is_busy && wait.action == action && wait.execution_id == execution.id
                    })
                    .cloned(),
                name: action,
                provider,
            }
        })
        .collect();
    // What the service says of the stage is of the execution that was in it last, which may be another.
    let told = now
        .and_then(|stage| stage.execution.as_ref())
        .filter(|(id, _)| *id == execution.id)
        .map(|(_, status)| status.clone());
    StagePicture {
        name: name.to_owned(),
        status: told.unwrap_or_else(|| of_actions(&actions)),
        closed: now.and_then(|stage| stage.closed.clone()),
        actions,
    }
}

/// A stage's status, from its actions.
fn of_actions(actions: &[ActionPicture]) -> RunStatus {
    let has = |status: &RunStatus| actions.iter().any(|action| action.status == *status);
    for status in [
        RunStatus::InProgress,
        RunStatus::Failed,
        RunStatus::Abandoned,
    ] {
        if has(&status) {
            return status;
        }
    }
    if actions
        .iter()
        .all(|action| action.status == RunStatus::NotStarted)
    {
        RunStatus::NotStarted
    } else if actions
        .iter()
        .all(|action| action.status == RunStatus::Succeeded)
    {
        RunStatus::Succeeded
    } else {
        RunStatus::InProgress
    }
}
