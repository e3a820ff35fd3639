//! Values that AWS keeps for functions: parameters and secrets.

use serde::Deserialize;
use serde_json::json;

use crate::{CallError, Client, PARAMETERS, SECRETS_MANAGER};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ParameterAnswer {
    parameter: Parameter,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Parameter {
    value: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct SecretValue {
    secret_string: Option<String>,
}

impl Client {
    /// The value of a parameter that is no secret.
    ///
    /// <https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetParameter.html>
    ///
    /// # Errors
    /// As [`Client::call`]; a parameter that is not there is a refusal with the code `ParameterNotFound`.
    pub async fn parameter(&self, name: &str) -> Result<String, CallError> {
        let input = json!({ "Name": name });
        let answer: ParameterAnswer = self.call(PARAMETERS, "GetParameter", &input).await?;
        Ok(answer.parameter.value)
    }

    /// The text of a secret's current version.
    ///
    /// <https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html>
    ///
    /// # Errors
    /// As [`Client::call`], and where the secret holds bytes in place of text.
    pub async fn secret(&self, name: &str) -> Result<String, CallError> {
        const OPERATION: &str = "GetSecretValue";
        let input = json!({ "SecretId": name });
        let answer: SecretValue = self.call(SECRETS_MANAGER, OPERATION, &input).await?;
        answer.secret_string.ok_or_else(|| CallError::Failed {
            operation: OPERATION.to_owned(),
            cause: format!("secret `{name}` holds no text"),
        })
    }
}
