//! Which services the hub uses: embedded ones, other endpoints, or real AWS.

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_s3::config::Credentials;
use shared::aws::http_client;

use crate::emulators::{ACCESS_KEY, REGION, SECRET_KEY};

/// Where the environment says that services are: the SDK's own endpoint variables, and GitLab's.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EndpointVariables {
    pub dynamodb: Option<String>,
    pub s3: Option<String>,
    pub gitlab: Option<String>,
    /// True when the environment also says with which credentials to sign.
    pub credentials: bool,
    pub region: bool,
}

impl EndpointVariables {
    /// Reads them through `variable`, normally `std::env::var(..).ok()`.
    pub fn read(variable: impl Fn(&str) -> Option<String>) -> Self {
        let value = |name: &str| variable(name).filter(|value| !value.is_empty());
        let all = value("AWS_ENDPOINT_URL");
        EndpointVariables {
            dynamodb: value("AWS_ENDPOINT_URL_DYNAMODB").or_else(|| all.clone()),
            s3: value("AWS_ENDPOINT_URL_S3").or(all),
            gitlab: value("PERIGEE_GITLAB_URL"),
            credentials: ["AWS_ACCESS_KEY_ID", "AWS_PROFILE"].iter().any(|name| value(name).is_some()),
            region: ["AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE"].iter().any(|name| value(name).is_some()),
        }
    }
}

/// How to reach one AWS service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AwsService {
    /// In this process.
    Embedded { endpoint: String },
    /// Another endpoint than AWS's. What the environment does not say is taken from the embedded services.
    Endpoint { endpoint: String, credentials: bool, region: bool },
    /// AWS, by the SDK's usual chain of credentials and region.
    Real,
}

impl AwsService {
    pub fn endpoint(&self) -> Option<&str> {
        match self {
            AwsService::Embedded { endpoint } | AwsService::Endpoint { endpoint, .. } => Some(endpoint),
            AwsService::Real => None,
        }
    }

    /// Configuration for the service's SDK client. S3 clients also need path-style addressing at an endpoint.
    pub async fn sdk_config(&self) -> SdkConfig {
        let (endpoint, credentials, region) = match self {
            AwsService::Embedded { endpoint } => (Some(endpoint), false, false),
            AwsService::Endpoint { endpoint, credentials, region } => (Some(endpoint), *credentials, *region),
            AwsService::Real => (None, true, true),
        };
        let mut loader = aws_config::defaults(BehaviorVersion::latest()).http_client(http_client());
        if let Some(endpoint) = endpoint {
            loader = loader.endpoint_url(endpoint);
        }
        if !credentials {
            loader = loader.credentials_provider(Credentials::new(ACCESS_KEY, SECRET_KEY, None, None, "local"));
        }
        if !region {
            loader = loader.region(Region::new(REGION));
        }
        loader.load().await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(set: &[(&str, &str)]) -> EndpointVariables {
        EndpointVariables::read(|name| {
            set.iter().find(|(other, _)| *other == name).map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn a_variable_replaces_the_service_that_it_names() {
        let both = read(&[("AWS_ENDPOINT_URL", "http://a"), ("AWS_ENDPOINT_URL_S3", "http://b")]);
        assert_eq!(both.dynamodb.as_deref(), Some("http://a"));
        assert_eq!(both.s3.as_deref(), Some("http://b"));
        let one = read(&[("AWS_ENDPOINT_URL_DYNAMODB", "http://c"), ("AWS_ENDPOINT_URL", "")]);
        assert_eq!((one.dynamodb.as_deref(), one.s3), (Some("http://c"), None));
        assert_eq!(read(&[]), EndpointVariables::default());
        assert!(read(&[("AWS_ACCESS_KEY_ID", "k")]).credentials);
    }
}
