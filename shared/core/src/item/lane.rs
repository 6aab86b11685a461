use serde::{Deserialize, Serialize};

/// A queue and the function behind it, the faster first: nobody's slow endpoint holds up what only
/// needs our own table. A worker does the work of its own lane and of the faster ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Lane {
    /// Our own table and buckets: milliseconds.
    Work,
    /// Executors, endpoints, upstream approvers: somebody else's time.
    Calls,
}

impl Lane {
    /// All of them, the fastest first.
    pub const ALL: [Self; 2] = [Self::Work, Self::Calls];

    /// Its name in logs, in variables and in the template.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Work => "work",
            Self::Calls => "calls",
        }
    }

    /// The letter it has in a key of the index `due`.
    pub const fn letter(self) -> char {
        match self {
            Self::Work => 'w',
            Self::Calls => 'c',
        }
    }

    /// The lane of this letter.
    pub fn of_letter(letter: char) -> Option<Self> {
        Self::ALL.into_iter().find(|lane| lane.letter() == letter)
    }

    /// The lane of this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|lane| lane.as_str() == name)
    }
}
