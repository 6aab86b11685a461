use serde::Deserialize;

/// The owner of the addresses from which Placet may fetch a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum HostRule {
    /// Amazon SNS: `https://sns.<region>.amazonaws.com/`, and `.amazonaws.com.cn` for the regions of China.
    Sns,
}

impl HostRule {
    /// Whether this URL belongs to the owner. The URL must have https, no user, no port, and no character
    /// that URL parsers interpret differently.
    pub fn allows(self, url: &str) -> bool {
        region_and_path(url).is_some()
    }

    /// Whether the owner publishes at this URL a certificate that signs for a topic: it is a certificate of the
    /// topic's own region. Nobody can make such a URL for a document of their own.
    pub fn certifies(self, url: &str, topic: &str) -> bool {
        let Some((region, path)) = region_and_path(url) else { return false };
        let number = path.strip_prefix("SimpleNotificationService-");
        let number = number.and_then(|rest| rest.strip_suffix(".pem")).unwrap_or_default();
        number.len() == 32
            && number.bytes().all(|byte| byte.is_ascii_hexdigit())
            && topic_region(topic) == Some(region)
    }
}

/// The region of a topic, if the text is its ARN: `arn:<partition>:sns:<region>:<account>:<name>`.
pub(super) fn topic_region(text: &str) -> Option<&str> {
    let ["arn", partition, "sns", region, account, name] =
        text.splitn(6, ':').collect::<Vec<_>>()[..]
    else {
        return None;
    };
    let plain = |text: &str, others: &[u8]| {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || others.contains(&byte);
        !text.is_empty() && text.bytes().all(allowed)
    };
    let is_topic = partition.starts_with("aws")
        && plain(region, b"-")
        && plain(account, b"")
        && plain(name, b"-_.");
    is_topic.then_some(region)
}

/// The region and the path of an address of Amazon SNS.
fn region_and_path(url: &str) -> Option<(&str, &str)> {
    let (host, path) = url.strip_prefix("https://")?.split_once('/')?;
    let (host, china) = match host.strip_suffix(".cn") {
        Some(host) => (host, true),
        None => (host, false),
    };
    let region = host.strip_prefix("sns.")?.strip_suffix(".amazonaws.com")?;
    let harmless = |byte: u8| byte.is_ascii_graphic() && !b"\\#@".contains(&byte);
    let ours = is_region(region) && region.starts_with("cn-") == china;
    (ours && path.bytes().all(harmless)).then_some((region, path))
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
            "https://sns.eu-central-1.amazonaws.com.cn/x.pem",
            "https://sns.cn-north-1.amazonaws.com/x.pem",
        ] {
            assert!(!HostRule::Sns.allows(other), "{other}");
        }
    }

    #[test]
    fn a_certificate_has_one_form_of_address_and_the_region_of_the_topic() {
        let name = "SimpleNotificationService-010a507c1833636cd94bdb98bd93083a.pem";
        let certifies = |host: &str, path: &str, topic: &str| {
            HostRule::Sns.certifies(&format!("https://{host}/{path}"), topic)
        };
        let (europe, topic) = ("sns.eu-central-1.amazonaws.com", "arn:aws:sns:eu-central-1:1:t");
        assert!(certifies(europe, name, topic));
        let china = ("sns.cn-north-1.amazonaws.com.cn", "arn:aws-cn:sns:cn-north-1:1:t");
        assert!(certifies(china.0, name, china.1));
        for (host, path, topic) in [
            (europe, name, "arn:aws:sns:us-east-1:1:t"),
            (europe, name, "arn:aws:sqs:eu-central-1:1:t"),
            (europe, name, "eu-central-1"),
            (europe, name, ""),
            (europe, "SimpleNotificationService-1.pem", topic),
            (europe, "SimpleNotificationService-010a507c1833636cd94bdb98bd93083g.pem", topic),
            (europe, "SimpleNotificationService-010a507c1833636cd94bdb98bd93083a.pem?x", topic),
            (europe, "x/SimpleNotificationService-010a507c1833636cd94bdb98bd93083a.pem", topic),
            (europe, "SimpleNotificationService-010a507c1833636cd94bdb98bd93083a", topic),
            (europe, "?x=.pem", topic),
            ("sns.eu-central-1.amazonaws.com.evil.example", name, topic),
        ] {
            assert!(!certifies(host, path, topic), "https://{host}/{path} {topic}");
        }
    }
}
