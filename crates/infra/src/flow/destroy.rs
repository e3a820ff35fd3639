use super::{FlowError, Progress, Tools};
use crate::cloud::Objects;
use crate::stack::{Outcome, Stack, StackResource, StackStatus};
use crate::stack_def::StackGraph;

/// What a destroy would remove, in its order.
#[derive(Clone, Debug, Default)]
pub struct DestroyPlan {
    /// The stacks that are there, dependents first.
    pub removals: Vec<PlannedRemoval>,
}

/// One stack of a [`DestroyPlan`].
#[derive(Clone, Debug)]
pub struct PlannedRemoval {
    /// Its name in the project.
    pub name: &'static str,
    /// The stack as it stands.
    pub stack: Stack,
    /// What it holds.
    pub resources: Vec<StackResource>,
}

/// A stack that is gone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Removed {
    /// Its name in the project.
    pub name: &'static str,
    /// Its name in CloudFormation.
    pub stack_name: String,
    /// How many resources it held.
    pub resources: usize,
}

/// Removes stacks, dependents first, and looks again whether they are gone.
#[derive(Clone, Copy)]
pub struct Destroyer<'a> {
    /// What the flow works with.
    pub tools: Tools<'a>,
    /// Where buckets are emptied.
    pub objects: &'a dyn Objects,
}

impl Destroyer<'_> {
    /// Finds the stacks of the graph that are there. Only reads.
    pub async fn plan(
        &self,
        graph: &StackGraph,
        stack_name: impl Fn(&str) -> String,
    ) -> Result<DestroyPlan, FlowError> {
        let mut plan = DestroyPlan::default();
        for def in graph.deploy_order().iter().rev() {
            let Some(stack) = self
                .tools
                .stacks
                .describe_stack(&stack_name(def.name))
                .await?
            else {
                continue;
            };
            if stack.status.outcome() == Outcome::Deleted {
                continue;
            }
            let resources = self.tools.stacks.stack_resources(&stack.id).await?;
            let resources = resources
                .into_iter()
                .filter(|resource| resource.status != "DELETE_COMPLETE")
                .collect();
            plan.removals.push(PlannedRemoval {
                name: def.name,
                stack,
                resources,
            });
        }
        Ok(plan)
    }

    /// Removes what the plan names, then asks for each stack again: what is still there is an error.
    pub async fn destroy(&self, plan: &DestroyPlan) -> Result<Vec<Removed>, FlowError> {
        let mut removed = Vec::new();
        for removal in &plan.removals {
            self.remove(removal).await?;
            removed.push(Removed {
                name: removal.name,
                stack_name: removal.stack.name.clone(),
                resources: removal.resources.len(),
            });
        }
        for removal in &plan.removals {
            if let Some(stack) = self
                .tools
                .stacks
                .describe_stack(&removal.stack.name)
                .await?
                && stack.status.outcome() != Outcome::Deleted
            {
                return Err(FlowError::Left {
                    stack: stack.name,
                    status: stack.status.to_string(),
                });
            }
        }
        Ok(removed)
    }

    async fn remove(&self, removal: &PlannedRemoval) -> Result<(), FlowError> {
        let tools = &self.tools;
        tools.tell(removal.name, &Progress::Started);
        let stack_id = &removal.stack.id;
        if tools.settled(removal.name, stack_id).await?.is_none() {
            tools.tell(removal.name, &Progress::Done);
            return Ok(());
        }
        // A bucket can be written to between its emptying and its deletion: access logs arrive late. So twice.
        for last_try in [false, true] {
            self.empty_buckets(removal).await?;
            let last = tools.stacks.latest_event_id(stack_id).await?;
            tools.stacks.delete_stack(stack_id).await?;
            let followed = tools.follow(removal.name, stack_id, last).await?;
            match followed.stack {
                None => break,
                Some(stack) if stack.status.outcome() == Outcome::Deleted => break,
                Some(stack) if stack.status == StackStatus::DeleteFailed && !last_try => {}
                Some(stack) => return Err(Tools::failed(&stack, &followed.events)),
            }
        }
        tools.tell(removal.name, &Progress::Done);
        Ok(())
    }

    async fn empty_buckets(&self, removal: &PlannedRemoval) -> Result<(), FlowError> {
        let buckets = removal.resources.iter().filter(|resource| {
            resource.resource_type == "AWS::S3::Bucket" && !resource.physical_id.is_empty()
        });
        for bucket in buckets {
            let objects = self.objects.empty_bucket(&bucket.physical_id).await?;
            if objects > 0 {
                let bucket = bucket.physical_id.clone();
                self.tools
                    .tell(removal.name, &Progress::Emptied { bucket, objects });
            }
        }
        Ok(())
    }
}
