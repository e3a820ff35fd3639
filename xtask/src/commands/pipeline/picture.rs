//! An execution as a person reads it, and as JSON.

use serde_json::{Value, json};
use stackway_infra::pipeline::{ActionPicture, Picture, RunStatus};
use time::OffsetDateTime;

use crate::commands::status::rfc3339;
use crate::progress::status_style;
use crate::ui::{BOLD, BUSY, DIM};

/// A line a stage, and one below for each action.
pub(super) fn text(picture: &Picture) -> String {
    let execution = &picture.execution;
    let word = execution.status.to_string();
    let style = style_of(&execution.status);
    let mut lines = vec![format!(
        "{BOLD}{}{BOLD:#} {DIM}execution {}{DIM:#} {style}{word}{style:#}{}",
        picture.pipeline,
        execution.id,
        took(execution.started, execution.updated)
    )];
    let mut about = vec![format!("started by {}", execution.trigger)];
    about.extend(
        execution
            .rollback_of
            .iter()
            .map(|id| format!("rolls back to {id}")),
    );
    about.extend(
        execution
            .stopped_for
            .iter()
            .map(|reason| format!("stopped: {reason}")),
    );
    about.extend(execution.status_summary.iter().cloned());
    lines.push(format!("  {DIM}{}{DIM:#}", about.join("; ")));
    for revision in &execution.revisions {
        let id: String = revision.id.chars().take(12).collect();
        let message = revision.message().unwrap_or_default();
        lines.push(format!("  {DIM}{}{DIM:#} {id} {message}", revision.action));
    }
    for stage in &picture.stages {
        let style = style_of(&stage.status);
        let closed = stage.closed.as_ref();
        let closed = closed.map(|reason| format!(" {BUSY}closed: {reason}{BUSY:#}"));
        lines.push(format!(
            "{} {style}{:<24}{style:#} {style}{}{style:#}{}",
            mark(&stage.status),
            stage.name,
            stage.status,
            closed.unwrap_or_default()
        ));
        lines.extend(stage.actions.iter().map(action));
    }
    lines.join("\n")
}

fn action(action: &ActionPicture) -> String {
    let style = style_of(&action.status);
    let status = if action.wait.is_some() {
        "waits for a person".to_owned()
    } else {
        action.status.to_string()
    };
    let mut parts = vec![format!(
        "  {} {:<22} {style}{status:<18}{style:#} {DIM}{}{DIM:#}",
        mark(&action.status),
        action.name,
        action.provider
    )];
    if action.status != RunStatus::NotStarted {
        parts.push(took(action.started, action.updated));
    }
    if action.runs > 1 {
        parts.push(format!(" {DIM}run {} times{DIM:#}", action.runs));
    }
    parts.extend(action.said().map(|said| format!("\n      {said}")));
    let failed = action.status == RunStatus::Failed;
    let page = action.external_url.as_ref().filter(|_| failed);
    parts.extend(page.map(|url| format!("\n      {DIM}{url}{DIM:#}")));
    parts.concat()
}

fn mark(status: &RunStatus) -> &'static str {
    match status {
        RunStatus::Succeeded => "✔",
        RunStatus::Failed => "✘",
        RunStatus::InProgress | RunStatus::Stopping => "●",
        RunStatus::NotStarted => "·",
        RunStatus::Skipped => "↷",
        RunStatus::Stopped
        | RunStatus::Abandoned
        | RunStatus::Superseded
        | RunStatus::Cancelled => "■",
        RunStatus::Unknown(_) => "?",
    }
}

fn style_of(status: &RunStatus) -> anstyle::Style {
    match status {
        RunStatus::NotStarted => DIM,
        RunStatus::Succeeded | RunStatus::Skipped => status_style("COMPLETE"),
        RunStatus::Failed => status_style("FAILED"),
        _ => BUSY,
    }
}

/// ` in 1 min 5 s`, from the first moment to the last.
fn took(from: Option<OffsetDateTime>, to: Option<OffsetDateTime>) -> String {
    let Some(seconds) = from.zip(to).map(|(from, to)| (to - from).whole_seconds()) else {
        return String::new();
    };
    if seconds < 60 {
        format!(" {DIM}in {seconds} s{DIM:#}")
    } else {
        format!(" {DIM}in {} min {} s{DIM:#}", seconds / 60, seconds % 60)
    }
}

