use std::time::Duration;

use clap::Args;
use stackway_infra::config::EnvironmentKind;
use stackway_infra::flow::{AllowReplace, Deployer, Planner, Remedies};
use stackway_infra::stack_def::{STACKS, StackDef, StackGraph, VERIFICATION};
use stackway_pipeline_defs::pipelines::STACK;
use stackway_pipeline_runner::artifact::Store;
use stackway_pipeline_runner::engine::{Approval, Order, Outcome, Runner, back_to};
use stackway_pipeline_runner::{Executions, SourceOrder};

use super::act::{RollbackArgs, agreed, pair};
use super::picture;
use crate::cloud::Cloud;
use crate::commands::deploy;
use crate::commands::outputs::{self, AllOutputs};
use crate::commands::status::graph_failure;
use crate::delivery;
use crate::deploy_plan::DeployPlan;
use crate::failure::{Failure, Kind};
use crate::pipeline_here::{self, Here, Screen, warm};
use crate::progress::Display;
use crate::settings::Settings;
use crate::ui::{BOLD, Ui};

/// See [`super::PipelineCommand::Run`].
#[derive(Debug, Args)]
pub(super) struct RunArgs {
    /// The pipeline: `application` or `deployment`
    #[arg(value_name = "NAME")]
    name: String,
    /// The branch, tag or commit to take [default: what is checked out]
    #[arg(long = "ref", value_name = "REF")]
    reference: Option<String>,
    /// An address to clone in place of this repository
    #[arg(long, value_name = "URL")]
    clone: Option<String>,
    /// With what the work tree has beyond the commit
    #[arg(long, conflicts_with_all = ["reference", "clone"])]
    dirty: bool,
    /// A variable of the pipeline
    #[arg(long = "var", value_name = "NAME=VALUE", value_parser = pair)]
    variables: Vec<(String, String)>,
    /// The first stage to run; what earlier ones made is taken from their last execution here
    #[arg(long, value_name = "STAGE")]
    from: Option<String>,
    /// The last stage to run
    #[arg(long, value_name = "STAGE")]
    until: Option<String>,
    /// Let an action fail without running it, to rehearse what follows
    #[arg(long, value_name = "STAGE/ACTION")]
    fail: Vec<String>,
    /// The execution's id, promised by `pipeline start`
    #[arg(long, hide = true, value_name = "ID")]
    id: Option<String>,
    /// In an environment on AWS: deploy to its account without a question
    #[arg(long, short)]
    yes: bool,
    #[command(flatten)]
    run: RunOptions,
}

/// What a new run and a retry are told alike.
#[derive(Clone, Debug, Args)]
pub(super) struct RunOptions {
    /// Approve everything that waits for a person
    #[arg(long)]
    pub(super) approve: bool,
    /// Reject everything that waits for a person
    #[arg(long, conflicts_with = "approve")]
    pub(super) reject: bool,
    /// Minutes after which a build is given up [default: 60]
    #[arg(long, value_name = "MINUTES", value_parser = clap::value_parser!(u16).range(1..))]
    pub(super) timeout: Option<u16>,
    /// Build no image, though a Docker engine answers: the zip alone
    #[arg(long)]
    pub(super) no_docker: bool,
    /// Take a rule of a condition as held, without looking at it
    #[arg(long = "skip-rule", value_name = "STAGE/RULE")]
    pub(super) skip_rules: Vec<String>,
}

impl RunOptions {
    fn approval(&self) -> Approval {
        match (self.approve, self.reject) {
            (true, _) => Approval::Approve,
            (_, true) => Approval::Reject,
            _ => Approval::Ask,
        }
    }
}

