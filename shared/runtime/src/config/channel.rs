//! Contact channels in `placet.yaml`. Clients name them by number.

use placet_core::humanlayer;
use placet_core::operation::ContactChannel;
use serde_json::Value;

use super::Config;
use super::locate;

/// A configured contact channel.
#[derive(Clone, Debug, PartialEq)]
pub struct Channel {
    /// The project that may use the channel.
    pub project: String,
    /// How to reach a person.
    pub channel: ContactChannel,
}

impl Config {
    /// The channel with this number, if the project may use it.
    pub fn channel(&self, project: &str, id: u64) -> Option<&Channel> {
        self.channels.get(&id).filter(|channel| channel.project == project)
    }

    /// All channels by number.
    pub fn channels(&self) -> impl Iterator<Item = (u64, &Channel)> {
        self.channels.iter().map(|(id, channel)| (*id, channel))
    }

    /// Reads and checks the written channels.
    pub(super) fn read_channels(&mut self, text: &str) -> Result<(), String> {
        for (id, mut channel) in std::mem::take(&mut self.written_channels) {
            let at = |wrong: String| {
                let place = ["channels".to_owned(), id.to_string()];
                locate::at(text, &place, wrong)
            };
            let project = match channel.remove("project") {
                None => self.project.as_str().to_owned(),
                Some(Value::String(name)) if self.projects().any(|known| known == name) => name,
                Some(other) => {
                    return Err(at(format!("there is no project {other}: add it to projects")));
                }
            };
            let channel = humanlayer::channel(&channel).map_err(&at)?;
            self.channels.insert(id, Channel { project, channel });
        }
        Ok(())
    }
}
