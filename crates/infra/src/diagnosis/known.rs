use super::messages;

/// A reason that CloudFormation or a service gives, and what is known of it.
#[derive(Debug, PartialEq, Eq)]
pub struct KnownMessage {
    /// A name for it that stays, such as `lambda-role-not-assumable`.
    pub id: &'static str,
    /// The beginnings of the resource types that it is about; none: all.
    pub types: &'static [&'static str],
    /// What the reason says, in small letters; each of these is in it.
    pub words: &'static [&'static str],
    /// The likely cause, in a sentence without its full stop.
    pub cause: &'static str,
    /// What to do about it, in the same form.
    pub fix: &'static str,
}

impl KnownMessage {
    fn matches(&self, resource_type: &str, reason: &str) -> bool {
        let about = self.types.is_empty()
            || (self.types.iter()).any(|prefix| resource_type.starts_with(prefix));
        about && self.words.iter().all(|words| reason.contains(words))
    }
}

/// All known messages, in the order in which they are tried: what a service says before what CloudFormation makes of it.
pub fn known_messages() -> impl Iterator<Item = &'static KnownMessage> {
    messages::ALL.iter().copied().flatten()
}

/// What is known of a reason; the first message that fits.
pub fn known(resource_type: &str, reason: &str) -> Option<&'static KnownMessage> {
    let reason = reason.to_lowercase();
    known_messages().find(|message| message.matches(resource_type, &reason))
}

/// How to look further where a reason is not known, by the type of the resource: a sentence without its full stop.
pub fn look_further(resource_type: &str) -> &'static str {
    match resource_type {
        "AWS::CloudFormation::CustomResource" => CUSTOM_RESOURCE,
        custom if custom.starts_with("Custom::") => CUSTOM_RESOURCE,
        "AWS::CloudFormation::Stack" => {
            "look at the nested stack's events: `aws cloudformation describe-stack-events --stack-name <its ARN>`"
        }
        "AWS::CodeDeploy::DeploymentGroup" | "AWS::Lambda::Alias" => {
            "look at the deployment: `aws deploy list-deployments`, then `aws deploy get-deployment`"
        }
        "AWS::ECS::Service" => {
            "look at the service's events and its stopped tasks: `aws ecs describe-services`, `aws ecs list-tasks \
             --desired-status STOPPED`"
        }
        _ => {
            "look at the call that failed in CloudTrail, which has its parameters and the whole answer: `aws cloudtrail \
             lookup-events --lookup-attributes AttributeKey=ReadOnly,AttributeValue=false`"
        }
    }
}

const CUSTOM_RESOURCE: &str = "look at the log of the function that answers for the custom resource: `aws logs tail \
                               /aws/lambda/<function>`";
