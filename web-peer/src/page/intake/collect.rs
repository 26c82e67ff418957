//! Files out of pickers and drops, whole folders included.

use js_sys::{Array, Function, Promise, Reflect};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    DataTransfer, DataTransferItem, File, FileList, FileSystemDirectoryEntry,
    FileSystemDirectoryReader, FileSystemEntry, FileSystemFileEntry,
};

/// A file and where it stands in what was picked or dropped.
pub(crate) struct Picked {
    /// Folders and name.
    pub(crate) path: Vec<String>,
    /// The file.
    pub(crate) file: File,
}

impl Picked {
    fn alone(file: File) -> Self {
        Picked {
            path: vec![file.name()],
            file,
        }
    }
}

/// What a picker or the clipboard holds.
pub(crate) fn from_list(files: &FileList) -> Vec<Picked> {
    let files = (0..files.length()).filter_map(|index| files.item(index));
    let mut picked: Vec<Picked> = files
        .map(|file| {
            let path = Reflect::get(&file, &JsValue::from_str("webkitRelativePath"));
            match path.ok().and_then(|path| path.as_string()) {
                Some(path) if !path.is_empty() => Picked {
                    path: path.split('/').map(str::to_owned).collect(),
                    file,
                },
                _ => Picked::alone(file),
            }
        })
        .collect();
    sort(&mut picked);
    picked
}

/// What was dropped. The browser lets go of it when the event is over, so this is made
/// first and read later.
pub(crate) struct Collection {
    files: Vec<Picked>,
    entries: Vec<FileSystemEntry>,
}

impl Collection {
    /// What a drop event carries.
    pub(crate) fn of(data: &DataTransfer) -> Self {
        let items = data.items();
        let mut collection = Collection {
            files: Vec::new(),
            entries: Vec::new(),
        };
        for item in (0..items.length()).filter_map(|index| items.get(index)) {
            if let Some(entry) = entry(&item) {
                collection.entries.push(entry);
            } else if let Ok(Some(file)) = item.get_as_file() {
                collection.files.push(Picked::alone(file));
            }
        }
        collection
    }

    /// All files in it, folders walked to the bottom.
    pub(crate) async fn files(self) -> Result<Vec<Picked>, JsValue> {
        let Collection { mut files, entries } = self;
        let mut to_visit: Vec<(Vec<String>, FileSystemEntry)> = entries
            .into_iter()
            .map(|entry| (Vec::new(), entry))
            .collect();
        while let Some((mut path, entry)) = to_visit.pop() {
            path.push(entry.name());
            if entry.is_directory() {
                let children = children(&entry.unchecked_into()).await?;
                to_visit.extend(children.into_iter().map(|child| (path.clone(), child)));
            } else {
                let file = file(&entry.unchecked_into()).await?;
                files.push(Picked { path, file });
            }
        }
        sort(&mut files);
        Ok(files)
    }
}

/// So that the same folder makes the same torrent, whatever order the disk has.
fn sort(files: &mut [Picked]) {
    files.sort_by(|a, b| a.path.cmp(&b.path));
}

fn entry(item: &DataTransferItem) -> Option<FileSystemEntry> {
    if item.kind() != "file" {
        return None;
    }
    item.webkit_get_as_entry().ok()?
}

async fn children(folder: &FileSystemDirectoryEntry) -> Result<Vec<FileSystemEntry>, JsValue> {
    let reader: FileSystemDirectoryReader = folder.create_reader();
    let mut children = Vec::new();
    loop {
        // Some browsers give a hundred at a time; none means the end.
        let batch =
            answer(|done, failed| reader.read_entries_with_callback_and_callback(done, failed))
                .await?;
        let batch: Array = batch.unchecked_into();
        if batch.length() == 0 {
            return Ok(children);
        }
        children.extend(batch.iter().map(JsCast::unchecked_into::<FileSystemEntry>));
    }
}

async fn file(entry: &FileSystemFileEntry) -> Result<File, JsValue> {
    let file = answer(|done, failed| {
        entry.file_with_callback_and_callback(done, failed);
        Ok(())
    });
    Ok(file.await?.unchecked_into())
}

/// What a function with two callbacks calls back.
async fn answer(
    mut ask: impl FnMut(&Function, &Function) -> Result<(), JsValue>,
) -> Result<JsValue, JsValue> {
    let promise = Promise::new(&mut |done, failed| {
        if let Err(error) = ask(&done, &failed) {
            // Rejecting can't fail.
            let _ = failed.call1(&JsValue::UNDEFINED, &error);
        }
    });
    JsFuture::from(promise).await
}