/// As docs/pipelines.md describes it.
pub(super) fn json(picture: &Picture) -> Value {
    let execution = &picture.execution;
    let time = |time: Option<OffsetDateTime>| time.map(rfc3339);
    let stages: Vec<_> = picture
        .stages
        .iter()
        .map(|stage| {
            let actions: Vec<_> = stage
                .actions
                .iter()
                .map(|action| {
                    json!({
                        "name": action.name,
                        "provider": action.provider,
                        "status": action.status.to_string(),
                        "runs": action.runs,
                        "started": time(action.started),
                        "updated": time(action.updated),
                        "external_id": action.external_id,
                        "external_url": action.external_url,
                        "said": action.said(),
                        "waits": action.wait.is_some(),
                    })
                })
                .collect();
            json!({
                "name": stage.name,
                "status": stage.status.to_string(),
                "closed": stage.closed,
                "actions": actions,
            })
        })
        .collect();
    let revisions: Vec<_> = execution
        .revisions
        .iter()
        .map(|one| json!({"action": one.action, "id": one.id, "message": one.message(), "url": one.url}))
        .collect();
    json!({
        "pipeline": picture.pipeline,
        "execution": execution.id,
        "status": execution.status.to_string(),
        "standing": format!("{:?}", picture.standing()).to_lowercase(),
        "trigger": execution.trigger,
        "rollback_of": execution.rollback_of,
        "stopped_for": execution.stopped_for,
        "started": time(execution.started),
        "updated": time(execution.updated),
        "revisions": revisions,
        "stages": stages,
    })
}

#[cfg(test)]
mod tests {
    use stackway_infra::pipeline::{
        ApprovalWait, ExecutionSummary, Revision, StagePicture, Trouble,
    };

    use super::*;

    fn at(seconds: i64) -> Option<OffsetDateTime> {
        OffsetDateTime::from_unix_timestamp(1_767_225_600 + seconds).ok()
    }

    fn action(name: &str, provider: &str, status: RunStatus) -> ActionPicture {
        let begun = status != RunStatus::NotStarted;
        ActionPicture {
            name: name.to_owned(),
            provider: provider.to_owned(),
            status,
            runs: usize::from(begun),
            started: at(10).filter(|_| begun),
            updated: at(95).filter(|_| begun),
            external_id: None,
            external_url: None,
            summary: None,
            trouble: None,
            wait: None,
        }
    }

    fn stage(name: &str, status: RunStatus, actions: Vec<ActionPicture>) -> StagePicture {
        StagePicture {
            name: name.to_owned(),
            status,
            closed: None,
            actions,
        }
    }

    fn picture(status: RunStatus, stages: Vec<StagePicture>) -> Picture {
        Picture {
            pipeline: "stackway-eu-west-2-prod-application".to_owned(),
            execution: ExecutionSummary {
                id: "7f3a".to_owned(),
                status,
                status_summary: None,
                trigger: "Webhook".to_owned(),
                revisions: vec![Revision {
                    action: "Source".to_owned(),
                    id: "0123456789abcdef".to_owned(),
                    summary: Some(r#"{"CommitMessage":"Repair the list\n\nLong"}"#.to_owned()),
                    url: None,
                }],
                started: at(0),
                updated: at(100),
                stopped_for: None,
                rollback_of: None,
            },
            stages,
        }
    }

    fn pictures() -> [Picture; 2] {
        let mut failed = action("UnitTests", "CodeBuild", RunStatus::Failed);
        failed.runs = 2;
        failed.external_url = Some("https://console.example/build/1".to_owned());
        failed.trouble = Some(Trouble {
            code: "JobFailed".to_owned(),
            message: "Build terminated with state: FAILED".to_owned(),
        });
        let mut waiting = action("Approve", "Manual", RunStatus::InProgress);
        waiting.wait = Some(ApprovalWait {
            stage: "Approval".to_owned(),
            action: "Approve".to_owned(),
            token: "secret-token".to_owned(),
            execution_id: "7f3a".to_owned(),
        });
        let mut closed = stage(
            "Deploy",
            RunStatus::NotStarted,
            vec![action("Stack", "CloudFormation", RunStatus::NotStarted)],
        );
        closed.closed = Some("a freeze until Monday".to_owned());
        let source = || {
            let done = action("Source", "CodeStarSourceConnection", RunStatus::Succeeded);
            stage("Source", RunStatus::Succeeded, vec![done])
        };
        [
            picture(
                RunStatus::Failed,
                vec![source(), stage("Test", RunStatus::Failed, vec![failed])],
            ),
            picture(
                RunStatus::InProgress,
                vec![
                    source(),
                    stage("Approval", RunStatus::InProgress, vec![waiting]),
                    closed,
                ],
            ),
        ]
    }

    #[test]
    fn what_people_read() {
        let shown =
            pictures().map(|picture| anstream::adapter::strip_str(&text(&picture)).to_string());
        insta::assert_snapshot!(shown.join("\n\n"));
    }

    #[test]
    fn what_machines_read_has_no_token() {
        let shown = pictures().map(|picture| json(&picture));
        insta::assert_json_snapshot!(shown);
        assert!(
            !serde_json::to_string(&shown)
                .unwrap()
                .contains("secret-token")
        );
    }
}
