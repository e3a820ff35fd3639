//! What the flows get of a plan: its input as files have it, and where code is once it is uploaded.

use std::collections::BTreeMap;

use async_trait::async_trait;
use stackway_infra::aws::Ecr;
use stackway_infra::cloud::{Images as _, Objects as _};
use stackway_infra::flow::{FlowError, Outputs, StackInput, StackInputs};
use stackway_infra::stack_def::{ARTIFACTS, StackDef};

use super::{CODE_PARAMETERS, DeployPlan};
use crate::cloud::Cloud;
use crate::package::Package;
use crate::stack_sets::OwnValues;

/// [`StackInputs`] from a plan: what files say, and what packages become once they are uploaded.
pub(crate) struct Inputs<'a> {
    pub(super) plan: &'a DeployPlan,
    pub(super) packages: &'a BTreeMap<&'static str, Package>,
    pub(super) cloud: &'a Cloud,
    pub(super) known: Outputs,
    pub(super) own: OwnValues,
}

impl Inputs<'_> {
    /// The same, with these values of stacks in place of those of the plan.
    pub(crate) fn with(self, own: OwnValues) -> Self {
        Self { own, ..self }
    }
}

/// Where the package is in the artifact bucket: the same code has the same name, so it is uploaded once and changes no
/// parameter.
fn code_parameters(
    stack: &StackDef,
    package: &Package,
    outputs: &Outputs,
) -> Result<(String, String), FlowError> {
    let bucket = outputs
        .get(ARTIFACTS.0)
        .and_then(|outputs| outputs.get(ARTIFACTS.1))
        .ok_or_else(|| FlowError::MissingOutput {
            stack: ARTIFACTS.0.to_owned(),
            output: ARTIFACTS.1.to_owned(),
            needed_by: stack.name.to_owned(),
        })?;
    Ok((bucket.clone(), code_key(stack, package)))
}

/// The key of a stack's code, which follows from its contents.
pub(crate) fn code_key(stack: &StackDef, package: &Package) -> String {
    format!("{}/{}.zip", stack.name, package.sha256)
}

/// The repository and the image in it that a stack runs, where it names one: `:` and a tag, or `@` and a digest.
fn image<'a>(
    stack: &StackDef,
    parameters: &'a BTreeMap<String, String>,
    outputs: &'a Outputs,
) -> Option<(&'a str, &'a str)> {
    let mut needs = stack.needs.iter();
    needs.find(|need| (need.stack, need.output) == (ARTIFACTS.0, "RepositoryUri"))?;
    let repository = outputs.get(ARTIFACTS.0)?.get("RepositoryName")?;
    Some((repository, parameters.get("Image")?))
}

fn code(bucket: String, key: String) -> BTreeMap<String, String> {
    let names = CODE_PARAMETERS.map(str::to_owned).into_iter();
    names.zip([bucket, key]).collect()
}

#[async_trait]
impl StackInputs for Inputs<'_> {
    fn input(&self, stack: &StackDef) -> Result<StackInput, FlowError> {
        let mut input = self.plan.planned(stack)?.input.clone();
        let own = self.own.get(stack.name).cloned();
        input.parameters.extend(own.unwrap_or_default());
        Ok(input)
    }

    fn known(&self) -> Outputs {
        self.known.clone()
    }

    async fn prepare(
        &self,
        stack: &StackDef,
        outputs: &Outputs,
    ) -> Result<BTreeMap<String, String>, FlowError> {
        let input = &self.plan.planned(stack)?.input;
        // The emulator runs no image, and takes any. On AWS the stack would wait for tasks that never start.
        if let Some((repository, image)) = image(stack, &input.parameters, outputs)
            && !self.plan.is_local
            && !Ecr::new(&self.cloud.config)
                .has_image(repository, image)
                .await?
        {
            return Err(FlowError::Input(format!(
                "stack `{}` cannot run `{repository}{image}`: the repository holds no such image; push it (docs/container.md), then deploy \
                 again",
                stack.name
            )));
        }
        let Some(package) = self.packages.get(stack.name) else {
            return Ok(BTreeMap::new());
        };
        let (bucket, key) = code_parameters(stack, package, outputs)?;
        if !self.cloud.objects.object_exists(&bucket, &key).await? {
            self.cloud
                .objects
                .put_object(&bucket, &key, &package.path)
                .await?;
        }
        Ok(code(bucket, key))
    }

    fn check(
        &self,
        stack: &StackDef,
        parameters: &BTreeMap<String, String>,
    ) -> Result<(), FlowError> {
        self.plan.check(stack, parameters)
    }
}

/// [`StackInputs`] that only look: what an upload would be called, without the upload.
pub(crate) struct Preview<'a> {
    pub(super) plan: &'a DeployPlan,
    pub(super) packages: &'a BTreeMap<&'static str, Package>,
    pub(super) kept: &'a BTreeMap<&'static str, BTreeMap<String, String>>,
    pub(super) known: Outputs,
}

#[async_trait]
impl StackInputs for Preview<'_> {
    fn input(&self, stack: &StackDef) -> Result<StackInput, FlowError> {
        Ok(self.plan.planned(stack)?.input.clone())
    }

    fn known(&self) -> Outputs {
        self.known.clone()
    }

    async fn prepare(
        &self,
        stack: &StackDef,
        outputs: &Outputs,
    ) -> Result<BTreeMap<String, String>, FlowError> {
        if let Some(kept) = self.kept.get(stack.name) {
            return Ok(kept.clone());
        }
        match self.packages.get(stack.name) {
            None => Ok(BTreeMap::new()),
            Some(package) => {
                let (bucket, key) = code_parameters(stack, package, outputs)?;
                Ok(code(bucket, key))
            }
        }
    }

    fn check(
        &self,
        stack: &StackDef,
        parameters: &BTreeMap<String, String>,
    ) -> Result<(), FlowError> {
        self.plan.check(stack, parameters)
    }
}

#[cfg(test)]
mod tests {
    use stackway_infra::stack_def::STACKS;

    use super::*;

    #[test]
    fn only_what_names_an_image_of_the_repository_runs_one() {
        let text = |name: &str| name.to_owned();
        let given = BTreeMap::from([(text("Image"), text(":one"))]);
        let repository = BTreeMap::from([(text("RepositoryName"), text("p-api"))]);
        let outputs = Outputs::from([(ARTIFACTS.0, repository)]);
        let of = |stack: &str, parameters: &BTreeMap<String, String>| {
            let def = STACKS.iter().find(|def| def.name == stack).unwrap();
            let found = image(def, parameters, &outputs);
            found.map(|(repository, image)| format!("{repository}{image}"))
        };
        assert_eq!(of("container", &given).as_deref(), Some("p-api:one"));
        assert_eq!(of("container", &BTreeMap::new()), None);
        assert_eq!(of("api", &given), None);
    }
}
