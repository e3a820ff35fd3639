//! What commands of a pipeline get of this machine's variables.

use std::collections::BTreeMap;

/// Variables that are about this process, or that would lead commands to an account: commands get those of the
/// environment instead.
const LEFT_OUT: [&str; 5] = ["AWS_", "CARGO_", "GIT_", "NEXTEST", "STACKWAY_"];
/// Of these, the ones that say how cargo works here.
const KEPT: [&str; 5] = [
    "CARGO_HOME",
    "CARGO_HTTP_",
    "CARGO_NET_",
    "CARGO_REGISTR",
    "CARGO_BUILD_JOBS",
];
/// Variables that cargo and rustup set for the process that they start.
const OF_CARGO: [&str; 3] = ["CARGO", "LD_LIBRARY_PATH", "RUSTUP_TOOLCHAIN"];

/// The variables of this machine that commands get.
pub(crate) fn variables() -> BTreeMap<String, String> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .filter(|(name, _)| passes(name))
        .collect()
}

fn passes(name: &str) -> bool {
    let starts = |prefixes: &[&str]| prefixes.iter().any(|prefix| name.starts_with(prefix));
    !OF_CARGO.contains(&name) && (starts(&KEPT) || !starts(&LEFT_OUT))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_get_the_machine_and_no_account() {
        for (name, expected) in [
            ("PATH", true),
            ("HOME", true),
            ("HTTPS_PROXY", true),
            ("CARGO_HOME", true),
            ("CARGO_REGISTRIES_X_INDEX", true),
            ("CARGO_MANIFEST_DIR", false),
            ("CARGO", false),
            ("AWS_SECRET_ACCESS_KEY", false),
            ("GIT_DIR", false),
            ("STACKWAY_ENV", false),
        ] {
            assert_eq!(passes(name), expected, "{name}");
        }
    }
}
