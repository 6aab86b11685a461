//! Reads the signed message and the candidate signatures from a request.

use std::borrow::Cow;

use super::grammar::{Member, Part, SignatureCheck, SignatureShape};
use super::incoming::{Incoming, only};
use super::location::Location;
use super::unverified::Unverified;
use crate::strict_json::Unreadable;

/// A request, the header set that it uses, and the public address of the source.
pub(super) struct Reading<'a> {
    pub(super) request: &'a Incoming<'a>,
    pub(super) header_set: Option<&'a str>,
    pub(super) public_url: Option<&'a str>,
}

/// The value at the location of the signature.
pub(super) struct Signatures<'a> {
    /// The candidate signatures, still encoded.
    pub(super) candidates: Vec<Cow<'a, str>>,
    /// All elements of the list, with their tags.
    pub(super) elements: Vec<(Cow<'a, str>, Cow<'a, str>)>,
}

impl<'a> Reading<'a> {
    /// The values at a location, with the header set filled in: see [`Incoming::read`].
    pub(super) fn read(
        &self,
        location: &Location,
    ) -> Result<Vec<Option<Cow<'a, str>>>, Unreadable> {
        match (location, self.header_set) {
            (Location::Header(name), Some(set)) if name.contains('*') => {
                let value = self.request.one_header(&name.replace('*', set))?;
                Ok(vec![value.map(Cow::Borrowed)])
            }
            _ => self.request.read(location),
        }
    }

    /// The values at a location. A value that cannot be read counts as missing.
    pub(super) fn values(&self, location: &Location) -> Vec<Option<Cow<'a, str>>> {
        self.read(location).unwrap_or_else(|Unreadable| vec![None])
    }

    /// The value at a location; `None` if there is not exactly one value.
    pub(super) fn one(&self, location: &Location) -> Result<Option<Cow<'a, str>>, Unreadable> {
        self.read(location).map(only)
    }

    /// The value at a location; `None` if there is not exactly one value that can be read.
    pub(super) fn value(&self, location: &Location) -> Option<Cow<'a, str>> {
        self.one(location).ok().flatten()
    }

    /// Whether the request has a value at a location, even if the value is repeated and cannot be read.
    pub(super) fn mentions(&self, location: &Location) -> bool {
        match location {
            Location::Header(name) => {
                let name = name.replace('*', self.header_set.unwrap_or("*"));
                self.request.headers.iter().any(|(known, _)| *known == name)
            }
            _ => self.value(location).is_some(),
        }
    }

    /// The signatures of the request.
    pub(super) fn signatures(&self, shape: &SignatureShape) -> Result<Signatures<'a>, Unverified> {
        let value = self.value(&shape.at).ok_or(Unverified::Missing)?;
        let Some(list) = &shape.list else {
            let candidate = match &shape.prefix {
                None => value,
                Some(prefix) => match value.strip_prefix(prefix.as_str()) {
                    Some(rest) => Cow::Owned(rest.to_owned()),
                    None if shape.prefix_optional => value,
                    None => return Err(Unverified::Missing),
                },
            };
            return Ok(Signatures { candidates: vec![candidate], elements: Vec::new() });
        };
        // HTTP joins repeated headers with commas.
        if value.contains(',') && !list.separator.contains(',') && !list.pair.contains(',') {
            return Err(Unverified::Ambiguous);
        }
        let owned = |text: &str| Cow::Owned(text.to_owned());
        let elements: Vec<_> = value
            .split(list.separator.as_str())
            .filter_map(|element| element.trim().split_once(list.pair.as_str()))
            .map(|(tag, value)| (owned(tag), owned(value)))
            .collect();
        let ours = elements.iter().filter(|(tag, _)| *tag == list.tag.as_str());
        let candidates: Vec<_> = ours.map(|(_, value)| value.clone()).collect();
        match candidates.is_empty() {
            true => Err(Unverified::Missing),
            false => Ok(Signatures { candidates, elements }),
        }
    }

    /// The text of the signed time; `None` if the check has no time.
    pub(super) fn signed_time<'m>(
        &'m self,
        check: &SignatureCheck,
        signatures: &'m Signatures<'_>,
    ) -> Result<Option<Cow<'m, str>>, Unverified> {
        let Some(rule) = &check.time else { return Ok(None) };
        match (&rule.at, &rule.tag) {
            (Some(at), _) => self.value(at).ok_or(Unverified::Missing).map(Some),
            (None, Some(tag)) => Ok(Some(Cow::Borrowed(signatures.element(tag)?))),
            (None, None) => Err(Unverified::Missing),
        }
    }

    /// The signed message in parts. `url` is the form of the URL that the sender may have signed.
    pub(super) fn message<'m>(
        &'m self,
        check: &'m SignatureCheck,
        signatures: &'m Signatures<'_>,
        time: Option<&'m str>,
        url: Option<&'m str>,
    ) -> Result<Vec<Cow<'m, [u8]>>, Unverified> {
        let mut message = Vec::with_capacity(check.signed.len());
        for (index, part) in check.signed.iter().enumerate() {
            let bytes: Cow<'m, [u8]> = match part {
                Part::Literal(text) => Cow::Borrowed(text.as_bytes()),
                Part::Body => Cow::Borrowed(self.request.body),
                Part::Time => Cow::Borrowed(time.ok_or(Unverified::Missing)?.as_bytes()),
                Part::Method => Cow::Borrowed(self.request.method.as_bytes()),
                Part::Url => {
                    // The signature does not say where the URL ends and the body begins.
                    let followed = check.signed.get(index + 1) == Some(&Part::Body);
                    if followed && holds_json(self.request.query) {
                        return Err(Unverified::Ambiguous);
                    }
                    Cow::Borrowed(url.ok_or(Unverified::PublicUrl)?.as_bytes())
                }
                Part::FormSorted => Cow::Owned(self.form_sorted()?),
                Part::JsonLines(names) => Cow::Owned(self.json_lines(names)?),
                Part::HeaderList(tag) => Cow::Owned(self.header_list(signatures.element(tag)?)?),
                Part::At(location) => {
                    let value = self.value(location).ok_or(Unverified::Missing)?;
                    // A value that contains its own separator is ambiguous.
                    if let Some(Part::Literal(end)) = check.signed.get(index + 1)
                        && (value.is_empty() || value.contains(end.as_str()))
                    {
                        return Err(Unverified::Ambiguous);
                    }
                    Cow::Owned(value.into_owned().into_bytes())
                }
            };
            message.push(bytes);
        }
        Ok(message)
    }

    fn form_sorted(&self) -> Result<Vec<u8>, Unverified> {
        if !self.request.is_form() {
            return Ok(Vec::new());
        }
        let fields = self.request.form().ok_or(Unverified::Unreadable)?;
        let mut fields: Vec<_> = fields.iter().collect();
        fields.sort();
        fields.dedup();
        let texts =
            fields.into_iter().flat_map(|(name, value)| [name.as_bytes(), value.as_bytes()]);
        Ok(texts.collect::<Vec<_>>().concat())
    }

    fn json_lines(&self, members: &[Member]) -> Result<Vec<u8>, Unverified> {
        let json = self.request.json().ok().flatten().ok_or(Unverified::Unreadable)?;
        let mut lines = String::new();
        for (index, Member { name, optional }) in members.iter().enumerate() {
            let text = match json.member(name).map_err(|Unreadable| Unverified::Ambiguous)? {
                None if *optional => continue,
                None => return Err(Unverified::Missing),
                Some(value) => value.exact_string().ok_or(Unverified::Unreadable)?,
            };
            if index > 0 && text.contains('\n') {
                return Err(Unverified::Ambiguous);
            }
            for line in [name, &text] {
                lines.push_str(line);
                lines.push('\n');
            }
        }
        Ok(lines.into_bytes())
    }

    fn header_list(&self, names: &str) -> Result<Vec<u8>, Unverified> {
        let value = |name: &str| self.request.header(&name.to_ascii_lowercase());
        let values: Option<Vec<_>> = names.split(' ').map(value).collect();
        let values = values.ok_or(Unverified::Missing)?;
        Ok(format!("{names}.{}", values.join(".")).into_bytes())
    }

    /// The URLs that the sender may have signed: the received one and, if the check allows it, the variants with other
    /// escapes and with the default port added or removed.
    pub(super) fn urls(&self, check: &SignatureCheck) -> Vec<String> {
        let Some(origin) = self.public_url else { return Vec::new() };
        let Incoming { path, query, .. } = self.request;
        let mut queries = vec![(*query).to_owned()];
        if check.url_escapes {
            queries.extend([without_escapes(query), with_escapes(query)]);
            queries.dedup();
        }
        let other = if check.url_ports { with_other_port(origin) } else { None };
        let origins = [Some(origin.to_owned()), other];
        let mut urls = Vec::new();
        for origin in origins.iter().flatten() {
            urls.extend(queries.iter().map(|query| match query.as_str() {
                "" => format!("{origin}{path}"),
                query => format!("{origin}{path}?{query}"),
            }));
        }
        urls
    }
}