pub(super) async fn run(ui: &Ui, settings: &Settings, args: &RunArgs) -> Result<(), Failure> {
    let order = Order {
        pipeline: args.name.clone(),
        source: SourceOrder {
            repository: settings.project.root().to_owned(),
            clone: args.clone.clone(),
            reference: args.reference.clone(),
            dirty: args.dirty,
        },
        variables: args.variables.iter().cloned().collect(),
        from: args.from.clone(),
        until: args.until.clone(),
        fail: args.fail.clone(),
        approval: args.run.approval(),
        timeout: args.run.timeout.map(minutes),
        id: args.id.clone(),
        skip_rules: args.run.skip_rules.clone(),
        ..Order::default()
    };
    let means = Means {
        docker: !args.run.no_docker,
        is_agreed: args.yes,
    };
    start(ui, settings, order, Begin::Anew, means).await
}

/// Goes on with an execution that failed.
pub(super) async fn retry(
    ui: &Ui,
    settings: &Settings,
    name: &str,
    id: Option<&str>,
    options: &RunOptions,
) -> Result<(), Failure> {
    let order = Order {
        pipeline: name.to_owned(),
        source: SourceOrder {
            repository: settings.project.root().to_owned(),
            ..SourceOrder::default()
        },
        approval: options.approval(),
        timeout: options.timeout.map(minutes),
        skip_rules: options.skip_rules.clone(),
        ..Order::default()
    };
    let means = Means {
        docker: !options.no_docker,
        is_agreed: false,
    };
    start(ui, settings, order, Begin::Again(id), means).await
}

/// Runs a stage with what an earlier execution had.
pub(super) async fn roll_back(
    ui: &Ui,
    settings: &Settings,
    executions: &Executions,
    args: &RollbackArgs,
) -> Result<(), Failure> {
    let order = Order {
        pipeline: args.name.clone(),
        ..Order::default()
    };
    // What is wrong is said before anybody is asked, and before anything is brought up.
    let pipelines = pipeline_here::pipelines()?;
    let environment = settings.environment.name.to_string();
    let target = back_to(
        &pipelines,
        executions,
        &environment,
        &order.pipeline,
        &args.stage,
        args.to.as_deref(),
    )
    .map_err(pipeline_here::failure_of)?;
    let what = format!(
        "run stage `{}` of `{}` with what execution {} brought",
        args.stage, args.name, target.id
    );
    if !agreed(ui, &what, &args.name, args.consent)? {
        return Ok(());
    }
    let begin = Begin::Back {
        stage: &args.stage,
        to: &target.id,
    };
    let means = Means {
        docker: true,
        is_agreed: false,
    };
    start(ui, settings, order, begin, means).await
}

fn minutes(minutes: u16) -> Duration {
    Duration::from_secs(u64::from(minutes) * 60)
}

/// What a run may use.
#[derive(Clone, Copy)]
struct Means {
    /// A Docker engine.
    docker: bool,
    /// An account at AWS, without a question.
    is_agreed: bool,
}

/// What a run begins with.
enum Begin<'a> {
    Anew,
    /// The execution of this id, or the newest.
    Again(Option<&'a str>),
    /// A stage of an earlier execution.
    Back {
        stage: &'a str,
        to: &'a str,
    },
}

/// Runs the order, or the execution that it goes on with.
async fn start(
    ui: &Ui,
    settings: &Settings,
    order: Order,
    begin: Begin<'_>,
    means: Means,
) -> Result<(), Failure> {
    let pipelines = pipeline_here::pipelines()?;
    let root = pipeline_here::folder(settings);
    let store = Store::open(&root.join("artifacts")).map_err(pipeline_here::failure_of)?;
    // On AWS this holds the account of the credentials against stackway.toml, before anything else.
    let cloud = Cloud::for_writing(ui, settings).await?;
    let outputs = match settings.environment.kind {
        EnvironmentKind::Local => ground(ui, settings, &cloud).await?,
        EnvironmentKind::Aws => {
            agree(ui, settings, &cloud, &order.pipeline, means.is_agreed)?;
            outputs::of(&cloud, settings, &StackGraph::all().map_err(graph_failure)?).await?
        }
    };
    let here = Here {
        ui,
        settings,
        site: pipeline_here::site_of(settings, &cloud)?,
        outputs,
        cloud: &cloud,
        docker: means.docker,
    };
    let executions = Executions::new(&root);
    let name = order.pipeline.clone();
    warm(ui, &settings.project, &executions, &pipelines, &name).await?;
    ui.on_interrupt(
        "the execution is kept as it stands, and its commands are ended",
        format!("`cargo xtask pipeline retry {name}` goes on from the stage that it came to"),
    );
    let screen = Screen { ui };
    let runner = Runner {
        pipelines: &pipelines,
        cloud: &here,
        watcher: &screen,
        executions,
        store,
        machine: pipeline_here::variables(),
        environment: settings.environment.name.to_string(),
    };
    let outcome = match begin {
        Begin::Anew => runner.run(order).await,
        Begin::Again(id) => runner.retry(order, id).await,
        Begin::Back { stage, to } => runner.roll_back(order, stage, Some(to)).await,
    }
    .map_err(pipeline_here::failure_of)?;
    tell(ui, outcome)
}

