//! A diagnosis as it is told: by `diagnose`, and with the error of a deploy that failed.

use serde::Serialize;
use stackway_infra::diagnosis::{Diagnosis, FailedResource, known, look_further};
use stackway_infra::flow::{Diagnosed, Diagnoser, FlowError};

use crate::cloud::Cloud;
use crate::commands::status::rfc3339;
use crate::failure::Failure;
use crate::ui::{BAD, BOLD, DIM};

/// What is told of a failed resource, for people and for machines alike.
#[derive(Debug, Serialize)]
pub(crate) struct CauseReport<'a> {
    /// Logical ids from the stack's own resource down to the one that failed, through nested stacks.
    path: Vec<&'a str>,
    resource_type: &'a str,
    physical_id: &'a str,
    status: &'a str,
    reason: Option<&'a str>,
    at: String,
    /// The known message's name; null where the reason is not known.
    known: Option<&'static str>,
    likely_cause: Option<&'static str>,
    fix: &'static str,
}

/// One failed operation.
#[derive(Debug, Serialize)]
pub(crate) struct DiagnosisReport<'a> {
    operation: &'static str,
    started: String,
    ended: Option<&'a str>,
    /// Whether a later operation has succeeded.
    superseded: bool,
    causes: Vec<CauseReport<'a>>,
    cancelled: &'a [String],
    notes: Vec<&'a str>,
}

impl<'a> DiagnosisReport<'a> {
    pub(crate) fn new(diagnosis: &'a Diagnosis) -> Self {
        Self {
            operation: diagnosis.operation.as_str(),
            started: rfc3339(diagnosis.started),
            ended: diagnosis.ended.as_deref(),
            superseded: diagnosis.superseded,
            causes: diagnosis.causes.iter().map(CauseReport::new).collect(),
            cancelled: &diagnosis.cancelled,
            notes: notes(diagnosis),
        }
    }

    /// As lines below the stack's name.
    pub(crate) fn text(&self) -> String {
        let mut lines = vec![format!(
            "{BAD}{} failed{BAD:#} {DIM}begun {}{}{}{DIM:#}",
            self.operation,
            self.started,
            self.ended
                .map(|status| format!(", ended in {status}"))
                .unwrap_or_default(),
            if self.superseded {
                "; a later operation succeeded"
            } else {
                ""
            }
        )];
        for (index, cause) in self.causes.iter().enumerate() {
            let label = if index == 0 { "first" } else { "also" };
            lines.push(format!(
                "  {label:<7} {BOLD}{}{BOLD:#} ({}) {BAD}{}{BAD:#} {DIM}{}{DIM:#}",
                cause.path.join(" > "),
                cause.resource_type,
                cause.status,
                cause.at
            ));
            lines.push(format!(
                "  reason  {}",
                cause.reason.unwrap_or("none given")
            ));
            if let (Some(likely), Some(id)) = (cause.likely_cause, cause.known) {
                lines.push(format!("  cause   {likely} {DIM}[{id}]{DIM:#}"));
            }
            lines.push(format!("  fix     {}", cause.fix));
        }
        if !self.cancelled.is_empty() {
            lines.push(format!(
                "  with it {}: cancelled",
                self.cancelled.join(", ")
            ));
        }
        lines.extend(self.notes.iter().map(|note| format!("  note    {note}")));
        lines.join("\n")
    }
}

impl<'a> CauseReport<'a> {
    fn new(failed: &'a FailedResource) -> Self {
        let mut path = vec![failed.logical_id.as_str()];
        let mut root = failed;
        while let Some(inner) = root.nested.as_deref().and_then(Diagnosis::first) {
            path.push(&inner.logical_id);
            root = inner;
        }
        Self {
            path,
            resource_type: &root.resource_type,
            physical_id: &root.physical_id,
            status: &root.status,
            reason: root.reason.as_deref(),
            at: rfc3339(root.at),
            known: root.known.map(|message| message.id),
            likely_cause: root.known.map(|message| message.cause),
            fix: root
                .known
                .map_or_else(|| look_further(&root.resource_type), |message| message.fix),
        }
    }
}

/// The notes of a diagnosis and of those inside it.
fn notes(diagnosis: &Diagnosis) -> Vec<&str> {
    let inner = diagnosis
        .causes
        .iter()
        .filter_map(|cause| cause.nested.as_deref());
    let mut all: Vec<_> = diagnosis.notes.iter().map(String::as_str).collect();
    all.extend(inner.flat_map(notes));
    all
}

