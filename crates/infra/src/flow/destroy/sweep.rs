//! Removing what no stack owns.

use super::{Destroyer, Removal};
use crate::flow::FlowError;
use crate::inventory::{Leftover, LeftoverKind, Removable, part_of};

/// How often a table is looked at until it is gone. DynamoDB takes some seconds, and more with indexes.
const LOOKS: u32 = 60;

impl Destroyer<'_> {
    /// Removes what can be removed, in the order of its kinds; returns how many things that was.
    pub(super) async fn sweep(&self, leftovers: &[Leftover]) -> Result<usize, FlowError> {
        let work: Vec<_> = leftovers.iter().filter(|one| one.is_work()).collect();
        let mut parameters = Vec::new();
        for leftover in &work {
            if leftover.kind == LeftoverKind::Parameter {
                parameters.push(leftover.id.clone());
            }
        }
        for leftover in &work {
            // Parameters go together, at the first one's turn.
            if leftover.kind == LeftoverKind::Parameter {
                if !parameters.is_empty() {
                    self.holdings
                        .parameters
                        .delete_parameters(&parameters)
                        .await?;
                    parameters.clear();
                }
            } else {
                self.remove_leftover(leftover).await?;
            }
            let removal = match leftover.removable {
                Removable::Later { days } => Removal::Scheduled {
                    kind: leftover.kind,
                    days,
                },
                _ => Removal::Gone(leftover.kind),
            };
            self.tell(&leftover.id, removal);
        }
        Ok(work.len())
    }

    async fn remove_leftover(&self, leftover: &Leftover) -> Result<(), FlowError> {
        let id = leftover.id.as_str();
        let holdings = &self.holdings;
        let days = self.leave.recovery_days;
        match leftover.kind {
            LeftoverKind::FunctionAlias => {
                if let Some((name, alias)) = part_of(id) {
                    holdings.functions.delete_alias(name, alias).await?;
                }
            }
            LeftoverKind::FunctionVersion => {
                if let Some((name, version)) = part_of(id) {
                    holdings.functions.delete_version(name, version).await?;
                }
            }
            LeftoverKind::Function => holdings.functions.delete_function(id).await?,
            LeftoverKind::Bucket => {
                self.empty_bucket(id, id).await?;
                holdings.objects.delete_bucket(id).await?;
            }
            LeftoverKind::Repository => {
                self.empty_repository(id, id).await?;
                holdings.images.delete_repository(id).await?;
            }
            LeftoverKind::ReportGroup => holdings.report_groups.delete_report_group(id).await?,
            LeftoverKind::LogGroup => holdings.log_groups.delete_log_group(id).await?,
            LeftoverKind::Table => self.remove_table(id).await?,
            LeftoverKind::Secret => self.remove_secret(id, days).await?,
            LeftoverKind::Key => holdings.keys.schedule_key_deletion(id, days).await?,
            // Parameters go in batches; the others are never removable here: see `look_at`.
            LeftoverKind::Parameter | LeftoverKind::Kept | LeftoverKind::Tagged => {}
        }
        Ok(())
    }

    /// Deletes the table and waits until it is gone, as far as the patience goes: the proof tells of one that stays.
    async fn remove_table(&self, name: &str) -> Result<(), FlowError> {
        let tables = self.holdings.tables;
        let mut begun = false;
        for look in 0..LOOKS {
            if !begun {
                begun = tables.delete_table(name).await?;
            } else if tables.table_contents(name).await?.is_none() {
                return Ok(());
            }
            let now = self.tools.clock.now();
            let wait = self.tools.poll.wait(look, now);
            self.tools.clock.sleep(wait).await;
        }
        Ok(())
    }

    /// A secret that has copies in other regions is deleted only after them.
    async fn remove_secret(&self, id: &str, days: i32) -> Result<(), FlowError> {
        let secrets = self.holdings.secrets;
        let Some(secret) = secrets.held_secret(id).await? else {
            return Ok(());
        };
        if !secret.replicas.is_empty() {
            secrets.remove_replicas(id, &secret.replicas).await?;
        }
        Ok(secrets.schedule_secret_deletion(id, days).await?)
    }
}
