use std::collections::BTreeMap;

use super::Destroyer;
use crate::cloud::CloudError;
use crate::flow::FlowError;
use crate::inventory::{
    Contents, Evidence, FoundPipeline, FoundResource, FoundStack, Inventory, NotOffered,
};
use crate::stack::Stack;
use crate::stack_def::{STACK_SET_ROLES, STACKS, StackGraph};

/// CloudFormation calls the stacks of a stack set's instances so. They go with their instance: deleted by themselves,
/// the set would hold an instance without a stack.
const STACK_SET_INSTANCE: &str = "StackSet-";

impl Destroyer<'_> {
    /// Everything of the environment that is there. Only reads.
    ///
    /// `only` names stacks by their names in the project: then nothing but these is looked for. None means all.
    ///
    /// # Errors
    /// Any look that fails: what could not be looked for is never taken to be absent. On an emulator, services that it
    /// does not have are listed in [`Inventory::not_offered`].
    pub async fn inventory(&self, only: &[String]) -> Result<Inventory, FlowError> {
        let mut inventory = Inventory::default();
        let all = self.holdings.stacks.stacks().await?;
        let by_pipeline = self.pipelines(&mut inventory).await?;
        let mut found = self.owned_stacks(&all, &by_pipeline);
        found.sort_by_key(|stack| (order(&stack.label), stack.label.clone()));
        if !only.is_empty() {
            found.retain(|stack| only.contains(&stack.label));
            let delivers = only.iter().any(|stack| stack == crate::stack_def::DELIVERY);
            if !delivers {
                inventory.pipelines.clear();
            }
        }
        for mut stack in found {
            stack.resources = self.resources(&mut inventory, &stack.stack).await?;
            inventory.stacks.push(stack);
        }
        if only.is_empty() {
            self.leftovers(&mut inventory, &by_pipeline).await?;
        }
        inventory.not_offered.sort();
        inventory.not_offered.dedup();
        Ok(inventory)
    }

    /// The project's pipelines; returns the names of stacks that each makes.
    async fn pipelines(
        &self,
        inventory: &mut Inventory,
    ) -> Result<BTreeMap<String, String>, FlowError> {
        let mut makes = BTreeMap::new();
        let pipelines = self.holdings.pipelines;
        for name in self.owner.pipelines() {
            let declared = pipelines.declared_stacks(&name).await;
            let Some(Some(declared)) = self.offered(inventory, "pipelines", declared)? else {
                continue;
            };
            let deployed = pipelines.deployed_stacks(&name).await?;
            for stack in declared.into_iter().chain(deployed) {
                makes.insert(stack, name.clone());
            }
            let stages = pipelines.stages(&name).await?;
            let running = pipelines.running(&name).await?;
            inventory.pipelines.push(FoundPipeline {
                name,
                stages: stages
                    .into_iter()
                    .filter(|(_, open)| *open)
                    .map(|(stage, _)| stage)
                    .collect(),
                running,
            });
        }
        Ok(makes)
    }

    fn owned_stacks(
        &self,
        all: &[Stack],
        by_pipeline: &BTreeMap<String, String>,
    ) -> Vec<FoundStack> {
        let ours = self.owner.stack_names();
        let stem = self.owner.stem();
        all.iter()
            .filter(|stack| !stack.name.starts_with(STACK_SET_INSTANCE))
            .filter_map(|stack| {
                let by_tags = self.owner.by_tags(&stack.tags);
                let named = ours.contains(&stack.name);
                let pipeline = by_pipeline.get(&stack.name);
                if !self.owner.owns(named || pipeline.is_some(), &stack.tags) {
                    return None;
                }
                let mut evidence = Vec::new();
                evidence.extend(named.then_some(Evidence::Name));
                evidence.extend((by_tags == Some(true)).then_some(Evidence::Tags));
                evidence.extend(pipeline.cloned().map(Evidence::Pipeline));
                let label = if named {
                    stack.name.strip_prefix(&stem).unwrap_or(&stack.name)
                } else {
                    &stack.name
                };
                Some(FoundStack {
                    label: label.to_owned(),
                    stack: stack.clone(),
                    evidence,
                    resources: Vec::new(),
                })
            })
            .collect()
    }

    async fn resources(
        &self,
        inventory: &mut Inventory,
        stack: &Stack,
    ) -> Result<Vec<FoundResource>, FlowError> {
        let resources = self.tools.stacks.stack_resources(&stack.id).await?;
        let mut found = Vec::new();
        for resource in resources {
            if resource.status == "DELETE_COMPLETE" {
                continue;
            }
            let id = resource.physical_id.as_str();
            let mut deletion_protection = false;
            let contents = match resource.resource_type.as_str() {
                _ if id.is_empty() => None,
                "AWS::S3::Bucket" => {
                    let contents = self.holdings.objects.bucket_contents(id).await?;
                    contents.map(Contents::from)
                }
                "AWS::ECR::Repository" => {
                    let contents = self.holdings.images.repository_contents(id).await;
                    let contents = self.offered(inventory, "image repositories", contents)?;
                    contents.flatten().map(Contents::from)
                }
                "AWS::DynamoDB::Table" => {
                    let contents = self.holdings.tables.table_contents(id).await?;
                    deletion_protection = contents.is_some_and(|table| table.deletion_protection);
                    contents.map(Contents::from)
                }
                _ => None,
            };
            found.push(FoundResource {
                resource,
                contents,
                deletion_protection,
            });
        }
        Ok(found)
    }

    /// The answer; `None` where an emulator lacks the service, which is noted.
    pub(super) fn offered<T>(
        &self,
        inventory: &mut Inventory,
        what: &'static str,
        answer: Result<T, CloudError>,
    ) -> Result<Option<T>, FlowError> {
        match answer {
            Ok(answer) => Ok(Some(answer)),
            Err(error) if self.leave.emulator && error.is_unknown_operation() => {
                inventory.not_offered.push(NotOffered {
                    what,
                    answer: error.to_string(),
                });
                Ok(None)
            }
            Err(error) => Err(error.into()),
        }
    }
}

/// The place of a stack among those that are removed: what is not known to the graph first, since a role or bucket of
/// the known ones may have made it; dependents before what they need; the roles of stack sets last.
fn order(label: &str) -> usize {
    let graph = StackGraph::all();
    let known = graph
        .iter()
        .flat_map(StackGraph::deploy_order)
        .rev()
        .position(|def| def.name == label);
    let role = STACK_SET_ROLES.iter().position(|def| def.name == label);
    match (known, role) {
        (Some(at), _) => 1 + at,
        (None, Some(at)) => 1 + STACKS.len() + at,
        (None, None) => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_come_last_and_strangers_first() {
        let mut labels = [
            "artifacts",
            "stack-set-execution",
            "table",
            "delivery",
            "api",
            "made-by-a-pipeline",
        ];
        labels.sort_by_key(|label| order(label));
        assert_eq!(
            labels,
            [
                "made-by-a-pipeline",
                "api",
                "delivery",
                "table",
                "artifacts",
                "stack-set-execution"
            ]
        );
    }
}
