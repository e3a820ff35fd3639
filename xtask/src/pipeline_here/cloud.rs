//! What actions reach: stacks by the project's own deploy code, packages in the artifact bucket.

use std::collections::BTreeMap;
use std::path::Path;

use async_trait::async_trait;
use stackway_infra::cloud::Objects as _;
use stackway_infra::config::EnvironmentKind;
use stackway_infra::flow::{
    AllowReplace, Deployer, FlowError, Observer, Planner, Progress, Remedies, StackInput,
    StackInputs,
};
use stackway_infra::stack_def::{ARTIFACTS, STACKS, StackDef, StackGraph};
use stackway_infra::template::Template;
use stackway_pipeline_defs::model::Resource;
use stackway_pipeline_defs::pipelines::STACK;
use stackway_pipeline_defs::render::Site;
use stackway_pipeline_runner::{
    Cloud as RunnerCloud, ErrorKind, ImageOrder, Log, RunError, StackOrder,
};

use super::error_of;
use crate::cloud::Cloud;
use crate::commands::outputs::AllOutputs;
use crate::failure::{Failure, Kind};
use crate::package::{self, Architecture, Host};
use crate::project::Project;
use crate::settings::Settings;
use crate::ui::Ui;

/// The environment that a run deploys to, and the stacks that stand there already.
pub(crate) struct Here<'a> {
    pub(crate) ui: &'a Ui,
    pub(crate) settings: &'a Settings,
    pub(crate) cloud: &'a Cloud,
    pub(crate) site: Site,
    pub(crate) outputs: AllOutputs,
}

impl Here<'_> {
    fn output(&self, stack: &str, name: &str) -> Result<String, RunError> {
        let found = self.outputs.get(stack).and_then(|all| all.get(name));
        found.cloned().ok_or_else(|| {
            RunError::new(
                ErrorKind::Cloud,
                format!("stack `{stack}` has no output `{name}`: it is not deployed"),
            )
            .hint(format!(
                "run `cargo xtask deploy --env {} --stack {stack}`",
                self.settings.environment.name
            ))
        })
    }

    fn bucket(&self) -> Result<String, RunError> {
        self.output(ARTIFACTS.0, ARTIFACTS.1)
    }

    /// An image that `publish` made is a zip in truth: the stack gets that.
    async fn code(
        &self,
        parameters: &mut BTreeMap<String, String>,
        log: &Log<'_>,
    ) -> Result<(), RunError> {
        let Some(digest) = parameters
            .get("ImageUri")
            .and_then(|uri| uri.split_once("@sha256:"))
            .map(|(_, digest)| digest.to_owned())
        else {
            return Ok(());
        };
        let (bucket, key) = (self.bucket()?, key(&digest));
        let refused = |error| error_of(Failure::from(error));
        let exists = self.cloud.objects.object_exists(&bucket, &key).await;
        if !exists.map_err(refused)? {
            return Ok(());
        }
        log.line(&format!("the image is the zip s3://{bucket}/{key}"))?;
        parameters.remove("ImageUri");
        for (name, value) in [
            ("PackageType", "Zip".to_owned()),
            ("CodeS3Bucket", bucket),
            ("CodeS3Key", key),
            ("Architecture", Architecture::host().as_str().to_owned()),
        ] {
            parameters.insert(name.to_owned(), value);
        }
        Ok(())
    }
}

/// Where the package of these contents is in the artifact bucket; `deploy` calls it the same.
fn key(sha256: &str) -> String {
    format!("{STACK}/{sha256}.zip")
}

