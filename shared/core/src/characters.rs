//! Characters that are invisible by themselves or cover others. Sources: Unicode's `Default_Ignorable_Code_Point`,
//! `Bidi_Control`, `White_Space`, and the general categories Cc, Cf, Co and Cn (noncharacters).

/// The name of `character`, if a reader would not see it, would mistake it for an ordinary space, or could not read
/// the letter under it.
pub fn hidden(character: char) -> Option<&'static str> {
    if character == ' ' || character.is_ascii_graphic() {
        return None;
    }
    if character.is_control() {
        return Some("control character");
    }
    let covering = || overlay(character).then_some("mark that covers a letter");
    direction(character)
        .or_else(|| blank(character))
        .or_else(|| invisible(character))
        .or_else(covering)
}

/// Whether `character` is drawn over the letter before it, as a strike-through is.
fn overlay(character: char) -> bool {
    matches!(
        character,
        '\u{0334}'..='\u{0338}'
            | '\u{0488}'..='\u{0489}'
            | '\u{20d2}'..='\u{20d3}'
            | '\u{20d8}'..='\u{20da}'
            | '\u{20dd}'..='\u{20e0}'
            | '\u{20e2}'..='\u{20e6}'
            | '\u{20ea}'..='\u{20eb}'
    )
}

/// The code point of `character` as in `U+200B`.
pub fn code_point(character: char) -> String {
    format!("U+{:04X}", u32::from(character))
}

/// Whether `character` is a letter of a script that is written from right to left. One such letter makes the
/// groups of a following number change places on the screen.
pub fn right_to_left(character: char) -> bool {
    matches!(
        character,
        '\u{0590}'..='\u{08ff}'
            | '\u{fb1d}'..='\u{fdff}'
            | '\u{fe70}'..='\u{fefc}'
            | '\u{10800}'..='\u{10fff}'
            | '\u{1e800}'..='\u{1efff}'
    )
}

fn direction(character: char) -> Option<&'static str> {
    Some(match character {
        '\u{061c}' => "Arabic letter mark",
        '\u{200e}' => "left-to-right mark",
        '\u{200f}' => "right-to-left mark",
        '\u{202a}' => "left-to-right embedding",
        '\u{202b}' => "right-to-left embedding",
        '\u{202c}' => "end of embedding or override",
        '\u{202d}' => "left-to-right override",
        '\u{202e}' => "right-to-left override",
        '\u{2066}' => "left-to-right isolate",
        '\u{2067}' => "right-to-left isolate",
        '\u{2068}' => "first strong isolate",
        '\u{2069}' => "end of isolate",
        _ => return None,
    })
}

fn blank(character: char) -> Option<&'static str> {
    Some(match character {
        '\u{00a0}' | '\u{202f}' => "no-break space",
        '\u{2028}' => "line separator",
        '\u{2029}' => "paragraph separator",
        '\u{2800}' => "braille blank",
        '\u{115f}' | '\u{1160}' | '\u{3164}' | '\u{ffa0}' => "Hangul filler",
        '\u{1d159}' => "null notehead",
        other if other.is_whitespace() => "unusual space",
        _ => return None,
    })
}

fn invisible(character: char) -> Option<&'static str> {
    Some(match character {
        '\u{00ad}' => "soft hyphen",
        '\u{034f}' => "combining grapheme joiner",
        '\u{200b}' => "zero width space",
        '\u{200c}' => "zero width non-joiner",
        '\u{200d}' => "zero width joiner",
        '\u{2060}' => "word joiner",
        '\u{feff}' => "zero width no-break space",
        '\u{2061}'..='\u{2065}' | '\u{206a}'..='\u{206f}' => "invisible format character",
        '\u{180b}'..='\u{180f}' | '\u{fe00}'..='\u{fe0f}' | '\u{e0100}'..='\u{e01ef}' => {
            "variation selector"
        }
        '\u{fff9}'..='\u{fffb}' => "interlinear annotation",
        '\u{fffc}' => "object replacement character",
        '\u{e0000}'..='\u{e0fff}' => "tag character",
        '\u{e000}'..='\u{f8ff}' | '\u{f0000}'..='\u{ffffd}' | '\u{100000}'..='\u{10fffd}' => {
            "private use character"
        }
        '\u{0600}'..='\u{0605}'
        | '\u{06dd}'
        | '\u{070f}'
        | '\u{0890}'..='\u{0891}'
        | '\u{08e2}' => "Arabic or Syriac format character",
        '\u{17b4}' | '\u{17b5}' => "Khmer inherent vowel",
        '\u{110bd}' | '\u{110cd}' => "Kaithi number sign",
        '\u{13430}'..='\u{1343f}' => "hieroglyph format control",
        '\u{1bca0}'..='\u{1bca3}' => "shorthand format control",
        '\u{1d173}'..='\u{1d17a}' => "musical format control",
        '\u{fdd0}'..='\u{fdef}' | '\u{fff0}'..='\u{fff8}' => "noncharacter",
        other if u32::from(other) & 0xfffe == 0xfffe => "noncharacter",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_signs_and_the_usual_space_are_not_hidden() {
        for character in "aZ09 ~!äßøжЖ漢字かなעבריתعربي€→😀".chars() {
            assert_eq!(hidden(character), None, "{character:?}");
        }
    }

    #[test]
    fn every_control_space_and_format_character_is_hidden() {
        let unseen = "\0\u{7}\u{1b}\r\u{7f}\u{85}\u{9b}\u{a0}\u{ad}\u{34f}\u{61c}\u{115f}\u{1680}\
            \u{180e}\u{2003}\u{200b}\u{200d}\u{200f}\u{2028}\u{202e}\u{202f}\u{205f}\u{2060}\u{2067}\
            \u{2800}\u{3000}\u{3164}\u{e000}\u{fe0f}\u{feff}\u{ffa0}\u{fffe}\u{e0041}\u{e0100}\u{10ffff}";
        for character in unseen.chars() {
            assert!(hidden(character).is_some(), "{character:?}");
        }
    }
}
