//! Programs from npm packages, by a lock file with the hash of each: installed once, and again when the lock changes.

use std::path::{Path, PathBuf};

use tokio::process::Command;

use crate::failure::Failure;
use crate::process;
use crate::project::Project;
use crate::ui::Ui;

const PACKAGE: &str = include_str!("../node-tools/package.json");
const LOCK: &str = include_str!("../node-tools/package-lock.json");

/// The installed packages.
pub(crate) struct NodeTools {
    folder: PathBuf,
}

impl NodeTools {
    /// Installs what is not there yet; `None` where Node.js or npm is missing.
    pub(crate) async fn install(ui: &Ui, project: &Project) -> Result<Option<Self>, Failure> {
        if !answers("node").await || !answers("npm").await {
            return Ok(None);
        }
        let folder = project.state_dir().join("node-tools");
        let marker = folder.join("installed");
        if std::fs::read_to_string(&marker).is_ok_and(|text| text == LOCK) {
            return Ok(Some(Self { folder }));
        }
        std::fs::create_dir_all(&folder).map_err(|error| Failure::io("create", &folder, &error))?;
        for (name, text) in [("package.json", PACKAGE), ("package-lock.json", LOCK)] {
            write(&folder.join(name), text)?;
        }
        ui.say("installing the linter of workflows");
        let mut command = Command::new("npm");
        // No package runs anything while it is installed.
        command
            .args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"])
            .current_dir(&folder);
        process::run(ui, "install the linter of workflows", &mut command)
            .await
            .map_err(|failure| failure.hint("the first run needs the network"))?;
        write(&marker, LOCK)?;
        Ok(Some(Self { folder }))
    }

    /// A command that runs a package's program with Node.js.
    pub(crate) fn program(&self, path: &str) -> Command {
        let mut command = Command::new("node");
        command.arg(self.folder.join("node_modules").join(path));
        command
    }
}

fn write(path: &Path, text: &str) -> Result<(), Failure> {
    std::fs::write(path, text).map_err(|error| Failure::io("write", path, &error))
}

async fn answers(program: &str) -> bool {
    process::succeeds(Command::new(program).arg("--version")).await
}
