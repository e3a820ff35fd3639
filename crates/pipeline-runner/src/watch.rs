use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use async_trait::async_trait;

use crate::RunError;
use crate::execution::Status;
use crate::hidden::Hidden;

/// Something that a person may want to see.
#[derive(Clone, Debug)]
pub enum Event<'a> {
    /// An execution begins; its folder is there.
    Started {
        /// The pipeline's short name.
        pipeline: &'a str,
        /// The execution's id.
        id: &'a str,
    },
    /// A stage begins, or is left out.
    Stage {
        /// The pipeline's short name.
        pipeline: &'a str,
        /// The stage.
        stage: &'a str,
        /// How it stands.
        status: Status,
        /// Why, where it is not what one would expect.
        note: Option<&'a str>,
    },
    /// An action begins or ends.
    Action {
        /// `Stage/Action`.
        action: &'a str,
        /// How it stands.
        status: Status,
        /// Seconds that it took.
        seconds: f64,
        /// What it says of itself, or why it failed.
        note: Option<&'a str>,
    },
    /// A line of an action's output.
    Line {
        /// `Stage/Action`.
        action: &'a str,
        /// The line.
        text: &'a str,
    },
    /// An action waits for a person.
    Approval {
        /// The pipeline's short name.
        pipeline: &'a str,
        /// The execution's id.
        id: &'a str,
        /// `Stage/Action`.
        action: &'a str,
        /// What the person should know.
        comment: &'a str,
    },
    /// Something in passing.
    Note {
        /// The text.
        text: &'a str,
    },
}

/// Where events go.
#[async_trait]
pub trait Watcher: Send + Sync {
    /// Takes one.
    fn see(&self, event: &Event<'_>);
    /// Asks a person, where there is one to ask: `None` where there is none. Dropped where somebody else has decided.
    async fn ask(&self, comment: &str) -> Option<bool>;
}

/// The most bytes and lines that one action may write.
const MOST: u64 = 64 << 20;
const MOST_LINES: u64 = 1_000_000;

/// The output of an action: kept in its file, and shown as it comes.
pub struct Log<'a> {
    action: String,
    path: PathBuf,
    /// The file, and the bytes and lines that came to it.
    file: Mutex<(File, u64, u64)>,
    hidden: Hidden,
    watcher: &'a dyn Watcher,
}

impl<'a> Log<'a> {
    /// Goes on at the end of the file.
    pub(crate) fn open(
        action: &str,
        path: &Path,
        watcher: &'a dyn Watcher,
    ) -> Result<Self, RunError> {
        let file = File::options()
            .create(true)
            .append(true)
            .open(path)
            .map_err(|error| RunError::io("write", path, &error))?;
        Ok(Self {
            action: action.to_owned(),
            path: path.to_owned(),
            file: Mutex::new((file, 0, 0)),
            hidden: Hidden::default(),
            watcher,
        })
    }

    /// Takes a line.
    ///
    /// # Errors
    /// The disk is full, or the action has written more than is kept of one.
    pub fn line(&self, text: &str) -> Result<(), RunError> {
        let text = &*self.hidden.masked(text);
        if let Ok(mut file) = self.file.lock() {
            file.1 += text.len() as u64 + 1;
            file.2 += 1;
            if file.1 > MOST || file.2 > MOST_LINES {
                return Err(RunError::new(
                    crate::ErrorKind::Failed,
                    format!(
                        "`{}` wrote more than {} MiB, or a million lines",
                        self.action,
                        MOST >> 20
                    ),
                )
                .hint(format!(
                    "see what it repeats in {}, and let it say less",
                    self.path.display()
                )));
            }
            writeln!(file.0, "{text}")
                .map_err(|error| RunError::io("write", &self.path, &error))?;
        }
        self.watcher.see(&Event::Line {
            action: &self.action,
            text,
        });
        Ok(())
    }

    /// What no line may show.
    pub(crate) fn hidden(&self) -> &Hidden {
        &self.hidden
    }
}
