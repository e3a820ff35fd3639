//! What no stack owns: looked for by name, by tag, and among what deleted stacks were told to keep.

use std::collections::{BTreeMap, BTreeSet};

use super::Destroyer;
use crate::flow::FlowError;
use crate::inventory::{
    ADVANCED_PARAMETERS, Contents, FunctionContents, Inventory, KeptBy, KeyState, Leftover,
    LeftoverKind, Removable, cluster_of_task, is_arn_of, kept_listed, kind_of, part_of,
};

/// By what a thing came to be looked for.
#[derive(Clone, Debug, Default)]
struct Trace {
    /// It has one of the environment's exact names, or a deleted stack of the environment kept it.
    named: bool,
    /// It is listed under the environment's tags.
    tagged: bool,
    kept_by: Option<KeptBy>,
}

type Candidates = BTreeMap<(LeftoverKind, String), Trace>;

/// A thing as it stands in its service.
struct Standing {
    id: String,
    contents: Contents,
    removable: Removable,
    deletion_protection: bool,
}

impl Destroyer<'_> {
    /// What no stack owns.
    pub(super) async fn leftovers(
        &self,
        inventory: &mut Inventory,
        by_pipeline: &BTreeMap<String, String>,
    ) -> Result<(), FlowError> {
        let owned: BTreeSet<String> = inventory
            .stacks
            .iter()
            .flat_map(|stack| &stack.resources)
            .map(|found| found.resource.physical_id.clone())
            .filter(|id| !id.is_empty())
            .collect();
        let mut candidates = self.retained(by_pipeline).await?;
        for (kind, names) in [
            (LeftoverKind::Bucket, self.owner.buckets()),
            (LeftoverKind::Repository, self.owner.repositories()),
            (LeftoverKind::LogGroup, self.owner.log_groups()),
        ] {
            for name in names {
                candidates.entry((kind, name)).or_default().named = true;
            }
        }
        self.add_tagged(inventory, &owned, &mut candidates).await?;
        candidates.retain(|(_, id), _| !owned.contains(id));
        let functions: BTreeSet<String> = candidates
            .keys()
            .filter(|(kind, _)| *kind == LeftoverKind::Function)
            .map(|(_, name)| name.clone())
            .collect();
        // A version or alias goes with its function.
        candidates.retain(|(_, id), _| {
            part_of(id).is_none_or(|(name, _)| !owned.contains(name) && !functions.contains(name))
        });
        for ((kind, id), trace) in &candidates {
            let found = self.leftover(inventory, *kind, id, trace).await?;
            inventory.leftovers.extend(found);
        }
        self.report_groups(inventory, &owned, &candidates).await?;
        put_in_order(&mut inventory.leftovers);
        Ok(())
    }

    async fn leftover(
        &self,
        inventory: &mut Inventory,
        kind: LeftoverKind,
        id: &str,
        trace: &Trace,
    ) -> Result<Option<Leftover>, FlowError> {
        let standing = self.look_at(inventory, kind, id, trace).await?;
        Ok(standing.map(|standing| Leftover {
            kind,
            id: standing.id,
            contents: standing.contents,
            removable: standing.removable,
            deletion_protection: standing.deletion_protection,
            kept_by: trace.kept_by.clone(),
        }))
    }

    /// Adds what waits for its deletion and is not listed any more: a service may leave such things out of its lists,
    /// and they are there all the same.
    pub(super) async fn add_waiting(
        &self,
        inventory: &mut Inventory,
        before: &[Leftover],
    ) -> Result<(), FlowError> {
        for one in before {
            let known = |other: &Leftover| (other.kind, &other.id) == (one.kind, &one.id);
            let waits = matches!(one.removable, Removable::Later { .. });
            if !waits || inventory.leftovers.iter().any(known) {
                continue;
            }
            let trace = Trace {
                named: true,
                tagged: false,
                kept_by: one.kept_by.clone(),
            };
            let found = self.leftover(inventory, one.kind, &one.id, &trace).await?;
            inventory.leftovers.extend(found);
        }
        put_in_order(&mut inventory.leftovers);
        Ok(())
    }

    async fn add_tagged(
        &self,
        inventory: &mut Inventory,
        owned: &BTreeSet<String>,
        candidates: &mut Candidates,
    ) -> Result<(), FlowError> {
        let (project, environment) = (self.owner.project(), self.owner.environment());
        let tagged = self.holdings.tagged.tagged(project, environment).await;
        let tagged = self.offered(inventory, "resources by their tags", tagged)?;
        let stacks: BTreeSet<_> = inventory.stacks.iter().map(|one| &one.stack.id).collect();
        for arn in tagged.unwrap_or_default() {
            // A task has the tags of its service, and goes with the cluster.
            let goes = cluster_of_task(&arn).is_some_and(|cluster| owned.contains(cluster));
            if goes || stacks.contains(&arn) || owned.iter().any(|id| is_arn_of(&arn, id)) {
                continue;
            }
            let kept = candidates
                .iter_mut()
                .find(|((kind, id), _)| *kind == LeftoverKind::Kept && is_arn_of(&arn, id));
            match kept {
                Some((_, trace)) => trace.tagged = true,
                None => candidates.entry(kind_of(&arn)).or_default().tagged = true,
            }
        }
        Ok(())
    }

    /// What deleted stacks of ours have left: what they were told to keep, and keys, which go days later.
    async fn retained(
        &self,
        by_pipeline: &BTreeMap<String, String>,
    ) -> Result<Candidates, FlowError> {
        let names = self.owner.stack_names();
        let project = format!("{}-", self.owner.project());
        let mut kept = Candidates::new();
        for (name, id) in self.holdings.stacks.deleted_stacks().await? {
            let known = names.contains(&name) || by_pipeline.contains_key(&name);
            // Of the others that may be ours, the tags tell.
            if !known && !name.starts_with(&project) {
                continue;
            }
            let Some(stack) = self.tools.stacks.describe_stack(&id).await? else {
                continue;
            };
            if !self.owner.owns(known, &stack.tags) {
                continue;
            }
            for (resource_type, physical_id) in self.kept_resources(&id).await? {
                let Some(kind) = kind_of_type(&resource_type) else {
                    continue;
                };
                let trace = kept.entry((kind, physical_id)).or_default();
                trace.named = true;
                trace.kept_by = Some(KeptBy {
                    stack: name.clone(),
                    resource_type,
                });
            }
        }
        Ok(kept)
    }

    /// The types and ids of what a deleted stack was told to keep, and of its keys. The events also know what an update
    /// replaced and kept, which was no resource of the stack any more when that was deleted.
    async fn kept_resources(
        &self,
        stack_id: &str,
    ) -> Result<BTreeSet<(String, String)>, FlowError> {
        let stacks = self.tools.stacks;
        let resources = stacks.stack_resources(stack_id).await?.into_iter();
        let events = stacks.stack_events_since(stack_id, None).await?.into_iter();
        let told = resources
            .map(|one| (one.resource_type, one.physical_id, one.status))
            .chain(events.map(|one| (one.resource_type, one.physical_id, one.status)));
        Ok(told
            .filter(|(resource_type, id, status)| {
                !id.is_empty() && (status == "DELETE_SKIPPED" || resource_type == "AWS::KMS::Key")
            })
            .map(|(resource_type, id, _)| (resource_type, id))
            .collect())
    }

    /// The thing as it stands, if it is there and ours.
    async fn look_at(
        &self,
        inventory: &mut Inventory,
        kind: LeftoverKind,
        id: &str,
        trace: &Trace,
    ) -> Result<Option<Standing>, FlowError> {
        let holdings = &self.holdings;
        let mut standing = Standing {
            id: id.to_owned(),
            contents: Contents::default(),
            removable: Removable::Now,
            deletion_protection: false,
        };
        let tags = match kind {
            LeftoverKind::Bucket => {
                let Some(contents) = holdings.objects.bucket_contents(id).await? else {
                    return Ok(None);
                };
                standing.contents = contents.into();
                holdings.objects.bucket_tags(id).await?
            }
            LeftoverKind::Repository => {
                let contents = holdings.images.repository_contents(id).await;
                let contents = self.offered(inventory, "image repositories", contents)?;
                let Some(contents) = contents.flatten() else {
                    return Ok(None);
                };
                standing.contents = contents.into();
                holdings.images.repository_tags(id).await?
            }
            LeftoverKind::LogGroup => {
                let Some(group) = holdings.log_groups.log_group(id).await? else {
                    return Ok(None);
                };
                standing.contents.bytes = Some(group.bytes);
                return Ok(Some(standing));
            }
            LeftoverKind::Table => {
                let Some(contents) = holdings.tables.table_contents(id).await? else {
                    return Ok(None);
                };
                standing.deletion_protection = contents.deletion_protection;
                if contents.deleting {
                    standing.removable = Removable::Waits { until: None };
                }
                standing.contents = contents.into();
                holdings.tables.table_tags(id).await?
            }
            LeftoverKind::Parameter => {
                let parameter = holdings.parameters.held_parameter(id).await;
                let parameter = self.offered(inventory, "parameters", parameter)?;
                let Some(parameter) = parameter.flatten() else {
                    return Ok(None);
                };
                standing.id = parameter.name;
                if parameter.advanced {
                    standing.contents.counts = vec![(1, ADVANCED_PARAMETERS)];
                }
                parameter.tags
            }
            LeftoverKind::Key | LeftoverKind::Secret => {
                let Some((removable, tags)) = self.look_at_what_waits(inventory, kind, id).await?
                else {
                    return Ok(None);
                };
                standing.removable = removable;
                tags
            }
            LeftoverKind::Function => {
                let function = holdings.functions.function(id).await;
                let function = self.offered(inventory, "functions", function)?;
                let Some(function) = function.flatten() else {
                    return Ok(None);
                };
                let contents = FunctionContents {
                    versions: function.versions.len() as u64,
                    aliases: function.aliases.len() as u64,
                    bytes: function.bytes,
                };
                standing.contents = contents.into();
                function.tags
            }
            LeftoverKind::FunctionVersion | LeftoverKind::FunctionAlias => {
                // Tags are the function's, and it may be another stack's than the version's.
                let ours = trace.kept_by.is_some() && self.has_part(inventory, kind, id).await?;
                return Ok(ours.then_some(standing));
            }
            LeftoverKind::Kept => {
                standing.removable = Removable::ByHand;
                return Ok(self
                    .is_kept(inventory, id, trace)
                    .await?
                    .then_some(standing));
            }
            LeftoverKind::ReportGroup => return Ok(None),
            LeftoverKind::Tagged => {
                standing.removable = Removable::ByHand;
                return Ok(self
                    .is_still_there(inventory, id)
                    .await?
                    .then_some(standing));
            }
        };
        Ok(self.owner.owns(trace.named, &tags).then_some(standing))
    }

    /// How a key or a secret stands, which wait for their deletion, with its tags.
    async fn look_at_what_waits(
        &self,
        inventory: &mut Inventory,
        kind: LeftoverKind,
        id: &str,
    ) -> Result<Option<(Removable, BTreeMap<String, String>)>, FlowError> {
        let holdings = &self.holdings;
        if kind == LeftoverKind::Key {
            let key = holdings.keys.key(id).await;
            let removable = match self.offered(inventory, "keys", key)?.flatten() {
                None => return Ok(None),
                Some(KeyState::PendingDeletion { on }) => Removable::Waits { until: on },
                Some(KeyState::InUse) => self.later(),
            };
            return Ok(Some((removable, holdings.keys.key_tags(id).await?)));
        }
        let secret = holdings.secrets.held_secret(id).await;
        let secret = self.offered(inventory, "secrets", secret)?.flatten();
        Ok(secret.map(|secret| {
            let removable = match secret.deleted_on {
                Some(on) => Removable::Waits { until: Some(on) },
                None => self.later(),
            };
            (removable, secret.tags)
        }))
    }

    /// Whether the version or alias of that ARN is there.
    async fn has_part(
        &self,
        inventory: &mut Inventory,
        kind: LeftoverKind,
        arn: &str,
    ) -> Result<bool, FlowError> {
        let Some((name, part)) = part_of(arn) else {
            return Ok(false);
        };
        let function = self.holdings.functions.function(name).await;
        let function = self.offered(inventory, "functions", function)?.flatten();
        Ok(function.is_some_and(|function| {
            let parts = if kind == LeftoverKind::FunctionAlias {
                &function.aliases
            } else {
                &function.versions
            };
            parts.iter().any(|one| one == part)
        }))
    }

    fn later(&self) -> Removable {
        Removable::Later {
            days: self.leave.recovery_days,
        }
    }

    /// Whether a resource of a type that is not removed here is still there. Where that cannot be looked at, it is told
    /// as there: a person has to look.
    async fn is_kept(
        &self,
        inventory: &mut Inventory,
        id: &str,
        trace: &Trace,
    ) -> Result<bool, FlowError> {
        let (false, Some(kept)) = (trace.tagged, &trace.kept_by) else {
            return Ok(trace.tagged);
        };
        let there = self.holdings.any.is_there(&kept.resource_type, id).await;
        let there = self.offered(inventory, "kept resources of other types", there)?;
        Ok(there.is_some_and(|there| there.unwrap_or(true)))
    }

    /// Whether a thing with our tags is there: of those that are listed when they are gone, the Cloud Control API tells.
    async fn is_still_there(
        &self,
        inventory: &mut Inventory,
        arn: &str,
    ) -> Result<bool, FlowError> {
        let Some((kind, id)) = kept_listed(arn) else {
            return Ok(true);
        };
        let there = self.holdings.any.is_there(kind, &id).await;
        let there = self.offered(inventory, "what ECS lists on", there)?;
        Ok(there.flatten() != Some(false))
    }

    async fn report_groups(
        &self,
        inventory: &mut Inventory,
        owned: &BTreeSet<String>,
        candidates: &Candidates,
    ) -> Result<(), FlowError> {
        let groups = self.holdings.report_groups.report_groups().await;
        let groups = self.offered(inventory, "report groups", groups)?;
        for group in groups.unwrap_or_default() {
            let trace = candidates.get(&(LeftoverKind::ReportGroup, group.arn.clone()));
            let named = trace.is_some() || self.owner.is_report_group(&group.name);
            let ours = self.owner.owns(named, &group.tags);
            if ours && !owned.contains(&group.arn) && !owned.contains(&group.name) {
                inventory.leftovers.push(Leftover {
                    kind: LeftoverKind::ReportGroup,
                    id: group.arn,
                    contents: Contents::default(),
                    removable: Removable::Now,
                    deletion_protection: false,
                    kept_by: trace.and_then(|trace| trace.kept_by.clone()),
                });
            }
        }
        Ok(())
    }
}

