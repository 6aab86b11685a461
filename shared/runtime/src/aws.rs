mod json_service;
mod signer;
mod user_agent;

use std::time::Duration;

use aws_credential_types::Credentials;
use aws_sdk_dynamodb::config::{BehaviorVersion, Region, SharedHttpClient};
use aws_sdk_sqs::config::StalledStreamProtectionConfig;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use aws_smithy_types::timeout::TimeoutConfig;

pub use self::json_service::JsonService;
use self::signer::Signer;
use self::user_agent::ShortUserAgent;
use crate::Environment;

/// The certificate authorities of all AWS endpoints. Reading the whole bundle of the system instead would
/// take 88 % of the start of a function.
/// <https://www.amazontrust.com/repository/>
const AMAZON_ROOTS: &[u8] = include_bytes!("../roots/amazon.pem");

/// The AWS clients of one function. They share one HTTP client and its connections.
#[derive(Clone, Debug)]
pub struct Aws {
    /// DynamoDB.
    pub dynamodb: aws_sdk_dynamodb::Client,
    /// SQS.
    pub sqs: aws_sdk_sqs::Client,
}

/// Why the AWS clients could not be built.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The variable with the region or a credential is not set.
    #[error("{0} is not set: Lambda sets it; outside Lambda, export credentials and a region")]
    Missing(&'static str),
    /// The certificate authorities cannot be used.
    #[error("the built-in Amazon certificate authorities cannot be used: {0}")]
    Roots(String),
}

/// The credentials that Lambda and the AWS tools hand over in the environment.
///
/// # Errors
///
/// The name of the variable that is not set.
pub(crate) fn credentials(environment: &Environment) -> Result<Credentials, &'static str> {
    let need = |name| environment.get(name).ok_or(name);
    Ok(Credentials::new(
        need("AWS_ACCESS_KEY_ID")?,
        need("AWS_SECRET_ACCESS_KEY")?,
        environment.get("AWS_SESSION_TOKEN"),
        None,
        "environment",
    ))
}

/// The HTTPS client for AWS endpoints.
///
/// # Errors
///
/// If the certificate authorities built into this program are damaged.
pub fn https_client() -> Result<SharedHttpClient, ConnectError> {
    let roots = TrustStore::empty().with_pem_certificate(AMAZON_ROOTS);
    let tls = TlsContext::builder()
        .with_trust_store(roots)
        .build()
        .map_err(|error| ConnectError::Roots(error.to_string()))?;
    Ok(aws_smithy_http_client::Builder::new()
        .tls_provider(Provider::Rustls(CryptoMode::AwsLc))
        .tls_context(tls)
        .build_https())
}

impl Aws {
    /// Clients with region, credentials and endpoint overrides from the environment, under the names
    /// that Lambda and the AWS tools use.
    ///
    /// # Errors
    ///
    /// If a variable is missing: the error names it.
    pub fn connect(
        environment: &Environment,
        http: SharedHttpClient,
    ) -> Result<Self, ConnectError> {
        let need = |name| environment.get(name).ok_or(ConnectError::Missing(name));
        let name = need("AWS_REGION")?;
        let region = Region::new(name.clone());
        let credentials = credentials(environment).map_err(ConnectError::Missing)?;
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(Duration::from_secs(1))
            .operation_attempt_timeout(Duration::from_secs(3))
            .operation_timeout(Duration::from_secs(8))
            .build();
        // No response is a stream, and every call has a timeout.
        let slow = StalledStreamProtectionConfig::disabled();
        let dynamodb = aws_sdk_dynamodb::Config::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .region(region.clone())
            .credentials_provider(credentials.clone())
            .http_client(http.clone())
            .timeout_config(timeouts.clone())
            .stalled_stream_protection(slow.clone())
            .interceptor(ShortUserAgent)
            .push_auth_scheme(Signer::new(name.clone(), "dynamodb"));
        let sqs = aws_sdk_sqs::Config::builder()
            .behavior_version(aws_sdk_sqs::config::BehaviorVersion::v2026_01_12())
            .region(region)
            .credentials_provider(credentials)
            .http_client(http)
            .timeout_config(timeouts)
            .stalled_stream_protection(slow)
            .interceptor(ShortUserAgent)
            .push_auth_scheme(Signer::new(name, "sqs"));
        let dynamodb = match environment.get("AWS_ENDPOINT_URL_DYNAMODB") {
            Some(url) => dynamodb.endpoint_url(url),
            None => dynamodb,
        };
        let sqs = match environment.get("AWS_ENDPOINT_URL_SQS") {
            Some(url) => sqs.endpoint_url(url),
            None => sqs,
        };
        Ok(Self {
            dynamodb: aws_sdk_dynamodb::Client::from_conf(dynamodb.build()),
            sqs: aws_sdk_sqs::Client::from_conf(sqs.build()),
        })
    }
}

/// The error of a call, for the log: the code and message of the service, or the chain of causes if the call
/// did not reach the service. It never contains the request or the response, because they hold user data.
pub fn describe<E: ProvideErrorMetadata, R>(error: &SdkError<E, R>) -> String {
    if let SdkError::ServiceError(refused) = error {
        let (code, message) = (refused.err().code(), refused.err().message());
        return format!("{}: {}", code.unwrap_or("unknown error"), message.unwrap_or("no message"));
    }
    let (what, source): (_, Option<&dyn std::error::Error>) = match error {
        SdkError::ConstructionFailure(_) => ("the request could not be built", None),
        SdkError::TimeoutError(_) => ("the service did not answer in time", None),
        SdkError::DispatchFailure(failure) => {
            let source = failure.as_connector_error().map(|error| error as &dyn std::error::Error);
            ("the service could not be reached", source)
        }
        _ => ("the response could not be read", None),
    };
    let mut text = what.to_owned();
    let mut cause = source;
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
