//! Finds the line and column of a member of `placet.yaml`.

use std::fmt::Display;

use serde_saphyr::granit_parser::{Event, Parser};

/// The error text with the line and column of the member on this path.
pub(super) fn at(text: &str, path: &[String], wrong: impl Display) -> String {
    let (line, column) = locate(text, path);
    format!("{wrong} at line {line}, column {column}")
}

/// Line and column, from 1, of the deepest member on this path that the text contains. For a member that
/// comes from a preset, that is the member that names the preset.
fn locate(text: &str, path: &[String]) -> (usize, usize) {
    let mut walk = Walk { path, open: Vec::new(), best: (0, 1, 1) };
    for next in Parser::new_from_str(text) {
        let Ok((event, span)) = next else { break };
        let place = (span.start.line(), span.start.col() + 1);
        match event {
            Event::MappingStart(..) => {
                walk.value(place);
                walk.open.push(Frame::Mapping { key: None });
            }
            Event::SequenceStart(..) => {
                walk.value(place);
                walk.open.push(Frame::Sequence { next: 0 });
            }
            Event::MappingEnd | Event::SequenceEnd => {
                walk.open.pop();
                walk.done();
            }
            Event::Scalar(text, ..) => walk.scalar(&text, place),
            Event::Alias(..) => {
                walk.value(place);
                walk.done();
            }
            _ => {}
        }
    }
    (walk.best.1, walk.best.2)
}

enum Frame {
    Mapping { key: Option<String> },
    Sequence { next: usize },
}

struct Walk<'a> {
    path: &'a [String],
    open: Vec<Frame>,
    /// The depth of the best match so far, with its line and column.
    best: (usize, usize, usize),
}

impl Walk<'_> {
    fn scalar(&mut self, text: &str, place: (usize, usize)) {
        if let Some(Frame::Mapping { key: key @ None }) = self.open.last_mut() {
            *key = Some(text.to_owned());
            self.reached(place);
        } else {
            self.value(place);
            self.done();
        }
    }

    /// A value starts here. An element of a sequence has no key, so its value marks its place.
    fn value(&mut self, place: (usize, usize)) {
        if let Some(Frame::Sequence { .. }) = self.open.last() {
            self.reached(place);
        }
    }

    /// A value has ended.
    fn done(&mut self) {
        match self.open.last_mut() {
            Some(Frame::Mapping { key }) => *key = None,
            Some(Frame::Sequence { next }) => *next += 1,
            None => {}
        }
    }

    fn reached(&mut self, (line, column): (usize, usize)) {
        let here: Option<Vec<String>> = self
            .open
            .iter()
            .map(|frame| match frame {
                Frame::Mapping { key } => key.clone(),
                Frame::Sequence { next } => Some(next.to_string()),
            })
            .collect();
        if let Some(here) = here
            && here.len() > self.best.0
            && self.path.starts_with(&here)
        {
            self.best = (here.len(), line, column);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_deepest_existing_member_is_found() {
        let text = "a:\n  b: {c: 1,\n    d: [x, {e: 2}]}\n'f g':\n- h: 3\n- 4\n";
        let find = |path: &[&str]| {
            locate(text, &path.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>())
        };
        assert_eq!(find(&["a"]), (1, 1));
        assert_eq!(find(&["a", "b"]), (2, 3));
        assert_eq!(find(&["a", "b", "c"]), (2, 7));
        assert_eq!(find(&["a", "b", "d"]), (3, 5));
        assert_eq!(find(&["a", "b", "d", "1", "e"]), (3, 13));
        assert_eq!(find(&["a", "b", "preset", "x"]), (2, 3));
        assert_eq!(find(&["f g", "0", "h"]), (5, 3));
        assert_eq!(find(&["f g", "1"]), (6, 3));
        assert_eq!(find(&["nothing"]), (1, 1));
        assert_eq!(locate("{", &["a".to_owned()]), (1, 1));
    }
}
