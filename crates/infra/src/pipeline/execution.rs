use std::collections::BTreeMap;

use time::OffsetDateTime;

use super::RunStatus;

/// A pipeline of the account and region.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PipelineSummary {
    /// Its name, unique in the region.
    pub name: String,
    /// How executions get along: `QUEUED`, `SUPERSEDED` or `PARALLEL`.
    pub mode: String,
    /// When its structure was changed last.
    pub updated: Option<OffsetDateTime>,
}

/// What a source action brought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revision {
    /// The source action.
    pub action: String,
    /// Such as a commit's id.
    pub id: String,
    /// Such as a commit's message; for GitHub, JSON with `CommitMessage`.
    pub summary: Option<String>,
    /// A page that shows it.
    pub url: Option<String>,
}

impl Revision {
    /// The first line of what the revision says of itself.
    pub fn message(&self) -> Option<String> {
        let summary = self.summary.as_deref()?;
        let told = serde_json::from_str::<serde_json::Value>(summary)
            .ok()
            .and_then(|json| json["CommitMessage"].as_str().map(str::to_owned));
        let text = told.as_deref().unwrap_or(summary);
        text.lines().next().map(str::to_owned)
    }
}

/// One execution of a pipeline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExecutionSummary {
    /// Its id.
    pub id: String,
    /// How it stands.
    pub status: RunStatus,
    /// What the service says of the status.
    pub status_summary: Option<String>,
    /// What started it, such as `Webhook` or `StartPipelineExecution`.
    pub trigger: String,
    /// What was brought.
    pub revisions: Vec<Revision>,
    /// When it began.
    pub started: Option<OffsetDateTime>,
    /// When something of it changed last: its end, once it is over.
    pub updated: Option<OffsetDateTime>,
    /// Why it was stopped.
    pub stopped_for: Option<String>,
    /// The execution that it goes back to, if it is a rollback.
    pub rollback_of: Option<String>,
}

/// What went wrong with an action.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// The service's word for it, such as `JobFailed`.
    pub code: String,
    /// What it says.
    pub message: String,
}

/// One run of an action. A stage that was retried has several of the same action.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActionRun {
    /// The stage.
    pub stage: String,
    /// The action.
    pub action: String,
    /// Who carries it out, such as `CodeBuild`.
    pub provider: String,
    /// How it stands.
    pub status: RunStatus,
    /// When it began.
    pub started: Option<OffsetDateTime>,
    /// When it changed last.
    pub updated: Option<OffsetDateTime>,
    /// What the provider calls it, such as a build's id.
    pub external_id: Option<String>,
    /// A page of the provider that shows it.
    pub external_url: Option<String>,
    /// What the provider says of it.
    pub summary: Option<String>,
    /// What went wrong.
    pub trouble: Option<Trouble>,
    /// The configuration with its variables filled in.
    pub configuration: BTreeMap<String, String>,
    /// What it handed on.
    pub variables: BTreeMap<String, String>,
}

/// A decision that a pipeline waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApprovalWait {
    /// The stage.
    pub stage: String,
    /// The action.
    pub action: String,
    /// Names this one wait, so that a late answer does not decide another.
    pub token: String,
    /// The execution that waits.
    pub execution_id: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_revision_says_its_first_line() {
        for (summary, expected) in [
            (None, None),
            (Some("Repair it\n\nAt length"), Some("Repair it")),
            (
                Some(r#"{"ProviderType":"GitHub","CommitMessage":"Repair it\n\nAt length"}"#),
                Some("Repair it"),
            ),
            (Some(r#"{"other":1}"#), Some(r#"{"other":1}"#)),
        ] {
            let revision = Revision {
                action: "Source".to_owned(),
                id: "1".to_owned(),
                summary: summary.map(str::to_owned),
                url: None,
            };
            assert_eq!(revision.message().as_deref(), expected, "{summary:?}");
        }
    }
}
