use std::collections::BTreeMap;

use futures::stream::{FuturesUnordered, StreamExt as _};

use super::order::goes_before;
use super::{Destroyed, Destroyer, Removal, Removed};
use crate::flow::{FlowError, Progress, Tools};
use crate::inventory::{FoundPipeline, FoundStack, Inventory, LeftoverKind};
use crate::stack::{Outcome, StackResource, StackStatus};

/// How often a stack's deletion is begun: a bucket can be written to between its emptying and its deletion, as access
/// logs arrive late.
const DELETIONS: usize = 3;

/// How often the proof looks for what only the tagging API tells of, which forgets things some seconds late.
const LOOKS: u32 = 6;

const REASON: &str = "the environment is being removed";

impl Destroyer<'_> {
    /// Removes what the inventory names, and takes it again. Killed at any point, the next run goes on.
    ///
    /// What is left in the end is no error here: the caller shows it and judges.
    ///
    /// # Errors
    /// [`FlowError::Protected`] before anything is changed, where a stack or a table is protected and
    /// [`Leave::lift_protection`](super::Leave::lift_protection) is not given; [`FlowError::Failed`] where a stack
    /// cannot be deleted; any call that fails.
    pub async fn destroy(
        &self,
        inventory: &Inventory,
        only: &[String],
    ) -> Result<Destroyed, FlowError> {
        self.lift_protection(inventory).await?;
        self.stop_pipelines(inventory).await?;
        let mut destroyed = Destroyed::default();
        self.remove_stacks(&inventory.stacks, &mut destroyed.removed)
            .await?;
        // Stacks may have kept things, so what no stack owns is looked for once more.
        let mut left = self.inventory(only).await?;
        let swept = left.leftovers.clone();
        destroyed.leftovers = self.sweep(&swept).await?;
        if destroyed.leftovers > 0 {
            left = self.inventory(only).await?;
        }
        for look in 0..LOOKS {
            let late = left
                .leftovers
                .iter()
                .any(|one| matches!(one.kind, LeftoverKind::Kept | LeftoverKind::Tagged));
            if !late || self.leave.emulator {
                break;
            }
            let now = self.tools.clock.now();
            self.tools
                .clock
                .sleep(self.tools.poll.wait(look, now))
                .await;
            left = self.inventory(only).await?;
        }
        self.add_waiting(&mut left, &swept).await?;
        destroyed.left = left;
        Ok(destroyed)
    }

    /// Removes the stacks of an [`inventory_elsewhere`](Self::inventory_elsewhere), and takes it again.
    ///
    /// # Errors
    /// As [`destroy`](Self::destroy).
    pub async fn destroy_elsewhere(
        &self,
        inventory: &Inventory,
        made: &BTreeMap<String, String>,
    ) -> Result<Destroyed, FlowError> {
        self.lift_protection(inventory).await?;
        let mut destroyed = Destroyed::default();
        self.remove_stacks(&inventory.stacks, &mut destroyed.removed)
            .await?;
        destroyed.left = self.inventory_elsewhere(made).await?;
        Ok(destroyed)
    }

    /// Lets no pipeline make a stack anew: every stage is closed, and what runs is stopped.
    ///
    /// # Errors
    /// Any call that fails.
    pub async fn stop_pipelines(&self, inventory: &Inventory) -> Result<(), FlowError> {
        for pipeline in &inventory.pipelines {
            self.stop(pipeline).await?;
        }
        Ok(())
    }

    /// Refuses what is protected, where nobody said that this may be lifted.
    ///
    /// # Errors
    /// [`FlowError::Protected`].
    pub fn check_protection(&self, inventory: &Inventory) -> Result<(), FlowError> {
        let stacks: Vec<_> = inventory
            .protected()
            .map(|found| found.stack.name.clone())
            .collect();
        let tables: Vec<_> = inventory
            .protected_tables()
            .iter()
            .map(|(_, table)| (*table).to_owned())
            .collect();
        if self.leave.lift_protection || (stacks.is_empty() && tables.is_empty()) {
            return Ok(());
        }
        Err(FlowError::Protected { stacks, tables })
    }

    async fn lift_protection(&self, inventory: &Inventory) -> Result<(), FlowError> {
        self.check_protection(inventory)?;
        for found in inventory.protected() {
            self.control
                .set_termination_protection(&found.stack.id, false)
                .await?;
            self.tell(&found.label, Removal::ProtectionLifted);
        }
        for (label, table) in inventory.protected_tables() {
            self.holdings.tables.lift_table_protection(table).await?;
            let table = table.to_owned();
            self.tell(label, Removal::TableProtectionLifted { table });
        }
        Ok(())
    }

    pub(super) fn tell(&self, label: &str, removal: Removal) {
        self.tools.tell(label, &Progress::Removal(removal));
    }

    /// Nothing enters the pipeline's stages any more, and what runs is stopped: it would make stacks anew.
    async fn stop(&self, pipeline: &FoundPipeline) -> Result<(), FlowError> {
        let pipelines = self.holdings.pipelines;
        for stage in &pipeline.stages {
            pipelines.close_stage(&pipeline.name, stage, REASON).await?;
        }
        for execution in &pipeline.running {
            pipelines.abandon(&pipeline.name, execution, REASON).await?;
        }
        let executions = pipeline.running.len();
        self.tell(&pipeline.name, Removal::PipelineStopped { executions });
        Ok(())
    }

    /// Removes stacks side by side, each once those are gone that go before it. A failure lets nothing more begin, and
    /// what is under way is brought to its end.
    async fn remove_stacks(
        &self,
        stacks: &[FoundStack],
        removed: &mut Vec<Removed>,
    ) -> Result<(), FlowError> {
        let mut waiting: Vec<&FoundStack> = stacks.iter().collect();
        let mut standing = waiting.clone();
        let mut running = FuturesUnordered::new();
        let mut failed = Vec::new();
        loop {
            if failed.is_empty() {
                let free = |found: &&FoundStack| {
                    !standing
                        .iter()
                        .any(|first| goes_before(&first.label, &found.label))
                };
                let (now, later): (Vec<_>, Vec<_>) = waiting.into_iter().partition(free);
                waiting = later;
                for found in now {
                    running.push(async move { (found, self.remove(found).await) });
                }
            }
            let Some((found, result)) = running.next().await else {
                break;
            };
            if let Err(error) = result {
                failed.push(error);
                continue;
            }
            standing.retain(|one| one.stack.id != found.stack.id);
            removed.push(Removed {
                label: found.label.clone(),
                stack_name: found.stack.name.clone(),
                resources: found.resources.len(),
            });
        }
        let mut failed = failed.into_iter();
        match (failed.next(), failed.collect::<Vec<_>>()) {
            (None, _) => Ok(()),
            (Some(only), others) if others.is_empty() => Err(only),
            (Some(first), others) => Err(FlowError::Several {
                first: Box::new(first),
                others,
            }),
        }
    }

    async fn remove(&self, found: &FoundStack) -> Result<(), FlowError> {
        let tools = &self.tools;
        let label = &found.label;
        let stack_id = &found.stack.id;
        tools.tell(label, &Progress::Started);
        if tools.settled(label, stack_id).await?.is_none() {
            tools.tell(label, &Progress::Done);
            return Ok(());
        }
        let mut in_the_way: Vec<StackResource> = found
            .resources
            .iter()
            .map(|found| found.resource.clone())
            .collect();
        for attempt in 1..=DELETIONS {
            for resource in &in_the_way {
                self.empty(label, resource).await?;
            }
            let last = tools.stacks.latest_event_id(stack_id).await?;
            tools.stacks.delete_stack(stack_id).await?;
            let followed = tools.follow(label, stack_id, last).await?;
            let stack = match followed.stack {
                None => break,
                Some(stack) if stack.status.outcome() == Outcome::Deleted => break,
                Some(stack) => stack,
            };
            if stack.status != StackStatus::DeleteFailed {
                return Err(Tools::failed(&stack, &followed.events));
            }
            in_the_way = self.failed_resources(stack_id).await?;
            let resources = in_the_way
                .iter()
                .map(|one| one.logical_id.clone())
                .collect();
            if attempt < DELETIONS {
                self.tell(label, Removal::Repeated { resources });
            } else if self.leave.force_delete {
                self.tell(label, Removal::Forced { resources });
                self.force(label, stack_id).await?;
            } else {
                return Err(Tools::failed(&stack, &followed.events));
            }
        }
        tools.tell(label, &Progress::Done);
        Ok(())
    }

    async fn force(&self, label: &str, stack_id: &str) -> Result<(), FlowError> {
        let tools = &self.tools;
        let last = tools.stacks.latest_event_id(stack_id).await?;
        self.holdings.stacks.force_delete_stack(stack_id).await?;
        let followed = tools.follow(label, stack_id, last).await?;
        match followed.stack {
            Some(stack) if stack.status.outcome() != Outcome::Deleted => {
                Err(Tools::failed(&stack, &followed.events))
            }
            _ => Ok(()),
        }
    }

    async fn failed_resources(&self, stack_id: &str) -> Result<Vec<StackResource>, FlowError> {
        let resources = self.tools.stacks.stack_resources(stack_id).await?;
        Ok(resources
            .into_iter()
            .filter(|resource| resource.status == "DELETE_FAILED")
            .collect())
    }

    /// Takes away what makes a resource's deletion fail: what is in it.
    async fn empty(&self, label: &str, resource: &StackResource) -> Result<(), FlowError> {
        let id = &resource.physical_id;
        if id.is_empty() {
            return Ok(());
        }
        match resource.resource_type.as_str() {
            "AWS::S3::Bucket" => self.empty_bucket(label, id).await,
            "AWS::ECR::Repository" => self.empty_repository(label, id).await,
            _ => Ok(()),
        }
    }

    pub(super) async fn empty_bucket(&self, label: &str, bucket: &str) -> Result<(), FlowError> {
        let objects = self.holdings.objects.empty_bucket(bucket).await?;
        if objects > 0 {
            let bucket = bucket.to_owned();
            self.tools
                .tell(label, &Progress::Emptied { bucket, objects });
        }
        Ok(())
    }

    pub(super) async fn empty_repository(
        &self,
        label: &str,
        repository: &str,
    ) -> Result<(), FlowError> {
        let images = match self.holdings.images.empty_repository(repository).await {
            // An emulator without this service holds no images either.
            Err(error) if self.leave.emulator && error.is_unknown_operation() => 0,
            answer => answer?,
        };
        if images > 0 {
            let repository = repository.to_owned();
            self.tell(label, Removal::ImagesDeleted { repository, images });
        }
        Ok(())
    }
}
