//! What can be left without a stack: tables, parameters, secrets, functions, keys, and resources of other types.

use std::collections::BTreeMap;

use async_trait::async_trait;
use time::OffsetDateTime;

use super::FakeCloud;
use super::holdings::{Tags, tags_of};
use super::stacks::refused;
use crate::cloud::{
    AnyResource, CloudError, Function, Functions, HeldParameter, HeldParameters, HeldSecret,
    HeldSecrets, Keys, Tables,
};
use crate::inventory::{KeyState, TableContents};

#[derive(Debug, Default)]
struct FakeTable {
    contents: TableContents,
    tags: Tags,
}

/// Things by their names.
#[derive(Debug, Default)]
pub(super) struct Unowned {
    tables: BTreeMap<String, FakeTable>,
    parameters: BTreeMap<String, HeldParameter>,
    secrets: BTreeMap<String, HeldSecret>,
    functions: BTreeMap<String, Function>,
    keys: BTreeMap<String, (KeyState, Tags)>,
    /// Of any other type, by type and id; none where the type cannot be looked at.
    others: BTreeMap<(String, String), Option<bool>>,
}

impl Unowned {
    /// It goes with the stack that owned it; a key begins to wait.
    pub(super) fn remove(&mut self, id: &str) {
        self.tables.remove(id);
        self.parameters.remove(id);
        self.secrets.remove(id);
        self.functions.remove(id);
        if let Some((state, _)) = self.keys.get_mut(id) {
            *state = KeyState::PendingDeletion { on: None };
        }
    }

    pub(super) fn is_protected(&self, id: &str) -> bool {
        self.tables
            .get(id)
            .is_some_and(|table| table.contents.deletion_protection)
    }

    pub(super) fn lines(&self) -> impl Iterator<Item = String> {
        let tables = self.tables.iter().map(|(name, table)| {
            let protected = if table.contents.deletion_protection {
                ", protected"
            } else {
                ""
            };
            format!("table {name}{protected}")
        });
        let parameters = self
            .parameters
            .keys()
            .map(|name| format!("parameter {name}"));
        let secrets = self.secrets.iter().map(|(name, secret)| {
            let waits = if secret.deleted_on.is_some() {
                " waits"
            } else {
                ""
            };
            format!("secret {name}{waits}")
        });
        let functions = self.functions.iter().map(|(name, one)| {
            let (versions, aliases) = (one.versions.join(","), one.aliases.join(","));
            format!("function {name} [{versions}] [{aliases}]")
        });
        let keys = self.keys.iter().map(|(id, (key, _))| match key {
            KeyState::InUse => format!("key {id} in use"),
            KeyState::PendingDeletion { .. } => format!("key {id} waits"),
        });
        tables
            .chain(parameters)
            .chain(secrets)
            .chain(functions)
            .chain(keys)
    }
}

impl FakeCloud {
    /// Puts a table with three items there.
    pub fn put_table(&self, name: &str, deletion_protection: bool, tags: &[(&str, &str)]) {
        self.with(|state| {
            let table = FakeTable {
                contents: TableContents {
                    items: 3,
                    bytes: 300,
                    deletion_protection,
                    deleting: false,
                },
                tags: tags_of(tags),
            };
            state.held.unowned.tables.insert(name.to_owned(), table)
        });
    }

    /// Puts a parameter there.
    pub fn put_parameter(&self, name: &str, tags: &[(&str, &str)]) {
        self.with(|state| {
            let parameter = HeldParameter {
                name: name.to_owned(),
                advanced: false,
                tags: tags_of(tags),
            };
            let parameters = &mut state.held.unowned.parameters;
            parameters.insert(name.to_owned(), parameter)
        });
    }

    /// Puts a secret there, with copies in these regions.
    pub fn put_secret(&self, id: &str, replicas: &[&str], tags: &[(&str, &str)]) {
        self.with(|state| {
            let secret = HeldSecret {
                deleted_on: None,
                replicas: replicas.iter().map(|&region| region.to_owned()).collect(),
                tags: tags_of(tags),
            };
            state.held.unowned.secrets.insert(id.to_owned(), secret)
        });
    }

    /// Puts a function with versions and aliases there.
    pub fn put_function(
        &self,
        name: &str,
        versions: &[&str],
        aliases: &[&str],
        tags: &[(&str, &str)],
    ) {
        let owned = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
        self.with(|state| {
            let function = Function {
                versions: owned(versions),
                aliases: owned(aliases),
                bytes: 2_000,
                tags: tags_of(tags),
            };
            state
                .held
                .unowned
                .functions
                .insert(name.to_owned(), function)
        });
    }

    /// Puts a key there.
    pub fn put_key(&self, id: &str, key: KeyState, tags: &[(&str, &str)]) {
        self.with(|state| {
            let tags = tags_of(tags);
            state.held.unowned.keys.insert(id.to_owned(), (key, tags))
        });
    }

    /// Says of a resource whether it is there; `None`: its type cannot be looked at.
    pub fn put_other(&self, resource_type: &str, id: &str, there: Option<bool>) {
        self.with(|state| {
            let key = (resource_type.to_owned(), id.to_owned());
            state.held.unowned.others.insert(key, there)
        });
    }
}

#[async_trait]
impl Tables for FakeCloud {
    async fn table_contents(&self, name: &str) -> Result<Option<TableContents>, CloudError> {
        self.read("table_contents", name, |state| {
            let found = state.held.unowned.tables.get_mut(name);
            let contents = found.map(|table| table.contents);
            // A table is seen once on its way out.
            if contents.is_some_and(|contents| contents.deleting) {
                state.held.unowned.tables.remove(name);
            }
            Ok(contents)
        })
        .await
    }

