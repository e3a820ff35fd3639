use async_trait::async_trait;
use aws_sdk_pricing::Client;
use aws_sdk_pricing::config::Builder;
use aws_sdk_pricing::types::{Filter, FilterType};

use super::super::config::{SdkConfig, cloud_error};
use crate::cloud::CloudError;
use crate::cloud::billing::PriceLists;

/// [`PriceLists`] on the Price List Query API.
#[derive(Clone, Debug)]
pub struct PriceListApi {
    client: Client,
}

impl PriceListApi {
    /// A client for this configuration.
    pub fn new(config: &SdkConfig) -> Self {
        let config = Builder::from(config).region(super::home()).build();
        Self {
            client: Client::from_conf(config),
        }
    }
}

#[async_trait]
impl PriceLists for PriceListApi {
    async fn products(&self, service: &str, region: &str) -> Result<Vec<String>, CloudError> {
        let error = |error: &_| cloud_error("pricing:GetProducts", error);
        let filter = Filter::builder()
            .r#type(FilterType::TermMatch)
            .field("regionCode")
            .value(region)
            .build()
            .map_err(|problem| CloudError::Refused {
                operation: "pricing:GetProducts",
                code: "InvalidFilter".to_owned(),
                message: problem.to_string(),
            })?;
        let mut pages = self
            .client
            .get_products()
            .service_code(service)
            .filters(filter)
            .format_version("aws_v1")
            .into_paginator()
            .send();
        let mut products = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|failure| error(&failure))?;
            products.extend(page.price_list.unwrap_or_default());
        }
        Ok(products)
    }
}