/// Tells why the stacks of a failed deploy failed: the causes in place of those that the flow saw, and the fix as the
/// first hint. What cannot be diagnosed is left as it was told.
pub(crate) async fn explain(mut failure: Failure, error: &FlowError, cloud: &Cloud) -> Failure {
    let mut causes = Vec::new();
    let mut fixes: Vec<String> = Vec::new();
    let mut add = |fix: &str| {
        if !fixes.iter().any(|other| other == fix) {
            fixes.push(fix.to_owned());
        }
    };
    for failed in failed_stacks(error) {
        if let Some(reason) = failed.reason {
            // No change set, no operation: the reason is all that there is.
            if let Some(message) = known("AWS::CloudFormation::Stack", reason) {
                causes.push(reason.to_owned());
                causes.push(format!("likely: {}", message.cause));
                add(message.fix);
            }
            continue;
        }
        let diagnoser = Diagnoser {
            stacks: &cloud.stacks,
            operations: &cloud.stacks,
        };
        let Ok(Diagnosed::Failed(diagnosis)) = diagnoser.diagnose(failed.stack).await else {
            continue;
        };
        for cause in &DiagnosisReport::new(&diagnosis).causes {
            causes.push(format!(
                "{} ({}): {}",
                cause.path.join(" > "),
                cause.resource_type,
                cause.reason.unwrap_or("no reason given")
            ));
            causes.extend(cause.likely_cause.map(|likely| format!("likely: {likely}")));
            add(cause.fix);
        }
    }
    if !causes.is_empty() {
        failure.causes = causes;
        failure.hints.splice(0..0, fixes);
    }
    failure
}

struct FailedStack<'a> {
    stack: &'a str,
    /// Where there was no operation: why.
    reason: Option<&'a str>,
}

fn failed_stacks(error: &FlowError) -> Vec<FailedStack<'_>> {
    match error {
        FlowError::Failed { stack, .. } | FlowError::Stuck { stack, .. } => vec![FailedStack {
            stack,
            reason: None,
        }],
        FlowError::ChangeSet { stack, reason } => vec![FailedStack {
            stack,
            reason: Some(reason),
        }],
        FlowError::Several { first, others } => std::iter::once(&**first)
            .chain(others)
            .flat_map(failed_stacks)
            .collect(),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use stackway_infra::diagnosis::last_failed;
    use stackway_infra::stack::StackEvent;

    use super::*;

    fn event(at: i64, id: &str, kind: &str, status: &str, reason: &str) -> StackEvent {
        StackEvent {
            id: at.to_string(),
            timestamp: time::OffsetDateTime::from_unix_timestamp(1_795_000_000 + at).unwrap(),
            logical_id: id.to_owned(),
            physical_id: if id == "web" { "arn:web" } else { id }.to_owned(),
            resource_type: kind.to_owned(),
            status: status.to_owned(),
            reason: (!reason.is_empty()).then(|| reason.to_owned()),
        }
    }

    fn diagnosis(table_reason: &str) -> Diagnosis {
        let stack = "AWS::CloudFormation::Stack";
        let events = [
            event(0, "web", stack, "CREATE_IN_PROGRESS", ""),
            event(
                2,
                "Bucket",
                "AWS::S3::Bucket",
                "CREATE_FAILED",
                "Resource creation cancelled",
            ),
            event(
                2,
                "Table",
                "AWS::DynamoDB::Table",
                "CREATE_FAILED",
                table_reason,
            ),
            event(
                3,
                "web",
                stack,
                "ROLLBACK_IN_PROGRESS",
                "The following resource(s) failed to create: [Table].",
            ),
            event(5, "web", stack, "ROLLBACK_COMPLETE", ""),
        ];
        let (operation, superseded) = last_failed(&events, "arn:web").unwrap();
        Diagnosis::of("web", "arn:web", &operation, superseded)
    }

    #[test]
    fn told_as_text() {
        let known = diagnosis(
            "Resource of type 'AWS::DynamoDB::Table' with identifier 't' already exists.",
        );
        let mut unknown = diagnosis("a word that nobody has heard");
        unknown.notes.push("a note".to_owned());
        let mut outer = diagnosis("Embedded stack was not successfully created");
        outer.superseded = true;
        outer.causes[0].nested = Some(Box::new(known.clone()));
        let texts: Vec<_> = [&known, &unknown, &outer]
            .map(|diagnosis| {
                anstream::adapter::strip_str(&DiagnosisReport::new(diagnosis).text()).to_string()
            })
            .into();
        insta::assert_snapshot!(texts.join("\n\n"));
    }

    #[test]
    fn told_as_json() {
        let known = diagnosis("Table already exists: t");
        insta::assert_json_snapshot!(DiagnosisReport::new(&known));
    }
}
