//! Programs from npm packages, by a lock file with the hash of each: installed once, and again when the lock changes.

use std::path::{Path, PathBuf};

use tokio::process::Command;

use crate::failure::Failure;
use crate::process;
use crate::project::Project;
use crate::ui::Ui;

/// Packages that are installed together.
pub(crate) struct NodePackages {
    /// Their folder under `target/stackway`.
    pub(crate) folder: &'static str,
    /// What they are, for a person.
    pub(crate) what: &'static str,
    /// package.json.
    pub(crate) package: &'static str,
    /// package-lock.json.
    pub(crate) lock: &'static str,
}

/// The linter of workflows.
pub(crate) const LINTER: NodePackages = NodePackages {
    folder: "node-tools",
    what: "the linter of workflows",
    package: include_str!("../node-tools/package.json"),
    lock: include_str!("../node-tools/package-lock.json"),
};

/// The CDK, as the example app pins it.
pub(crate) const CDK: NodePackages = NodePackages {
    folder: "cdk",
    what: "the CDK",
    package: include_str!("../../examples/cdk/package.json"),
    lock: include_str!("../../examples/cdk/package-lock.json"),
};

/// The installed packages.
pub(crate) struct NodeTools {
    folder: PathBuf,
}

impl NodeTools {
    /// Installs what is not there yet; `None` where Node.js or npm is missing.
    pub(crate) async fn install(
        ui: &Ui,
        project: &Project,
        packages: &NodePackages,
    ) -> Result<Option<Self>, Failure> {
        if !answers("node").await || !answers("npm").await {
            return Ok(None);
        }
        let folder = project.state_dir().join(packages.folder);
        let marker = folder.join("installed");
        if std::fs::read_to_string(&marker).is_ok_and(|text| text == packages.lock) {
            return Ok(Some(Self { folder }));
        }
        std::fs::create_dir_all(&folder).map_err(|error| Failure::io("create", &folder, &error))?;
        for (name, text) in [
            ("package.json", packages.package),
            ("package-lock.json", packages.lock),
        ] {
            write(&folder.join(name), text)?;
        }
        let install = format!("install {}", packages.what);
        ui.say(install.replacen("install", "installing", 1));
        let mut command = Command::new("npm");
        // No package runs anything while it is installed.
        command
            .args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"])
            .current_dir(&folder);
        process::run(ui, &install, &mut command)
            .await
            .map_err(|failure| failure.hint("the first run needs the network"))?;
        write(&marker, packages.lock)?;
        Ok(Some(Self { folder }))
    }

    /// Where the packages are.
    pub(crate) fn modules(&self) -> PathBuf {
        self.folder.join("node_modules")
    }

    /// A folder beside them, for what their programs write.
    pub(crate) fn output(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// A command that runs a package's program with Node.js.
    pub(crate) fn program(&self, path: &str) -> Command {
        let mut command = Command::new("node");
        command.arg(self.modules().join(path));
        command
    }
}

fn write(path: &Path, text: &str) -> Result<(), Failure> {
    std::fs::write(path, text).map_err(|error| Failure::io("write", path, &error))
}

async fn answers(program: &str) -> bool {
    process::succeeds(Command::new(program).arg("--version")).await
}