#[async_trait]
impl RunnerCloud for Here<'_> {
    fn value(&self, resource: Resource) -> Result<String, RunError> {
        match resource {
            Resource::ArtifactBucket => self.bucket(),
            Resource::ImageRepository => self.output(ARTIFACTS.0, "RepositoryName"),
            Resource::ImageRepositoryUri => self.output(ARTIFACTS.0, "RepositoryUri"),
            Resource::TableName => self.output("table", "TableName"),
            Resource::TableArn => self.output("table", "TableArn"),
            other => Ok(self.site.value(other)),
        }
    }

    fn environment(&self) -> BTreeMap<String, String> {
        let region = self.settings.naming.region.clone();
        let mut all = vec![
            ("AWS_REGION", region.clone()),
            ("AWS_DEFAULT_REGION", region),
        ];
        if let Some(url) = &self.cloud.endpoint_url
            && self.settings.environment.kind == EnvironmentKind::Local
        {
            all.extend([
                ("AWS_ENDPOINT_URL", url.clone()),
                ("AWS_ACCESS_KEY_ID", self.cloud.account.clone()),
                ("AWS_SECRET_ACCESS_KEY", "local".to_owned()),
            ]);
        }
        all.into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect()
    }

    async fn deploy(
        &self,
        order: &StackOrder,
        log: &Log<'_>,
    ) -> Result<BTreeMap<String, String>, RunError> {
        if order.mode != "CREATE_UPDATE" {
            return Err(RunError::new(
                ErrorKind::Definition,
                format!("action mode `{}` is not carried out here", order.mode),
            )
            .hint("CREATE_UPDATE is; `cargo xtask destroy` removes a stack"));
        }
        let path = Path::new("template of the artifact");
        let template = Template::parse(&order.template, path).map_err(|error| {
            RunError::new(ErrorKind::Definition, "the template does not parse")
                .cause(error.to_string())
        })?;
        let faults = template.check();
        if !faults.is_empty() {
            let refused = RunError::new(
                ErrorKind::Definition,
                "the template is not one that CloudFormation would take",
            );
            let faults = faults.iter().map(ToString::to_string);
            return Err(faults.fold(refused, RunError::cause));
        }
        let mut parameters = order.parameters.clone();
        self.code(&mut parameters, log).await?;
        let one = OneStack {
            input: StackInput {
                stack_name: order.stack.clone(),
                template_body: order.template.clone(),
                parameters,
                tags: order.tags.clone(),
                capabilities: order.capabilities.clone(),
            },
            template,
        };
        let def = StackDef {
            name: STACK,
            summary: "what a pipeline deploys",
            needs: &[],
            package: None,
            outputs: &[],
        };
        let graph = StackGraph::new(&[def])
            .map_err(|error| RunError::new(ErrorKind::Definition, error.to_string()))?;
        let lines = Lines(log);
        let deployed = Deployer {
            tools: self.cloud.tools(&lines),
            control: &self.cloud.stacks,
            inputs: &one,
            allow_replace: &AllowReplace::default(),
            remedies: &Remedies::default(),
            protect: self.settings.environment.protect,
            stop: Planner::stop_at(std::future::pending()),
        }
        .deploy(&graph)
        .await
        .map_err(|error| {
            let name = self.settings.environment.name.to_string();
            error_of(Failure::of_flow(error, Kind::Deploy, &name))
        })?;
        Ok(deployed
            .first()
            .map(|deployed| self.cloud.outputs(&deployed.stack))
            .unwrap_or_default())
    }

    async fn publish(
        &self,
        order: &ImageOrder<'_>,
        log: &Log<'_>,
    ) -> Result<BTreeMap<String, String>, RunError> {
        log.line("packages the code as a zip in place of an image: the function runs without a Docker engine")?;
        let package = STACKS
            .iter()
            .find_map(|def| def.package)
            .unwrap_or_default();
        let host = match self.settings.environment.kind {
            EnvironmentKind::Local => Host::Emulator,
            EnvironmentKind::Aws => Host::Lambda(Architecture::host()),
        };
        let project = Project::at(order.source.to_owned());
        let package = package::build(self.ui, &project, package, host)
            .await
            .map_err(error_of)?;
        let (bucket, key) = (self.bucket()?, key(&package.sha256));
        let refused = |error| error_of(Failure::from(error));
        let objects = &self.cloud.objects;
        if objects
            .object_exists(&bucket, &key)
            .await
            .map_err(refused)?
        {
            log.line(&format!("s3://{bucket}/{key} is there already"))?;
        } else {
            objects
                .put_object(&bucket, &key, &package.path)
                .await
                .map_err(refused)?;
            log.line(&format!("uploaded s3://{bucket}/{key}"))?;
        }
        Ok(BTreeMap::from([
            (
                "ECRImageDigestId".to_owned(),
                format!("sha256:{}", package.sha256),
            ),
            ("ECRRepositoryName".to_owned(), order.repository.clone()),
        ]))
    }
}

/// The input of the one stack that an action deploys.
struct OneStack {
    input: StackInput,
    template: Template,
}

#[async_trait]
impl StackInputs for OneStack {
    fn input(&self, _: &StackDef) -> Result<StackInput, FlowError> {
        Ok(self.input.clone())
    }

    async fn prepare(
        &self,
        _: &StackDef,
        _: &BTreeMap<&'static str, BTreeMap<String, String>>,
    ) -> Result<BTreeMap<String, String>, FlowError> {
        Ok(BTreeMap::new())
    }

    fn check(&self, _: &StackDef, parameters: &BTreeMap<String, String>) -> Result<(), FlowError> {
        let mut faults: Vec<_> = self
            .template
            .check_conditions(parameters)
            .iter()
            .map(ToString::to_string)
            .collect();
        if let Err(unfit) = self.template.check_parameters(parameters) {
            faults.extend(unfit.iter().map(ToString::to_string));
        }
        if faults.is_empty() {
            return Ok(());
        }
        Err(FlowError::Input(format!(
            "the parameters of the action do not fit the template: {}",
            faults.join("; ")
        )))
    }
}

/// A stack's progress as lines of the action's log.
struct Lines<'a>(&'a Log<'a>);

impl Observer for Lines<'_> {
    fn observe(&self, stack: &str, progress: &Progress) {
        let text = match progress {
            Progress::Event(event) => format!(
                "{} {} {}{}",
                event.status,
                event.logical_id,
                event.resource_type,
                event
                    .reason
                    .as_ref()
                    .map(|reason| format!(": {reason}"))
                    .unwrap_or_default()
            ),
            Progress::Waiting { status } => format!("{stack} is in {status}: waits for its end"),
            Progress::NoChanges => format!("{stack} has no changes"),
            Progress::Done => format!("{stack} stands"),
            Progress::Adopted => format!("{stack}: goes on with a change set of an earlier run"),
            Progress::Cancelled => format!("{stack}: the update is cancelled"),
            Progress::GoesOn { status } => format!("{stack} is in {status}, which goes on"),
            Progress::Protected => format!("{stack} is protected"),
            Progress::Started
            | Progress::ChangeSet(_)
            | Progress::Emptied { .. }
            | Progress::Removing { .. }
            | Progress::Undoing { .. }
            | Progress::Removal(_) => return,
        };
        // A log that is full is told of by the action's next line.
        let _ = self.0.line(&text);
    }
}
