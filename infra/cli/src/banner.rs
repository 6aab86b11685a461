//! What `placet dev` prints once it is up: what a newcomer needs, in that order.

use std::fmt::{self, Display};
use std::net::SocketAddr;
use std::path::Path;

use crate::command;
use crate::environment::DATA_FOLDER;
use crate::style::{STRONG, WARNING};

/// What `placet dev` prints once it is up.
pub struct Banner<'a> {
    /// Where it listens.
    pub address: SocketAddr,
    /// Where its data is.
    pub folder: &'a Path,
    /// The key of its API.
    pub api_key: &'a str,
    /// Whether the demo purchase can be approved.
    pub demo: bool,
    /// Whether people are listed, who get mails.
    pub mail: bool,
    /// How many webhook sources are closed.
    pub closed: usize,
    /// What will not work, or is less safe than it looks.
    pub attention: &'a [String],
}

impl Banner<'_> {
    /// Two lines for a shell: one requests an approval, one shows what came of it.
    fn lines(&self) -> [String; 2] {
        let url = format!("http://{}", self.address);
        if self.demo {
            let request = format!("curl -X POST {url}/purchase-materials");
            return [request, format!("curl {url}/purchases")];
        }
        let call = r#"{"kind": "function_call", "run_id": "first", "fn": "deploy", "kwargs": {"version": 7}}"#;
        let list =
            format!("curl {url}/v1/operations -H \"Authorization: Bearer {}\"", self.shown_key());
        [format!("{list} -d '{call}'"), list]
    }

    /// The key of the API. Off loopback it is a secret, so only the name of its variable is shown.
    fn shown_key(&self) -> &str {
        if self.address.ip().is_loopback() { self.api_key } else { "$PLACET_LOCAL_KEY" }
    }

    /// The command that shows what happens.
    fn watch(&self) -> String {
        let command = command("watch");
        match self.folder.to_str() {
            Some(DATA_FOLDER) => command,
            _ => format!("{command} --data-dir {}", self.folder.display()),
        }
    }
}

impl Display for Banner<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let url = format!("http://{}", self.address);
        let [request, look] = self.lines();
        writeln!(formatter, "Placet is up.\n")?;
        writeln!(formatter, "  address  {STRONG}{url}{STRONG:#}")?;
        let open = self.address.ip().is_loopback();
        if open {
            writeln!(formatter, "  inbox    {STRONG}{url}/inbox{STRONG:#}")?;
        }
        if open && self.mail {
            writeln!(formatter, "  mail     {STRONG}{url}/mail{STRONG:#}: what people get")?;
        }
        writeln!(
            formatter,
            "  API key  {STRONG}{}{STRONG:#} (may decide what it requested)",
            self.shown_key()
        )?;
        writeln!(formatter, "  data     {}", self.folder.display())?;
        let check = command("check");
        match self.closed {
            0 => {}
            1 => writeln!(formatter, "  webhooks 1 source is closed: `{check}` names it")?,
            more => {
                writeln!(formatter, "  webhooks {more} sources are closed: `{check}` lists them")?
            }
        }
        writeln!(formatter)?;
        for problem in self.attention {
            writeln!(formatter, "{WARNING}Needs attention:{WARNING:#} {problem}")?;
        }
        if !self.attention.is_empty() {
            writeln!(formatter)?;
        }
        if !open {
            writeln!(
                formatter,
                "The pages are closed, because this address is not loopback. \
                 `{}` prints a link that opens an operation.\n",
                command("link CALL_ID")
            )?;
        }
        let decide = if open { "decide in the inbox" } else { "decide through a link" };
        writeln!(formatter, "Request an approval, {decide}, then look at what came of it:\n")?;
        writeln!(formatter, "  {STRONG}{request}{STRONG:#}\n  {STRONG}{look}{STRONG:#}\n")?;
        writeln!(formatter, "Watch what happens, in another terminal:\n")?;
        write!(formatter, "  {STRONG}{}{STRONG:#}", self.watch())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // cargo runs the tests, so the commands start with `cargo run --`.

    fn banner(address: &str, folder: &str, first: bool) -> String {
        let address = address.parse().unwrap();
        let attention = ["operation refund cannot run: PAY is not set".to_owned()];
        let banner = Banner {
            address,
            folder: Path::new(folder),
            api_key: "local-dev-key",
            demo: first,
            mail: false,
            closed: if first { 31 } else { 0 },
            attention: if first { &[] } else { &attention },
        };
        anstream::adapter::strip_str(&banner.to_string()).to_string()
    }

    #[test]
    fn a_newcomer_learns_what_to_do_first() {
        insta::assert_snapshot!(banner("127.0.0.1:8000", ".placet", true), @r"
        Placet is up.

          address  http://127.0.0.1:8000
          inbox    http://127.0.0.1:8000/inbox
          API key  local-dev-key (may decide what it requested)
          data     .placet
          webhooks 31 sources are closed: `cargo run -- check` lists them

        Request an approval, decide in the inbox, then look at what came of it:

          curl -X POST http://127.0.0.1:8000/purchase-materials
          curl http://127.0.0.1:8000/purchases

        Watch what happens, in another terminal:

          cargo run -- watch
        ");
        insta::assert_snapshot!(banner("0.0.0.0:8001", "/srv/data", false), @r#"
        Placet is up.

          address  http://0.0.0.0:8001
          API key  $PLACET_LOCAL_KEY (may decide what it requested)
          data     /srv/data

        Needs attention: operation refund cannot run: PAY is not set

        The pages are closed, because this address is not loopback. `cargo run -- link CALL_ID` prints a link that opens an operation.

        Request an approval, decide through a link, then look at what came of it:

          curl http://0.0.0.0:8001/v1/operations -H "Authorization: Bearer $PLACET_LOCAL_KEY" -d '{"kind": "function_call", "run_id": "first", "fn": "deploy", "kwargs": {"version": 7}}'
          curl http://0.0.0.0:8001/v1/operations -H "Authorization: Bearer $PLACET_LOCAL_KEY"

        Watch what happens, in another terminal:

          cargo run -- watch --data-dir /srv/data
        "#);
    }
}
