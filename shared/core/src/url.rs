//! The parts of a configured URL that matter before it is called or shown.

const THIS_MACHINE: [&str; 3] = ["127.0.0.1", "localhost", "[::1]"];

/// The URL without user, password, query and fragment, which may hold a secret. Show it in messages, logs and
/// pages.
pub fn shown(url: &str) -> String {
    let url = url.split(['?', '#']).next().unwrap_or_default();
    match url.split_once("://") {
        Some((scheme, rest)) => {
            let end = rest.find(['/', '\\']).unwrap_or(rest.len());
            let (authority, path) = rest.split_at(end);
            let host = authority.rsplit('@').next().unwrap_or_default();
            format!("{scheme}://{host}{path}")
        }
        None => url.rsplit('@').next().unwrap_or_default().to_owned(),
    }
}

/// Refuses a URL that names a user and a password.
///
/// # Errors
///
/// What to change.
pub fn refuse_user(url: &str) -> Result<(), String> {
    match names_user(url) {
        true => Err("remove what is before the @: a URL must name no user and password".to_owned()),
        false => Ok(()),
    }
}

/// Whether the URL is an origin, with a path or without: it has no query and no fragment.
pub fn is_origin(url: &str) -> bool {
    let web = url.starts_with("https://") || url.starts_with("http://");
    web && !url.contains(['?', '#'])
}

/// Whether the URL names a user, as in `https://user:password@host`. A reader takes the user for the host.
pub fn names_user(url: &str) -> bool {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.split(['/', '?', '#']).next().is_some_and(|authority| authority.contains('@'))
}

/// Whether a host is one of the names of this machine, in lower case and with the brackets of an IPv6 address.
pub fn is_this_machine(host: &str) -> bool {
    THIS_MACHINE.contains(&host)
}

/// Whether this is an `http://` URL of this machine.
pub fn is_plain_here(url: &str) -> bool {
    let Some(rest) = url.strip_prefix("http://") else { return false };
    let authority = rest.split(['/', '?', '#', '\\']).next().unwrap_or_default();
    THIS_MACHINE.iter().any(|host| {
        let port = authority.strip_prefix(host).map(|rest| rest.strip_prefix(':').unwrap_or(rest));
        port.is_some_and(|port| port.bytes().all(|byte| byte.is_ascii_digit()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_shown_without_what_may_be_secret() {
        for (url, expected) in [
            ("https://a.example/b?key=1#c", "https://a.example/b"),
            ("https://me:pass@a.example:8443/b", "https://a.example:8443/b"),
            ("https://me:p@ss@a.example", "https://a.example"),
            ("https://a.example/b@c", "https://a.example/b@c"),
            ("me:pass@a.example", "a.example"),
            ("/hooks?key=1", "/hooks"),
        ] {
            assert_eq!(shown(url), expected, "{url}");
        }
    }

    #[test]
    fn the_user_is_found_where_a_client_finds_it() {
        for url in ["http://localhost:80@evil.example", "https://a\\@b", "https://@a", "me@a"] {
            assert!(names_user(url), "{url}");
        }
        for url in ["https://a/@b", "https://a?b@c", "https://a#@", "/@a"] {
            assert!(!names_user(url), "{url}");
        }
    }

    #[test]
    fn this_machine_has_three_names() {
        for url in ["http://127.0.0.1", "http://localhost:8000/keys", "http://[::1]:80/"] {
            assert!(is_plain_here(url), "{url}");
        }
        for url in [
            "https://localhost/",
            "http://localhost.example/",
            "http://localhost1.example/",
            "http://127.0.0.1.example:80/",
            "http://localhost:80@evil.example",
        ] {
            assert!(!is_plain_here(url), "{url}");
        }
    }
}
