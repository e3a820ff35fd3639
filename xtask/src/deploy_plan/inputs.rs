//! What the flows get of a plan: its input as files have it, and where code is once it is uploaded.

use std::collections::BTreeMap;

use async_trait::async_trait;
use stackway_infra::cloud::Objects as _;
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