/// By kind and id, each once.
fn put_in_order(leftovers: &mut Vec<Leftover>) {
    leftovers.sort_by(|a, b| (a.kind, &a.id).cmp(&(b.kind, &b.id)));
    leftovers.dedup_by(|a, b| (a.kind, &a.id) == (b.kind, &b.id));
}

/// What a resource of that type is when a stack has kept it; `None` for what is nothing by itself: a custom resource is
/// what its function makes of it, and a nested stack is found as a stack.
fn kind_of_type(resource_type: &str) -> Option<LeftoverKind> {
    Some(match resource_type {
        "AWS::Lambda::Alias" => LeftoverKind::FunctionAlias,
        "AWS::Lambda::Version" => LeftoverKind::FunctionVersion,
        "AWS::Lambda::Function" => LeftoverKind::Function,
        "AWS::S3::Bucket" => LeftoverKind::Bucket,
        "AWS::ECR::Repository" => LeftoverKind::Repository,
        "AWS::CodeBuild::ReportGroup" => LeftoverKind::ReportGroup,
        "AWS::Logs::LogGroup" => LeftoverKind::LogGroup,
        "AWS::DynamoDB::GlobalTable" | "AWS::DynamoDB::Table" => LeftoverKind::Table,
        "AWS::SSM::Parameter" => LeftoverKind::Parameter,
        "AWS::SecretsManager::Secret" => LeftoverKind::Secret,
        "AWS::KMS::Key" => LeftoverKind::Key,
        other if other.starts_with("Custom::") || other.starts_with("AWS::CloudFormation::") => {
            return None;
        }
        _ => LeftoverKind::Kept,
    })
}