    async fn table_tags(&self, name: &str) -> Result<Tags, CloudError> {
        self.read("table_tags", name, |state| {
            let found = state.held.unowned.tables.get(name);
            Ok(found.map(|table| table.tags.clone()).unwrap_or_default())
        })
        .await
    }

    async fn lift_table_protection(&self, name: &str) -> Result<(), CloudError> {
        self.write("lift_table_protection", name, |state| {
            if let Some(table) = state.held.unowned.tables.get_mut(name) {
                table.contents.deletion_protection = false;
            }
            Ok(())
        })
        .await
    }

    async fn delete_table(&self, name: &str) -> Result<bool, CloudError> {
        self.write("delete_table", name, |state| {
            let Some(table) = state.held.unowned.tables.get_mut(name) else {
                return Ok(true);
            };
            if table.contents.deletion_protection {
                return Err(refused("ValidationException", "the table is protected"));
            }
            table.contents.deleting = true;
            Ok(true)
        })
        .await
    }
}

#[async_trait]
impl HeldParameters for FakeCloud {
    async fn held_parameter(&self, name: &str) -> Result<Option<HeldParameter>, CloudError> {
        self.read("held_parameter", name, |state| {
            Ok(state.held.unowned.parameters.get(name).cloned())
        })
        .await
    }

    async fn delete_parameters(&self, names: &[String]) -> Result<(), CloudError> {
        self.write("delete_parameters", &names.join(","), |state| {
            for name in names {
                state.held.unowned.parameters.remove(name);
            }
            Ok(())
        })
        .await
    }
}

#[async_trait]
impl HeldSecrets for FakeCloud {
    async fn held_secret(&self, id: &str) -> Result<Option<HeldSecret>, CloudError> {
        self.read("held_secret", id, |state| {
            Ok(state.held.unowned.secrets.get(id).cloned())
        })
        .await
    }

    async fn remove_replicas(&self, id: &str, regions: &[String]) -> Result<(), CloudError> {
        self.write("remove_replicas", id, |state| {
            if let Some(secret) = state.held.unowned.secrets.get_mut(id) {
                secret.replicas.retain(|region| !regions.contains(region));
            }
            Ok(())
        })
        .await
    }

    async fn schedule_secret_deletion(&self, id: &str, days: i32) -> Result<(), CloudError> {
        let target = format!("{id} in {days} days");
        self.write("schedule_secret_deletion", &target, |state| {
            if let Some(secret) = state.held.unowned.secrets.get_mut(id) {
                if !secret.replicas.is_empty() {
                    return Err(refused("InvalidRequestException", "it has replicas"));
                }
                secret.deleted_on = Some(OffsetDateTime::UNIX_EPOCH);
            }
            // What waits is in no list any more.
            state.held.untag(id);
            Ok(())
        })
        .await
    }
}

#[async_trait]
impl Functions for FakeCloud {
    async fn function(&self, name: &str) -> Result<Option<Function>, CloudError> {
        self.read("function", name, |state| {
            Ok(state.held.unowned.functions.get(name).cloned())
        })
        .await
    }

    async fn delete_function(&self, name: &str) -> Result<(), CloudError> {
        self.write("delete_function", name, |state| {
            state.held.unowned.functions.remove(name);
            Ok(())
        })
        .await
    }

    async fn delete_version(&self, name: &str, version: &str) -> Result<(), CloudError> {
        self.write("delete_version", &format!("{name}/{version}"), |state| {
            if let Some(function) = state.held.unowned.functions.get_mut(name) {
                function.versions.retain(|one| one != version);
            }
            Ok(())
        })
        .await
    }

    async fn delete_alias(&self, name: &str, alias: &str) -> Result<(), CloudError> {
        self.write("delete_alias", &format!("{name}/{alias}"), |state| {
            if let Some(function) = state.held.unowned.functions.get_mut(name) {
                function.aliases.retain(|one| one != alias);
            }
            Ok(())
        })
        .await
    }
}

#[async_trait]
impl Keys for FakeCloud {
    async fn key(&self, id: &str) -> Result<Option<KeyState>, CloudError> {
        self.read("key", id, |state| {
            Ok(state.held.unowned.keys.get(id).map(|(key, _)| *key))
        })
        .await
    }

    async fn key_tags(&self, id: &str) -> Result<Tags, CloudError> {
        self.read("key_tags", id, |state| {
            let found = state.held.unowned.keys.get(id);
            Ok(found.map(|(_, tags)| tags.clone()).unwrap_or_default())
        })
        .await
    }

    async fn schedule_key_deletion(&self, id: &str, days: i32) -> Result<(), CloudError> {
        let target = format!("{id} in {days} days");
        self.write("schedule_key_deletion", &target, |state| {
            if let Some((key, _)) = state.held.unowned.keys.get_mut(id) {
                *key = KeyState::PendingDeletion { on: None };
            }
            Ok(())
        })
        .await
    }
}

#[async_trait]
impl AnyResource for FakeCloud {
    async fn is_there(&self, resource_type: &str, id: &str) -> Result<Option<bool>, CloudError> {
        self.read("is_there", id, |state| {
            let key = (resource_type.to_owned(), id.to_owned());
            let others = &state.held.unowned.others;
            Ok(others.get(&key).copied().unwrap_or(Some(false)))
        })
        .await
    }
}
