use std::collections::BTreeMap;

use futures::future::try_join_all;
use time::OffsetDateTime;

use super::FlowError;
use crate::cloud::{CloudError, Stacks};
use crate::diagnosis::operations;
use crate::stack::{Outcome, StackEvent};

/// Which of a stack's events are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Window {
    /// Those of the last operation.
    LastOperation,
    /// Those from a time on.
    Since(OffsetDateTime),
    /// All that CloudFormation keeps, which is 90 days.
    All,
}

/// What happened to one stack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StackHistory {
    /// The stack's name in the project.
    pub label: &'static str,
    /// Its name in CloudFormation.
    pub stack_name: String,
    /// Its ARN; `None` where there is no such stack.
    pub stack_id: Option<String>,
    /// Its events, oldest first.
    pub events: Vec<StackEvent>,
}

/// Reads stacks' events. It only reads.
pub struct Historian<'a> {
    stacks: &'a dyn Stacks,
    /// By the stack's ARN: the last event that was seen.
    seen: BTreeMap<String, String>,
    /// By the stack's name: the ARN that it had. A stack that was deleted tells its end by that alone.
    standing: BTreeMap<String, String>,
}

impl<'a> Historian<'a> {
    /// A reader that has seen nothing yet.
    pub fn new(stacks: &'a dyn Stacks) -> Self {
        Self {
            stacks,
            seen: BTreeMap::new(),
            standing: BTreeMap::new(),
        }
    }

