use std::fmt;
use std::path::{Path, PathBuf};

/// What kind of error it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TemplateErrorKind {
    /// There is no such file.
    NotFound,
    /// The file is there, and cannot be read.
    Unreadable,
    /// The file is neither YAML nor JSON.
    Syntax,
    /// It is YAML, and not a template.
    Shape,
}

/// A template that cannot be used. It shows as `<file>:<line>:<column>: <what is wrong>`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateError(Box<Detail>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Detail {
    kind: TemplateErrorKind,
    file: PathBuf,
    line: Option<usize>,
    column: Option<usize>,
    message: String,
}

impl TemplateError {
    /// What kind of error it is.
    pub fn kind(&self) -> TemplateErrorKind {
        self.0.kind
    }

    /// The file, as its path was given.
    pub fn file(&self) -> &Path {
        &self.0.file
    }

    /// The line, from 1, where one is known.
    pub fn line(&self) -> Option<usize> {
        self.0.line
    }

    /// The column, from 1, where one is known.
    pub fn column(&self) -> Option<usize> {
        self.0.column
    }

    /// What is wrong, without the place.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    pub(super) fn unread(path: &Path, error: &std::io::Error) -> Self {
        let (kind, message) = match error.kind() {
            std::io::ErrorKind::NotFound => (
                TemplateErrorKind::NotFound,
                "there is no such file".to_owned(),
            ),
            _ => (
                TemplateErrorKind::Unreadable,
                format!("cannot be read: {error}"),
            ),
        };
        Self(Box::new(Detail {
            kind,
            file: path.to_owned(),
            line: None,
            column: None,
            message,
        }))
    }

    pub(super) fn syntax(path: &Path, error: &serde_yaml_ng::Error) -> Self {
        let place = error.location();
        let text = error.to_string();
        // The library adds the place to its words; it is told once, in front.
        let message = text.split(" at line ").next().unwrap_or(&text);
        Self(Box::new(Detail {
            kind: TemplateErrorKind::Syntax,
            file: path.to_owned(),
            line: place.as_ref().map(serde_yaml_ng::Location::line),
            column: place.as_ref().map(serde_yaml_ng::Location::column),
            message: format!("this is not YAML: {message}"),
        }))
    }

    pub(super) fn shape(path: &Path, line: Option<usize>, message: String) -> Self {
        let kind = TemplateErrorKind::Shape;
        Self(Box::new(Detail {
            kind,
            file: path.to_owned(),
            line,
            column: None,
            message,
        }))
    }
}

impl fmt::Display for TemplateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.file.display())?;
        for number in [self.0.line, self.0.column].into_iter().flatten() {
            write!(f, ":{number}")?;
        }
        write!(f, ": {}", self.0.message)
    }
}

impl std::error::Error for TemplateError {}
