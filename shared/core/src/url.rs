//! The parts of a configured URL that matter before it is called or shown.

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

/// Whether the URL names a user, as in `https://user:password@host`. A reader takes the user for the host.
pub fn names_user(url: &str) -> bool {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.split(['/', '?', '#']).next().is_some_and(|authority| authority.contains('@'))
}

/// Whether this is an `http://` URL of this machine.
pub fn is_plain_here(url: &str) -> bool {
    let Some(rest) = url.strip_prefix("http://") else { return false };
    let authority = rest.split(['/', '?', '#', '\\']).next().unwrap_or_default();
    ["127.0.0.1", "localhost", "[::1]"].iter().any(|host| {
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