    /// Reads the events of `names` (the name in the project, the name in CloudFormation), side by side. What is read is
    /// not told again by [`Historian::news`].
    ///
    /// # Errors
    /// The first lookup that failed.
    pub async fn read(
        &mut self,
        names: &[(&'static str, String)],
        window: Window,
    ) -> Result<Vec<StackHistory>, FlowError> {
        let mut all = self.unseen(names).await?;
        for history in &mut all {
            self.remember(history);
            let Some(stack_id) = &history.stack_id else {
                continue;
            };
            let from = match window {
                Window::All => 0,
                Window::Since(since) => history
                    .events
                    .iter()
                    .position(|event| event.timestamp >= since)
                    .unwrap_or(history.events.len()),
                Window::LastOperation => {
                    history.events.len()
                        - operations(&history.events, stack_id)
                            .last()
                            .map_or(history.events.len(), |last| last.events.len())
                }
            };
            history.events.drain(..from);
        }
        Ok(all)
    }

    /// Reads what has happened since; a stack that is new, or was made anew, from its beginning.
    ///
    /// # Errors
    /// The first lookup that failed.
    pub async fn news(
        &mut self,
        names: &[(&'static str, String)],
    ) -> Result<Vec<StackHistory>, FlowError> {
        let all = self.unseen(names).await?;
        for history in &all {
            self.remember(history);
        }
        Ok(all)
    }

    fn remember(&mut self, history: &StackHistory) {
        match &history.stack_id {
            Some(stack_id) => {
                let name = history.stack_name.clone();
                self.standing.insert(name, stack_id.clone());
                if let Some(last) = history.events.last() {
                    self.seen.insert(stack_id.clone(), last.id.clone());
                }
            }
            None => {
                self.standing.remove(&history.stack_name);
            }
        }
    }

    async fn unseen(
        &self,
        names: &[(&'static str, String)],
    ) -> Result<Vec<StackHistory>, FlowError> {
        try_join_all(
            names
                .iter()
                .map(|(label, stack_name)| self.unseen_of(label, stack_name)),
        )
        .await
        .map_err(FlowError::from)
    }

    async fn unseen_of(
        &self,
        label: &'static str,
        stack_name: &str,
    ) -> Result<StackHistory, CloudError> {
        let stack = self.stacks.describe_stack(stack_name).await?;
        let stack = stack.filter(|stack| stack.status.outcome() != Outcome::Deleted);
        let stack_id = stack.map(|stack| stack.id);
        let events = match stack_id.as_ref().or_else(|| self.standing.get(stack_name)) {
            Some(id) => {
                let seen = self.seen.get(id).map(String::as_str);
                self.stacks.stack_events_since(id, seen).await?
            }
            None => Vec::new(),
        };
        Ok(StackHistory {
            label,
            stack_name: stack_name.to_owned(),
            stack_id,
            events,
        })
    }
}

/// The events of all stacks in the order of time; those of one time stay in the order in which they were told.
pub fn merged(histories: &[StackHistory]) -> Vec<(&StackHistory, &StackEvent)> {
    let mut all: Vec<_> = histories
        .iter()
        .flat_map(|history| history.events.iter().map(move |event| (history, event)))
        .collect();
    all.sort_by_key(|(_, event)| event.timestamp);
    all
}

#[cfg(test)]
mod tests {
    use time::Duration;

    use super::*;
    use crate::cloud::fake::FakeCloud;

    fn put(cloud: &FakeCloud, stack: &str, events: &[(i64, &str, &str)]) {
        cloud.put_stack(stack, "CREATE_COMPLETE", &[]);
        cloud.put_history(
            stack,
            events.iter().map(|(second, id, status)| StackEvent {
                id: format!("{stack}-{second}-{id}"),
                timestamp: OffsetDateTime::UNIX_EPOCH + Duration::seconds(*second),
                logical_id: (*id).to_owned(),
                physical_id: if *id == stack {
                    format!("id/{stack}")
                } else {
                    (*id).to_owned()
                },
                resource_type: if *id == stack {
                    "AWS::CloudFormation::Stack"
                } else {
                    "AWS::X::Y"
                }
                .to_owned(),
                status: (*status).to_owned(),
                reason: None,
            }),
        );
    }

    fn cloud() -> FakeCloud {
        let cloud = FakeCloud::new();
        put(
            &cloud,
            "a",
            &[
                (1, "a", "CREATE_IN_PROGRESS"),
                (4, "a", "CREATE_COMPLETE"),
                (10, "a", "UPDATE_IN_PROGRESS"),
                (12, "T", "UPDATE_COMPLETE"),
                (15, "a", "UPDATE_COMPLETE"),
            ],
        );
        put(
            &cloud,
            "b",
            &[(3, "b", "CREATE_IN_PROGRESS"), (12, "b", "CREATE_COMPLETE")],
        );
        cloud
    }

    fn names() -> Vec<(&'static str, String)> {
        ["a", "b", "c"].map(|name| (name, name.to_owned())).into()
    }

    fn told(histories: &[StackHistory]) -> String {
        let lines: Vec<_> = merged(histories)
            .iter()
            .map(|(history, event)| {
                format!(
                    "{}{}{}",
                    event.timestamp.unix_timestamp(),
                    history.label,
                    event.logical_id
                )
            })
            .collect();
        lines.join(" ")
    }

    #[track_caller]
    fn check(cloud: &FakeCloud, found: &[StackHistory], expected: &str) {
        assert_eq!(told(found), expected);
        assert_eq!(cloud.writes(), [""; 0], "looking only reads");
    }

    #[tokio::test]
    async fn events_of_all_stacks_are_merged_by_time() {
        for (window, expected) in [
            (Window::All, "1aa 3bb 4aa 10aa 12aT 12bb 15aa"),
            (Window::LastOperation, "3bb 10aa 12aT 12bb 15aa"),
            (
                Window::Since(OffsetDateTime::UNIX_EPOCH + Duration::seconds(11)),
                "12aT 12bb 15aa",
            ),
            (
                Window::Since(OffsetDateTime::UNIX_EPOCH + Duration::seconds(99)),
                "",
            ),
        ] {
            let cloud = cloud();
            let found = Historian::new(&cloud).read(&names(), window).await.unwrap();
            check(&cloud, &found, expected);
            assert!(found[2].stack_id.is_none(), "c is not there");
        }
    }

    #[tokio::test]
    async fn news_are_told_once() {
        let cloud = cloud();
        let mut historian = Historian::new(&cloud);
        historian
            .read(&names(), Window::LastOperation)
            .await
            .unwrap();
        check(&cloud, &historian.news(&names()).await.unwrap(), "");
        put(&cloud, "a", &[(20, "a", "DELETE_IN_PROGRESS")]);
        put(&cloud, "c", &[(21, "c", "CREATE_IN_PROGRESS")]);
        check(
            &cloud,
            &historian.news(&names()).await.unwrap(),
            "20aa 21cc",
        );
        // A deleted stack is not found by its name; its end is told all the same.
        put(&cloud, "a", &[(30, "a", "DELETE_COMPLETE")]);
        cloud.put_stack("a", "DELETE_COMPLETE", &[]);
        check(&cloud, &historian.news(&names()).await.unwrap(), "30aa");
        check(&cloud, &historian.news(&names()).await.unwrap(), "");
    }
}