impl<'a> Signatures<'a> {
    /// The element with this tag. Two elements with this tag are ambiguous.
    pub(super) fn element(&self, tag: &str) -> Result<&str, Unverified> {
        let mut found = self.elements.iter().filter(|(known, _)| *known == tag);
        match (found.next(), found.next()) {
            (Some((_, value)), None) => Ok(value),
            (None, _) => Err(Unverified::Missing),
            _ => Err(Unverified::Ambiguous),
        }
    }
}

/// Characters that a URL may hold with or without an escape, and that separate nothing in a query.
const SAFE: [(char, &str); 5] =
    [('!', "%21"), ('\'', "%27"), ('(', "%28"), (')', "%29"), ('*', "%2A")];

fn with_escapes(query: &str) -> String {
    SAFE.iter().fold(query.to_owned(), |query, (plain, escape)| query.replace(*plain, escape))
}

fn without_escapes(query: &str) -> String {
    SAFE.iter().fold(query.to_owned(), |query, (plain, escape)| {
        let plain = plain.to_string();
        query.replace(escape, &plain).replace(&escape.to_ascii_lowercase(), &plain)
    })
}

/// Whether a query could hold the beginning of a JSON body.
fn holds_json(query: &str) -> bool {
    query.contains(['{', '"']) || query.ends_with('[')
}

/// The same origin with its default port added, or removed if it is present.
fn with_other_port(origin: &str) -> Option<String> {
    let (scheme, rest) = origin.split_once("://")?;
    let default = if scheme == "https" { ":443" } else { ":80" };
    let (authority, prefix) = match rest.find('/') {
        Some(at) => rest.split_at(at),
        None => (rest, ""),
    };
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    match authority.strip_suffix(default) {
        Some(bare) => Some(format!("{scheme}://{bare}{prefix}")),
        None if !host.contains(':') => Some(format!("{scheme}://{authority}{default}{prefix}")),
        None => None,
    }
}
