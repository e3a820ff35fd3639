//! What a deploy has to do with the pipelines: which stacks are theirs, and what a person has to do once.

use crate::failure::{Failure, Kind};

/// `owner/name` of a repository's address: `https://github.com/owner/name`, `git@github.com:owner/name.git`.
pub(crate) fn repository_id(repository: &str) -> Result<String, Failure> {
    let path = match repository.split_once("://") {
        Some((_, rest)) => rest.split_once('/').map(|(_, path)| path),
        None => repository.split_once(':').map(|(_, path)| path),
    };
    let path = path.unwrap_or_default().trim_matches('/');
    let path = path.strip_suffix(".git").unwrap_or(path);
    let word = |word: &str| {
        let fits = |b: u8| b.is_ascii_alphanumeric() || b"._-".contains(&b);
        !word.is_empty() && word.bytes().all(fits)
    };
    if path.contains('/') && path.split('/').all(word) {
        return Ok(path.to_owned());
    }
    Err(Failure::new(
        Kind::Configuration,
        format!("`{repository}` does not tell the repository's owner and name"),
    )
    .hint("set `repository` under [project] of stackway.toml to https://HOST/OWNER/NAME"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(repository: &str, expected: Option<&str>) {
        assert_eq!(repository_id(repository).ok().as_deref(), expected, "{repository}");
    }

    #[test]
    fn addresses_tell_owner_and_name() {
        check("https://github.com/example/stackway", Some("example/stackway"));
        check("https://github.com/example/stackway.git", Some("example/stackway"));
        check("https://gitlab.com/group/sub/name/", Some("group/sub/name"));
        check("git@github.com:example/stackway.git", Some("example/stackway"));
        check("ssh://git@github.com/example/stackway", Some("example/stackway"));
        for none in ["", "stackway", "https://github.com", "https://github.com/example", "https://github.com/a b/c"] {
            check(none, None);
        }
    }
}
