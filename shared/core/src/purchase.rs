//! The demo operation of the seed documents: buy material, if a person agrees.

use serde::{Deserialize, Serialize};

use crate::operation::State;

/// The function's name in the API and in `placet.yaml`.
pub const FUNCTION: &str = "purchase_materials";

/// What to buy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Purchase {
    /// Which material; not empty.
    pub material: String,
    /// How many pieces; at least one.
    pub quantity: u32,
}

impl Default for Purchase {
    fn default() -> Self {
        Self { material: "wood".to_owned(), quantity: 10 }
    }
}

impl Purchase {
    /// Whether it can be bought at all.
    ///
    /// # Errors
    ///
    /// Which field is wrong and what it may be.
    pub fn check(&self) -> Result<(), &'static str> {
        if self.material.trim().is_empty() || self.material.len() > 200 {
            return Err("material must have 1 to 200 bytes");
        }
        if self.quantity == 0 {
            return Err("quantity must be at least 1");
        }
        Ok(())
    }
}

/// Where a purchase stands, in the demo's words.
pub const fn status(state: State) -> &'static str {
    match state {
        State::Succeeded => "finalised",
        State::Queued => "approved",
        other => other.as_str(),
    }
}
