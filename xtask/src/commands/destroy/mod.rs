mod report;

use std::collections::BTreeMap;

use clap::Args;
use stackway_infra::aws::{
    self, CloudControl, CloudFormation, CodeBuildReports, CodePipeline, DynamoDb, Ecr, Kms, Lambda,
    Logs, S3, SdkConfig, SecretsManager, Ssm, Tagging,
};
use stackway_infra::config::EnvironmentKind;
use stackway_infra::flow::{Destroyed, Destroyer, FlowError, Holdings, Leave};
use stackway_infra::inventory::{Inventory, Owner};
use stackway_infra::stack_def::StackGraph;

use self::report::{Document, Found};
use super::status::graph_failure;
use crate::cli::{EndpointArgs, GlobalArgs};
use crate::cloud::{Cloud, emulator, emulator_failure};
use crate::failure::{Failure, Kind};
use crate::progress::Display;
use crate::settings::{Endpoint, Settings};
use crate::stack_sets;
use crate::ui::Ui;

/// Remove an environment, dependents first, and prove that nothing is left
///
/// Lists everything first: stacks, stack sets with their instances, stacks that pipelines made, and what no stack owns;
/// with what is lost. Then it asks for the environment's name. At the end it looks again, and says what is left, why, and
/// what that costs. What `deploy --env local` started on this machine needs no question, and is stopped at the end.
#[derive(Debug, Args)]
pub(crate) struct DestroyArgs {
    /// Only these stacks, and nothing that no stack owns
    #[arg(long = "stack", value_name = "STACK")]
    stacks: Vec<String>,
    /// Show the plan and change nothing
    #[arg(long)]
    dry_run: bool,
    /// Answer the question with yes; elsewhere than in `local` with --confirm
    #[arg(long, short)]
    yes: bool,
    /// The environment's name, which --yes needs
    #[arg(long, value_name = "NAME", requires = "yes")]
    confirm: Option<String>,
    #[command(flatten)]
    force: ForceArgs,
    #[command(flatten)]
    endpoint: EndpointArgs,
}

/// How far a destroy goes.
#[derive(Debug, Args)]
struct ForceArgs {
    /// Switch the termination protection of stacks, and the deletion protection of tables, off where it is on
    #[arg(long)]
    lift_protection: bool,
    /// Where a stack cannot be deleted for a cause that cannot be removed: delete it, and leave those resources
    #[arg(long)]
    force_delete: bool,
    /// How long keys and secrets that no stack owns wait, so that their deletion can be called off
    #[arg(long, value_name = "DAYS", default_value_t = 30, value_parser = clap::value_parser!(i32).range(7..=30))]
    recovery_days: i32,
}

/// The adapters of everything that an environment holds in a region.
struct Adapters {
    stacks: CloudFormation,
    objects: S3,
    images: Ecr,
    tables: DynamoDb,
    log_groups: Logs,
    report_groups: CodeBuildReports,
    pipelines: CodePipeline,
    keys: Kms,
    parameters: Ssm,
    secrets: SecretsManager,
    functions: Lambda,
    any: CloudControl,
    tagged: Tagging,
}

impl Adapters {
    fn new(config: &SdkConfig) -> Self {
        Self {
            stacks: CloudFormation::new(config),
            objects: S3::new(config),
            images: Ecr::new(config),
            tables: DynamoDb::new(config),
            log_groups: Logs::new(config),
            report_groups: CodeBuildReports::new(config),
            pipelines: CodePipeline::new(config),
            keys: Kms::new(config),
            parameters: Ssm::new(config),
            secrets: SecretsManager::new(config),
            functions: Lambda::new(config),
            any: CloudControl::new(config),
            tagged: Tagging::new(config),
        }
    }

    fn holdings(&self) -> Holdings<'_> {
        Holdings {
            stacks: &self.stacks,
            objects: &self.objects,
            images: &self.images,
            tables: &self.tables,
            log_groups: &self.log_groups,
            report_groups: &self.report_groups,
            pipelines: &self.pipelines,
            keys: &self.keys,
            parameters: &self.parameters,
            secrets: &self.secrets,
            functions: &self.functions,
            any: &self.any,
            tagged: &self.tagged,
        }
    }
}

/// Another region in which the environment's pipelines made stacks.
struct Elsewhere {
    region: String,
    adapters: Adapters,
    /// The stacks' names, each with its pipeline.
    made: BTreeMap<String, String>,
    inventory: Inventory,
}

impl Elsewhere {
    /// Looks into every region that the pipelines of `home` name.
    async fn look(
        destroyer: &Destroyer<'_>,
        cloud: &Cloud,
        home: &Inventory,
    ) -> Result<Vec<Self>, FlowError> {
        let mut all = Vec::new();
        for (region, made) in &home.elsewhere {
            let mut other = Self {
                region: region.clone(),
                adapters: Adapters::new(&aws::in_region(&cloud.config, region)),
                made: made.clone(),
                inventory: Inventory::default(),
            };
            other.inventory = other.there(destroyer).inventory_elsewhere(made).await?;
            all.push(other);
        }
        Ok(all)
    }

    /// The same destroyer, in this region.
    fn there<'a>(&'a self, destroyer: &Destroyer<'a>) -> Destroyer<'a> {
        let mut there = *destroyer;
        there.tools.stacks = &self.adapters.stacks;
        there.control = &self.adapters.stacks;
        there.holdings = self.adapters.holdings();
        there
    }

    fn has_work(&self) -> bool {
        self.inventory.has_work()
    }

