use async_trait::async_trait;
use aws_sdk_codeconnections::Client;
use aws_sdk_codeconnections::types::ConnectionStatus;

use super::config::{SdkConfig, cloud_error};
use crate::cloud::{CloudError, ConnectionState, Connections};

/// [`Connections`] on CodeConnections, which answers for connections of its former name too.
#[derive(Clone, Debug)]
pub struct CodeConnections {
    client: Client,
}

impl CodeConnections {
    /// A client for this configuration.
    pub fn new(config: &SdkConfig) -> Self {
        Self {
            client: Client::new(config),
        }
    }
}

#[async_trait]
impl Connections for CodeConnections {
    async fn connection(&self, arn: &str) -> Result<ConnectionState, CloudError> {
        let answer = self
            .client
            .get_connection()
            .connection_arn(arn)
            .send()
            .await
            .map_err(|error| cloud_error("codeconnections:GetConnection", &error))?;
        let status = answer
            .connection()
            .and_then(|connection| connection.connection_status());
        Ok(match status {
            Some(ConnectionStatus::Available) => ConnectionState::Available,
            Some(ConnectionStatus::Pending) => ConnectionState::Pending,
            other => ConnectionState::Broken(
                other
                    .map_or("no status", ConnectionStatus::as_str)
                    .to_owned(),
            ),
        })
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_codeconnections::operation::get_connection::GetConnectionOutput;
    use aws_sdk_codeconnections::types::Connection;
    use aws_smithy_mocks::{RuleMode, mock, mock_client};

    use super::*;

    #[tokio::test]
    async fn every_status_has_its_meaning() {
        for (status, expected) in [
            ("AVAILABLE", ConnectionState::Available),
            ("PENDING", ConnectionState::Pending),
            ("ERROR", ConnectionState::Broken("ERROR".to_owned())),
            (
                "OF_THE_FUTURE",
                ConnectionState::Broken("OF_THE_FUTURE".to_owned()),
            ),
        ] {
            let connection = Connection::builder()
                .connection_status(status.into())
                .build();
            let output = GetConnectionOutput::builder()
                .connection(connection)
                .build();
            let rule = mock!(Client::get_connection).then_output(move || output.clone());
            let adapter = CodeConnections {
                client: mock_client!(aws_sdk_codeconnections, RuleMode::MatchAny, &[&rule]),
            };
            assert_eq!(
                adapter.connection("arn").await.unwrap(),
                expected,
                "{status}"
            );
        }
    }
}
