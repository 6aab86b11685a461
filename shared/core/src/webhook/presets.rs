//! The schemes of known senders, as data in `presets.json` of this package. `docs/SENDERS.md` describes each
//! sender.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde_json::Value;
use serde_json::value::RawValue;

use super::merged;

static PRESETS: LazyLock<BTreeMap<&'static str, &'static RawValue>> =
    LazyLock::new(|| serde_json::from_str(include_str!("../../presets.json")).unwrap_or_default());

/// The preset with this name, as data; `None` if there is no such preset. A preset with `like` contains only
/// its differences from the other preset.
pub fn preset(name: &str) -> Option<Value> {
    let mut own: Value = serde_json::from_str(PRESETS.get(name)?.get()).ok()?;
    let like = own.as_object_mut()?.shift_remove("like");
    match like.as_ref().and_then(Value::as_str).and_then(preset) {
        Some(base) => Some(merged(base, &own)),
        None => Some(own),
    }
}

/// The names of all presets.
pub fn names() -> impl Iterator<Item = &'static str> {
    PRESETS.keys().copied()
}
