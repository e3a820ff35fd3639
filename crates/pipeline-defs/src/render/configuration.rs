use super::{EnvironmentInput, RenderedFile};
use crate::pipelines::configuration_path;
use crate::tree::Tree;

/// The template configuration of the stack that the pipelines deploy: parameters and tags.
///
/// See [artifacts](https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/continuous-delivery-codepipeline-cfn-artifacts.html).
pub(super) fn file(environment: &EnvironmentInput) -> RenderedFile {
    let texts = |all: &std::collections::BTreeMap<String, String>| {
        Tree::map(
            all.iter()
                .map(|(key, value)| (key.as_str(), Tree::text(value.as_str()))),
        )
    };
    let tree = Tree::map([
        ("Parameters", texts(&environment.parameters)),
        ("Tags", texts(&environment.tags)),
    ]);
    RenderedFile {
        path: configuration_path(&environment.name),
        contents: tree.to_json(),
        definition: "stackway.toml".to_owned(),
    }
}
