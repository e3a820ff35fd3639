//! Import, as far as the flow can tell.

use async_trait::async_trait;

use super::FakeCloud;
use crate::cloud::{ChangeSetRequest, CloudError, ImportRequest, Imports, ResourceIdentifiers};
use crate::stack::ChangeSet;

#[async_trait]
impl Imports for FakeCloud {
    async fn resource_identifiers(
        &self,
        _template_body: &str,
    ) -> Result<Vec<ResourceIdentifiers>, CloudError> {
        self.read("resource_identifiers", "", |_| Ok(Vec::new()))
            .await
    }

    async fn create_import(&self, request: &ImportRequest) -> Result<ChangeSet, CloudError> {
        self.write("create_import", &request.stack_name, |state| {
            let create = state.find(&request.stack_name).is_none();
            let set = state.new_change_set(&ChangeSetRequest {
                stack_name: request.stack_name.clone(),
                name: request.name.clone(),
                create,
                template_body: request.template_body.clone(),
                parameters: request.parameters.clone(),
                tags: request.tags.clone(),
                capabilities: request.capabilities.clone(),
            })?;
            if let Some(fake) = state.change_sets.get_mut(&set.id) {
                fake.imports.clone_from(&request.targets);
            }
            Ok(set)
        })
        .await
    }
}
