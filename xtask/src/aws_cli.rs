//! The AWS CLI, which benchmarks measure beside what this project does itself.

use stackway_local_cloud::{PythonTools, Requirements};

use crate::cloud::emulator_failure;
use crate::failure::Failure;
use crate::project::Project;
use crate::ui::Ui;

/// Installs it in a virtual environment of its own; its program is `aws`.
pub(crate) async fn install(ui: &Ui, project: &Project) -> Result<PythonTools, Failure> {
    let requirements = Requirements {
        name: "the AWS CLI",
        text: include_str!("../aws-cli-requirements.txt"),
    };
    let tools = PythonTools::new(project.state_dir().join("aws-cli"), requirements);
    tools
        .install(&|text: &str| ui.say(text))
        .await
        .map_err(emulator_failure)?;
    Ok(tools)
}
