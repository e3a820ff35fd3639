//! What an environment holds beside its stacks.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;

use super::stacks::refused;
use super::unowned::Unowned;
use super::{FakeCloud, State};
use crate::cloud::{
    CloudError, Images, LogGroup, LogGroups, Made, PipelineStacks, ReportGroup, ReportGroups,
    StackList, Tagged,
};
use crate::inventory::{RepositoryContents, is_arn_of};
use crate::stack::{Outcome, Stack, StackResource, StackStatus};

pub(super) type Tags = BTreeMap<String, String>;

pub(super) fn tags_of(tags: &[(&str, &str)]) -> Tags {
    tags.iter()
        .map(|&(key, value)| (key.to_owned(), value.to_owned()))
        .collect()
}

#[derive(Debug, Default)]
pub(super) struct FakeBucket {
    pub(super) objects: u64,
    pub(super) tags: Tags,
}

impl FakeBucket {
    pub(super) fn of(objects: u64, tags: &[(&str, &str)]) -> Self {
        Self {
            objects,
            tags: tags_of(tags),
        }
    }
}

#[derive(Debug, Default)]
struct FakeRepository {
    images: u64,
    tags: Tags,
}

#[derive(Debug, Default)]
struct FakePipeline {
    declared: Vec<Made>,
    deployed: Vec<Made>,
    /// By name, and whether it is open.
    stages: Vec<(String, bool)>,
    running: BTreeSet<String>,
}

/// Things by their names.
#[derive(Debug, Default)]
pub(super) struct Held {
    repositories: BTreeMap<String, FakeRepository>,
    log_groups: BTreeMap<String, u64>,
    report_groups: BTreeMap<String, ReportGroup>,
    pipelines: BTreeMap<String, FakePipeline>,
    tagged: BTreeSet<String>,
    pub(super) unowned: Unowned,
}

impl Held {
    /// Whether it cannot be deleted for what is in it.
    pub(super) fn is_full(&self, buckets: &BTreeMap<String, FakeBucket>, id: &str) -> bool {
        buckets.get(id).is_some_and(|bucket| bucket.objects > 0)
            || self
                .repositories
                .get(id)
                .is_some_and(|repository| repository.images > 0)
            || self.unowned.is_protected(id)
    }

    /// The tagging API does not list it any more.
    pub(super) fn untag(&mut self, arn: &str) {
        self.tagged.remove(arn);
    }

    /// It goes with the stack that owned it; a key begins to wait.
    pub(super) fn remove(&mut self, buckets: &mut BTreeMap<String, FakeBucket>, id: &str) {
        buckets.remove(id);
        self.repositories.remove(id);
        self.log_groups.remove(id);
        self.report_groups.remove(id);
        self.pipelines.remove(id);
        self.tagged.retain(|arn| !is_arn_of(arn, id));
        self.unowned.remove(id);
    }
}

impl FakeCloud {
    /// Gives a stack that there is tags.
    pub fn tag_stack(&self, name: &str, tags: &[(&str, &str)]) {
        self.with(|state| state.entry(name).stack.tags = tags_of(tags));
    }

    /// Makes `DeleteStack` refused.
    pub fn protect_stack(&self, name: &str) {
        self.with(|state| state.entry(name).stack.termination_protection = true);
    }

    /// Gives a stack a resource of that name in its service.
    pub fn put_named_resource(&self, stack: &str, resource_type: &str, physical_id: &str) {
        self.with(|state| {
            state.entry(stack).resources.push(StackResource {
                logical_id: physical_id.to_owned(),
                physical_id: physical_id.to_owned(),
                resource_type: resource_type.to_owned(),
                status: "CREATE_COMPLETE".to_owned(),
            });
        });
    }

    /// Gives a stack a resource that stays when the stack is deleted.
    pub fn put_kept_resource(&self, stack: &str, resource_type: &str, physical_id: &str) {
        self.put_named_resource(stack, resource_type, physical_id);
        self.with(|state| {
            for resource in &mut state.entry(stack).resources {
                if resource.physical_id == physical_id {
                    "DELETE_SKIPPED".clone_into(&mut resource.status);
                }
            }
        });
    }

    /// Puts a bucket there that no stack owns.
    pub fn put_loose_bucket(&self, name: &str, objects: u64, tags: &[(&str, &str)]) {
        self.with(|state| {
            let bucket = FakeBucket::of(objects, tags);
            state.buckets.insert(name.to_owned(), bucket)
        });
    }

    /// Puts an image repository there.
    pub fn put_repository(&self, name: &str, images: u64, tags: &[(&str, &str)]) {
        self.with(|state| {
            let tags = tags_of(tags);
            let repository = FakeRepository { images, tags };
            state.held.repositories.insert(name.to_owned(), repository)
        });
    }

