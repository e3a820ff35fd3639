/// What starts a pipeline by itself: changes at the host of a source action's repository.
///
/// See [triggers](https://docs.aws.amazon.com/codepipeline/latest/userguide/pipelines-triggers.html).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trigger {
    /// The source action whose repository it is; one trigger for each.
    pub source: String,
    /// Pushes; any one of at most three suffices.
    pub push: Vec<PushFilter>,
    /// Pull requests; any one of at most three suffices.
    pub pull_request: Vec<PullRequestFilter>,
}

/// Which pushes: of tags, or of commits to branches. AWS takes no filter that asks for both.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PushFilter {
    /// Tags by name.
    Tags(Filter),
    /// Commits on branches, and the paths that they touch.
    Branches {
        /// The branches.
        branches: Filter,
        /// The paths; empty: any.
        paths: Filter,
    },
}

/// Which pull requests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PullRequestFilter {
    /// What happened to it; at least one.
    pub events: Vec<PullRequestEvent>,
    /// The branch that it goes to.
    pub branches: Filter,
    /// The paths that it touches; empty: any.
    pub paths: Filter,
}

/// What happened to a pull request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PullRequestEvent {
    /// It was opened.
    Opened,
    /// A commit was added.
    Updated,
    /// It was merged or closed.
    Closed,
}

/// Names as glob patterns, at most eight of a kind, of at most 255 characters; an exclude beats an include.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// What matches.
    pub includes: Vec<String>,
    /// What does not, though it is included.
    pub excludes: Vec<String>,
}

impl Filter {
    /// Names that match one of the patterns.
    pub fn including(patterns: &[&str]) -> Self {
        Self {
            includes: patterns.iter().map(ToString::to_string).collect(),
            excludes: Vec::new(),
        }
    }

    /// Whether it asks for nothing.
    pub fn is_empty(&self) -> bool {
        self.includes.is_empty() && self.excludes.is_empty()
    }
}

impl PullRequestEvent {
    /// What CodePipeline calls it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Opened => "OPEN",
            Self::Updated => "UPDATED",
            Self::Closed => "CLOSED",
        }
    }
}
