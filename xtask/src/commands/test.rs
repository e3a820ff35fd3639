use clap::Args;

use crate::failure::Failure;
use crate::ui::Ui;

/// Run the checks
#[derive(Debug, Args)]
pub(crate) struct TestArgs {}

pub(crate) async fn run(_ui: &Ui, _args: &TestArgs) -> Result<(), Failure> {
    Ok(())
}
