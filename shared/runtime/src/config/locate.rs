//! Finds members of `placet.yaml` by their path, and the path of a place.

use std::cmp::Reverse;
use std::collections::HashSet;
use std::fmt::Display;

use serde_saphyr::granit_parser::{Event, Parser};

/// A member that the text names: its path, and the line and the column at which it begins, both from 1.
struct Member {
    path: Vec<String>,
    place: (usize, usize),
}

/// The problem with the line, the column and the path of the member. For a member that comes from a preset, the place
/// is that of the member that names the preset.
pub(super) fn at(text: &str, path: &[String], problem: impl Display) -> String {
    placed(deepest(text, path), path, problem)
}

/// The place of the deepest member on this path that the text contains.
fn deepest(text: &str, path: &[String]) -> (usize, usize) {
    let on_the_path = members(text).into_iter().filter(|member| path.starts_with(&member.path));
    let deepest = on_the_path.min_by_key(|member| Reverse(member.path.len()));
    deepest.map_or((1, 1), |member| member.place)
}

/// The problem at a line and a column, both from 1, with the path of the member there, or of the member around it.
pub(super) fn at_place(text: &str, place: (usize, usize), around: bool, problem: &str) -> String {
    let mut path = before(text, place);
    if around {
        path.pop();
    }
    placed(place, &path, problem)
}

/// The path of the member at this place, or of the last one before it.
fn before(text: &str, place: (usize, usize)) -> Vec<String> {
    let last = members(text).into_iter().take_while(|member| member.place <= place).last();
    last.map(|member| member.path).unwrap_or_default()
}

/// The paths of all members that the text names.
pub(super) fn paths(text: &str) -> HashSet<Vec<String>> {
    members(text).into_iter().map(|member| member.path).collect()
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

/// All members that the text names, in its order. Where the text is no YAML, they end.
fn members(text: &str) -> Vec<Member> {
    let mut walk = Walk { open: Vec::new(), members: Vec::new() };
    for next in Parser::new_from_str(text) {
        let Ok((event, span)) = next else { break };
        walk.take(event, (span.start.line(), span.start.col() + 1));
    }
    walk.members
}

enum Frame {
    Mapping { key: Option<String> },
    Sequence { next: usize },
}

struct Walk {
    open: Vec<Frame>,
    members: Vec<Member>,
}

impl Walk {
    fn take(&mut self, event: Event<'_>, place: (usize, usize)) {
        match event {
            Event::MappingStart(..) => {
                self.value(place);
                self.open.push(Frame::Mapping { key: None });
            }
            Event::SequenceStart(..) => {
                self.value(place);
                self.open.push(Frame::Sequence { next: 0 });
            }
            Event::MappingEnd | Event::SequenceEnd => {
                self.open.pop();
                self.done();
            }
            Event::Scalar(text, ..) => match self.open.last_mut() {
                Some(Frame::Mapping { key: key @ None }) => {
                    *key = Some(text.into_owned());
                    self.reached(place);
                }
                _ => {
                    self.value(place);
                    self.done();
                }
            },
            Event::Alias(..) => {
                self.value(place);
                self.done();
            }
            _ => {}
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

    /// A member begins here. Below a key that is no scalar, there are none.
    fn reached(&mut self, place: (usize, usize)) {
        let names = self.open.iter().map(|frame| match frame {
            Frame::Mapping { key } => key.clone(),
            Frame::Sequence { next } => Some(next.to_string()),
        });
        if let Some(path) = names.collect() {
            self.members.push(Member { path, place });
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
            deepest(text, &path)
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
        assert_eq!(deepest("{", &["a".to_owned()]), (1, 1));
        assert!(paths("{").is_empty());
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
            assert_eq!(before(text, place).join("."), path, "{place:?}");
        }
        let at = |place, around, problem| at_place(text, place, around, problem);
        assert_eq!(at((2, 7), false, "`c` is wrong"), "line 2, column 7: a.b: `c` is wrong");
        assert_eq!(at((2, 7), false, "wrong"), "line 2, column 7: a.b.c: wrong");
        assert_eq!(at((2, 7), true, "wrong"), "line 2, column 7: a.b: wrong");
        assert_eq!(at_place("", (1, 1), false, "nothing"), "line 1, column 1: nothing");
    }
}
