use std::collections::{BTreeMap, BTreeSet};

use futures::FutureExt as _;
use futures::stream::{StreamExt as _, TryStreamExt as _};

use super::{RollOut, RollOutError};
use crate::flow::AllowReplace;
use crate::order::Regions;
use crate::stack_set::{
    DefinitionChange, Overrides, Pair, PairPlan, Permissions, Preferences, StackInstance,
    StackSetAddress, StackSetDefinition, StackSetOperation, WantedPairs,
};

/// The tag of a set whose instances may have values of their own.
///
/// A list of instances does not tell of them, and asking each of a thousand instances takes minutes. So they are asked
/// where this tag, or what is wanted, says that there is something to hear. It is set with the first value and stays.
pub const OVERRIDES_TAG: &str = "stack-set-overrides";

/// How many instances are asked for their own values at once.
const AT_ONCE: usize = 8;

/// A stack set as it is to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WantedStackSet {
    /// The stack's name in the project.
    pub stack: String,
    /// Which set.
    pub address: StackSetAddress,
    /// What it is made from, without [`OVERRIDES_TAG`].
    pub definition: StackSetDefinition,
    /// Where.
    pub targets: WantedPairs,
    /// How operations go over instances.
    pub preferences: Preferences,
    /// The resources that may be replaced or removed with their data.
    pub allow_replace: AllowReplace,
    /// Regions in which every instance is left as it is, since they are out of reach.
    pub left_regions: Regions,
    /// What becomes of instances that are not wanted.
    pub unwanted: Unwanted,
}

/// What a roll-out does with instances that are not wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Unwanted {
    /// They go, with their stacks, after all else.
    #[default]
    Go,
    /// They stay for now, and a later roll-out takes them: others may need what is in them.
    Stay,
}

impl WantedStackSet {
    /// The definition for a set that is not there yet.
    pub(super) fn new_definition(&self) -> StackSetDefinition {
        self.tagged(!self.targets.overrides.is_empty())
    }

    /// The definition for the set that the plan found.
    pub(super) fn definition(&self, plan: &RollOutPlan) -> StackSetDefinition {
        self.tagged(plan.overrides_known || !self.targets.overrides.is_empty())
    }

    fn tagged(&self, overrides: bool) -> StackSetDefinition {
        let mut definition = self.definition.clone();
        if overrides {
            definition
                .tags
                .insert(OVERRIDES_TAG.to_owned(), "possible".to_owned());
        }
        definition
    }
}

/// What a roll-out would do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RollOutPlan {
    /// The set's id; `None` where it is to be made.
    pub set_id: Option<String>,
    /// What the set is made from that changes.
    pub changes: Vec<DefinitionChange>,
    /// What becomes of each pair.
    pub pairs: PairPlan,
    /// How many instances stand.
    pub instances: usize,
    /// The operation that is under way; the plan may change as it ends.
    pub in_flight: Option<StackSetOperation>,
    /// What the set is made from as it stands.
    pub standing: Option<StackSetDefinition>,
    /// The values of their own that wanted instances have.
    pub(super) overridden: BTreeMap<Pair, Overrides>,
    /// The newest operation's id.
    pub(super) last_operation: Option<String>,
    /// Whether the set says that instances may have values of their own.
    pub(super) overrides_known: bool,
}

impl RollOutPlan {
    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.set_id.is_some() && self.changes.is_empty() && self.pairs.is_empty()
    }
}

impl RollOut<'_> {
    /// Holds what is wanted against what stands. Only reads.
    ///
    /// # Errors
    /// [`RollOutError::PermissionModel`] where the set would have to become another kind.
    pub async fn plan(&self, wanted: &WantedStackSet) -> Result<RollOutPlan, RollOutError> {
        let at = &wanted.address;
        let Some(set) = self.sets.describe_stack_set(at).await? else {
            let none = (BTreeSet::new(), BTreeMap::new());
            let mut pairs = PairPlan::new(&wanted.targets, &[], &none.0, &none.1, false);
            pairs.leave_regions(&wanted.left_regions);
            return Ok(RollOutPlan {
                set_id: None,
                changes: Vec::new(),
                pairs,
                instances: 0,
                in_flight: None,
                standing: None,
                overridden: BTreeMap::new(),
                last_operation: None,
                overrides_known: false,
            });
        };
        let overrides_known = set.definition.tags.contains_key(OVERRIDES_TAG);
        let asked = overrides_known || !wanted.targets.overrides.is_empty();
        let changes = set.definition.changes(&wanted.tagged(asked));
        if changes.contains(&DefinitionChange::PermissionModel) {
            return Err(RollOutError::PermissionModel {
                stack_set: at.name.clone(),
            });
        }
        // Operations before instances: one that ends in between is waited for, and the plan made again.
        let (in_flight, last_operation) = self.in_flight(at).await?;
        let instances = self.sets.stack_instances(at).await?;
        let watched = match &set.definition.permissions {
            Permissions::ServiceManaged(auto) if auto.enabled => {
                self.sets.auto_deployment_targets(at).await?
            }
            _ => Vec::new(),
        };
        let overridden = if asked {
            self.overrides(wanted, &instances).await?
        } else {
            BTreeMap::new()
        };
        let mut pairs = PairPlan::new(
            &wanted.targets,
            &instances,
            &watched.into_iter().collect(),
            &overridden,
            !changes.is_empty(),
        );
        pairs.leave_regions(&wanted.left_regions);
        Ok(RollOutPlan {
            set_id: Some(set.id),
            changes,
            pairs,
            instances: instances.len(),
            in_flight,
            standing: Some(set.definition),
            overridden,
            last_operation,
            overrides_known,
        })
    }

    /// The values of their own that wanted instances have.
    async fn overrides(
        &self,
        wanted: &WantedStackSet,
        instances: &[StackInstance],
    ) -> Result<BTreeMap<Pair, Overrides>, RollOutError> {
        let asked = instances
            .iter()
            .filter(|instance| wanted.targets.pairs.contains(&instance.target()))
            .map(|instance| {
                let own = async move {
                    let pair = &instance.pair;
                    let own = self.sets.instance_overrides(&wanted.address, pair).await?;
                    Ok::<_, RollOutError>((instance.target(), own.unwrap_or_default()))
                };
                // Boxed, so that the whole can go from thread to thread: the compiler cannot tell of the closure's own.
                own.boxed()
            });
        let asked: Vec<_> = asked.collect();
        futures::stream::iter(asked)
            .buffer_unordered(AT_ONCE)
            .try_collect()
            .await
    }
}
