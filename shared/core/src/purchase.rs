//! The demo operation of the seed documents: buy material after a person approves.

use serde::{Deserialize, Serialize};

use crate::operation::State;

/// The function's name in the API and in `placet.yaml`.
pub const FUNCTION: &str = "purchase_materials";

/// The arguments of the function.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Purchase {
    /// The name of the material, 1 to 200 bytes, not blank.
    pub material: String,
    /// The number of pieces, at least 1.
    pub quantity: u32,
}

impl Default for Purchase {
    fn default() -> Self {
        Self { material: "wood".to_owned(), quantity: 10 }
    }
}

impl Purchase {
    /// Checks the fields.
    ///
    /// # Errors
    ///
    /// Names the wrong field and its allowed values.
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

/// The status of a purchase, in the demo's words.
pub const fn status(state: State) -> &'static str {
    match state {
        State::Succeeded => "finalised",
        State::Queued => "approved",
        other => other.as_str(),
    }
}
