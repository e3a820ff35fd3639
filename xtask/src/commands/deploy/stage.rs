//! The phases of a deploy, one after another.

use std::collections::{BTreeMap, BTreeSet};

use stackway_infra::flow::roll_out::{RolledOut, Unwanted};
use stackway_infra::flow::{
    AllowReplace, Deployed, Deployer, FlowError, Outputs, Remedies, StackInputs, Stop,
};
use stackway_infra::stack_def::StackGraph;

use super::remedies;
use crate::cloud::{Cloud, emulator};
use crate::deploy_plan::DeployPlan;
use crate::diagnosis;
use crate::failure::{Failure, Kind};
use crate::package::Package;
use crate::progress::Display;
use crate::settings::{Endpoint, Settings};
use crate::stack_sets::{self, Phase, Wanted};
use crate::ui::Ui;

/// What all stacks of a deploy are deployed with.
pub(super) struct Stage<'a> {
    pub(super) ui: &'a Ui,
    /// Whether a person may agree to what gets a stack out of a bad status.
    pub(super) asks: bool,
    pub(super) settings: &'a Settings,
    pub(super) cloud: &'a Cloud,
    pub(super) plan: &'a DeployPlan,
    pub(super) packages: &'a BTreeMap<&'static str, Package>,
    pub(super) wanted: Wanted<'a>,
    /// What stands of a stack that is left to a pipeline.
    pub(super) delivered: Outputs,
    pub(super) allow_replace: &'a AllowReplace,
    pub(super) stop: Stop,
}

/// What a deploy did.
#[derive(Default)]
pub(super) struct Done {
    pub(super) deployed: Vec<Deployed>,
    /// The sets, each as often as it had a phase.
    pub(super) rolled_out: Vec<(&'static str, RolledOut)>,
}

impl Stage<'_> {
    /// Goes through the phases; the first that fails ends it.
    pub(super) async fn perform(
        &self,
        phases: Vec<Phase>,
        remedies: &mut Remedies,
    ) -> Result<Done, Failure> {
        let ui = self.ui;
        let name = &self.settings.environment.name;
        let mut known = stack_sets::outputs_here(self.settings, &self.cloud.account);
        known.extend(self.delivered.clone());
        let mut all = Done::default();
        // Sets with instances that leave once nothing needs what is in them.
        let mut leaving = BTreeSet::new();
        for phase in phases {
            match phase {
                Phase::Stacks { graph, own, why } => {
                    ui.on_interrupt(
                        "CloudFormation goes on with the operations it has begun, and undoes those that fail or were cancelled",
                        format!("`cargo xtask deploy --env {name}` continues"),
                    );
                    if let Some(why) = why {
                        ui.say(why);
                    }
                    let inputs = (self.plan).inputs(self.packages, self.cloud, known.clone());
                    let stands = self.deploy(&graph, &inputs.with(own), remedies).await?;
                    known.extend(
                        stands
                            .iter()
                            .map(|stands| (stands.name, stands.stack.outputs.clone())),
                    );
                    all.deployed.extend(stands);
                }
                Phase::Sets { mut sets, unwanted } => {
                    if unwanted == Unwanted::Go {
                        sets.retain(|def| leaving.contains(def.name));
                    }
                    ui.on_interrupt(
                        "CloudFormation goes on with the stack set's operation",
                        format!("`cargo xtask stack-set stop --env {name}` stops it; the next deploy goes on from what stands"),
                    );
                    let done = tokio::select! {
                        done = self.wanted.roll_out(ui, &sets, &known, unwanted) => done?,
                        () = self.stop.clone() => return Err(ui.interrupted()),
                    };
                    let kept = done.iter().filter(|(_, done)| done.kept > 0);
                    leaving.extend(kept.map(|(name, _)| *name));
                    all.rolled_out.extend(done);
                }
            }
        }
        Ok(all)
    }

    /// Deploys stacks, and again with each remedy that a person agrees to.
    async fn deploy(
        &self,
        graph: &StackGraph,
        inputs: &dyn StackInputs,
        remedies: &mut Remedies,
    ) -> Result<Vec<Deployed>, Failure> {
        let Self {
            ui,
            settings,
            cloud,
            ..
        } = self;
        loop {
            let display = Display::new(ui, "deployed");
            let result = Deployer {
                tools: cloud.tools(&display),
                control: &cloud.stacks,
                inputs,
                allow_replace: self.allow_replace,
                remedies,
                protect: settings.environment.protect,
                stop: self.stop.clone(),
            }
            .deploy(graph)
            .await;
            display.clear();
            let error = match result {
                Ok(stands) => return Ok(stands),
                Err(error) => error,
            };
            let failure = explain(
                error.clone(),
                settings.environment.name.as_str(),
                cloud,
                settings,
            );
            let failure = diagnosis::explain(failure, &error, cloud).await;
            if !self.asks || !remedies::agreed(ui, &failure, &error, remedies)? {
                return Err(failure);
            }
        }
    }
}

/// A failed deploy; an emulator of ours that died says where its log is.
fn explain(error: FlowError, name: &str, cloud: &Cloud, settings: &Settings) -> Failure {
    let failure = Failure::of_flow(error, Kind::Deploy, name);
    match settings.endpoint {
        Endpoint::Own { port } if cloud.own_emulator && failure.kind == Kind::Unreachable => {
            let log = emulator(&settings.project, port).log_path();
            Failure::new(
                Kind::Emulator,
                "the emulator stopped answering in the middle of the deploy",
            )
            .cause(format!("its log is {}", log.display()))
            .hint(format!(
                "`cargo xtask deploy --env {name}` starts it again; what it held is gone with it"
            ))
        }
        _ => failure,
    }
}
