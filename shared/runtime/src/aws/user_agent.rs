use aws_runtime::user_agent::UserAgentInterceptor;
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::context::{
    BeforeSerializationInterceptorContextRef, BeforeTransmitInterceptorContextMut,
};
use aws_smithy_runtime_api::client::interceptors::{Intercept, disable_interceptor};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;

/// Sets a fixed `User-Agent` header. It replaces two headers that the SDK builds anew for each call.
#[derive(Debug)]
pub(super) struct ShortUserAgent;

impl Intercept for ShortUserAgent {
    fn name(&self) -> &'static str {
        "ShortUserAgent"
    }

    fn read_before_execution(
        &self,
        _: &BeforeSerializationInterceptorContextRef<'_>,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let disabled = disable_interceptor::<UserAgentInterceptor>("a fixed header is sent");
        config.interceptor_state().store_put(disabled);
        Ok(())
    }

    fn modify_before_signing(
        &self,
        context: &mut BeforeTransmitInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let name = concat!("placet/", env!("CARGO_PKG_VERSION"));
        context.request_mut().headers_mut().try_insert("user-agent", name)?;
        Ok(())
    }
}
