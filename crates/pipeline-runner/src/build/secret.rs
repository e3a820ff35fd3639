use crate::{Cloud, ErrorKind, RunError};

/// A secret as a buildspec names it: `secret-id:json-key:version-stage:version-id`.
///
/// See [`env/secrets-manager`](https://docs.aws.amazon.com/codebuild/latest/userguide/build-spec-ref.html#build-spec.env.secrets-manager).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SecretReference {
    /// The secret's name or ARN.
    pub id: String,
    /// The key in the secret's JSON; the whole text where there is none.
    pub json_key: Option<String>,
    /// The staging label.
    pub version_stage: Option<String>,
    /// The version's id.
    pub version_id: Option<String>,
}

/// How many parts of an ARN of a secret hold colons between them.
const PARTS_OF_ARN: usize = 7;

impl SecretReference {
    /// Reads a reference.
    ///
    /// # Errors
    /// It names no secret, or has too many parts, or both a stage and an id of a version.
    pub fn parse(text: &str) -> Result<Self, RunError> {
        let refuse = |why: &str| {
            RunError::new(
                ErrorKind::Definition,
                format!("`{text}` is no reference to a secret"),
            )
            .cause(why)
            .hint("write it as secret-id:json-key:version-stage:version-id; all but the first may be empty or left out")
        };
        let of_id = if text.starts_with("arn:") {
            PARTS_OF_ARN
        } else {
            1
        };
        let parts: Vec<_> = text.split(':').collect();
        if parts.len() < of_id || parts[..of_id].iter().any(|part| part.is_empty()) {
            return Err(refuse("it names no secret"));
        }
        let (id, rest) = parts.split_at(of_id);
        if rest.len() > 3 {
            return Err(refuse("it has too many parts"));
        }
        let part = |index: usize| {
            let part = rest.get(index).filter(|part| !part.is_empty());
            part.map(|part| (*part).to_owned())
        };
        let found = Self {
            id: id.join(":"),
            json_key: part(0),
            version_stage: part(1),
            version_id: part(2),
        };
        if found.version_stage.is_some() && found.version_id.is_some() {
            return Err(refuse("it names a stage and an id of a version"));
        }
        Ok(found)
    }

    /// The value, from the cloud. No error has any of it.
    pub(crate) async fn value(text: &str, cloud: &dyn Cloud) -> Result<String, RunError> {
        let reference = Self::parse(text)?;
        let secret = cloud.secret(&reference).await?;
        let Some(key) = &reference.json_key else {
            return Ok(secret);
        };
        let refuse = |why: &str| {
            RunError::new(
                ErrorKind::Definition,
                format!("secret `{}` has no value of key `{key}`", reference.id),
            )
            .cause(why)
        };
        let mut object: serde_json::Map<String, serde_json::Value> =
            serde_json::from_str(&secret).map_err(|_| refuse("it is no JSON object"))?;
        match object.remove(key) {
            Some(serde_json::Value::String(value)) => Ok(value),
            Some(serde_json::Value::Null) | None => Err(refuse("its JSON has no such key")),
            Some(other) => Ok(other.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_have_up_to_four_parts() {
        let reference = |id: &str, rest: [&str; 3]| {
            let part = |text: &str| (!text.is_empty()).then(|| text.to_owned());
            SecretReference {
                id: id.to_owned(),
                json_key: part(rest[0]),
                version_stage: part(rest[1]),
                version_id: part(rest[2]),
            }
        };
        let arn = "arn:aws:secretsmanager:eu-west-2:000000000000:secret:one-AbCdEf";
        for (text, expected) in [
            ("one", reference("one", ["", "", ""])),
            ("one:key", reference("one", ["key", "", ""])),
            (
                "one::AWSPREVIOUS",
                reference("one", ["", "AWSPREVIOUS", ""]),
            ),
            ("one:key::1-2", reference("one", ["key", "", "1-2"])),
            (arn, reference(arn, ["", "", ""])),
        ] {
            assert_eq!(SecretReference::parse(text).unwrap(), expected, "{text}");
        }
        let keyed = SecretReference::parse(&format!("{arn}:key:AWSCURRENT")).unwrap();
        assert_eq!(keyed, reference(arn, ["key", "AWSCURRENT", ""]));
        for (text, words) in [
            ("", "no secret"),
            (":key", "no secret"),
            ("arn:aws:secretsmanager:eu-west-2", "no secret"),
            ("one:key:stage:", ""),
            ("one:key:stage:1-2", "a stage and an id"),
            ("one:key:::more", "too many"),
        ] {
            match SecretReference::parse(text) {
                Ok(_) => assert!(words.is_empty(), "{text}"),
                Err(error) => assert!(error.causes[0].contains(words), "{text}: {error:?}"),
            }
        }
    }
}
