//! The parts of a source in words.

use placet_core::url;
use placet_core::webhook::{
    AlgorithmChoice, Checks, Encoding, EqualContent, JwtCheck, Location, Selector, SignatureCheck,
    SignatureShape, TimeRule, TimeUnit, TokenCheck, VerifyFirst,
};
use placet_core::webhook::{Respond, Rule, When};
use placet_runtime::Environment;
use placet_runtime::config::{Action, SecretRef, Source, Target};

/// Whether a source takes anything, and if not why.
pub fn openness(name: &str, source: &Source, environment: &Environment) -> String {
    match source.open(name, environment) {
        _ if source.scheme.retired => "retired: every request is answered 410".to_owned(),
        Ok(_) if source.scheme.checks.none.is_some() => "open to anyone".to_owned(),
        Ok(_) => "open".to_owned(),
        Err(error) => format!("closed: {error}"),
    }
}

/// The variables that hold its secrets, never what is in them.
pub fn secrets(source: &Source, environment: &Environment) -> String {
    let all = source.secrets.iter().map(|secret| variable(secret, environment));
    let all: Vec<String> = all.collect();
    if all.is_empty() { "none".to_owned() } else { all.join(", ") }
}

pub fn variable(secret: &SecretRef, environment: &Environment) -> String {
    let set = environment.get(&secret.variable).is_some();
    format!("{} ({})", secret.variable, if set { "set" } else { "not set" })
}

pub fn targets(source: &Source) -> String {
    let all: Vec<String> = source.targets.iter().map(target).collect();
    if all.is_empty() { "none: it is kept, nothing more".to_owned() } else { all.join("; ") }
}

fn target(target: &Target) -> String {
    let action = match &target.action {
        Action::Log => "log".to_owned(),
        Action::Decide => "decide the operation with its call_id".to_owned(),
        Action::Operation(ask) => format!("ask a person for {}", ask.function),
        Action::Forward { endpoint } => format!("forward to {}", endpoint.as_str()),
    };
    let filter = &target.filter;
    let types =
        (!filter.types.is_empty()).then(|| format!("type is {}", filter.types.join(" or ")));
    let comparisons = filter.comparisons.iter().map(ToString::to_string);
    let conditions: Vec<String> = types.into_iter().chain(comparisons).collect();
    match conditions.is_empty() {
        true => action,
        false => format!("{action} if {}", conditions.join(" and ")),
    }
}

/// What requests with the same signed content are, if their identity is not signed.
pub(super) fn equal_content(source: &Source) -> &'static str {
    match source.equal_content() {
        EqualContent::OneEvent => "is one event, unless a signed identity differs",
        EqualContent::Separate => "is an event for each identity",
    }
}

/// The algorithm of a signature, and what it is computed with and over.
pub(super) fn signature(check: &SignatureCheck) -> Vec<(&'static str, String)> {
    let algorithm = match &check.algorithm {
        AlgorithmChoice::Fixed(algorithm) => algorithm.to_string(),
        AlgorithmChoice::By { at, member, values, otherwise } => {
            let place = member.as_ref().map_or_else(String::new, |member| format!("{member} in "));
            let values = values.iter().map(|(value, algorithm)| format!("{value} is {algorithm}"));
            let without = otherwise.map(|algorithm| format!("{algorithm} without it"));
            let all: Vec<String> = values.chain(without).collect();
            format!("by {place}{at}: {}", all.join(", "))
        }
    };
    let key = match &check.certificate {
        None => check.key.describe().to_owned(),
        Some(certificate) => format!(
            "in the certificate whose address is at {}, only from the sender's own host",
            certificate.at
        ),
    };
    let signed: Vec<String> = check.signed.iter().map(ToString::to_string).collect();
    let ports = if check.url_ports { ", the URL with or without its port" } else { "" };
    let escapes =
        if check.url_escapes { ", its query with or without escapes of !'()*" } else { "" };
    let mut lines = vec![
        ("algorithm", algorithm),
        ("key", key),
        ("signs", format!("{}{ports}{escapes}", signed.join(" "))),
        ("signature", shape(&check.signature)),
    ];
    if let Some(hash) = &check.body_hash {
        let encoding = encoding(hash.encoding);
        lines.push(("body hash", format!("SHA-256 in {encoding} at {}", hash.at)));
    }
    let time = check.time.as_ref();
    lines.push(("time", time.map_or_else(|| "not signed".to_owned(), time_window)));
    lines
}

