use time::{Duration, OffsetDateTime};

use super::StackEvent;

/// What a resource, or the stack itself, was in the middle of, from its first `IN_PROGRESS` to what it ended in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    /// When it began.
    pub started: OffsetDateTime,
    /// When it ended; `None` while it goes on.
    pub ended: Option<OffsetDateTime>,
    /// The last status of it.
    pub status: String,
    /// The last reason that was given in it.
    pub reason: Option<String>,
}

impl Span {
    /// How long it took, or has taken until `now`.
    pub fn duration(&self, now: OffsetDateTime) -> Duration {
        (self.ended.unwrap_or(now) - self.started).max(Duration::ZERO)
    }
}

/// The times of one resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResourceTimes {
    /// The resource's name in the template; the stack's own name for the stack itself.
    pub logical_id: String,
    /// Such as `AWS::DynamoDB::Table`.
    pub resource_type: String,
    /// Whether it is the stack itself.
    pub is_stack: bool,
    /// Its spans, the first first.
    pub spans: Vec<Span>,
}

/// Reads the times of every resource from a stack's events (oldest first): the stack itself, then resources in the order
/// in which they began.
///
/// An end whose beginning is not among the events gives a span without length.
pub fn resource_times(events: &[StackEvent], stack_id: &str) -> Vec<ResourceTimes> {
    let mut all: Vec<ResourceTimes> = Vec::new();
    for event in events {
        let is_stack = event.is_stack(stack_id);
        let at = all
            .iter()
            .position(|times| times.is_stack == is_stack && times.logical_id == event.logical_id);
        let at = at.unwrap_or_else(|| {
            all.push(ResourceTimes {
                logical_id: event.logical_id.clone(),
                resource_type: event.resource_type.clone(),
                is_stack,
                spans: Vec::new(),
            });
            all.len() - 1
        });
        let spans = &mut all[at].spans;
        let running = event.status.ends_with("_IN_PROGRESS");
        let ended = (!running).then_some(event.timestamp);
        match spans.last_mut().filter(|span| span.ended.is_none()) {
            Some(open) => {
                open.ended = ended;
                open.status.clone_from(&event.status);
                if event.reason.is_some() {
                    open.reason.clone_from(&event.reason);
                }
            }
            // A change set alone is nothing that goes on.
            None if event.status == "REVIEW_IN_PROGRESS" => {}
            None => spans.push(Span {
                started: event.timestamp,
                ended,
                status: event.status.clone(),
                reason: event.reason.clone(),
            }),
        }
    }
    all.retain(|times| !times.spans.is_empty());
    all.sort_by_key(|times| (!times.is_stack, times.spans[0].started));
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Events are `at id status`; `s` is the stack. Expected: `id status from-to …`, one a line.
    #[track_caller]
    fn check(events: &str, expected: &str) {
        let seconds =
            |text: &str| OffsetDateTime::from_unix_timestamp(text.parse().unwrap()).unwrap();
        let events: Vec<_> = events
            .split(',')
            .filter(|line| !line.trim().is_empty())
            .map(|line| {
                let fields: Vec<_> = line.split_whitespace().collect();
                StackEvent {
                    id: line.to_owned(),
                    timestamp: seconds(fields[0]),
                    logical_id: fields[1].to_owned(),
                    physical_id: fields[1].to_owned(),
                    resource_type: "AWS::CloudFormation::Stack".to_owned(),
                    status: fields[2].to_owned(),
                    reason: None,
                }
            })
            .collect();
        let found: Vec<_> = resource_times(&events, "s")
            .iter()
            .map(|times| {
                let spans: Vec<_> = times
                    .spans
                    .iter()
                    .map(|span| {
                        let end = span.ended.map(|end| end.unix_timestamp().to_string());
                        let end = end.unwrap_or_default();
                        format!("{} {}-{end}", span.status, span.started.unix_timestamp())
                    })
                    .collect();
                format!("{} {}", times.logical_id, spans.join(" "))
            })
            .collect();
        assert_eq!(found.join(", "), expected);
    }

    #[test]
    fn from_in_progress_to_the_end() {
        check("", "");
        check("0 s REVIEW_IN_PROGRESS", "");
        check(
            "0 s REVIEW_IN_PROGRESS, 1 s CREATE_IN_PROGRESS, 3 B CREATE_IN_PROGRESS, 2 A CREATE_IN_PROGRESS, 4 A CREATE_IN_PROGRESS, 5 A CREATE_COMPLETE, 9 s CREATE_COMPLETE",
            "s CREATE_COMPLETE 1-9, A CREATE_COMPLETE 2-5, B CREATE_IN_PROGRESS 3-",
        );
        check(
            "1 s CREATE_IN_PROGRESS, 2 A CREATE_IN_PROGRESS, 3 A CREATE_FAILED, 4 s ROLLBACK_IN_PROGRESS, 5 A DELETE_IN_PROGRESS, 6 A DELETE_COMPLETE, 7 s ROLLBACK_COMPLETE",
            "s ROLLBACK_COMPLETE 1-7, A CREATE_FAILED 2-3 DELETE_COMPLETE 5-6",
        );
        check("5 A DELETE_SKIPPED", "A DELETE_SKIPPED 5-5");
    }
}
