use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::artifact::Store;
use crate::error::NO_ROOM;
use crate::{ErrorKind, RunError};

/// Which revision a run starts from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SourceOrder {
    /// The repository: a folder of this machine.
    pub repository: PathBuf,
    /// An address to clone in place of the folder.
    pub clone: Option<String>,
    /// A branch, a tag or a commit; else what is checked out.
    pub reference: Option<String>,
    /// With what the work tree has beyond the commit, ignored files left out.
    pub dirty: bool,
}

/// What a source action brought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revision {
    /// The artifact's SHA-256.
    pub artifact: String,
    /// The action's variables.
    pub variables: BTreeMap<String, String>,
}

impl SourceOrder {
    /// Zips the revision into the store. `branch` is the definition's, for a commit that is on none here.
    ///
    /// # Errors
    /// No such revision, or git is missing.
    pub fn take(&self, store: &Store, branch: &str) -> Result<Revision, RunError> {
        let scratch = tempfile::tempdir_in(store.folder())
            .map_err(|error| RunError::io("create a folder in", store.folder(), &error))?;
        let mut git = Git {
            folder: self.repository.clone(),
            variables: Vec::new(),
        };
        if let Some(url) = &self.clone {
            let clone = scratch.path().join("clone");
            let to = clone.to_string_lossy().into_owned();
            git.run(&["clone", "--quiet", "--bare", "--", url, &to])?;
            git.folder = clone;
        }
        let wanted = self.reference.as_deref().unwrap_or("HEAD");
        let commit = git
            .run(&[
                "rev-parse",
                "--verify",
                "--quiet",
                "--end-of-options",
                &format!("{wanted}^{{commit}}"),
            ])
            .map_err(|error| {
                if error.kind == ErrorKind::Tool {
                    return error;
                }
                RunError::new(
                    ErrorKind::Definition,
                    format!("`{wanted}` is no commit of the repository"),
                )
                .hint("name a branch, a tag or a commit with --ref; `git log` shows them")
            })?;
        let shown = git.run(&["show", "-s", "--format=%aI%n%ct%n%B", &commit])?;
        let mut lines = shown.splitn(3, '\n');
        let date = lines.next().unwrap_or_default().to_owned();
        let seconds = lines.next().unwrap_or_default().to_owned();
        let message = lines.next().unwrap_or_default().trim().to_owned();
        let mut variables = BTreeMap::from([
            ("AuthorDate".to_owned(), date),
            ("CommitId".to_owned(), commit.clone()),
            // CodePipeline cuts longer values too.
            (
                "CommitMessage".to_owned(),
                message.chars().take(1000).collect(),
            ),
            (
                "BranchName".to_owned(),
                git.branch(self.reference.as_deref())
                    .unwrap_or_else(|| branch.to_owned()),
            ),
        ]);
        if let Some(name) = &self.reference
            && git.has(&format!("refs/tags/{name}"))
        {
            variables.insert("TagName".to_owned(), name.clone());
        }
        let zip = scratch.path().join("source.zip");
        let to = zip.to_string_lossy().into_owned();
        // Files of one commit have one time, so that the same commit makes the same bytes.
        let time = format!("--mtime=@{seconds}");
        let tree = if self.dirty {
            git.work_tree(scratch.path())?
        } else {
            commit
        };
        let mut archive = vec!["archive", "--format=zip", "--output", &to];
        if self.dirty {
            archive.push(&time);
        }
        archive.push(&tree);
        git.run(&archive)?;
        Ok(Revision {
            artifact: store.take(&zip)?,
            variables,
        })
    }
}

