//! How AWS's services are reached.

use aws_config::environment::EnvironmentVariableCredentialsProvider;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_dynamodb::config::{RuntimeComponents, SharedCredentialsProvider, SharedHttpClient};
use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::{Builder, Connector};

use crate::config::Variables;

/// The client of the SDKs, as their own but for TLS, which is rustls with ring as in `http_client.rs`.
pub fn http_client() -> SharedHttpClient {
    Builder::new().build_with_connector_fn(|settings, components| {
        let mut connector =
            Connector::builder().tls_provider(Provider::Rustls(CryptoMode::Ring)).proxy_config(ProxyConfig::from_env());
        connector.set_connector_settings(settings.cloned());
        connector.set_sleep_impl(components.and_then(RuntimeComponents::sleep_impl));
        connector.build()
    })
}

/// What Lambda's environment says of DynamoDB and of S3: credentials, region, and perhaps other endpoints, or AWS's for
/// FIPS or IPv6. The two share a client.
///
/// The SDK's own chain would also look for profiles, containers and roles, which no function has and every package
/// would carry.
pub fn environment(find: &Variables) -> (SdkConfig, SdkConfig) {
    let wanted = |variable: &str| find(variable).map(|value| value.eq_ignore_ascii_case("true"));
    let mut common = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .credentials_provider(SharedCredentialsProvider::new(EnvironmentVariableCredentialsProvider::new()))
        .region(find("AWS_REGION").map(Region::new))
        .http_client(http_client());
    common.set_use_fips(wanted("AWS_USE_FIPS_ENDPOINT")).set_use_dual_stack(wanted("AWS_USE_DUALSTACK_ENDPOINT"));
    let common = common.build();
    let at = |variable: &str| {
        let mut service = common.to_builder();
        service.set_endpoint_url(find(variable).or_else(|| find("AWS_ENDPOINT_URL")));
        service.build()
    };
    (at("AWS_ENDPOINT_URL_DYNAMODB"), at("AWS_ENDPOINT_URL_S3"))
}
