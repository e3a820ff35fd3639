//! What is wrong with `stackway.toml`, where, and what could stand there.

use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};

/// Parts a value's fault from its hint on the way through serde, which carries one string.
const HINT: &str = "\nhint: ";

/// What kind of error it is.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConfigErrorKind {
    /// There is no such file.
    NotFound,
    /// The file is there, and cannot be read.
    Unreadable,
    /// The file is not TOML.
    Syntax,
    /// A key that means nothing here.
    UnknownKey,
    /// A key that must be there is not.
    MissingKey,
    /// A value that cannot be.
    InvalidValue,
    /// No environment has this name.
    UnknownEnvironment {
        /// The name that was asked for.
        name: String,
        /// The names that there are.
        choices: Vec<String>,
    },
}

/// An error in `stackway.toml`. It shows as `<file>:<line>:<column>: <what is wrong>`; [`ConfigError::hint`] has the
/// next step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError(Box<Detail>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Detail {
    kind: ConfigErrorKind,
    file: PathBuf,
    position: Option<(usize, Option<usize>)>,
    message: String,
    hint: Option<String>,
}

impl ConfigError {
    /// What kind of error it is.
    pub fn kind(&self) -> &ConfigErrorKind {
        &self.0.kind
    }

    /// The file, as its path was given.
    pub fn file(&self) -> &Path {
        &self.0.file
    }

    /// The line, from 1.
    pub fn line(&self) -> Option<usize> {
        self.0.position.map(|(line, _)| line)
    }

    /// The column in characters, from 1.
    pub fn column(&self) -> Option<usize> {
        self.0.position.and_then(|(_, column)| column)
    }

    /// What is wrong, without the place.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// What to do about it: the choices, the form, or the nearest name.
    pub fn hint(&self) -> Option<&str> {
        self.0.hint.as_deref()
    }

    pub(super) fn unread(path: &Path, error: &std::io::Error) -> Self {
        let missing = error.kind() == std::io::ErrorKind::NotFound;
        Self(Box::new(Detail {
            kind: if missing {
                ConfigErrorKind::NotFound
            } else {
                ConfigErrorKind::Unreadable
            },
            file: path.to_owned(),
            position: None,
            message: if missing {
                "there is no such file".to_owned()
            } else {
                format!("cannot be read: {error}")
            },
            hint: missing.then(|| "run the command inside a Stackway workspace".to_owned()),
        }))
    }

    pub(super) fn unknown_environment(
        path: &Path,
        name: &str,
        choices: Vec<String>,
        line: Option<usize>,
        shown: &str,
        guess: Option<String>,
    ) -> Self {
        Self(Box::new(Detail {
            kind: ConfigErrorKind::UnknownEnvironment {
                name: name.to_owned(),
                choices,
            },
            file: path.to_owned(),
            position: line.map(|line| (line, None)),
            message: format!("no environment is called `{name}`"),
            hint: Some(format!("{}there are: {shown}", did_you_mean(guess))),
        }))
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.file.display())?;
        match self.0.position {
            Some((line, Some(column))) => write!(f, ":{line}:{column}")?,
            Some((line, None)) => write!(f, ":{line}")?,
            None => {}
        }
        write!(f, ": {}", self.0.message)
    }
}

impl std::error::Error for ConfigError {}

/// A value that is wrong, as its type's `TryFrom` says it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ValueError {
    message: String,
    hint: String,
}

impl ValueError {
    pub(super) fn new(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            hint: hint.into(),
        }
    }

    pub(super) fn at(self, span: Range<usize>) -> Fault {
        Fault {
            span,
            message: self.message,
            hint: Some(self.hint),
        }
    }
}

impl fmt::Display for ValueError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{HINT}{}", self.message, self.hint)
    }
}

impl std::error::Error for ValueError {}

/// A rule between values that does not hold.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) span: Range<usize>,
    pub(super) message: String,
    pub(super) hint: Option<String>,
}

/// The text under check: turns offsets into lines, and the parser's errors into ours.
pub(super) struct Source<'a> {
    pub(super) text: &'a str,
    pub(super) path: &'a Path,
}