    /// Puts a log group there.
    pub fn put_log_group(&self, name: &str, bytes: u64) {
        self.with(|state| state.held.log_groups.insert(name.to_owned(), bytes));
    }

    /// Puts a report group there, whose ARN is its name.
    pub fn put_report_group(&self, name: &str, tags: &[(&str, &str)]) {
        self.with(|state| {
            let group = ReportGroup {
                arn: name.to_owned(),
                name: name.to_owned(),
                tags: tags_of(tags),
            };
            state.held.report_groups.insert(name.to_owned(), group)
        });
    }

    /// Lets the tagging API list this ARN under the project's tags.
    pub fn put_tagged(&self, arn: &str) {
        self.with(|state| state.held.tagged.insert(arn.to_owned()));
    }

    /// Puts a pipeline there: the stacks that it names, those that it was run for, and one execution under way.
    pub fn put_pipeline(&self, name: &str, declared: &[&str], deployed: &[&str]) {
        let owned = |names: &[&str]| names.iter().map(|&name| Made::stack(name)).collect();
        self.with(|state| {
            let pipeline = FakePipeline {
                declared: owned(declared),
                deployed: owned(deployed),
                stages: vec![("Source".to_owned(), true), ("Deploy".to_owned(), true)],
                running: BTreeSet::from(["run-1".to_owned()]),
            };
            state.held.pipelines.insert(name.to_owned(), pipeline)
        });
    }

    /// Lets a pipeline that there is have made something else too.
    pub fn put_made(&self, pipeline: &str, made: Made) {
        self.with(|state| {
            if let Some(found) = state.held.pipelines.get_mut(pipeline) {
                found.deployed.push(made);
            }
        });
    }

    /// Everything that stands, a line each, without what lies in a grave.
    pub fn everything(&self) -> Vec<String> {
        self.with(|state| {
            let stacks = state
                .stacks
                .values()
                .filter(|fake| fake.stack.status.outcome() != Outcome::Deleted)
                .map(|fake| format!("stack {} {}", fake.stack.name, fake.stack.status));
            let buckets = state
                .buckets
                .iter()
                .map(|(name, bucket)| format!("bucket {name} with {}", bucket.objects));
            let held = &state.held;
            let repositories = held
                .repositories
                .iter()
                .map(|(name, one)| format!("repository {name} with {}", one.images));
            let logs = held
                .log_groups
                .keys()
                .map(|name| format!("log group {name}"));
            let reports = held
                .report_groups
                .keys()
                .map(|name| format!("report group {name}"));
            let pipelines = held
                .pipelines
                .iter()
                .map(|(name, one)| format!("pipeline {name} with {} running", one.running.len()));
            stacks
                .chain(buckets)
                .chain(repositories)
                .chain(logs)
                .chain(reports)
                .chain(held.unowned.lines())
                .chain(pipelines)
                .collect()
        })
    }
}

fn pipeline<'a>(state: &'a mut State, name: &str) -> Result<&'a mut FakePipeline, CloudError> {
    state
        .held
        .pipelines
        .get_mut(name)
        .ok_or_else(|| refused("PipelineNotFoundException", "there is no such pipeline"))
}

#[async_trait]
impl StackList for FakeCloud {
    async fn stacks(&self) -> Result<Vec<Stack>, CloudError> {
        self.read("stacks", "all", |state| {
            Ok(state
                .stacks
                .values()
                .map(|fake| fake.stack.clone())
                .filter(|stack| stack.status.outcome() != Outcome::Deleted)
                .collect())
        })
        .await
    }

    async fn deleted_stacks(&self) -> Result<Vec<(String, String)>, CloudError> {
        self.read("deleted_stacks", "all", |state| {
            Ok(state
                .stacks
                .values()
                .chain(state.graves.values())
                .filter(|fake| fake.stack.status == StackStatus::DeleteComplete)
                .map(|fake| (fake.stack.name.clone(), fake.stack.id.clone()))
                .collect())
        })
        .await
    }

    async fn force_delete_stack(&self, stack_id: &str) -> Result<(), CloudError> {
        self.write("force_delete_stack", stack_id, |state| {
            let fake = state.existing(stack_id)?;
            if fake.stack.status != StackStatus::DeleteFailed {
                return Err(refused("ValidationError", "only after DELETE_FAILED"));
            }
            for resource in &mut fake.resources {
                if resource.status == "DELETE_FAILED" {
                    "DELETE_SKIPPED".clone_into(&mut resource.status);
                }
            }
            let name = fake.stack.name.clone();
            state.begin(&name, "DELETE_IN_PROGRESS", "DELETE_COMPLETE");
            Ok(())
        })
        .await
    }
}

