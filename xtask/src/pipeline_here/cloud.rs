//! What actions reach: stacks by the project's own deploy code, packages in the artifact bucket.

use std::collections::BTreeMap;
use std::path::Path;

use async_trait::async_trait;
use stackway_infra::cloud::Objects as _;
use stackway_infra::config::EnvironmentKind;
use stackway_infra::stack_def::{ARTIFACTS, STACKS, VERIFICATION};
use stackway_pipeline_defs::model::Resource;
use stackway_pipeline_defs::pipelines::STACK;
use stackway_pipeline_defs::render::Site;
use stackway_pipeline_runner::{
    Answered, Cloud as RunnerCloud, ErrorKind, ImageOrder, Log, Parameter, RunError,
    SecretReference, Service, StackOrder, StackSetOrder, StoredArtifact,
};

use super::{error_of, image};
use crate::cloud::Cloud;
use crate::commands::outputs::AllOutputs;
use crate::commands::render::site;
use crate::failure::Failure;
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
    /// Whether an image is built where a Docker engine answers.
    pub(crate) docker: bool,
}

/// The environment's names, with the account that calls reach.
pub(crate) fn site_of(settings: &Settings, cloud: &Cloud) -> Result<Site, Failure> {
    let mut site = site(settings)?;
    site.account.clone_from(&cloud.account);
    Ok(site)
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

    /// Puts a file into a bucket, unless it is there: its key tells its contents.
    async fn upload(
        &self,
        bucket: &str,
        key: &str,
        file: &Path,
        log: &Log<'_>,
    ) -> Result<(), RunError> {
        let refused = |error| error_of(Failure::from(error));
        let objects = &self.cloud.objects;
        if objects.object_exists(bucket, key).await.map_err(refused)? {
            return log.line(&format!("s3://{bucket}/{key} is there already"));
        }
        objects
            .put_object(bucket, key, file)
            .await
            .map_err(refused)?;
        log.line(&format!("uploaded s3://{bucket}/{key}"))
    }

    /// Builds and pushes the image where there is an engine for it, and a registry on this machine.
    async fn image(
        &self,
        order: &ImageOrder<'_>,
        log: &Log<'_>,
    ) -> Result<Option<String>, RunError> {
        let local = self.settings.environment.kind == EnvironmentKind::Local;
        let Some(url) = self.cloud.endpoint_url.as_deref().filter(|_| local) else {
            log.line("no image is built: only an emulator's registry is pushed to from here")?;
            return Ok(None);
        };
        if !self.docker {
            log.line("no image is built: --no-docker")?;
            return Ok(None);
        }
        let say = |text: &str| log.line(text);
        image::publish(order, image::registry_at(url), &say).await
    }

    /// An image that `publish` made is a zip in truth: the stack gets that.
    pub(super) async fn code(
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
            Resource::TokenSecret => self.output("secrets", "TokenSecretName"),
            Resource::ReleaseMachine => {
                let arn = self.output(VERIFICATION, "StateMachineArn")?;
                let name = arn.rsplit(':').next().unwrap_or_default();
                Ok(name.to_owned())
            }
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

    async fn keep(
        &self,
        zip: &Path,
        sha256: &str,
        log: &Log<'_>,
    ) -> Result<StoredArtifact, RunError> {
        let (bucket, key) = (self.bucket()?, format!("pipelines/{sha256}.zip"));
        self.upload(&bucket, &key, zip, log).await?;
        let region = &self.settings.naming.region;
        let url = match &self.cloud.endpoint_url {
            Some(endpoint) => format!("{endpoint}/{bucket}/{key}"),
            None => format!("https://s3.{region}.amazonaws.com/{bucket}/{key}"),
        };
        Ok(StoredArtifact { bucket, key, url })
    }

    async fn deploy(
        &self,
        order: &StackOrder,
        log: &Log<'_>,
    ) -> Result<BTreeMap<String, String>, RunError> {
        self.stack_action(order, log).await
    }

    async fn parameter(&self, name: &str) -> Result<Parameter, RunError> {
        self.parameter_of_store(name).await
    }

    fn account(&self) -> String {
        self.cloud.account.clone()
    }

    async fn lacks(&self, service: Service) -> Result<Option<String>, RunError> {
        match service {
            Service::StackSets => self.lacks_stack_sets().await,
            Service::Alarms => self.lacks_alarms().await,
        }
    }

    async fn roll_out(
        &self,
        order: &StackSetOrder,
        log: &Log<'_>,
    ) -> Result<BTreeMap<String, String>, RunError> {
        self.roll_out_set(order, log).await
    }

    async fn run_state_machine(
        &self,
        machine: &str,
        name: &str,
        input: &str,
        log: &Log<'_>,
    ) -> Result<String, RunError> {
        self.run_machine(machine, name, input, log).await
    }

    async fn call_function(&self, function: &str, event: &str) -> Result<Answered, RunError> {
        self.call(function, event).await
    }

    async fn alarm_state(&self, name: &str) -> Result<String, RunError> {
        self.state_of_alarm(name).await
    }

    async fn secret(&self, reference: &SecretReference) -> Result<String, RunError> {
        self.secret_text(reference).await
    }

    async fn publish(
        &self,
        order: &ImageOrder<'_>,
        log: &Log<'_>,
    ) -> Result<BTreeMap<String, String>, RunError> {
        log.line("packages the code as a zip: a function of the emulator runs from it, without a Docker engine")?;
        let package = STACKS
            .iter()
            .find(|def| def.name == STACK)
            .and_then(|def| def.package)
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
        self.upload(&bucket, &key, &package.path, log).await?;
        let digest = match self.image(order, log).await? {
            Some(digest) => {
                // The stack finds the zip by the image's digest.
                let key = self::key(digest.trim_start_matches("sha256:"));
                self.upload(&bucket, &key, &package.path, log).await?;
                digest
            }
            None => format!("sha256:{}", package.sha256),
        };
        Ok(BTreeMap::from([
            ("ECRImageDigestId".to_owned(), digest),
            ("ECRRepositoryName".to_owned(), order.repository.clone()),
        ]))
    }
}
