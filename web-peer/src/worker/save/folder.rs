//! Files in a folder on the disk.

use swarm_core::metainfo::File;
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    FileSystemDirectoryHandle, FileSystemFileHandle, FileSystemGetDirectoryOptions,
    FileSystemGetFileOptions,
};

use super::sink::Sink;
use super::{SaveError, Saving};
use crate::worker::js::name_of;

/// Folders of the same name, with numbers behind it, before it is given up.
const NAMESAKES: u32 = 100;

/// Writes files into a new folder that is called like theirs, or nearly: nothing that is there
/// is written over.
pub(super) async fn write(
    saving: &mut Saving,
    files: &[&File],
    within: &FileSystemDirectoryHandle,
) -> Result<(), SaveError> {
    let Some([theirs, ..]) = files.first().map(|file| file.path.parts()) else {
        return Ok(());
    };
    let root = new_folder(within, theirs).await?;
    for file in files {
        let mut folder = root.clone();
        let (name, folders) = file.path.parts().split_last().expect("a path has parts");
        for part in folders.iter().skip(1) {
            folder = open_folder(&folder, part, true).await?;
        }
        let create = FileSystemGetFileOptions::new();
        create.set_create(true);
        let handle = folder.get_file_handle_with_options(name, &create);
        let handle: FileSystemFileHandle = JsFuture::from(handle).await?.unchecked_into();
        saving.sink = Sink::open(&handle).await?;
        let written = saving.copy(file).await;
        let sink = std::mem::replace(&mut saving.sink, Sink::Nowhere);
        sink.finish(written).await?;
    }
    Ok(())
}

/// A folder that was not there before.
async fn new_folder(
    within: &FileSystemDirectoryHandle,
    name: &str,
) -> Result<FileSystemDirectoryHandle, SaveError> {
    for number in 1..=NAMESAKES {
        let name = match number {
            1 => name.to_owned(),
            _ => format!("{name} ({number})"),
        };
        match open_folder(within, &name, false).await {
            Err(error) if name_of(&error) == "NotFoundError" => {
                return Ok(open_folder(within, &name, true).await?);
            }
            // It is a file.
            Err(error) if name_of(&error) == "TypeMismatchError" => {}
            Err(error) => return Err(error.into()),
            Ok(_) => {}
        }
    }
    Err(SaveError::Failed(format!(
        "there are too many folders called “{name}” already"
    )))
}

async fn open_folder(
    within: &FileSystemDirectoryHandle,
    name: &str,
    create: bool,
) -> Result<FileSystemDirectoryHandle, wasm_bindgen::JsValue> {
    let options = FileSystemGetDirectoryOptions::new();
    options.set_create(create);
    let folder = within.get_directory_handle_with_options(name, &options);
    JsFuture::from(folder).await.map(JsCast::unchecked_into)
}
