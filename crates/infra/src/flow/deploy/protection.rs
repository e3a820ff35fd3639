//! Protecting stacks against their deletion, and what holds data against its replacement and removal.

use std::collections::BTreeSet;

use super::Deployer;
use crate::flow::{FlowError, Progress};
use crate::stack::{STATEFUL_TYPES, Stack, StackPolicy};
use crate::stack_def::StackDef;

impl Deployer<'_> {
    /// The stack, protected where this deploy protects. What is protected already is not called for.
    pub(super) async fn protected(
        &self,
        def: &StackDef,
        mut stack: Stack,
    ) -> Result<Stack, FlowError> {
        if !self.protect {
            return Ok(stack);
        }
        let changed = self.set_policy(&stack, &BTreeSet::new()).await?;
        if !stack.termination_protection {
            self.control
                .set_termination_protection(&stack.id, true)
                .await?;
            stack.termination_protection = true;
            self.tools.tell(def.name, &Progress::Protected);
        } else if changed {
            self.tools.tell(def.name, &Progress::Protected);
        }
        Ok(stack)
    }

    /// Sets the stack policy that lets `except` alone be replaced or removed; returns whether it was another before.
    ///
    /// `ExecuteChangeSet` takes no policy for its update alone, so the stack's own policy lets the resources through
    /// before, and is closed again after. A run that is killed between the two leaves it open for those resources
    /// until the next deploy, which closes it first of all.
    pub(super) async fn set_policy(
        &self,
        stack: &Stack,
        except: &BTreeSet<String>,
    ) -> Result<bool, FlowError> {
        if !self.protect {
            return Ok(false);
        }
        let wanted = StackPolicy::protecting(STATEFUL_TYPES, except);
        let found = self.control.stack_policy(&stack.id).await?;
        if found.is_some_and(|document| wanted.is(&document)) {
            return Ok(false);
        }
        self.control
            .set_stack_policy(&stack.id, &wanted.document())
            .await?;
        Ok(true)
    }
}
