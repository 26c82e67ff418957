//! BEP 41: what stands behind an announce. Of the options only the path means anything.

use super::MAX_PATH;

const END: u8 = 0;
const NOTHING: u8 = 1;
const URL_DATA: u8 = 2;

/// Nothing at all for an empty path, as clients without BEP 41 send it.
pub(super) fn write(path: &[u8], bytes: &mut Vec<u8>) {
    let path = &path[..path.len().min(MAX_PATH)];
    for part in path.chunks(usize::from(u8::MAX)) {
        let length = u8::try_from(part.len()).expect("it was cut so");
        bytes.extend([URL_DATA, length]);
        bytes.extend(part);
    }
}

/// The path, as far as it is there; of a longer one the beginning.
pub(super) fn read(mut bytes: &[u8]) -> Vec<u8> {
    let mut path = Vec::new();
    while let Some((kind, rest)) = bytes.split_first() {
        match *kind {
            END => break,
            NOTHING => bytes = rest,
            kind => {
                let Some((length, rest)) = rest.split_first() else {
                    break;
                };
                let Some((value, rest)) = rest.split_at_checked(usize::from(*length)) else {
                    break;
                };
                if kind == URL_DATA {
                    let room = MAX_PATH - path.len();
                    path.extend(&value[..value.len().min(room)]);
                }
                bytes = rest;
            }
        }
    }
    path
}
