//! SHA-256, as package and image name their contents.

use std::fmt::Write as _;

use sha2::{Digest, Sha256};

/// The digest of `bytes` in hex.
pub(super) fn hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes)
        .iter()
        .fold(String::with_capacity(64), |mut hex, byte| {
            let _ = write!(hex, "{byte:02x}");
            hex
        })
}
