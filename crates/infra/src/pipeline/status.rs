use std::fmt;

/// The status of an execution, of a stage's run or of an action's.
///
/// See [PipelineExecution](https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_PipelineExecution.html),
/// [StageExecution](https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_StageExecution.html) and
/// [ActionExecution](https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_ActionExecution.html).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum RunStatus {
    /// It has not begun.
    #[default]
    NotStarted,
    /// It runs, or waits for a person.
    InProgress,
    /// It did what it is for.
    Succeeded,
    /// It did not.
    Failed,
    /// A person or a service asked it to stop, and it has not yet.
    Stopping,
    /// It was stopped.
    Stopped,
    /// An action that was given up when its execution was stopped.
    Abandoned,
    /// A later execution has overtaken it.
    Superseded,
    /// The pipeline was changed while it ran.
    Cancelled,
    /// A condition let it be left out.
    Skipped,
    /// One that this version does not know, as the service says it.
    Unknown(String),
}

impl RunStatus {
    /// Reads the service's word.
    pub fn parse(word: &str) -> Self {
        match word {
            "InProgress" => Self::InProgress,
            "Succeeded" => Self::Succeeded,
            "Failed" => Self::Failed,
            "Stopping" => Self::Stopping,
            "Stopped" => Self::Stopped,
            "Abandoned" => Self::Abandoned,
            "Superseded" => Self::Superseded,
            "Cancelled" => Self::Cancelled,
            "Skipped" => Self::Skipped,
            other => Self::Unknown(other.to_owned()),
        }
    }

    /// Whether nothing more will happen by itself.
    pub fn is_over(&self) -> bool {
        !matches!(
            self,
            Self::NotStarted | Self::InProgress | Self::Stopping | Self::Unknown(_)
        )
    }
}

impl fmt::Display for RunStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::NotStarted => "NotStarted",
            Self::InProgress => "InProgress",
            Self::Succeeded => "Succeeded",
            Self::Failed => "Failed",
            Self::Stopping => "Stopping",
            Self::Stopped => "Stopped",
            Self::Abandoned => "Abandoned",
            Self::Superseded => "Superseded",
            Self::Cancelled => "Cancelled",
            Self::Skipped => "Skipped",
            Self::Unknown(word) => word,
        })
    }
}

/// Where an execution stands, as one word that decides what to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Something goes on by itself.
    Running,
    /// It waits for a person's decision, and nothing else of it goes on.
    Waiting,
    /// It has done everything.
    Succeeded,
    /// It has failed.
    Failed,
    /// It was stopped, overtaken or cancelled.
    Stopped,
    /// Its status is one that this version does not know.
    Unknown,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_and_written() {
        for (word, over) in [
            ("InProgress", false),
            ("Succeeded", true),
            ("Failed", true),
            ("Stopping", false),
            ("Stopped", true),
            ("Abandoned", true),
            ("Superseded", true),
            ("Cancelled", true),
            ("Skipped", true),
            ("OfTheFuture", false),
        ] {
            let status = RunStatus::parse(word);
            assert_eq!(status.to_string(), word);
            assert_eq!(status.is_over(), over, "{word}");
        }
        assert_eq!(
            RunStatus::parse("OfTheFuture"),
            RunStatus::Unknown("OfTheFuture".to_owned())
        );
    }
}
