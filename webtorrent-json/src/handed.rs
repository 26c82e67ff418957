//! An offer or an answer on its way, as text. A tracker writes nothing as often as these, so they
//! are written by hand: serde_json looks at every byte of a description by itself, and at all of
//! them once more to see that they are text.

use swarm_core::id::{InfoHash, PeerId};
use swarm_core::wire::webtorrent::OfferId;

/// What a message takes beside its description, mostly.
const SKELETON: usize = 384;

/// See the module.
pub(crate) struct Handed<'a> {
    pub(crate) info_hash: InfoHash,
    pub(crate) peer_id: PeerId,
    /// Whom it is for, where a tracker has to know.
    pub(crate) to: Option<PeerId>,
    pub(crate) id: OfferId,
    /// `offer` or `answer`.
    pub(crate) kind: &'static str,
    pub(crate) sdp: &'a str,
}

impl Handed<'_> {
    pub(crate) fn to_text(&self) -> String {
        // Every line of a description ends with two characters that are written as two each.
        let room = SKELETON + self.sdp.len() + self.sdp.len() / 8;
        let mut text = String::with_capacity(room);
        text.push_str(r#"{"action":"announce""#);
        let ids = [
            ("info_hash", Some(&self.info_hash.0)),
            ("peer_id", Some(&self.peer_id.0)),
            ("to_peer_id", self.to.as_ref().map(|it| &it.0)),
            ("offer_id", Some(&self.id.0)),
        ];
        for (name, id) in ids {
            let Some(id) = id else { continue };
            push_all(&mut text, &[",\"", name, "\":\""]);
            for byte in *id {
                push_char(&mut text, char::from(byte));
            }
            text.push('"');
        }
        let kind = self.kind;
        push_all(&mut text, &[",\"", kind, "\":{\"type\":\"", kind]);
        text.push_str(r#"","sdp":""#);
        push_escaped(&mut text, self.sdp);
        text.push_str(r#""}}"#);
        text
    }
}

fn push_all(text: &mut String, parts: &[&str]) {
    parts.iter().for_each(|part| text.push_str(part));
}

/// The inside of a JSON string (RFC 8259 §7).
fn push_escaped(text: &mut String, mut words: &str) {
    while let Some(at) = find_special(words.as_bytes()) {
        // What is special is one byte, and no part of a longer character.
        let (plain, rest) = words.split_at(at);
        text.push_str(plain);
        let mut chars = rest.chars();
        if let Some(special) = chars.next() {
            push_char(text, special);
        }
        words = chars.as_str();
    }
    text.push_str(words);
}

fn push_char(text: &mut String, char: char) {
    match char {
        '"' => text.push_str("\\\""),
        '\\' => text.push_str("\\\\"),
        '\n' => text.push_str("\\n"),
        '\r' => text.push_str("\\r"),
        '\t' => text.push_str("\\t"),
        '\0'..='\x1F' => {
            const DIGITS: [u8; 16] = *b"0123456789abcdef";
            let code = char as usize;
            text.push_str("\\u00");
            text.push(char::from(DIGITS[code >> 4]));
            text.push(char::from(DIGITS[code & 0xF]));
        }
        plain => text.push(plain),
    }
}

/// Where the first byte is that must not stand in a JSON string as it is. Looks at eight at a time.
fn find_special(bytes: &[u8]) -> Option<usize> {
    const ONES: u64 = u64::from_ne_bytes([0x01; 8]);
    const HIGH: u64 = u64::from_ne_bytes([0x80; 8]);
    // The lowest high bit that is set tells of the first byte below so much; those above it may lie.
    let below = |word: u64, bound: u64| word.wrapping_sub(ONES * bound) & !word & HIGH;
    let is = |word: u64, byte: u8| below(word ^ (ONES * u64::from(byte)), 1);
    let (words, rest) = bytes.as_chunks::<8>();
    for (place, word) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*word);
        let found = below(word, 0x20) | is(word, b'"') | is(word, b'\\');
        if found != 0 {
            return Some(8 * place + found.trailing_zeros() as usize / 8);
        }
    }
    let is_special = |byte: &u8| *byte < 0x20 || matches!(byte, b'"' | b'\\');
    let place = rest.iter().position(is_special)?;
    Some(8 * words.len() + place)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_text_is_written_as_json_has_it() {
        arbtest::arbtest(|u| {
            let words: String = u.arbitrary()?;
            let mut text = String::from('"');
            push_escaped(&mut text, &words);
            text.push('"');
            assert_eq!(serde_json::from_str::<String>(&text).ok(), Some(words));
            Ok(())
        });
    }

    #[test]
    fn what_is_special_is_found_wherever_it_stands() {
        for length in 0..40 {
            for special in [0, 0x1F, b'"', b'\\'] {
                for place in 0..length {
                    // Neighbours of what is special, and parts of longer characters.
                    let mut bytes: Vec<u8> = [0x20, 0x21, 0x23, 0x5B, 0x5D, 0x7F, 0x80, 0xA2, 0xFF]
                        .into_iter()
                        .cycle()
                        .take(length)
                        .collect();
                    assert_eq!(find_special(&bytes), None);
                    bytes[place] = special;
                    assert_eq!(find_special(&bytes), Some(place));
                }
            }
        }
    }
}
