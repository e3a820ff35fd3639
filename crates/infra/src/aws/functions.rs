use async_trait::async_trait;
use aws_sdk_lambda::Client;
use aws_sdk_lambda::operation::delete_function::DeleteFunctionError;
use aws_sdk_lambda::operation::get_function::GetFunctionError;
use aws_sdk_lambda::operation::invoke::InvokeError;
use aws_sdk_lambda::operation::list_aliases::ListAliasesError;
use aws_sdk_lambda::operation::list_versions_by_function::ListVersionsByFunctionError;
use aws_sdk_lambda::primitives::Blob;

use super::config::{SdkConfig, answered, cloud_error};
use crate::cloud::{CloudError, Function, FunctionAnswer, FunctionCalls, Functions};

/// What Lambda calls the code that was not published as a version.
const UNPUBLISHED: &str = "$LATEST";

/// [`Functions`] on Lambda.
#[derive(Clone, Debug)]
pub struct Lambda {
    client: Client,
}

impl Lambda {
    /// A client for this configuration.
    pub fn new(config: &SdkConfig) -> Self {
        Self {
            client: Client::new(config),
        }
    }

    async fn delete(&self, name: &str, version: Option<&str>) -> Result<(), CloudError> {
        let answer = self
            .client
            .delete_function()
            .function_name(name)
            .set_qualifier(version.map(str::to_owned))
            .send()
            .await;
        answered(
            "lambda:DeleteFunction",
            answer,
            DeleteFunctionError::is_resource_not_found_exception,
        )
        .map(drop)
    }

    /// Adds the published versions, and the bytes of all; false where the function is gone by now.
    async fn add_versions(&self, name: &str, function: &mut Function) -> Result<bool, CloudError> {
        let mut pages = self
            .client
            .list_versions_by_function()
            .function_name(name)
            .into_paginator()
            .send();
        while let Some(page) = pages.next().await {
            let Some(page) = answered(
                "lambda:ListVersionsByFunction",
                page,
                ListVersionsByFunctionError::is_resource_not_found_exception,
            )?
            else {
                return Ok(false);
            };
            for one in page.versions() {
                function.bytes += one.code_size().unsigned_abs();
                let version = one.version().filter(|version| *version != UNPUBLISHED);
                function.versions.extend(version.map(str::to_owned));
            }
        }
        Ok(true)
    }

    async fn add_aliases(&self, name: &str, function: &mut Function) -> Result<bool, CloudError> {
        let mut pages = self
            .client
            .list_aliases()
            .function_name(name)
            .into_paginator()
            .send();
        while let Some(page) = pages.next().await {
            let Some(page) = answered(
                "lambda:ListAliases",
                page,
                ListAliasesError::is_resource_not_found_exception,
            )?
            else {
                return Ok(false);
            };
            let names = page.aliases().iter().filter_map(|alias| alias.name());
            function.aliases.extend(names.map(str::to_owned));
        }
        Ok(true)
    }
}

#[async_trait]
impl Functions for Lambda {
    async fn function(&self, name: &str) -> Result<Option<Function>, CloudError> {
        let answer = match self.client.get_function().function_name(name).send().await {
            Ok(answer) => answer,
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(GetFunctionError::is_resource_not_found_exception) =>
            {
                return Ok(None);
            }
            Err(error) => return Err(cloud_error("lambda:GetFunction", &error)),
        };
        let mut function = Function {
            tags: answer.tags.unwrap_or_default().into_iter().collect(),
            ..Function::default()
        };
        let there = self.add_versions(name, &mut function).await?
            && self.add_aliases(name, &mut function).await?;
        Ok(there.then_some(function))
    }

    async fn delete_function(&self, name: &str) -> Result<(), CloudError> {
        self.delete(name, None).await
    }

    async fn delete_version(&self, name: &str, version: &str) -> Result<(), CloudError> {
        self.delete(name, Some(version)).await
    }

    async fn delete_alias(&self, name: &str, alias: &str) -> Result<(), CloudError> {
        // Lambda answers well where there is no such alias.
        match self
            .client
            .delete_alias()
            .function_name(name)
            .name(alias)
            .send()
            .await
        {
            Ok(_) => Ok(()),
            Err(error) => match cloud_error("lambda:DeleteAlias", &error) {
                error if error.code() == Some("ResourceNotFoundException") => Ok(()),
                error => Err(error),
            },
        }
    }
}

#[async_trait]
impl FunctionCalls for Lambda {
    async fn call(
        &self,
        function: &str,
        event: &str,
    ) -> Result<Option<FunctionAnswer>, CloudError> {
        let request = self
            .client
            .invoke()
            .function_name(function)
            .payload(Blob::new(event));
        match request.send().await {
            Ok(answer) => Ok(Some(FunctionAnswer {
                document: answer.payload().map_or_else(String::new, |document| {
                    String::from_utf8_lossy(document.as_ref()).into_owned()
                }),
                is_error: answer.function_error().is_some(),
            })),
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(InvokeError::is_resource_not_found_exception) =>
            {
                Ok(None)
            }
            Err(error) => Err(cloud_error("lambda:Invoke", &error)),
        }
    }
}