struct Git {
    folder: PathBuf,
    variables: Vec<(&'static str, PathBuf)>,
}

impl Git {
    fn run(&self, args: &[&str]) -> Result<String, RunError> {
        let mut command = Command::new("git");
        // A hook that runs this must not decide which repository it is.
        for name in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX"] {
            command.env_remove(name);
        }
        let output = command
            .args(args)
            .current_dir(&self.folder)
            .env("GIT_TERMINAL_PROMPT", "0")
            .env("LC_ALL", "C")
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .output()
            .map_err(|error| {
                RunError::new(ErrorKind::Tool, "cannot run git")
                    .cause(error.to_string())
                    .hint("install git")
            })?;
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout)
                .trim_end()
                .to_owned());
        }
        let why = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        let is_full = ["No space left on device", "File too large"]
            .iter()
            .any(|words| why.contains(words));
        let failure = RunError::new(
            ErrorKind::Failed,
            format!(
                "git {} failed in `{}`",
                args.first().unwrap_or(&""),
                self.folder.display()
            ),
        )
        .cause(why);
        Err(if is_full {
            failure.hint(NO_ROOM)
        } else {
            failure
        })
    }

    fn has(&self, reference: &str) -> bool {
        self.run(&["show-ref", "--verify", "--quiet", reference])
            .is_ok()
    }

    /// The branch that was named, or that is checked out.
    fn branch(&self, reference: Option<&str>) -> Option<String> {
        match reference {
            Some(name) => self
                .has(&format!("refs/heads/{name}"))
                .then(|| name.to_owned()),
            None => self
                .run(&["symbolic-ref", "--quiet", "--short", "HEAD"])
                .ok(),
        }
    }

    /// The work tree as a tree of git's, made without a trace in the repository: index and objects are elsewhere.
    fn work_tree(&mut self, scratch: &Path) -> Result<String, RunError> {
        let objects = self.run(&[
            "rev-parse",
            "--path-format=absolute",
            "--git-path",
            "objects",
        ])?;
        let (index, own) = (scratch.join("index"), scratch.join("objects"));
        std::fs::create_dir_all(&own).map_err(|error| RunError::io("create", &own, &error))?;
        self.variables = vec![
            ("GIT_INDEX_FILE", index),
            ("GIT_OBJECT_DIRECTORY", own),
            ("GIT_ALTERNATE_OBJECT_DIRECTORIES", objects.into()),
        ];
        self.run(&["read-tree", "HEAD"])?;
        self.run(&["add", "--all"])?;
        self.run(&["write-tree"])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn repository() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("a.txt"), "one").unwrap();
        let git = Git {
            folder: folder.path().to_owned(),
            variables: Vec::new(),
        };
        let identity = ["-c", "user.name=a", "-c", "user.email=a@example.com"];
        for args in [
            &["init", "--quiet", "--initial-branch", "main"][..],
            &["add", "--all"],
            &["commit", "--quiet", "--no-gpg-sign", "--message", "First"],
            &["tag", "v1"],
        ] {
            git.run(&[&identity, args].concat()).unwrap();
        }
        folder
    }

    #[test]
    fn a_commit_a_tag_and_a_work_tree_are_taken() {
        let repository = repository();
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let order = SourceOrder {
            repository: repository.path().to_owned(),
            ..SourceOrder::default()
        };
        let first = order.take(&store, "other").unwrap();
        assert_eq!(first.variables["BranchName"], "main");
        assert_eq!(first.variables["CommitMessage"], "First");
        assert!(!first.variables.contains_key("TagName"));
        assert_eq!(order.take(&store, "other").unwrap(), first);

        let tagged = SourceOrder {
            reference: Some("v1".to_owned()),
            ..order.clone()
        };
        let tagged = tagged.take(&store, "main").unwrap();
        assert_eq!(tagged.variables["TagName"], "v1");
        assert_eq!(tagged.artifact, first.artifact);

        std::fs::write(repository.path().join("b.txt"), "two").unwrap();
        assert_eq!(order.take(&store, "main").unwrap().artifact, first.artifact);
        let dirty = SourceOrder {
            dirty: true,
            ..order.clone()
        };
        assert_ne!(dirty.take(&store, "main").unwrap().artifact, first.artifact);

        let cloned = SourceOrder {
            clone: Some(repository.path().to_string_lossy().into_owned()),
            ..order.clone()
        };
        let cloned = cloned.take(&store, "main").unwrap();
        assert_eq!(cloned.artifact, first.artifact);

        let missing = SourceOrder {
            reference: Some("--upload-pack=x".to_owned()),
            ..order
        };
        let error = missing.take(&store, "main").unwrap_err();
        assert_eq!(
            error.message,
            "`--upload-pack=x` is no commit of the repository"
        );
    }
}
