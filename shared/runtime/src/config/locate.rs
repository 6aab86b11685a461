//! Finds members of `placet.yaml` by their path, and the path of a place.

use std::fmt::Display;

use serde_saphyr::granit_parser::{Event, Parser};

/// The problem with the line, the column and the path of the member.
pub(super) fn at(text: &str, path: &[String], problem: impl Display) -> String {
    let (_, line, column) = walk(text, path).best;
    placed((line, column), path, problem)
}

/// The problem at a line and a column, both from 1, with the path of the member there, or of the member around it.
pub(super) fn at_place(text: &str, place: (usize, usize), around: bool, problem: &str) -> String {
    let mut path = walk_to(text, place);
    if around {
        path.pop();
    }
    placed(place, &path, problem)
}

/// Whether the text has this member.
pub(super) fn has(text: &str, path: &[String]) -> bool {
    walk(text, path).best.0 == path.len()
}

/// If the problem names the last member itself, the path ends before it.
fn placed((line, column): (usize, usize), path: &[String], problem: impl Display) -> String {
    let problem = problem.to_string();
    let named = |last: &String| problem.contains(&format!("`{last}`"));
    let path = match path.split_last() {
        Some((last, before)) if named(last) => before,
        _ => path,
    };
    match path {
        [] => format!("line {line}, column {column}: {problem}"),
        path => format!("line {line}, column {column}: {}: {problem}", path.join(".")),
    }
}

/// Finds the deepest member on this path that the text contains. For a member that comes from a preset, that is
/// the member that names the preset.
fn walk<'a>(text: &str, path: &'a [String]) -> Walk<'a> {
    let mut walk = Walk { path, open: Vec::new(), best: (0, 1, 1) };
    walk.take(text, None);
    walk
}

/// The path of the member at this place, or of the last one before it.
fn walk_to(text: &str, place: (usize, usize)) -> Vec<String> {
    let mut walk = Walk { path: &[], open: Vec::new(), best: (0, 1, 1) };
    walk.take(text, Some(place))
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
    /// Walks through the text, up to a place if one is given. Returns the path of the last member.
    fn take(&mut self, text: &str, until: Option<(usize, usize)>) -> Vec<String> {
        let mut last = Vec::new();
        for next in Parser::new_from_str(text) {
            let Ok((event, span)) = next else { break };
            let place = (span.start.line(), span.start.col() + 1);
            if until.is_some_and(|until| place > until) {
                break;
            }
            match event {
                Event::MappingStart(..) => {
                    self.value(place);
                    last = self.here();
                    self.open.push(Frame::Mapping { key: None });
                }
                Event::SequenceStart(..) => {
                    self.value(place);
                    last = self.here();
                    self.open.push(Frame::Sequence { next: 0 });
                }
                Event::MappingEnd | Event::SequenceEnd => {
                    self.open.pop();
                    self.done();
                }
                Event::Scalar(text, ..) => last = self.scalar(&text, place),
                Event::Alias(..) => {
                    self.value(place);
                    last = self.here();
                    self.done();
                }
                _ => {}
            }
        }
        last
    }

    /// Takes a key or a value. Returns its path.
    fn scalar(&mut self, text: &str, place: (usize, usize)) -> Vec<String> {
        if let Some(Frame::Mapping { key: key @ None }) = self.open.last_mut() {
            *key = Some(text.to_owned());
            self.reached(place);
            return self.here();
        }
        self.value(place);
        let here = self.here();
        self.done();
        here
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

    /// The path of the open members.
    fn here(&self) -> Vec<String> {
        let names = self.open.iter().filter_map(|frame| match frame {
            Frame::Mapping { key } => key.clone(),
            Frame::Sequence { next } => Some(next.to_string()),
        });
        names.collect()
    }

    fn reached(&mut self, (line, column): (usize, usize)) {
        let here = self.here();
        let complete = here.len() == self.open.len();
        if complete && here.len() > self.best.0 && self.path.starts_with(&here) {
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
            let path: Vec<String> = path.iter().map(|name| (*name).to_owned()).collect();
            let (_, line, column) = walk(text, &path).best;
            (line, column)
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
        assert_eq!(walk("{", &["a".to_owned()]).best, (0, 1, 1));
    }

    #[test]
    fn a_place_has_the_path_of_its_member() {
        let text = "a:\n  b: {c: 1,\n    d: [x, {e: 2}]}\nf:\n- h: 3\n- 4\n";
        for (place, path) in [
            ((1, 1), "a"),
            ((2, 3), "a.b"),
            ((2, 7), "a.b.c"),
            ((2, 10), "a.b.c"),
            ((3, 9), "a.b.d.0"),
            ((3, 13), "a.b.d.1.e"),
            ((6, 3), "f.1"),
            ((9, 1), "f.1"),
        ] {
            assert_eq!(walk_to(text, place).join("."), path, "{place:?}");
        }
        let at = |place, around, problem| at_place(text, place, around, problem);
        assert_eq!(at((2, 7), false, "`c` is wrong"), "line 2, column 7: a.b: `c` is wrong");
        assert_eq!(at((2, 7), false, "wrong"), "line 2, column 7: a.b.c: wrong");
        assert_eq!(at((2, 7), true, "wrong"), "line 2, column 7: a.b: wrong");
        assert_eq!(at_place("", (1, 1), false, "nothing"), "line 1, column 1: nothing");
    }
}
