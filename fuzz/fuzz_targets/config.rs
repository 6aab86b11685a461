//! Any text as `placet.yaml`: it is refused with a sentence, or every source can be reached and
//! every operation has a time to decide.
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
                assert!(!config.time_to_decide(Some(function)).is_zero());
                let _ = config.plan(function);
            }
        }
    }
});