fn shape(shape: &SignatureShape) -> String {
    let encoding = encoding(shape.encoding);
    let written = match (&shape.list, &shape.prefix) {
        (Some(list), _) => format!(
            "{}{}<{encoding}>, one or several in a list with {:?} between",
            list.tag, list.pair, list.separator
        ),
        (None, Some(prefix)) if shape.prefix_optional => {
            format!("<{encoding}>, with or without {prefix:?} before it")
        }
        (None, Some(prefix)) => format!("{prefix}<{encoding}>"),
        (None, None) => format!("<{encoding}>"),
    };
    format!("at {}: {written}", shape.at)
}

fn time_window(rule: &TimeRule) -> String {
    let place = match (&rule.at, &rule.tag) {
        (Some(at), _) => format!("at {at}"),
        (None, Some(tag)) => format!("{tag} in the list of the signature"),
        (None, None) => "nowhere".to_owned(),
    };
    let unit = match rule.unit {
        TimeUnit::S => "in seconds",
        TimeUnit::Ms => "in milliseconds",
        TimeUnit::Rfc3339 => "as in RFC 3339",
        TimeUnit::HttpDate => "as a date in HTTP",
    };
    format!("{place}, {unit}, at most {} old or {} ahead", rule.past, rule.future)
}

pub(super) fn token(check: &TokenCheck) -> String {
    let word = match check.scheme.as_deref() {
        None => String::new(),
        Some("*") => "after any word, ".to_owned(),
        Some(word) => format!("after {word}, "),
    };
    let form = check.encoding.map_or("as it is", encoding);
    format!("the secret at {}, {word}{form}", check.at)
}

pub(super) fn jwt(check: &JwtCheck) -> String {
    let body = check.body_hash_claim.as_ref();
    let body = body.map_or_else(
        || "the body is not signed".to_owned(),
        |claim| format!("{claim} is the SHA-256 of the body"),
    );
    format!(
        "at {}, with a key of {}, from {}, for {}; {body}",
        check.at,
        url::shown(&check.jwks),
        check.issuer,
        check.audience
    )
}

fn encoding(encoding: Encoding) -> &'static str {
    match encoding {
        Encoding::Hex => "hex",
        Encoding::Base64 => "base64",
        Encoding::Base64Url => "base64url",
    }
}

/// The alternatives of a value, and for each whether a signature covers it.
pub(super) fn selector(selector: &Selector, checks: &Checks) -> Option<String> {
    let alternative = |parts: &Vec<Location>| {
        let signed = parts.iter().all(|part| is_signed(part, checks));
        let parts: Vec<String> = parts.iter().map(ToString::to_string).collect();
        format!("{} ({})", parts.join(" + "), if signed { "signed" } else { "not signed" })
    };
    let alternatives: Vec<String> = selector.0.iter().map(alternative).collect();
    (!alternatives.is_empty()).then(|| alternatives.join(", else "))
}

fn is_signed(location: &Location, checks: &Checks) -> bool {
    let signatures = [&checks.mac, &checks.sign].into_iter().flatten();
    let by_token = checks.jwt.as_ref().is_some_and(|jwt| jwt.body_hash_claim.is_some());
    let in_body = matches!(location, Location::Json(_) | Location::Form(..));
    signatures.into_iter().any(|check| check.always_covers(location)) || (by_token && in_body)
}

pub(super) fn handshake(rule: &Rule) -> String {
    let verified = match &rule.verify {
        VerifyFirst::Checks => "once the checks hold".to_owned(),
        VerifyFirst::Token(at) => format!("if the verify token is at {at}"),
        VerifyFirst::Nothing => "of anyone".to_owned(),
    };
    format!("{}, {verified}: answered {}", when(&rule.when), answer(&rule.respond))
}

fn when(when: &When) -> String {
    let method = when.method.iter().cloned();
    let has = when.has.iter().map(|at| format!("with {at}"));
    let lacks = when.lacks.iter().map(|at| format!("without {at}"));
    let equals = when.equals.iter().map(|(at, text)| format!("{at} = {text:?}"));
    method.chain(has).chain(lacks).chain(equals).collect::<Vec<_>>().join(" ")
}

fn answer(respond: &Respond) -> String {
    acknowledgement(respond.status, &respond.content_type, &respond.body)
}

pub(super) fn acknowledgement(status: u16, content_type: &str, body: &str) -> String {
    match body {
        "" => format!("{status}, empty"),
        body => format!("{status} {content_type} {body}"),
    }
}