#[async_trait]
impl Images for FakeCloud {
    async fn repository_contents(
        &self,
        name: &str,
    ) -> Result<Option<RepositoryContents>, CloudError> {
        self.read("repository_contents", name, |state| {
            let found = state.held.repositories.get(name);
            Ok(found.map(|repository| RepositoryContents {
                images: repository.images,
                bytes: repository.images * 1_000,
            }))
        })
        .await
    }

    async fn has_image(&self, name: &str, image: &str) -> Result<bool, CloudError> {
        self.read("has_image", image, |state| {
            let found = state.held.repositories.get(name);
            Ok(found.is_some_and(|repository| repository.images > 0))
        })
        .await
    }

    async fn repository_tags(&self, name: &str) -> Result<Tags, CloudError> {
        self.read("repository_tags", name, |state| {
            let found = state.held.repositories.get(name);
            Ok(found
                .map(|repository| repository.tags.clone())
                .unwrap_or_default())
        })
        .await
    }

    async fn empty_repository(&self, name: &str) -> Result<u64, CloudError> {
        self.write("empty_repository", name, |state| {
            let found = state.held.repositories.get_mut(name);
            Ok(found
                .map(|one| std::mem::take(&mut one.images))
                .unwrap_or_default())
        })
        .await
    }

    async fn delete_repository(&self, name: &str) -> Result<(), CloudError> {
        self.write("delete_repository", name, |state| {
            if state.held.is_full(&state.buckets, name) {
                return Err(refused("RepositoryNotEmptyException", "it has images"));
            }
            state.held.repositories.remove(name);
            Ok(())
        })
        .await
    }
}

#[async_trait]
impl LogGroups for FakeCloud {
    async fn log_group(&self, name: &str) -> Result<Option<LogGroup>, CloudError> {
        self.read("log_group", name, |state| {
            Ok(state.held.log_groups.get(name).map(|bytes| LogGroup {
                name: name.to_owned(),
                bytes: *bytes,
            }))
        })
        .await
    }

    async fn delete_log_group(&self, name: &str) -> Result<(), CloudError> {
        self.write("delete_log_group", name, |state| {
            state.held.log_groups.remove(name);
            Ok(())
        })
        .await
    }
}

#[async_trait]
impl ReportGroups for FakeCloud {
    async fn report_groups(&self) -> Result<Vec<ReportGroup>, CloudError> {
        self.read("report_groups", "all", |state| {
            Ok(state.held.report_groups.values().cloned().collect())
        })
        .await
    }

    async fn delete_report_group(&self, arn: &str) -> Result<(), CloudError> {
        self.write("delete_report_group", arn, |state| {
            state.held.report_groups.remove(arn);
            Ok(())
        })
        .await
    }
}

#[async_trait]
impl Tagged for FakeCloud {
    async fn tagged(&self, project: &str, environment: &str) -> Result<Vec<String>, CloudError> {
        let of = format!("{project} {environment}");
        self.read("tagged", &of, |state| {
            Ok(state.held.tagged.iter().cloned().collect())
        })
        .await
    }
}

#[async_trait]
impl PipelineStacks for FakeCloud {
    async fn declared_stacks(&self, name: &str) -> Result<Option<Vec<Made>>, CloudError> {
        self.read("declared_stacks", name, |state| {
            let found = state.held.pipelines.get(name);
            Ok(found.map(|pipeline| pipeline.declared.clone()))
        })
        .await
    }

    async fn deployed_stacks(&self, name: &str) -> Result<Vec<Made>, CloudError> {
        self.read("deployed_stacks", name, |state| {
            Ok(pipeline(state, name)?.deployed.clone())
        })
        .await
    }

    async fn stages(&self, name: &str) -> Result<Vec<(String, bool)>, CloudError> {
        self.read("stages", name, |state| {
            Ok(pipeline(state, name)?.stages.clone())
        })
        .await
    }

    async fn close_stage(&self, name: &str, stage: &str, _: &str) -> Result<(), CloudError> {
        self.write("close_stage", &format!("{name}/{stage}"), |state| {
            for (known, open) in &mut pipeline(state, name)?.stages {
                *open &= known != stage;
            }
            Ok(())
        })
        .await
    }

    async fn running(&self, name: &str) -> Result<Vec<String>, CloudError> {
        self.read("running", name, |state| {
            Ok(pipeline(state, name)?.running.iter().cloned().collect())
        })
        .await
    }

    async fn abandon(&self, name: &str, execution: &str, _: &str) -> Result<(), CloudError> {
        self.write("abandon", &format!("{name}/{execution}"), |state| {
            pipeline(state, name)?.running.remove(execution);
            Ok(())
        })
        .await
    }
}
