//! Builds a package's binary: with one set of flags, and one environment, for everything that is shipped or measured.

use std::path::{Path, PathBuf};

use tokio::process::Command;

use stackway_infra::stack_def::STACKS;

use super::paths::{Paths, target_dir};
use super::symbols;
use super::target::{Architecture, Compiler, Libc, Target};
use crate::failure::Failure;
use crate::process;
use crate::project::Project;
use crate::ui::Ui;

/// The profile of what is shipped.
pub(crate) const RELEASE: &str = "release";

/// A static executable, and what was stripped from it.
#[derive(Clone, Debug)]
pub(crate) struct Binary {
    /// What is shipped: without symbols.
    pub(crate) path: PathBuf,
    /// The symbols and line numbers of the same build; its build id is the executable's.
    pub(crate) symbols: PathBuf,
    /// Rust's name for what it was built for.
    pub(crate) target: &'static str,
    pub(crate) libc: Libc,
    pub(crate) architecture: Architecture,
}

/// Builds the release of `package` for Lambda, static and stripped, as `cargo xtask package` ships it.
pub(crate) async fn release_binary(
    ui: &Ui,
    project: &Project,
    package: &str,
    libc: Libc,
    architecture: Architecture,
) -> Result<Binary, Failure> {
    let target = Target::resolve(ui, project, architecture, libc).await?;
    Build {
        project,
        package,
        profile: RELEASE,
        target: &target,
        elsewhere: None,
    }
    .run(ui)
    .await
}

/// Builds `package` for a process on this machine: fast to build, and linked as everything here is.
pub(crate) async fn local_binary(
    ui: &Ui,
    project: &Project,
    package: &str,
) -> Result<PathBuf, Failure> {
    let mut command = process::cargo(project.root());
    command.args(["build", "--locked", "--bin", package]);
    command.args(["--profile", "local"]);
    for one in together(project, package) {
        command.args(["--package", one]);
    }
    process::run(ui, &format!("build `{package}`"), &mut command)
        .await
        .map_err(correct)?;
    Ok(target_dir(project).await?.join("local").join(package))
}

/// The packages that cargo is told of to build one of them for this machine. Cargo takes the features of their
/// dependencies together, so that each is compiled once for all, whichever of them is built first.
fn together<'a>(project: &Project, package: &'a str) -> Vec<&'a str> {
    let shipped: Vec<_> = STACKS
        .iter()
        .filter_map(|def| Some((def.package?, *def.code().first()?)))
        // A commit of before may lack one.
        .filter(|(_, folder)| project.path(folder).exists())
        .map(|(name, _)| name)
        .collect();
    if shipped.contains(&package) {
        shipped
    } else {
        vec![package]
    }
}

/// Builds the release of `package` as `cargo build --release` does: for this machine, linked as everything here is.
pub(crate) async fn cargo_release(
    ui: &Ui,
    project: &Project,
    package: &str,
) -> Result<PathBuf, Failure> {
    let mut command = process::cargo(project.root());
    command.args(["build", "--locked", "--package", package, "--bin", package]);
    command.args(["--profile", RELEASE]);
    process::run(ui, &format!("build `{package}`"), &mut command)
        .await
        .map_err(correct)?;
    Ok(target_dir(project).await?.join(RELEASE).join(package))
}

/// One build of one package for one target.
pub(super) struct Build<'a> {
    pub(super) project: &'a Project,
    pub(super) package: &'a str,
    pub(super) profile: &'a str,
    pub(super) target: &'a Target,
    /// Cargo's folders, where they are not the usual ones.
    pub(super) elsewhere: Option<Elsewhere>,
}

/// Cargo's own folders.
pub(super) struct Elsewhere {
    pub(super) cargo_home: PathBuf,
    pub(super) target_dir: PathBuf,
}

