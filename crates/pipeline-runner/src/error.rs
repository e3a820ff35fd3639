use std::path::Path;

/// Why a run, or a part of it, did not come to its end. Shown as it is: what, why, and the next step.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct RunError {
    /// What kind of thing it is.
    pub kind: ErrorKind,
    /// What went wrong, with the name of the thing.
    pub message: String,
    /// Why.
    pub causes: Vec<String>,
    /// The next step.
    pub hint: Option<String>,
}

/// What kind of thing went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// A name, a variable or a buildspec is wrong.
    Definition,
    /// An artifact is not what it should be.
    Artifact,
    /// A command of the pipeline failed, or took too long, or said too much.
    Failed,
    /// A person rejected it.
    Rejected,
    /// It waits for a person, and there is none to ask.
    Waiting,
    /// Another run has its place.
    Overtaken,
    /// A person has stopped it.
    Stopped,
    /// A tool is missing.
    Tool,
    /// A file could not be read or written.
    Io,
    /// The cloud, or what stands in for it, refused.
    Cloud,
}

/// The next step where a disk is full.
pub(crate) const NO_ROOM: &str = "free some disk space, then retry the execution";

impl RunError {
    /// An error of this kind.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            causes: Vec::new(),
            hint: None,
        }
    }

    /// The same with a reason.
    #[must_use]
    pub fn cause(mut self, cause: impl Into<String>) -> Self {
        self.causes.push(cause.into());
        self
    }

    /// The same with a next step.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// A file that could not be read or written; a full disk is named as one.
    pub fn io(doing: &str, path: &Path, error: &std::io::Error) -> Self {
        let failure = Self::new(
            ErrorKind::Io,
            format!("cannot {doing} `{}`", path.display()),
        )
        .cause(error.to_string());
        match error.kind() {
            std::io::ErrorKind::StorageFull
            | std::io::ErrorKind::QuotaExceeded
            | std::io::ErrorKind::FileTooLarge => failure.hint(NO_ROOM),
            _ => failure,
        }
    }
}
