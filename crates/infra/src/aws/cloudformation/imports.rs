use async_trait::async_trait;
use aws_sdk_cloudformation::types::{self as sdk, ChangeSetType};

use super::{CloudFormation, asked, cloud_error, new_token};
use crate::cloud::{CloudError, ImportRequest, Imports, ResourceIdentifiers};
use crate::stack::{ChangeSet, ImportTarget};

fn target(target: &ImportTarget) -> sdk::ResourceToImport {
    sdk::ResourceToImport::builder()
        .resource_type(&target.resource_type)
        .logical_resource_id(&target.logical_id)
        .set_resource_identifier(Some(target.identifier.clone().into_iter().collect()))
        .build()
}

#[async_trait]
impl Imports for CloudFormation {
    async fn resource_identifiers(
        &self,
        template_body: &str,
    ) -> Result<Vec<ResourceIdentifiers>, CloudError> {
        let answer = self
            .client
            .get_template_summary()
            .template_body(template_body)
            .send()
            .await
            .map_err(|error| cloud_error("cloudformation:GetTemplateSummary", &error))?;
        let told = answer.resource_identifier_summaries().iter();
        Ok(told
            .map(|summary| ResourceIdentifiers {
                resource_type: summary.resource_type().unwrap_or_default().to_owned(),
                logical_ids: summary.logical_resource_ids().to_vec(),
                names: summary.resource_identifiers().to_vec(),
            })
            .collect())
    }

    async fn create_import(&self, request: &ImportRequest) -> Result<ChangeSet, CloudError> {
        let parameters = request.parameters.iter().map(|(name, value)| {
            sdk::Parameter::builder()
                .parameter_key(name)
                .parameter_value(value)
                .build()
        });
        let capabilities = request.capabilities.iter().map(|name| name.as_str().into());
        // CloudFormation takes neither new tags nor new outputs while it imports: the deploy that follows gives them.
        let tags = (request.tags.iter())
            .map(|(key, value)| sdk::Tag::builder().key(key).value(value).build());
        let tags: Vec<_> = tags.collect();
        let answer = self
            .client
            .create_change_set()
            .stack_name(&request.stack_name)
            .change_set_name(&request.name)
            .client_token(new_token("import"))
            .change_set_type(ChangeSetType::Import)
            .template_body(&request.template_body)
            .set_parameters(Some(parameters.collect()))
            .set_tags((!tags.is_empty()).then_some(tags))
            .set_capabilities(Some(capabilities.collect()))
            .set_resources_to_import(Some(request.targets.iter().map(target).collect()))
            .send()
            .await
            .map_err(|error| cloud_error("cloudformation:CreateChangeSet", &error))?;
        Ok(asked(&answer))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use aws_sdk_cloudformation::Client;
    use aws_sdk_cloudformation::operation::create_change_set::CreateChangeSetOutput;
    use aws_sdk_cloudformation::operation::get_template_summary::GetTemplateSummaryOutput;
    use aws_smithy_mocks::{RuleMode, mock, mock_client};

    use super::*;

    #[tokio::test]
    async fn what_is_imported_is_named_and_nothing_else_is_asked_for() {
        let summary = mock!(Client::get_template_summary)
            .match_requests(|request| request.template_body() == Some("{}"))
            .then_output(|| {
                let table = sdk::ResourceIdentifierSummary::builder()
                    .resource_type("AWS::DynamoDB::Table")
                    .logical_resource_ids("Table")
                    .resource_identifiers("TableName");
                GetTemplateSummaryOutput::builder()
                    .resource_identifier_summaries(table.build())
                    .build()
            });
        let import = mock!(Client::create_change_set)
            .match_requests(|request| {
                let targets = request.resources_to_import();
                let identifier = targets[0].resource_identifier().unwrap();
                request.change_set_type() == Some(&ChangeSetType::Import)
                    && targets.len() == 1
                    && targets[0].logical_resource_id() == Some("Table")
                    && identifier["TableName"] == "orders"
                    && request.tags().is_empty()
                    && request.parameters()[0].parameter_value() == Some("one")
            })
            .then_output(|| {
                CreateChangeSetOutput::builder()
                    .id("set")
                    .stack_id("stack")
                    .build()
            });
        let rules = [&summary, &import];
        let client = mock_client!(aws_sdk_cloudformation, RuleMode::MatchAny, &rules);
        let adapter = CloudFormation::from_client(client);
        let identifiers = adapter.resource_identifiers("{}").await.unwrap();
        let expected = ResourceIdentifiers {
            resource_type: "AWS::DynamoDB::Table".into(),
            logical_ids: vec!["Table".into()],
            names: vec!["TableName".into()],
        };
        assert_eq!(identifiers, [expected]);
        let request = ImportRequest {
            stack_name: "acme-table".into(),
            name: "stackway-import-1".into(),
            template_body: "{}".into(),
            parameters: BTreeMap::from([("Project".into(), "one".into())]),
            tags: BTreeMap::new(),
            capabilities: vec![],
            targets: vec![ImportTarget {
                logical_id: "Table".into(),
                resource_type: "AWS::DynamoDB::Table".into(),
                identifier: BTreeMap::from([("TableName".into(), "orders".into())]),
            }],
        };
        let set = adapter.create_import(&request).await.unwrap();
        assert_eq!((set.id.as_str(), set.stack_id.as_str()), ("set", "stack"));
    }
}
