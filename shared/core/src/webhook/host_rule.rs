use serde::Deserialize;

/// The owner of the addresses from which Placet may fetch a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum HostRule {
    /// Amazon SNS: `https://sns.<region>.amazonaws.com/`, including the regions of China.
    Sns,
}

impl HostRule {
    /// Whether this URL belongs to the owner. The URL must have https, no user, no port, and no character
    /// that URL parsers interpret differently.
    pub fn allows(self, url: &str) -> bool {
        let Some((host, path)) = url.strip_prefix("https://").and_then(|rest| rest.split_once('/'))
        else {
            return false;
        };
        let region = host.strip_prefix("sns.").and_then(|rest| {
            rest.strip_suffix(".cn").unwrap_or(rest).strip_suffix(".amazonaws.com")
        });
        region.is_some_and(is_region)
            && path.bytes().all(|byte| byte.is_ascii_graphic() && !b"\\#@".contains(&byte))
    }
}

/// Whether a text has the form of a region, for example `eu-central-1`. Other service names in a host do
/// not have this form.
fn is_region(text: &str) -> bool {
    let words: Vec<&str> = text.split('-').collect();
    let letters =
        |word: &&str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase());
    match words.as_slice() {
        [area, places @ .., number] => {
            area.len() == 2
                && letters(area)
                && !places.is_empty()
                && places.iter().all(letters)
                && !number.is_empty()
                && number.bytes().all(|byte| byte.is_ascii_digit())
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_of_sns_are_allowed() {
        for ours in [
            "https://sns.eu-central-1.amazonaws.com/SimpleNotificationService-0.pem",
            "https://sns.cn-north-1.amazonaws.com.cn/x.pem",
            "https://sns.us-east-1.amazonaws.com/?Action=ConfirmSubscription&Token=a",
        ] {
            assert!(HostRule::Sns.allows(ours), "{ours}");
        }
        for other in [
            "http://sns.eu-central-1.amazonaws.com/x.pem",
            "https://sns.eu-central-1.amazonaws.com.evil.example/x.pem",
            "https://evil.example/sns.eu-central-1.amazonaws.com/x.pem",
            "https://sns.eu-central-1.amazonaws.com:444/x.pem",
            "https://user@sns.eu-central-1.amazonaws.com/x.pem",
            "https://sns.eu-central-1.amazonaws.com\\@evil.example/x.pem",
            "https://sns..amazonaws.com/x.pem",
            "https://sns.s3-us-west-2.amazonaws.com/x.pem",
            "https://sns.s3.us-west-2.amazonaws.com/x.pem",
            "https://sns.a.b.amazonaws.com/x.pem",
            "https://SNS.eu-central-1.amazonaws.com/x.pem",
            "https://sns.eu-central-1.amazonaws.com",
            "https://s3.amazonaws.com/sns.pem",
            "https://sns.eu-central-1.amazonaws.com/x#.pem",
        ] {
            assert!(!HostRule::Sns.allows(other), "{other}");
        }
    }
}
