//! What a run tells the person.

use std::io::{BufRead, IsTerminal, Write};

use anstyle::Style;
use async_trait::async_trait;
use stackway_pipeline_runner::{Event, Status, Watcher};

use crate::ui::{BAD, BOLD, BUSY, DIM, GOOD, Ui};

/// Lines on stderr, as they come.
pub(crate) struct Screen<'a> {
    pub(crate) ui: &'a Ui,
}

fn style(status: Status) -> Style {
    match status {
        Status::Succeeded => GOOD,
        Status::Failed | Status::Stopped | Status::Abandoned | Status::Superseded => BAD,
        Status::InProgress | Status::Stopping => BUSY,
        Status::NotStarted | Status::Skipped => DIM,
    }
}

#[async_trait]
impl Watcher for Screen<'_> {
    fn see(&self, event: &Event<'_>) {
        let word = |status: Status| {
            let style = style(status);
            format!("{style}{}{style:#}", status.as_str())
        };
        let after = |note: Option<&str>| {
            let note = note.map(|note| format!(" {DIM}{note}{DIM:#}"));
            note.unwrap_or_default()
        };
        self.ui.say(match event {
            Event::Started { pipeline, id } => {
                format!("{BOLD}{pipeline}{BOLD:#} execution {id}")
            }
            Event::Stage {
                pipeline,
                stage,
                status,
                note,
            } => format!("{pipeline} {BOLD}{stage}{BOLD:#} {}{}", word(*status), after(*note)),
            Event::Action {
                action,
                status: Status::InProgress,
                ..
            } => format!("{action} {}", word(Status::InProgress)),
            Event::Action {
                action,
                status,
                seconds,
                note,
            } => format!(
                "{action} {} {DIM}in {seconds:.1} s{DIM:#}{}",
                word(*status),
                after(*note)
            ),
            Event::Line { action, text } => format!("{DIM}{action}{DIM:#} {text}"),
            Event::Approval {
                pipeline,
                id,
                action,
                comment,
            } => format!(
                "{BUSY}{action} waits for a person{BUSY:#}: {comment}\n\
                 decide here or from another terminal: `cargo xtask pipeline approve {pipeline} --execution {id}`, or `reject`"
            ),
            Event::Note { text } => format!("{BUSY}{text}{BUSY:#}"),
        });
    }

    async fn ask(&self, comment: &str) -> Option<bool> {
        if !std::io::stdin().is_terminal() {
            return None;
        }
        let question = format!("{BOLD}{comment}{BOLD:#} Type `yes` or `no`: ");
        // On a thread of its own: Ctrl-C, and an answer from elsewhere, must not wait for a key.
        let answer = tokio::task::spawn_blocking(move || {
            let mut stderr = anstream::stderr();
            let mut answer = String::new();
            let read = write!(stderr, "{question}")
                .and_then(|()| stderr.flush())
                .and_then(|()| std::io::stdin().lock().read_line(&mut answer));
            // A terminal that is gone decides nothing.
            read.is_ok_and(|count| count > 0)
                .then(|| answer.trim() == "yes")
        });
        answer.await.ok().flatten()
    }
}
