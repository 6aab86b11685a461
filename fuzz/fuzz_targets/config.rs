//! Reads any text as `placet.yaml`. The text is refused with a reason, or every source has a path and every
//! operation has a time to decide.
#![no_main]

use libfuzzer_sys::fuzz_target;
use placet_runtime::Config;

fuzz_target!(|text: &str| {
    match Config::parse(text) {
        Err(reason) => assert!(!reason.is_empty()),
        Ok(config) => {
            for (name, _) in config.sources() {
                let path = format!("/webhooks/{name}");
                let found = config.source_at(&path);
                assert_eq!(found.map(|found| found.name), Some(name));
            }
            for (function, _) in config.operations() {
                assert!(!config.time_to_decide(Some(function)).0.is_zero());
                let _ = config.plan(function);
            }
        }
    }
});
