//! The workspace: where its files are, which commit it is at.

use std::path::{Path, PathBuf};
use std::process::Command;

use stackway_infra::naming::Source;
use stackway_infra::stack_def::StackDef;
use stackway_infra::template::Template;

use crate::failure::{Failure, Kind};

/// The workspace that this binary was built from.
#[derive(Clone, Debug)]
pub(crate) struct Project {
    root: PathBuf,
}

impl Project {
    /// Cargo tells the manifest's folder at run time; a binary run by itself keeps the one it was built in.
    pub(crate) fn locate() -> Result<Self, Failure> {
        let manifest = std::env::var_os("CARGO_MANIFEST_DIR")
            .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
        let root = manifest.parent().map(Path::to_path_buf).unwrap_or_default();
        if root.join("stackway.toml").is_file() {
            Ok(Self { root })
        } else {
            Err(Failure::new(
                Kind::Configuration,
                format!("there is no stackway.toml in `{}`", root.display()),
            )
            .hint("run `cargo xtask` inside a Stackway workspace"))
        }
    }

    /// A workspace in a folder of its own: a clone of this one.
    pub(crate) fn at(root: PathBuf) -> Self {
        Self { root }
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    pub(crate) fn path(&self, relative: &str) -> PathBuf {
        self.root.join(relative)
    }

    /// Where this project keeps what it installs and builds for itself.
    pub(crate) fn state_dir(&self) -> PathBuf {
        self.root.join("target/stackway")
    }

    /// The stack's template, parsed and held against its definition.
    pub(crate) fn template(&self, def: &StackDef) -> Result<Template, Failure> {
        let path = self.path(&format!("cloudformation/{}.yaml", def.name));
        let shown = format!("cloudformation/{}.yaml", def.name);
        let template = Template::load(&path).map_err(|error| {
            Failure::new(
                Kind::Configuration,
                format!("cannot use the template of stack `{}`", def.name),
            )
            .cause(error.to_string())
        })?;
        let refuse =
            |what: String| Failure::new(Kind::Configuration, what).hint(format!("correct {shown}"));
        for output in def.outputs {
            if !template.outputs.contains_key(*output) {
                return Err(refuse(format!(
                    "`{shown}` has no output `{output}`, which its StackDef promises"
                )));
            }
        }
        for need in def.needs {
            if !template.parameters.contains_key(need.parameter) {
                return Err(refuse(format!(
                    "`{shown}` has no parameter `{}`, which its StackDef fills",
                    need.parameter
                )));
            }
        }
        let faults = template.check();
        if !faults.is_empty() {
            let mut failure = refuse(format!(
                "`{shown}` is not a template that CloudFormation would take"
            ));
            for fault in &faults {
                failure = failure.cause(fault.to_string());
            }
            return Err(failure);
        }
        Ok(template)
    }

    /// The last commit that changed what the stack is made from, marked where the work tree differs from it. Any later
    /// commit would change every tag, and so every stack, for nothing.
    pub(crate) fn source(&self, def: &StackDef, repository: &str) -> Source {
        let sources = def.sources();
        let git = |args: &[&str]| {
            let output = Command::new("git")
                .args(args)
                .arg("--")
                .args(&sources)
                .current_dir(&self.root)
                .output()
                .ok()?;
            output
                .status
                .success()
                .then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
        };
        let commit = git(&["log", "-1", "--format=%H"])
            .filter(|commit| !commit.is_empty())
            .map(|commit| {
                let clean = git(&["status", "--porcelain"]).is_some_and(|status| status.is_empty());
                if clean {
                    commit
                } else {
                    format!("{commit}-dirty")
                }
            });
        Source {
            commit,
            repository: repository.to_owned(),
        }
    }
}

/// A commit of the workspace's history.
#[derive(Debug)]
pub(crate) struct Revision {
    root: PathBuf,
    hash: String,
}

impl Project {
    /// The commit that this name of git's leads to.
    pub(crate) fn revision(&self, name: &str) -> Result<Revision, Failure> {
        let revision = Revision {
            root: self.root.clone(),
            hash: String::new(),
        };
        let commit = format!("{name}^{{commit}}");
        let hash = revision
            .git(&[
                "rev-parse",
                "--verify",
                "--quiet",
                "--end-of-options",
                &commit,
            ])
            .map_err(|failure| {
                Failure::new(
                    Kind::CommandLine,
                    format!("`{name}` is no commit of this workspace"),
                )
                .cause(failure.message)
                .hint("name one with --against, such as main or HEAD~1")
            })?;
        Ok(Revision {
            hash: hash.trim().to_owned(),
            ..revision
        })
    }
}

impl Revision {
    /// The first digits of the commit's hash.
    pub(crate) fn short(&self) -> &str {
        self.hash.get(..8).unwrap_or(&self.hash)
    }

    /// The file's text at this commit; `None` where the commit has no such file.
    pub(crate) fn file(&self, path: &str) -> Result<Option<String>, Failure> {
        // Paths are the workspace's, which need not be the repository's root.
        if self
            .git(&["ls-tree", "--name-only", &self.hash, "--", path])?
            .is_empty()
        {
            return Ok(None);
        }
        self.git(&["show", &format!("{}:./{path}", self.hash)])
            .map(Some)
    }

    /// How many tracked files under these paths differ from the work tree's.
    pub(crate) fn changed_files(&self, paths: &[&str]) -> Result<usize, Failure> {
        let mut args = vec!["diff", "--name-only", &self.hash, "--"];
        args.extend(paths);
        Ok(self.git(&args)?.lines().count())
    }

    fn git(&self, args: &[&str]) -> Result<String, Failure> {
        let output = Command::new("git")
            .args(args)
            .current_dir(&self.root)
            .output()
            .map_err(|error| {
                Failure::new(Kind::Tool, "cannot run git")
                    .cause(error.to_string())
                    .hint("install git")
            })?;
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
        }
        let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        let said = if said.is_empty() {
            "it does not know it".to_owned()
        } else {
            said
        };
        Err(Failure::new(
            Kind::Tool,
            format!("git {}: {said}", args.first().unwrap_or(&"")),
        ))
    }
}
