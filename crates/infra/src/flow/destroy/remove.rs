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
        for pipeline in &inventory.pipelines {
            self.stop(pipeline).await?;
        }
        let mut destroyed = Destroyed::default();
        for found in &inventory.stacks {
            self.remove(found).await?;
            destroyed.removed.push(Removed {
                label: found.label.clone(),
                stack_name: found.stack.name.clone(),
                resources: found.resources.len(),
            });
        }
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

    async fn lift_protection(&self, inventory: &Inventory) -> Result<(), FlowError> {
        let protected: Vec<_> = inventory.protected().collect();
        let tables = inventory.protected_tables();
        let any = !protected.is_empty() || !tables.is_empty();
        if any && !self.leave.lift_protection {
            let stacks = protected.iter().map(|found| found.stack.name.clone());
            return Err(FlowError::Protected {
                stacks: stacks.collect(),
                tables: tables
                    .iter()
                    .map(|(_, table)| (*table).to_owned())
                    .collect(),
            });
        }
        for found in protected {
            self.control
                .set_termination_protection(&found.stack.id, false)
                .await?;
            self.tell(&found.label, Removal::ProtectionLifted);
        }
        for (label, table) in tables {
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
