//! The table of known messages: a line of it is a message, its cause and its fix.

mod cloudformation;
mod compute;
mod data;
mod gateway;
mod handler;
mod identity;

use super::known::KnownMessage;

/// What a service says comes first; what CloudFormation makes of any service's error comes last.
pub(super) const ALL: &[&[KnownMessage]] = &[
    cloudformation::FIRST,
    compute::MESSAGES,
    data::MESSAGES,
    gateway::MESSAGES,
    identity::MESSAGES,
    cloudformation::MESSAGES,
    handler::MESSAGES,
];

const fn message(
    id: &'static str,
    types: &'static [&'static str],
    words: &'static [&'static str],
    cause: &'static str,
    fix: &'static str,
) -> KnownMessage {
    KnownMessage {
        id,
        types,
        words,
        cause,
        fix,
    }
}
