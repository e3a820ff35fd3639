//! A small program built twice, as a package is: in two folders, with all that follows from it.

use std::path::{Path, PathBuf};
use std::process::Command;

use object::{Object as _, ObjectSymbol as _};

use super::artifacts::{Artifacts, Recipe};
use super::build::{Build, Elsewhere, RELEASE};
use super::image::Labels;
use super::paths::cargo_home;
use super::symbols;
use super::target::{Architecture, Libc, Target};
use super::zip::Effort;
use crate::cli::{ColorWhen, Format, GlobalArgs};
use crate::project::Project;
use crate::ui::Ui;

const MANIFEST: &str = r#"
[package]
name = "app"
version = "0.0.0"
edition = "2024"

[workspace]

[profile.release]
codegen-units = 1
"#;

const LOCK: &str = "version = 4\n\n[[package]]\nname = \"app\"\nversion = \"0.0.0\"\n";

/// The location is in the executable, as it is wherever a program may panic; the call is in the symbols alone.
const PROGRAM: &str = r#"
fn main() {
    println!("{}", marker().file());
}

#[inline(never)]
#[unsafe(no_mangle)]
fn marker() -> &'static std::panic::Location<'static> {
    std::hint::black_box(std::panic::Location::caller())
}
"#;

/// The line of `fn marker` in the program.
const MARKER_LINE: u32 = 8;

fn ui() -> Ui {
    Ui::new(&GlobalArgs {
        env: "local".to_owned(),
        format: Format::Text,
        color: ColorWhen::Never,
        quiet: true,
        verbose: false,
    })
}

/// musl where it is installed, as a package has it.
async fn target(project: &Project) -> Target {
    let host = Architecture::host();
    match Target::resolve(&ui(), project, host, Libc::Musl).await {
        Ok(target) => target,
        Err(_) => Target::resolve(&ui(), project, host, Libc::Glibc)
            .await
            .unwrap(),
    }
}

async fn package(folder: &Path) -> (Artifacts, PathBuf) {
    std::fs::create_dir_all(folder.join("source/src")).unwrap();
    for (name, contents) in [
        ("Cargo.toml", MANIFEST),
        ("Cargo.lock", LOCK),
        ("src/main.rs", PROGRAM),
    ] {
        std::fs::write(folder.join("source").join(name), contents).unwrap();
    }
    let project = Project::at(folder.join("source"));
    let target = target(&project).await;
    let build = Build {
        project: &project,
        package: "app",
        profile: RELEASE,
        target: &target,
        elsewhere: Some(Elsewhere {
            cargo_home: cargo_home().unwrap(),
            target_dir: folder.join("out"),
        }),
    };
    let labels = Labels::new();
    let recipe = Recipe {
        effort: Effort::Best,
        labels: Some(&labels),
    };
    let made = Artifacts::make(&ui(), &build, &recipe, &folder.join("package")).await;
    let (artifacts, binary) = made.unwrap_or_else(|failure| panic!("{failure:?}"));
    (artifacts, binary.path)
}

#[tokio::test]
async fn two_folders_make_the_same_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let (one, executable) = package(&folder.path().join("one")).await;
    let (other, _) = package(&folder.path().join("another with a longer name")).await;
    for (one, other) in one.files().zip(other.files()) {
        assert_eq!(one.sha256, other.sha256, "{}", one.path.display());
    }
    assert_eq!(one.build_id, other.build_id);

    // No folder of this machine is in what is handed on.
    for file in [&executable, &one.symbols.path] {
        let bytes = std::fs::read(file).unwrap();
        let text = String::from_utf8_lossy(&bytes);
        let home = cargo_home().unwrap();
        for path in [folder.path(), home.as_path()] {
            let path = path.to_str().unwrap();
            assert!(!text.contains(path), "{} names {path}", file.display());
        }
    }

    // It is whole by itself, and runs.
    let shipped = std::fs::read(&executable).unwrap();
    let elf = object::File::parse(shipped.as_slice()).unwrap();
    assert_eq!(elf.kind(), object::ObjectKind::Executable);
    assert_eq!(elf.symbols().count(), 0);
    assert!(
        elf.section_by_name(".interp").is_none(),
        "it wants a loader"
    );
    let ran = Command::new(&executable).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&ran.stdout).trim(), "src/main.rs");

    // An address of it is found in its symbols.
    assert_eq!(symbols::build_id(&shipped), Some(one.build_id));
    let kept = std::fs::read(&one.symbols.path).unwrap();
    let kept = object::File::parse(kept.as_slice()).unwrap();
    let marker = kept
        .symbols()
        .find(|symbol| symbol.name() == Ok("marker"))
        .unwrap();
    let loader = addr2line::Loader::new(&one.symbols.path).unwrap();
    // What is inlined there comes first, the function itself last.
    let mut frames = loader.find_frames(marker.address()).unwrap();
    let mut place = None;
    while let Some(frame) = frames.next().unwrap() {
        place = frame.location;
    }
    let place = place.unwrap();
    assert_eq!(place.file, Some("/source/src/main.rs"));
    assert!(place.line.is_some_and(|line| line >= MARKER_LINE));
}
