//! Padding (BEP 47): part of what is hashed, and of no file.

use super::*;

/// Ten thousand bytes, padding up to a piece of 16 KiB, five bytes, padding of two pieces
/// and a bit, three bytes.
fn padded(padding: [&str; 2]) -> Metainfo {
    let [first, second] = padding;
    let pieces = "x".repeat(4 * 20);
    let info = format!(
        "d5:filesld6:lengthi10000e4:pathl1:aee{first}d6:lengthi5e4:pathl1:bee{second}\
         d6:lengthi3e4:pathl1:ceee4:name1:f12:piece lengthi16384e6:pieces80:{pieces}e"
    );
    Metainfo::from_torrent(format!("d4:info{info}e").as_bytes()).unwrap()
}

fn attr() -> Metainfo {
    padded([
        "d4:attr1:p6:lengthi6384e4:pathl4:.pad4:6384ee",
        "d4:attr2:xp6:lengthi40000ee",
    ])
}

#[test]
fn padding_is_no_file_however_it_is_marked() {
    let bitcomet = padded([
        "d6:lengthi6384e4:pathl45:_____padding_file_0_if you see this file, pleee",
        "d6:lengthi40000e4:pathl1:x18:_____padding_file_ee",
    ]);
    for torrent in [attr(), bitcomet] {
        let files = torrent.files().iter();
        let files: Vec<_> = files
            .map(|f| (f.path.to_string(), f.length, f.offset, f.number))
            .collect();
        let expected = [
            ("f/a", 10_000, 0, 0),
            ("f/b", 5, 16_384, 2),
            ("f/c", 3, 56_389, 4),
        ];
        assert!(
            files
                .iter()
                .map(|f| (f.0.as_str(), f.1, f.2, f.3))
                .eq(expected)
        );
        assert_eq!(torrent.padding().ranges(), [10_000..16_384, 16_389..56_389]);
        assert_eq!(torrent.layout().total_length(), 56_392);
        assert_eq!(torrent.length(), 10_008);
        let again = Metainfo::from_torrent(&torrent.to_torrent());
        assert_eq!(again, Ok(torrent));
    }
}

#[test]
fn spans_leave_padding_out_and_say_where_they_belong() {
    let torrent = attr();
    let spans = |piece: u32| {
        let piece = torrent.layout().piece(piece).unwrap();
        let spans = torrent.piece_spans(piece);
        spans
            .map(|span| (span.begin, span.file, span.offset, span.length))
            .collect::<Vec<_>>()
    };
    assert_eq!(spans(0), [(0, 0, 0, 10_000)]);
    assert_eq!(spans(1), [(0, 1, 0, 5)]);
    assert_eq!(spans(2), []);
    assert_eq!(spans(3), [(7237, 2, 0, 3)]);
    let kept = torrent
        .layout()
        .pieces()
        .map(|piece| torrent.kept_length(piece));
    assert!(kept.eq([10_000, 5, 0, 7_240]));
    let across: Vec<_> = torrent
        .spans(9_999, 6_390)
        .map(|s| (s.begin, s.length))
        .collect();
    assert_eq!(across, [(0, 1), (6_385, 5)]);
}

#[test]
fn a_file_that_is_named_as_padding_is_shared_under_another_name() {
    let name = "_____padding_file_3";
    let files = vec![new_file(&format!("{name}/{name}"), 5), new_file("a", 2)];
    let builder = Builder::new(Some("x"), files, Some(16_384)).unwrap();
    let torrent = builder.finish(vec![0; 20], vec![], false);
    assert_eq!(
        torrent.files()[0].path.to_string(),
        "x/_padding-file_3/_padding-file_3"
    );
    assert_eq!(torrent.files().len(), 2);
    assert!(torrent.padding().is_empty());
}
