use std::collections::{BTreeMap, BTreeSet};

use super::Destroyer;
use crate::cloud::CloudError;
use crate::flow::FlowError;
use crate::inventory::{
    Contents, Evidence, FoundPipeline, FoundResource, FoundStack, Inventory, KeyState, Leftover,
    LeftoverKind, NotOffered, Removable,
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
            self.leftovers(&mut inventory).await?;
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
                    contents.map(Contents::from)
                }
                _ => None,
            };
            found.push(FoundResource { resource, contents });
        }
        Ok(found)
    }

    /// What no stack owns.
    async fn leftovers(&self, inventory: &mut Inventory) -> Result<(), FlowError> {
        let owned: BTreeSet<String> = inventory
            .stacks
            .iter()
            .flat_map(|stack| &stack.resources)
            .map(|found| found.resource.physical_id.clone())
            .filter(|id| !id.is_empty())
            .collect();
        let mut candidates: BTreeSet<(LeftoverKind, String)> = BTreeSet::new();
        let named = |kind, names: Vec<String>| names.into_iter().map(move |name| (kind, name));
        candidates.extend(named(LeftoverKind::Bucket, self.owner.buckets()));
        candidates.extend(named(LeftoverKind::Repository, self.owner.repositories()));
        candidates.extend(named(LeftoverKind::LogGroup, self.owner.log_groups()));
        candidates.extend(self.retained().await?);
        let (project, environment) = (self.owner.project(), self.owner.environment());
        let tagged = self.holdings.tagged.tagged(project, environment).await;
        let tagged = self.offered(inventory, "resources by their tags", tagged)?;
        let stacks: BTreeSet<_> = inventory.stacks.iter().map(|one| &one.stack.id).collect();
        for arn in tagged.unwrap_or_default() {
            if stacks.contains(&arn) || owned.iter().any(|id| is_arn_of(&arn, id)) {
                continue;
            }
            candidates.insert(kind_of(&arn));
        }
        for (kind, id) in candidates {
            if owned.contains(&id) {
                continue;
            }
            if let Some(leftover) = self.look_at(inventory, kind, id).await? {
                inventory.leftovers.push(leftover);
            }
        }
        let groups = self.holdings.report_groups.report_groups().await;
        let groups = self.offered(inventory, "report groups", groups)?;
        for group in groups.unwrap_or_default() {
            let ours = self
                .owner
                .owns(self.owner.is_report_group(&group.name), &group.tags);
            if ours && !owned.contains(&group.arn) && !owned.contains(&group.name) {
                inventory.leftovers.push(Leftover {
                    kind: LeftoverKind::ReportGroup,
                    id: group.arn,
                    contents: Contents::default(),
                    removable: Removable::Now,
                });
            }
        }
        inventory
            .leftovers
            .sort_by(|a, b| (a.kind, &a.id).cmp(&(b.kind, &b.id)));
        Ok(())
    }

    /// What deleted stacks of ours have left: what they were told to keep, and keys, which go days later.
    async fn retained(&self) -> Result<BTreeSet<(LeftoverKind, String)>, FlowError> {
        let names = self.owner.stack_names();
        let mut kept = BTreeSet::new();
        for (name, id) in self.holdings.stacks.deleted_stacks().await? {
            if !names.contains(&name) {
                continue;
            }
            let Some(stack) = self.tools.stacks.describe_stack(&id).await? else {
                continue;
            };
            if !self.owner.owns(true, &stack.tags) {
                continue;
            }
            for resource in self.tools.stacks.stack_resources(&id).await? {
                let skipped = resource.status == "DELETE_SKIPPED";
                let kind = match resource.resource_type.as_str() {
                    "AWS::KMS::Key" => LeftoverKind::Key,
                    "AWS::S3::Bucket" if skipped => LeftoverKind::Bucket,
                    "AWS::ECR::Repository" if skipped => LeftoverKind::Repository,
                    "AWS::Logs::LogGroup" if skipped => LeftoverKind::LogGroup,
                    // Whatever else was kept carries the tags, and is found by them.
                    _ => continue,
                };
                if !resource.physical_id.is_empty() {
                    kept.insert((kind, resource.physical_id));
                }
            }
        }
        Ok(kept)
    }

    /// The thing as it stands, if it is there and ours.
    async fn look_at(
        &self,
        inventory: &mut Inventory,
        kind: LeftoverKind,
        id: String,
    ) -> Result<Option<Leftover>, FlowError> {
        let holdings = &self.holdings;
        let mut removable = Removable::Now;
        let contents = match kind {
            LeftoverKind::Bucket => {
                let Some(contents) = holdings.objects.bucket_contents(&id).await? else {
                    return Ok(None);
                };
                let tags = holdings.objects.bucket_tags(&id).await?;
                if !self.owner.owns(true, &tags) {
                    return Ok(None);
                }
                contents.into()
            }
            LeftoverKind::Repository => {
                let contents = holdings.images.repository_contents(&id).await;
                let contents = self.offered(inventory, "image repositories", contents)?;
                let Some(contents) = contents.flatten() else {
                    return Ok(None);
                };
                let tags = holdings.images.repository_tags(&id).await?;
                if !self.owner.owns(true, &tags) {
                    return Ok(None);
                }
                contents.into()
            }
            LeftoverKind::LogGroup => {
                let Some(group) = holdings.log_groups.log_group(&id).await? else {
                    return Ok(None);
                };
                Contents {
                    counts: Vec::new(),
                    bytes: Some(group.bytes),
                }
            }
            LeftoverKind::Table => {
                let Some(contents) = holdings.tables.table_contents(&id).await? else {
                    return Ok(None);
                };
                removable = Removable::ByHand;
                contents.into()
            }
            LeftoverKind::Key => {
                let key = holdings.keys.key(&id).await;
                match self.offered(inventory, "keys", key)?.flatten() {
                    None => return Ok(None),
                    Some(KeyState::PendingDeletion { on }) => {
                        removable = Removable::Waits { until: on };
                    }
                    Some(KeyState::InUse) => removable = Removable::ByHand,
                }
                Contents::default()
            }
            LeftoverKind::ReportGroup | LeftoverKind::Tagged => {
                removable = Removable::ByHand;
                Contents::default()
            }
        };
        Ok(Some(Leftover {
            kind,
            id,
            contents,
            removable,
        }))
    }

    /// The answer; `None` where an emulator lacks the service, which is noted.
    fn offered<T>(
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

/// Whether the ARN is that of the resource which CloudFormation knows by `id`: the id alone, or behind a separator.
fn is_arn_of(arn: &str, id: &str) -> bool {
    let arn = arn.strip_suffix(":*").unwrap_or(arn);
    arn.strip_suffix(id).is_some_and(|before| {
        before.is_empty() || id.starts_with('/') || before.ends_with([':', '/'])
    })
}

/// What kind of thing an ARN names, and the id by which it is looked at.
fn kind_of(arn: &str) -> (LeftoverKind, String) {
    let parts: Vec<_> = arn.splitn(6, ':').collect();
    let tagged = (LeftoverKind::Tagged, arn.to_owned());
    let [_, _, service, _, _, rest] = parts[..] else {
        return tagged;
    };
    let behind = |before: &str| rest.strip_prefix(before).map(str::to_owned);
    let found = match service {
        "s3" => Some((LeftoverKind::Bucket, rest.to_owned())),
        "ecr" => behind("repository/").map(|name| (LeftoverKind::Repository, name)),
        "logs" => behind("log-group:").map(|name| {
            let name = name.strip_suffix(":*").unwrap_or(&name).to_owned();
            (LeftoverKind::LogGroup, name)
        }),
        "dynamodb" => behind("table/")
            .filter(|name| !name.contains('/'))
            .map(|name| (LeftoverKind::Table, name)),
        "kms" => behind("key/").map(|id| (LeftoverKind::Key, id)),
        _ => None,
    };
    found.unwrap_or(tagged)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_arn_is_told_from_one_that_ends_alike() {
        for (arn, id, expected) in [
            ("arn:aws:s3:::files", "files", true),
            ("arn:aws:s3:::my-files", "files", false),
            ("arn:aws:dynamodb:r:1:table/t", "t", true),
            ("arn:aws:dynamodb:r:1:table/tt", "t", false),
            ("arn:aws:ssm:r:1:parameter/p/e/name", "/p/e/name", true),
            (
                "arn:aws:logs:r:1:log-group:/aws/lambda/f:*",
                "/aws/lambda/f",
                true,
            ),
            ("arn:aws:sns:r:1:topic", "arn:aws:sns:r:1:topic", true),
            ("arn:aws:apigateway:r::/apis/abc", "abc", true),
        ] {
            assert_eq!(is_arn_of(arn, id), expected, "{arn} {id}");
        }
    }

    #[test]
    fn arns_are_read() {
        for (arn, kind, id) in [
            ("arn:aws:s3:::files", LeftoverKind::Bucket, "files"),
            (
                "arn:aws:ecr:r:1:repository/a/b",
                LeftoverKind::Repository,
                "a/b",
            ),
            (
                "arn:aws:logs:r:1:log-group:/aws/x:*",
                LeftoverKind::LogGroup,
                "/aws/x",
            ),
            ("arn:aws:kms:r:1:key/1-2", LeftoverKind::Key, "1-2"),
            ("arn:aws:dynamodb:r:1:table/t", LeftoverKind::Table, "t"),
            (
                "arn:aws:sns:r:1:t",
                LeftoverKind::Tagged,
                "arn:aws:sns:r:1:t",
            ),
            ("nonsense", LeftoverKind::Tagged, "nonsense"),
        ] {
            assert_eq!(kind_of(arn), (kind, id.to_owned()));
        }
    }

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