    async fn destroy(&self, destroyer: &Destroyer<'_>) -> Result<Destroyed, FlowError> {
        self.there(destroyer)
            .destroy_elsewhere(&self.inventory, &self.made)
            .await
    }
}

pub(crate) async fn run(ui: &Ui, global: &GlobalArgs, args: &DestroyArgs) -> Result<(), Failure> {
    let settings = Settings::resolve(ui, global, &args.endpoint)?;
    let name = settings.environment.name.to_string();
    let is_local = settings.environment.kind == EnvironmentKind::Local;
    confirmed_by_flags(args, &name, is_local)?;
    StackGraph::all()
        .and_then(|all| all.select(&args.stacks, false))
        .map_err(graph_failure)?;
    let Some(cloud) = Cloud::for_reading(&settings).await? else {
        ui.say(format!(
            "nothing is deployed to `{name}`: the emulator does not run"
        ));
        if ui.is_json() {
            let nothing = Found::new(&Inventory::default(), &[], &settings.naming.region);
            ui.json(&Document::plan(&settings, None, nothing));
        }
        return Ok(());
    };
    let adapters = Adapters::new(&cloud.config);
    let owner = Owner::new(&settings.naming, &cloud.account);
    let display = Display::new(ui, "removed");
    let destroyer = Destroyer {
        tools: cloud.tools(&display),
        control: &cloud.stacks,
        holdings: adapters.holdings(),
        owner: &owner,
        leave: Leave {
            lift_protection: args.force.lift_protection,
            force_delete: args.force.force_delete,
            emulator: is_local,
            recovery_days: args.force.recovery_days,
        },
    };
    let failed = |error| Failure::of_flow(error, Kind::Destroy, &name);
    let inventory = destroyer.inventory(&args.stacks).await.map_err(failed)?;
    let elsewhere = Elsewhere::look(&destroyer, &cloud, &inventory)
        .await
        .map_err(failed)?;
    let sets = stack_sets::held(&settings, &cloud, &args.stacks, &inventory.made_sets).await?;
    let region = settings.naming.region.as_str();
    let mut found = Found::new(&inventory, &sets, region);
    for other in &elsewhere {
        found.add(Found::new(&other.inventory, &[], &other.region));
    }
    ui.say(report::plan_text(&settings, &cloud, &found));
    let mut document = Document::plan(&settings, Some(&cloud), found);
    if args.dry_run {
        return finish(ui, &document, None);
    }
    if inventory.has_work() || !sets.is_empty() || elsewhere.iter().any(Elsewhere::has_work) {
        ui.confirm(
            &format!("Remove these from account {}?", cloud.account),
            &name,
            args.yes || cloud.own_emulator,
        )?;
        ui.on_interrupt(
            "CloudFormation goes on with the deletion it has begun",
            format!("`cargo xtask destroy --env {name}` continues"),
        );
        for inventory in elsewhere
            .iter()
            .map(|other| &other.inventory)
            .chain([&inventory])
        {
            destroyer.check_protection(inventory).map_err(failed)?;
        }
        // No pipeline makes anew what goes now.
        destroyer.stop_pipelines(&inventory).await.map_err(failed)?;
        // Before what their stacks took values from, and before their roles.
        stack_sets::remove(ui, &settings, &cloud, &sets, false).await?;
        let clear = |error| {
            display.clear();
            failed(error)
        };
        let mut left_elsewhere = Vec::new();
        for other in &elsewhere {
            let done = other.destroy(&destroyer).await.map_err(clear)?;
            document.removed(&done);
            left_elsewhere.push(Found::new(&done.left, &[], &other.region));
        }
        let done = destroyer
            .destroy(&inventory, &args.stacks)
            .await
            .map_err(clear)?;
        document.removed(&done);
        let made = &inventory.made_sets;
        let sets = stack_sets::standing(&settings, &cloud, &args.stacks, made).await?;
        let mut left = Found::new(&done.left, &sets, region);
        for other in left_elsewhere {
            left.add(other);
        }
        document.is_left(left);
        ui.say(report::proof_text(&document));
    }
    let failure = document.failure(&name);
    finish(ui, &document, failure)?;
    if cloud.own_emulator && args.stacks.is_empty() {
        stop_emulator(ui, &settings).await?;
    }
    Ok(())
}

/// What `--yes` and `--confirm` say together, before anything is asked of anybody.
fn confirmed_by_flags(args: &DestroyArgs, name: &str, is_local: bool) -> Result<(), Failure> {
    let wrong = |message: String| {
        Err(Failure::new(Kind::CommandLine, message).hint(format!(
            "read the plan (`--dry-run`), then run it with `--yes --confirm {name}`"
        )))
    };
    match &args.confirm {
        Some(confirmed) if confirmed != name => wrong(format!(
            "`--confirm {confirmed}` is not the name of the environment, which is `{name}`"
        )),
        None if args.yes && !is_local && !args.dry_run => wrong(format!(
            "`--yes` alone does not remove environment `{name}`"
        )),
        _ => Ok(()),
    }
}

fn finish(ui: &Ui, document: &Document, failure: Option<Failure>) -> Result<(), Failure> {
    if ui.is_json() {
        ui.json(document);
    }
    failure.map_or(Ok(()), Err)
}

async fn stop_emulator(ui: &Ui, settings: &Settings) -> Result<(), Failure> {
    let Endpoint::Own { port } = settings.endpoint else {
        return Ok(());
    };
    if emulator(&settings.project, port)
        .stop()
        .await
        .map_err(emulator_failure)?
    {
        ui.say("stopped the emulator");
    }
    Ok(())
}
