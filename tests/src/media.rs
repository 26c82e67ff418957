//! Files that a browser plays or shows, and files that would do harm if it ran them.

use std::fs;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::Result;

/// Bytes a second of [`sound`]: 48,000 samples of two channels of 16 bits.
pub const SOUND_RATE: u32 = 48_000 * 2 * 2;

/// Writes a recording of so many seconds: a WAV file of a tone that rises, so that no two
/// pieces of it are the same.
pub fn sound(path: &Path, seconds: u32) -> Result<PathBuf> {
    let length = seconds * SOUND_RATE;
    let mut file = BufWriter::new(fs::File::create(path)?);
    file.write_all(b"RIFF")?;
    file.write_all(&(36 + length).to_le_bytes())?;
    file.write_all(b"WAVEfmt ")?;
    file.write_all(&16_u32.to_le_bytes())?;
    // Plain samples; two channels.
    file.write_all(&1_u16.to_le_bytes())?;
    file.write_all(&2_u16.to_le_bytes())?;
    file.write_all(&48_000_u32.to_le_bytes())?;
    file.write_all(&SOUND_RATE.to_le_bytes())?;
    file.write_all(&4_u16.to_le_bytes())?;
    file.write_all(&16_u16.to_le_bytes())?;
    file.write_all(b"data")?;
    file.write_all(&length.to_le_bytes())?;
    let (mut phase, mut step) = (0_u32, 1_u32 << 22);
    for _ in 0..length / 4 {
        phase = phase.wrapping_add(step);
        step = step.wrapping_add(3);
        let sample = (phase >> 20) as u16;
        file.write_all(&sample.to_le_bytes())?;
        file.write_all(&sample.to_le_bytes())?;
    }
    file.flush()?;
    Ok(path.to_owned())
}

/// What a hostile file tries, once it may: to change the page, to stay in the browser, and to
/// ask our server for something.
const HARM: &str = "for (const it of [self, parent, top]) { try { it.harmed = true } catch {} \
     try { it.document.title = 'harmed' } catch {} } \
     try { localStorage.harmed = 'yes' } catch {} \
     new Image().src = '/harmed'; fetch('/harmed').catch(() => {});";

/// Writes a page, a drawing, a manual and a note that run scripts wherever they may, one of them
/// with a name that is markup; their paths.
pub fn hostile(folder: &Path) -> Result<Vec<PathBuf>> {
    let files = [
        (
            "<img src=x onerror=\"top.harmed = true\">\u{202e}fdp.html",
            page(),
        ),
        ("drawing.svg", drawing()),
        ("manual.pdf", manual()),
        ("note.txt", page()),
    ];
    let mut paths = Vec::new();
    for (name, content) in files {
        let path = folder.join(name);
        fs::write(&path, content)?;
        paths.push(path);
    }
    Ok(paths)
}

fn page() -> String {
    format!(
        "<!doctype html><title>hostile</title><script>{HARM}</script>\
         <img src=\"/harmed\" onerror=\"{HARM}\"><iframe src=\"/harmed\"></iframe>\
         <meta http-equiv=refresh content=\"0;url=/harmed\"><p>the words of the page"
    )
}

fn drawing() -> String {
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"120\" height=\"80\" onload=\"{HARM}\">\
         <script>{HARM}</script><image href=\"/harmed\" width=\"9\" height=\"9\"/>\
         <rect width=\"120\" height=\"80\" fill=\"teal\"/></svg>"
    )
}

/// A PDF of one page whose script asks for attention and for our server.
fn manual() -> String {
    let text = "BT /F 24 Tf 40 100 Td (the words of the manual) Tj ET";
    let objects = [
        "<</Type/Catalog/Pages 2 0 R/OpenAction 5 0 R>>".to_owned(),
        "<</Type/Pages/Kids[3 0 R]/Count 1>>".to_owned(),
        "<</Type/Page/Parent 2 0 R/MediaBox[0 0 400 200]/Contents 4 0 R/Resources<</Font<</F\
         <</Type/Font/Subtype/Type1/BaseFont/Helvetica>>>>>>>>"
            .to_owned(),
        format!("<</Length {}>>\nstream\n{text}\nendstream", text.len()),
        "<</S/JavaScript/JS(app.alert\\('harmed'\\); this.submitForm\\('/harmed'\\);)>>".to_owned(),
    ];
    let mut pdf = "%PDF-1.4\n".to_owned();
    let mut offsets = Vec::new();
    for (number, object) in (1..).zip(&objects) {
        offsets.push(pdf.len());
        pdf += &format!("{number} 0 obj\n{object}\nendobj\n");
    }
    let table = pdf.len();
    let count = objects.len() + 1;
    pdf += &format!("xref\n0 {count}\n0000000000 65535 f \n");
    for offset in offsets {
        pdf += &format!("{offset:010} 00000 n \n");
    }
    pdf += &format!("trailer<</Size {count}/Root 1 0 R>>\nstartxref\n{table}\n%%EOF\n");
    pdf
}
