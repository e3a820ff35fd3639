use std::collections::BTreeMap;

use super::Destroyer;
use super::order::order;
use crate::cloud::CloudError;
use crate::flow::FlowError;
use crate::inventory::{
    Contents, Evidence, FoundPipeline, FoundResource, FoundStack, Inventory, MadeSet, NotOffered,
};
use crate::stack::Stack;

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
            inventory.made_sets.clear();
            inventory.elsewhere.clear();
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
        inventory.made_sets.sort();
        inventory.made_sets.dedup();
        Ok(inventory)
    }

    /// Of the stacks that pipelines made in this region, which is not the environment's, those that are there and ours;
    /// `made` has their names, each with its pipeline. Only reads.
    ///
    /// # Errors
    /// Any look that fails.
    pub async fn inventory_elsewhere(
        &self,
        made: &BTreeMap<String, String>,
    ) -> Result<Inventory, FlowError> {
        let mut inventory = Inventory::default();
        let mut all = self.holdings.stacks.stacks().await?;
        all.retain(|stack| made.contains_key(&stack.name));
        for mut stack in self.owned_stacks(&all, made) {
            stack.resources = self.resources(&mut inventory, &stack.stack).await?;
            inventory.stacks.push(stack);
        }
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
            for made in declared.into_iter().chain(deployed) {
                let region = made.region.filter(|region| region != self.owner.region());
                match region {
                    region if made.is_set => inventory.made_sets.push(MadeSet {
                        name: made.name,
                        region,
                    }),
                    None => {
                        makes.insert(made.name, name.clone());
                    }
                    Some(region) => {
                        let there = inventory.elsewhere.entry(region).or_default();
                        there.insert(made.name, name.clone());
                    }
                }
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
                "AWS::DynamoDB::GlobalTable" | "AWS::DynamoDB::Table" => {
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
