//! A resource of a change set, from the SDK's words to the project's.

use aws_sdk_cloudformation::types as sdk;

use super::cloudformation::text;
use crate::stack::{DescribedChange, DescribedDetail, ResourceChange};

pub(super) fn resource_change(change: &sdk::ResourceChange) -> ResourceChange {
    let owned = |text: Option<&str>| text.map(str::to_owned);
    let details = change.details().iter().map(|detail| {
        let target = detail.target();
        DescribedDetail {
            attribute: target
                .and_then(|target| target.attribute())
                .map(|attribute| attribute.as_str().to_owned())
                .unwrap_or_default(),
            name: owned(target.and_then(|target| target.name())).filter(|name| !name.is_empty()),
            path: owned(target.and_then(|target| target.path())),
            before: owned(target.and_then(|target| target.before_value())),
            after: owned(target.and_then(|target| target.after_value())),
            recreation: target
                .and_then(|target| target.requires_recreation())
                .map(|recreation| recreation.as_str().to_owned()),
            dynamic: detail.evaluation() == Some(&sdk::EvaluationType::Dynamic),
            source: detail
                .change_source()
                .map(|source| source.as_str().to_owned()),
            causing_entity: owned(detail.causing_entity()),
        }
    });
    ResourceChange::from(DescribedChange {
        action: change
            .action()
            .map(|action| action.as_str().to_owned())
            .unwrap_or_default(),
        logical_id: text(change.logical_resource_id()),
        resource_type: text(change.resource_type()),
        physical_id: owned(change.physical_resource_id()),
        replacement: change
            .replacement()
            .map(|replacement| replacement.as_str().to_owned()),
        policy: change
            .policy_action()
            .map(|policy| policy.as_str().to_owned()),
        scope: change
            .scope()
            .iter()
            .map(|scope| scope.as_str().to_owned())
            .collect(),
        details: details.collect(),
        before_context: owned(change.before_context()),
        after_context: owned(change.after_context()),
    })
}

#[cfg(test)]
mod tests {
    use aws_sdk_cloudformation::Client;
    use aws_sdk_cloudformation::operation::describe_change_set::DescribeChangeSetOutput;
    use aws_smithy_mocks::{RuleMode, mock, mock_client};

    use super::*;
    use crate::aws::CloudFormation;
    use crate::cloud::Stacks as _;
    use crate::stack::{Action, Cause, ChangeSetState, Policy, Replacement, Shown};

    /// Every page is read, with values; what the service says of a resource is all there.
    #[tokio::test]
    async fn a_change_set_is_read_to_its_last_page_with_values() {
        let target = sdk::ResourceTargetDefinition::builder()
            .attribute(sdk::ResourceAttribute::Properties)
            .name("TableName")
            .path("/Properties/TableName")
            .before_value("one")
            .after_value("two")
            .requires_recreation(sdk::RequiresRecreation::Always)
            .build();
        let detail = sdk::ResourceChangeDetail::builder()
            .target(target)
            .evaluation(sdk::EvaluationType::Static)
            .change_source(sdk::ChangeSource::ParameterReference)
            .causing_entity("Name")
            .build();
        let table = sdk::ResourceChange::builder()
            .action(sdk::ChangeAction::Modify)
            .logical_resource_id("Table")
            .physical_resource_id("one")
            .resource_type("AWS::DynamoDB::Table")
            .replacement(sdk::Replacement::True)
            .policy_action(sdk::PolicyAction::ReplaceAndRetain)
            .scope(sdk::ResourceAttribute::Properties)
            .details(detail)
            .build();
        let gone = sdk::ResourceChange::builder()
            .action(sdk::ChangeAction::Remove)
            .logical_resource_id("Gone")
            .resource_type("AWS::S3::Bucket")
            .policy_action(sdk::PolicyAction::Delete)
            .build();
        let page = |change: sdk::ResourceChange, next: Option<&str>| {
            DescribeChangeSetOutput::builder()
                .status(sdk::ChangeSetStatus::CreateComplete)
                .changes(sdk::Change::builder().resource_change(change).build())
                .set_next_token(next.map(str::to_owned))
                .build()
        };
        let (first, second) = (page(table, Some("more")), page(gone, None));
        let one = mock!(Client::describe_change_set)
            .match_requests(|request| {
                request.next_token().is_none() && request.include_property_values() == Some(true)
            })
            .then_output(move || first.clone());
        let two = mock!(Client::describe_change_set)
            .match_requests(|request| {
                request.next_token() == Some("more")
                    && request.include_property_values() == Some(true)
            })
            .then_output(move || second.clone());
        let adapter = CloudFormation::from_client(mock_client!(
            aws_sdk_cloudformation,
            RuleMode::MatchAny,
            &[&one, &two]
        ));
        let set = adapter.describe_change_set("set", "stack").await.unwrap();
        assert_eq!(set.state, ChangeSetState::Ready);
        let [table, gone] = set.changes.as_slice() else {
            panic!("{set:?}");
        };
        assert_eq!(
            (
                table.replacement,
                table.policy.clone(),
                table.physical_id.as_deref()
            ),
            (
                Replacement::Always,
                Some(Policy::ReplaceAndRetain),
                Some("one")
            )
        );
        let name = &table.properties[0];
        assert_eq!(
            (name.path.as_str(), name.recreation),
            ("TableName", Replacement::Always)
        );
        assert_eq!(name.before, Shown::Value("one".into()));
        assert_eq!(name.causes, [Cause::Parameter("Name".to_owned())]);
        assert_eq!(
            (&gone.action, gone.policy.clone()),
            (&Action::Remove, Some(Policy::Delete))
        );
    }
}
