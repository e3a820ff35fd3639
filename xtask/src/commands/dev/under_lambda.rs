//! `dev --lambda`: the API as Lambda would run it, behind a gateway.

use std::convert::Infallible;

use stackway_local_cloud::EmbeddedDynamoDb;

use super::changes::Changes;
use super::{build, welcome};
use crate::failure::Failure;
use crate::interrupt;
use crate::local_api::{Conditions, LocalApi};
use crate::project::Project;
use crate::ui::Ui;

/// Serves until Ctrl-C, then ends what is under way.
pub(super) async fn run(
    ui: &Ui,
    project: &Project,
    conditions: Conditions,
    database: EmbeddedDynamoDb,
    port: u16,
    changes: Changes,
) -> Result<(), Failure> {
    ui.leave_interrupt_to_command();
    let mut api = None;
    let outcome = tokio::select! {
        result = serve(ui, project, &mut api, (conditions, database, port), changes) => match result {
            Ok(never) => match never {},
            Err(failure) => failure,
        },
        () = interrupt::next() => ui.interrupted(),
    };
    if let Some(api) = api {
        api.stop().await;
    }
    Err(outcome)
}

async fn serve(
    ui: &Ui,
    project: &Project,
    api: &mut Option<LocalApi>,
    (conditions, database, port): (Conditions, EmbeddedDynamoDb, u16),
    mut changes: Changes,
) -> Result<Infallible, Failure> {
    let first = loop {
        if let Some(program) = build(ui, project).await {
            break program;
        }
        changes.begin().await;
        changes.settle(ui).await;
    };
    let api = api.insert(LocalApi::start(first, conditions, database, port).await?);
    welcome(ui, &api.url());
    loop {
        tokio::select! {
            () = changes.begin() => changes.settle(ui).await,
            () = api.tell_failures(ui) => {}
        }
        if let Some(program) = build(ui, project).await {
            api.replace(program).await;
            ui.say("the next request meets the new API");
        }
    }
}