impl Build<'_> {
    pub(super) async fn run(&self, ui: &Ui) -> Result<Binary, Failure> {
        let triple = self.target.triple;
        let paths = Paths::find(self.project, triple, |command| self.place(command)).await?;
        let mut command = match self.target.compiler {
            Compiler::Zig => {
                let mut command = Command::new("cargo-zigbuild");
                command.arg("zigbuild").current_dir(self.project.root());
                command
            }
            Compiler::Native | Compiler::Gcc(_) => {
                let mut command = process::cargo(self.project.root());
                command.arg("build");
                command
            }
        };
        command
            .args(["--locked", "--package", self.package, "--bin", self.package])
            .args(["--profile", self.profile, "--target", triple]);
        self.place(&mut command);
        self.set(&mut command, &paths);
        process::run(
            ui,
            &format!("build `{}` for {triple}", self.package),
            &mut command,
        )
        .await
        .map_err(|failure| self.explain(failure))?;

        let folder = paths.target_dir.join(triple).join(self.profile);
        let built = folder.join(self.package);
        // Beside cargo's own files, so that builds in two target folders do not meet.
        let shipped = folder.join("package").join(self.package);
        let symbols = shipped.with_file_name(format!("{}.debug", self.package));
        symbols::split(self.project, &built, &shipped, &symbols).await?;
        Ok(Binary {
            path: shipped,
            symbols,
            target: triple,
            libc: self.target.libc,
            architecture: self.target.architecture,
        })
    }

    fn place(&self, command: &mut Command) {
        if let Some(elsewhere) = &self.elsewhere {
            command
                .env("CARGO_HOME", &elsewhere.cargo_home)
                .env("CARGO_TARGET_DIR", &elsewhere.target_dir);
        }
    }

    /// All that decides on the binary's bytes besides the source, `Cargo.toml` and the compiler.
    fn set(&self, command: &mut Command, paths: &Paths) {
        let underscored = self.target.triple.replace('-', "_");
        let shouted = underscored.to_uppercase();
        let profile = self.profile.to_uppercase();
        command
            .env("CARGO_ENCODED_RUSTFLAGS", rust_flags(paths))
            .env("CARGO_INCREMENTAL", "0")
            // Line numbers for the symbols' file. They are stripped afterwards, so that one build gives both.
            .env(format!("CARGO_PROFILE_{profile}_DEBUG"), "line-tables-only")
            .env(format!("CARGO_PROFILE_{profile}_SPLIT_DEBUGINFO"), "off")
            .env(format!("CARGO_PROFILE_{profile}_STRIP"), "none");
        let c_flags = format!("CFLAGS_{underscored}");
        let given = std::env::var(&c_flags).unwrap_or_default();
        let ours = [&given, &paths.c_flags(), c_flags_for(self.target.libc)].join(" ");
        command
            .env("CC_SHELL_ESCAPED_FLAGS", "1")
            .env(c_flags, ours);
        match self.target.compiler {
            // musl needs no compiler of its own: what C code there is calls nothing of libc's but what both have.
            Compiler::Native => {
                let variable = format!("CC_{underscored}");
                if std::env::var_os(&variable).is_none() {
                    command.env(variable, "cc");
                }
            }
            Compiler::Gcc(gcc) => {
                command
                    .env(format!("CC_{underscored}"), gcc)
                    .env(format!("CARGO_TARGET_{shouted}_LINKER"), gcc);
            }
            Compiler::Zig => {}
        }
    }

    fn explain(&self, failure: Failure) -> Failure {
        let said = |words: &[&str]| {
            failure
                .causes
                .iter()
                .any(|cause| words.iter().any(|word| cause.contains(word)))
        };
        if self.target.libc == Libc::Glibc
            && said(&["cannot find -lc", "unable to find library -lc"])
        {
            return failure.hint(
                "install glibc's static libraries (Fedora: `glibc-static`; Debian's `libc6-dev` has them), \
                 or link musl: `--libc musl`",
            );
        }
        if self.target.compiler == Compiler::Native
            && said(&["failed to find tool", "linker `cc` not found"])
        {
            return failure.hint("install a C compiler, such as Debian's `gcc` and `libc6-dev`");
        }
        correct(failure)
    }
}

fn correct(failure: Failure) -> Failure {
    failure.hint("correct the code, then run the same command again; nothing was deployed")
}

/// The caller's flags, then those of every package.
///
/// Static and at a fixed address: nothing is loaded or relocated at the start. The build id ties the executable to its
/// symbols.
fn rust_flags(paths: &Paths) -> String {
    const SEPARATOR: &str = "\x1f";
    let variable = |name| std::env::var(name).ok().filter(|flags| !flags.is_empty());
    let given = variable("CARGO_ENCODED_RUSTFLAGS").or_else(|| {
        variable("RUSTFLAGS")
            .map(|flags| flags.split_whitespace().collect::<Vec<_>>().join(SEPARATOR))
    });
    let ours = [
        "-Ctarget-feature=+crt-static",
        "-Crelocation-model=static",
        "-Clink-arg=-Wl,--build-id=sha1",
    ];
    given
        .into_iter()
        .chain(ours.map(str::to_owned))
        .chain(paths.rust_flags())
        .collect::<Vec<_>>()
        .join(SEPARATOR)
}

/// The checked calls that some distributions' compilers make by themselves are glibc's alone.
fn c_flags_for(libc: Libc) -> &'static str {
    match libc {
        Libc::Musl => "-U_FORTIFY_SOURCE",
        Libc::Glibc | Libc::Auto => "",
    }
}

/// Whether the caller adds flags of their own, which the bytes then depend on.
pub(crate) fn has_flags_of_the_caller() -> bool {
    ["CARGO_ENCODED_RUSTFLAGS", "RUSTFLAGS", "CFLAGS"]
        .iter()
        .any(|name| std::env::var_os(name).is_some_and(|flags| !flags.is_empty()))
}

/// Where `from` is copied to by a rename at the end, so that nobody sees half of it.
pub(super) fn sibling(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}", std::process::id()));
    path.with_file_name(name)
}
