//! The settings that `placet dev` needs at its start. `placet check` refuses them in the same words.

use std::net::{SocketAddr, ToSocketAddrs as _};

use placet_runtime::{Blobs, Environment, Https};

use crate::dev::LOCAL_KEY;
use crate::{Failure, environment};

/// The settings that are read before anything is opened.
pub struct Start {
    /// The addresses of `PLACET_ADDR`.
    pub addresses: Vec<SocketAddr>,
    /// The key of the local API.
    pub api_key: String,
    /// The bucket that `PLACET_BLOBS` names, if it names one.
    pub blobs: Option<Blobs>,
}

impl Start {
    /// Reads the settings. `PLACET_ADDR` must be set.
    ///
    /// # Errors
    ///
    /// The setting that cannot be used, and its fix.
    pub fn read(environment: &Environment) -> Result<Self, Failure> {
        let addresses = addresses(&environment.get("PLACET_ADDR").unwrap_or_default())?;
        let api_key = api_key(environment, &addresses)?;
        Ok(Self { addresses, api_key, blobs: own_bucket(environment)? })
    }
}

/// What an address names. A name such as `localhost` may have several addresses.
fn addresses(text: &str) -> Result<Vec<SocketAddr>, Failure> {
    const FIX: &str = "write an IP address and a port, as in 127.0.0.1:8000 or [::1]:8000";
    let wrong = |problem: &str| format!("PLACET_ADDR is {text:?}: {problem}");
    let (host, port) = text.rsplit_once(':').ok_or_else(|| wrong(FIX))?;
    if host.is_empty() || (host.contains(':') && !host.starts_with('[')) {
        return Err(wrong(FIX).into());
    }
    if port.parse::<u16>().is_err() {
        return Err(wrong("a port is a whole number, at most 65535").into());
    }
    let found = text.to_socket_addrs().map_err(|error| wrong(&format!("{error}: {FIX}")))?;
    Ok(found.collect())
}

/// The key of the local API. Others can reach another address than loopback, so a key that they know or can
/// guess is refused there.
fn api_key(environment: &Environment, addresses: &[SocketAddr]) -> Result<String, Failure> {
    let open = addresses.iter().find(|address| !address.ip().is_loopback());
    match (environment.get("PLACET_LOCAL_KEY"), open) {
        (Some(key), None) => Ok(key),
        (Some(key), Some(_)) => refuse_weak_key(&key).map(|()| key),
        (None, None) => Ok(LOCAL_KEY.to_owned()),
        (None, Some(address)) => Err(format!(
            "{address} is not loopback and everybody knows the default key: set PLACET_LOCAL_KEY to what this prints: openssl rand -hex 16"
        )
        .into()),
    }
}

/// Refuses a key that someone could guess, for a system that other machines can reach: 128 bits are 32 hexadecimal
/// digits or 22 characters of base64.
fn refuse_weak_key(key: &str) -> Result<(), Failure> {
    let hex = key.bytes().all(|byte| byte.is_ascii_hexdigit());
    if key.len() < if hex { 32 } else { 22 } {
        return Err("PLACET_LOCAL_KEY is too short for an address that is not loopback: set it to what this \
             prints: openssl rand -hex 16"
            .into());
    }
    Ok(())
}

/// The bucket that `PLACET_BLOBS` names, if it names one.
fn own_bucket(environment: &Environment) -> Result<Option<Blobs>, Failure> {
    if environment.get("PLACET_BLOBS").is_none() {
        return Ok(None);
    }
    let blobs = Blobs::from_environment(environment, Https::default());
    let blobs = blobs.map_err(|error| {
        let files = environment::data_folder(environment).join("blobs");
        format!("{error}. Unset it to keep blobs as files in {}", files.display())
    })?;
    Ok(Some(blobs))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_a_host_and_a_port() {
        for right in ["127.0.0.1:8000", "[::1]:0", "localhost:65535"] {
            assert!(!addresses(right).unwrap().is_empty(), "{right}");
        }
        for (wrong, part) in [
            ("127.0.0.1:99999", "at most 65535"),
            ("127.0.0.1:http", "at most 65535"),
            ("::1", "write an IP address and a port"),
            ("::1:8000", "write an IP address and a port"),
            (":8000", "write an IP address and a port"),
        ] {
            let error = addresses(wrong).unwrap_err().to_string();
            assert!(error.starts_with("PLACET_ADDR is \"") && error.contains(part), "{error}");
        }
    }

    #[test]
    fn a_key_for_other_machines_has_128_bits() {
        for key in
            ["a", "local-dev-key", "0123456789abcdef0123456789abcde", "21 characters of text"]
        {
            assert!(refuse_weak_key(key).is_err(), "{key}");
        }
        for key in ["0123456789abcdef0123456789abcdef", "MfKQ9r8GKYqrTwjUPD8ILP"] {
            assert!(refuse_weak_key(key).is_ok(), "{key}");
        }
    }
}