/// On AWS: says where a run writes, and asks.
fn agree(
    ui: &Ui,
    settings: &Settings,
    cloud: &Cloud,
    pipeline: &str,
    is_agreed: bool,
) -> Result<(), Failure> {
    ui.say(format!(
        "account {} ({}), region {}{}",
        cloud.account,
        cloud.caller_arn,
        settings.naming.region,
        cloud
            .endpoint_url
            .as_ref()
            .map(|url| format!(", at {url}"))
            .unwrap_or_default()
    ));
    ui.confirm(
        &format!(
            "Run `{pipeline}` on this machine, and let its actions deploy to account {}?",
            cloud.account
        ),
        settings.environment.name.as_str(),
        is_agreed,
    )
}

/// The stacks that a run stands on: what the API needs, and what verifies its release.
async fn ground(ui: &Ui, settings: &Settings, cloud: &Cloud) -> Result<AllOutputs, Failure> {
    let delivered = STACKS.iter().filter(|def| def.name == STACK);
    let needed = delivered.flat_map(StackDef::needed_stacks);
    let names: Vec<_> = needed.chain([VERIFICATION]).map(str::to_owned).collect();
    let selection = delivery::select(ui, settings, &names)?;
    let plan = DeployPlan::new(settings, &selection.graph)?;
    let packages = deploy::packages(ui, settings, &plan).await?;
    let display = Display::new(ui, "deployed");
    let inputs = plan.inputs(&packages, cloud, std::collections::BTreeMap::new());
    let deployed = Deployer {
        tools: cloud.tools(&display),
        control: &cloud.stacks,
        inputs: &inputs,
        allow_replace: &AllowReplace::default(),
        remedies: &Remedies::default(),
        protect: settings.environment.protect,
        stop: Planner::stop_at(std::future::pending()),
    }
    .deploy(&selection.graph)
    .await;
    display.clear();
    let name = settings.environment.name.to_string();
    let deployed = deployed.map_err(|error| Failure::of_flow(error, Kind::Deploy, &name))?;
    Ok(deployed
        .iter()
        .map(|deployed| (deployed.name, cloud.outputs(&deployed.stack)))
        .collect())
}

fn tell(ui: &Ui, outcome: Outcome) -> Result<(), Failure> {
    let pictures: Vec<_> = outcome
        .executions
        .iter()
        .map(pipeline_here::picture)
        .collect();
    if ui.is_json() {
        ui.json(&pictures.iter().map(picture::json).collect::<Vec<_>>());
    } else {
        for one in &pictures {
            ui.data(picture::text(one));
        }
    }
    if let Some(error) = outcome.failure {
        return Err(pipeline_here::failure_of(error));
    }
    let url = outcome
        .executions
        .iter()
        .flat_map(|execution| &execution.stages)
        .flat_map(|stage| &stage.actions)
        .filter_map(|action| action.variables.get("ApiUrl"))
        .next_back();
    if let Some(url) = url {
        ui.say(format!("\n{BOLD}{url}{BOLD:#} answers: `curl {url}/`"));
    }
    Ok(())
}
