//! E-mail addresses, as a mail server takes them.

use crate::limits::LONGEST_ADDRESS;

/// The longest part before the `@`, in bytes. <https://www.rfc-editor.org/rfc/rfc5321#section-4.5.3.1.1>
const LONGEST_LOCAL_PART: usize = 64;

/// Whether a text is an e-mail address that every mail server takes: ASCII, without quotes and comments. So it
/// contains nothing that could end a header or a command.
pub fn is_address(text: &str) -> bool {
    let Some((local, domain)) = text.split_once('@') else { return false };
    let atom = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&byte);
    let is_local = |atom_text: &str| !atom_text.is_empty() && atom_text.bytes().all(atom);
    text.len() <= LONGEST_ADDRESS
        && local.len() <= LONGEST_LOCAL_PART
        && local.split('.').all(is_local)
        && is_domain(domain)
}

/// Whether a text is a domain: labels of letters, digits and hyphens with full stops between them.
fn is_domain(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    let is_label = |label: &str| {
        let edges = label.starts_with('-') || label.ends_with('-');
        (1..=63).contains(&label.len()) && label.bytes().all(allowed) && !edges
    };
    text.split('.').all(is_label)
}

/// The domain of an address: what follows its `@`.
pub fn domain(address: &str) -> &str {
    address.rsplit_once('@').map_or("", |(_, domain)| domain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_what_every_mail_server_takes() {
        for right in ["a@example.org", "first.last+tag@mail.example.org", "o'neill@localhost"] {
            assert!(is_address(right), "{right}");
        }
        assert_eq!(domain("a@mail.example.org"), "mail.example.org");
    }

    #[test]
    fn an_address_cannot_carry_a_header_or_a_command() {
        let long = format!("{}@example.org", "a".repeat(65));
        for wrong in [
            "",
            "a",
            "@example.org",
            "a@",
            "a@b@example.org",
            "a b@example.org",
            "a@example.org\r\nBcc: b@example.org",
            "a@example.org>\r\nRCPT TO:<b@example.org",
            "Ann <a@example.org>",
            "\"a b\"@example.org",
            ".a@example.org",
            "a..b@example.org",
            "a@example..org",
            "a@-example.org",
            "ä@example.org",
            "a@exämple.org",
            "a@[127.0.0.1]",
            &long,
        ] {
            assert!(!is_address(wrong), "{wrong}");
        }
    }
}
