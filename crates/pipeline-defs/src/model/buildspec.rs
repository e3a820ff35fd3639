/// A CodeBuild project, and what it runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Build {
    /// Its short name, and the name of its file: `buildspecs/<name>.yml`.
    pub name: &'static str,
    /// What it does, in a line.
    pub summary: &'static str,
    /// What it runs.
    pub buildspec: Buildspec,
}

/// A buildspec of version 0.2: one shell for all its commands, so that `cd` and `export` last.
///
/// See [the reference](https://docs.aws.amazon.com/codebuild/latest/userguide/build-spec-ref.html).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Buildspec {
    /// The shell and its variables.
    pub environment: Environment,
    /// The commands.
    pub phases: Phases,
    /// Files that CodeBuild reads test results and coverage from.
    pub reports: Vec<Report>,
    /// What later actions get.
    pub artifacts: Option<Artifacts>,
    /// Paths that the next build finds again.
    pub cache: Vec<String>,
}

/// What the shell of a build is like.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Environment {
    /// The shell, if it is not `sh`: `bash`.
    pub shell: Option<&'static str>,
    /// Variables and their values; never a secret.
    pub variables: Vec<(&'static str, String)>,
    /// Variables and the names of their parameters in the parameter store.
    pub parameter_store: Vec<(&'static str, String)>,
    /// Variables and their secrets in Secrets Manager: `id:key`.
    pub secrets_manager: Vec<(&'static str, String)>,
    /// Variables that later actions find in the action's namespace.
    pub exported: Vec<&'static str>,
}

/// The phases of a build, in the order that they run in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Phases {
    /// Installs what the build needs.
    pub install: Phase,
    /// Prepares.
    pub pre_build: Phase,
    /// Builds and tests.
    pub build: Phase,
    /// Cleans up, and reports; runs although `build` failed.
    pub post_build: Phase,
}

/// The commands of a phase.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Phase {
    /// One after the other, until one fails.
    pub commands: Vec<String>,
    /// After them, although one failed.
    pub finally: Vec<String>,
    /// What a failure does to the build; if nothing is said, it goes on to `post_build` from `build`, and ends it elsewhere.
    pub on_failure: Option<Failed>,
}

/// A phase's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PhaseName {
    /// `install`
    Install,
    /// `pre_build`
    PreBuild,
    /// `build`
    Build,
    /// `post_build`
    PostBuild,
}

/// What a failed phase does to its build.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failed {
    /// Ends it.
    Abort,
    /// Lets it go on.
    Continue,
}

/// Test results or coverage, in a report group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The short name of the group. A stack declares it, and the template's buildspec names it by its ARN: a bare name
    /// would make a group that no stack owns.
    pub group: &'static str,
    /// What the group is for.
    pub summary: &'static str,
    /// Patterns of the files.
    pub files: Vec<&'static str>,
    /// The folder that the patterns start from.
    pub base_directory: Option<&'static str>,
    /// What the files are.
    pub format: ReportFormat,
}

/// What a report's files are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each variant is the name of a format")]
pub enum ReportFormat {
    JunitXml,
    CucumberJson,
    NunitXml,
    Nunit3Xml,
    TestNgXml,
    VisualStudioTrx,
    JacocoXml,
    SimpleCov,
    CloverXml,
    CoberturaXml,
    Lcov,
}

/// What a build hands on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Artifacts {
    /// Patterns of files.
    pub files: Vec<&'static str>,
    /// The folder that they start from.
    pub base_directory: Option<&'static str>,
    /// Whether all are put into one folder.
    pub discard_paths: bool,
    /// Further artifacts, each by its name.
    pub secondary: Vec<SecondaryArtifacts>,
}

/// A further artifact of a build.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecondaryArtifacts {
    /// The artifact's name.
    pub name: &'static str,
    /// Patterns of files.
    pub files: Vec<&'static str>,
    /// The folder that they start from.
    pub base_directory: Option<&'static str>,
}

impl Phases {
    /// Each with its name, in the order that they run in.
    pub fn each(&self) -> [(PhaseName, &Phase); 4] {
        [
            (PhaseName::Install, &self.install),
            (PhaseName::PreBuild, &self.pre_build),
            (PhaseName::Build, &self.build),
            (PhaseName::PostBuild, &self.post_build),
        ]
    }
}

impl Phase {
    /// A phase of these commands.
    pub fn of(commands: &[&str]) -> Self {
        Self {
            commands: commands.iter().map(ToString::to_string).collect(),
            ..Self::default()
        }
    }

    /// Whether it does nothing.
    pub fn is_empty(&self) -> bool {
        self.commands.is_empty() && self.finally.is_empty()
    }
}

impl PhaseName {
    /// As a buildspec has it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Install => "install",
            Self::PreBuild => "pre_build",
            Self::Build => "build",
            Self::PostBuild => "post_build",
        }
    }
}

impl Failed {
    /// As a buildspec has it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Abort => "ABORT",
            Self::Continue => "CONTINUE",
        }
    }
}

impl ReportFormat {
    /// As a buildspec has it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::JunitXml => "JUNITXML",
            Self::CucumberJson => "CUCUMBERJSON",
            Self::NunitXml => "NUNITXML",
            Self::Nunit3Xml => "NUNIT3XML",
            Self::TestNgXml => "TESTNGXML",
            Self::VisualStudioTrx => "VISUALSTUDIOTRX",
            Self::JacocoXml => "JACOCOXML",
            Self::SimpleCov => "SIMPLECOV",
            Self::CloverXml => "CLOVERXML",
            Self::CoberturaXml => "COBERTURAXML",
            Self::Lcov => "LCOV",
        }
    }

    /// Whether it tells coverage; else it tells how tests went.
    pub fn is_coverage(self) -> bool {
        matches!(
            self,
            Self::JacocoXml | Self::SimpleCov | Self::CloverXml | Self::CoberturaXml | Self::Lcov
        )
    }
}

impl Report {
    /// The type of its group, as CodeBuild has it.
    pub fn group_type(&self) -> &'static str {
        if self.format.is_coverage() {
            "CODE_COVERAGE"
        } else {
            "TEST"
        }
    }
}
