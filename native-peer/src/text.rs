//! Text that came from elsewhere, made safe for a terminal.

use std::io::{self, Write};
use std::path::Path;

/// `text` on one line, with control characters replaced: names and reasons come from
/// strangers, and a terminal obeys escape sequences.
pub fn plain(text: &str) -> String {
    text.chars()
        .map(|c| {
            if c.is_control() || is_bidi_control(c) {
                '\u{fffd}'
            } else {
                c
            }
        })
        .collect()
}

/// Characters that make a terminal show text in another order than it has.
fn is_bidi_control(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// A path for a person to read.
pub fn shown(path: &Path) -> String {
    plain(&path.display().to_string())
}

/// Writes a line to standard output at once. A reader that went away is no error: it has
/// seen what it wanted.
pub fn print(line: &str) -> io::Result<()> {
    print_bytes(format!("{line}\n").as_bytes())
}

/// The same with bytes as they are.
pub fn print_bytes(bytes: &[u8]) -> io::Result<()> {
    let mut out = io::stdout().lock();
    match out.write_all(bytes).and_then(|()| out.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        result => result,
    }
}

/// Writes a line to standard error, where nobody may be listening.
pub fn complain(line: &str) {
    let _ = writeln!(io::stderr().lock(), "{line}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_command_the_terminal() {
        assert_eq!(plain("a\x1b[2Jb\nc"), "a\u{fffd}[2Jb\u{fffd}c");
        assert_eq!(plain("gpj.\u{202e}exe"), "gpj.\u{fffd}exe");
        assert_eq!(plain("Übung 한국어 الصور"), "Übung 한국어 الصور");
    }
}