impl Source<'_> {
    /// Line and column, from 1, of a byte offset.
    pub(super) fn position(&self, offset: usize) -> (usize, usize) {
        let before = self.text.get(..offset).unwrap_or(self.text);
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        (
            before.matches('\n').count() + 1,
            before[line_start..].chars().count() + 1,
        )
    }

    pub(super) fn syntax(&self, error: &toml::de::Error) -> ConfigError {
        let message = format!("this is not TOML: {}", error.message().replace('\n', ", "));
        self.error(ConfigErrorKind::Syntax, error.span(), message, None)
    }

    pub(super) fn fault(&self, fault: Fault) -> ConfigError {
        self.error(
            ConfigErrorKind::InvalidValue,
            Some(fault.span),
            fault.message,
            fault.hint,
        )
    }

    /// An error of a value's type: serde's own words, or those of a [`ValueError`].
    pub(super) fn value(&self, error: &toml::de::Error) -> ConfigError {
        let text = error.message();
        let mut words = quoted(text);
        if let Some((message, hint)) = text.split_once(HINT) {
            return self.error(
                ConfigErrorKind::InvalidValue,
                error.span(),
                message.to_owned(),
                Some(hint.to_owned()),
            );
        }
        if text.starts_with("unknown field") && !words.is_empty() {
            let key = words.remove(0);
            let hint = format!(
                "{}the keys here are: {}",
                did_you_mean(nearest(&key, &words)),
                words.join(", ")
            );
            return self.error(
                ConfigErrorKind::UnknownKey,
                error.span(),
                format!("unknown key `{key}`"),
                Some(hint),
            );
        }
        if text.starts_with("unknown variant") && !words.is_empty() {
            let value = words.remove(0);
            let hint = format!(
                "{}the choices are: {}",
                did_you_mean(nearest(&value, &words)),
                words.join(", ")
            );
            let message = format!("`{value}` is not a choice here");
            return self.error(
                ConfigErrorKind::InvalidValue,
                error.span(),
                message,
                Some(hint),
            );
        }
        if text.starts_with("missing field") && !words.is_empty() {
            let key = words.remove(0);
            let hint = format!("add `{key} = …` to this table");
            return self.error(
                ConfigErrorKind::MissingKey,
                error.span(),
                format!("`{key}` is missing"),
                Some(hint),
            );
        }
        let hint = text
            .ends_with("expected a string")
            .then(|| "write the value in quotes".to_owned());
        self.error(
            ConfigErrorKind::InvalidValue,
            error.span(),
            text.to_owned(),
            hint,
        )
    }

    fn error(
        &self,
        kind: ConfigErrorKind,
        span: Option<Range<usize>>,
        message: String,
        hint: Option<String>,
    ) -> ConfigError {
        let position = span
            .map(|span| self.position(span.start))
            .map(|(line, column)| (line, Some(column)));
        ConfigError(Box::new(Detail {
            kind,
            file: self.path.to_owned(),
            position,
            message,
            hint,
        }))
    }
}

/// What stands between backticks in serde's message: the offender first, then the choices.
fn quoted(text: &str) -> Vec<String> {
    text.split('`')
        .skip(1)
        .step_by(2)
        .map(str::to_owned)
        .collect()
}

fn did_you_mean(guess: Option<String>) -> String {
    guess
        .map(|guess| format!("did you mean `{guess}`? "))
        .unwrap_or_default()
}

/// The choice that a person most likely meant, whatever the case of its letters, if one is near enough.
pub(crate) fn nearest<S: AsRef<str>>(word: &str, choices: &[S]) -> Option<String> {
    let word = word.to_lowercase();
    choices
        .iter()
        .map(|choice| {
            (
                strsim::damerau_levenshtein(&word, &choice.as_ref().to_lowercase()),
                choice.as_ref(),
            )
        })
        .min()
        .filter(|(distance, choice)| *distance <= 1.max(choice.chars().count() / 3))
        .map(|(_, choice)| choice.to_owned())
}
