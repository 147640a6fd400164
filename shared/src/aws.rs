//! How AWS's services are reached.

use aws_config::environment::EnvironmentVariableCredentialsProvider;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_dynamodb::config::{SharedCredentialsProvider, SharedHttpClient};
use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;

use crate::config::Variables;

/// The client of the SDKs: HTTPS by rustls with ring, as in `http_client.rs`.
pub fn http_client() -> SharedHttpClient {
    Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https()
}

/// What Lambda's environment says of DynamoDB and of S3: credentials, region, and perhaps other endpoints. The two
/// share a client.
///
/// The SDK's own chain would also look for profiles, containers and roles, which no function has and every package
/// would carry.
pub fn environment(find: &Variables) -> (SdkConfig, SdkConfig) {
    let common = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .credentials_provider(SharedCredentialsProvider::new(EnvironmentVariableCredentialsProvider::new()))
        .region(find("AWS_REGION").map(Region::new))
        .http_client(http_client())
        .build();
    let at = |variable: &str| {
        let mut service = common.to_builder();
        service.set_endpoint_url(find(variable).or_else(|| find("AWS_ENDPOINT_URL")));
        service.build()
    };
    (at("AWS_ENDPOINT_URL_DYNAMODB"), at("AWS_ENDPOINT_URL_S3"))
}
