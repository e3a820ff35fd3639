//! The bearer token: which ones count now, and where they come from.
//!
//! A secret is rotated in four steps, during which two versions of it count, and the one that was replaced counts for a
//! while longer. docs/security.md tells a rotation from a client's side.

mod guard;
mod secret;

use std::{fmt, time::SystemTime};

use async_trait::async_trait;
use subtle::ConstantTimeEq as _;

pub use guard::TokenGuard;
pub use secret::SecretSettings;

/// A token, which no log shows.
#[derive(Clone)]
pub struct Token(String);

impl Token {
    /// Takes a token that a header can carry.
    ///
    /// # Errors
    /// What is wrong with it, fit to follow its name.
    ///
    /// <https://www.rfc-editor.org/rfc/rfc6750#section-2.1>
    pub fn new(text: String) -> Result<Self, &'static str> {
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte);
        if text.is_empty() {
            return Err("is empty");
        }
        if text.bytes().all(fits) {
            Ok(Self(text))
        } else {
            Err("must be letters, digits and -._~+/= alone, as a header carries them")
        }
    }

    /// Whether `offered` is this token, in a time that tells nothing but whether the length is right.
    fn is(&self, offered: &str) -> bool {
        self.0.as_bytes().ct_eq(offered.as_bytes()).into()
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(****)")
    }
}

/// The label of one of the versions that a secret has at a time.
///
/// <https://docs.aws.amazon.com/secretsmanager/latest/userguide/whats-in-a-secret.html>
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// The one that clients should use.
    Current,
    /// The one that was current before.
    Previous,
    /// The one that a rotation under way will make current.
    Pending,
}

/// A version of the secret.
#[derive(Clone, Debug)]
pub struct Version {
    /// What it holds.
    pub token: Token,
    /// When it was made.
    pub created: SystemTime,
}

/// Why the token is not known. It names the secret, and never what is in it.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
#[error("{0}")]
pub struct TokenError(pub String);

/// Where the versions of the token are read.
#[async_trait]
pub trait TokenSource: Send + Sync + 'static {
    /// The version that has a label now; none where the source says that no version has it.
    ///
    /// # Errors
    /// If that cannot be told.
    async fn version(&self, stage: Stage) -> Result<Option<Version>, TokenError>;
}
