use serde::{Deserialize, Serialize};

/// A queue and its worker function, ordered from fast to slow. Slow endpoints have their own lane, so that
/// they do not delay work that needs only Placet's own table. A worker does the work of its own lane and of
/// faster lanes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Lane {
    /// Work that needs only Placet's own table and buckets. It takes milliseconds.
    Work,
    /// Calls to executors, endpoints and upstream approvers, which may be slow.
    Calls,
}

impl Lane {
    /// All lanes, the fastest first.
    pub const ALL: [Self; 2] = [Self::Work, Self::Calls];

    /// The name in logs, variables and the template.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Work => "work",
            Self::Calls => "calls",
        }
    }

    /// The letter of the lane in keys of the index `due`.
    pub const fn letter(self) -> char {
        match self {
            Self::Work => 'w',
            Self::Calls => 'c',
        }
    }

    /// The lane with this letter.
    pub fn of_letter(letter: char) -> Option<Self> {
        Self::ALL.into_iter().find(|lane| lane.letter() == letter)
    }

    /// The lane with this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|lane| lane.as_str() == name)
    }
}
