//! Where things are, and how commands are run there.

use std::env;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use xshell::{Cmd, Shell, cmd};

/// The workspace that this crate belongs to.
#[derive(Clone)]
pub(crate) struct Workspace {
    /// Runs commands in the root folder, with the project's own tools first on `PATH`.
    pub(crate) sh: Shell,
    /// The root folder.
    pub(crate) root: PathBuf,
    /// Cargo's target folder, wherever it was configured to be.
    pub(crate) target: PathBuf,
}

impl Workspace {
    /// Asks cargo where the workspace is.
    pub(crate) fn open() -> Result<Self> {
        let sh = Shell::new()?;
        sh.change_dir(env!("CARGO_MANIFEST_DIR"));
        let metadata = cmd!(sh, "cargo metadata --no-deps --format-version 1")
            .quiet()
            .read()?;
        let metadata: serde_json::Value = serde_json::from_str(&metadata)?;
        let folder = |key: &str| -> Result<PathBuf> {
            let path = metadata[key].as_str();
            Ok(path
                .with_context(|| format!("cargo metadata names no {key}"))?
                .into())
        };
        let workspace = Self {
            root: folder("workspace_root")?,
            target: folder("target_directory")?,
            sh,
        };
        workspace.sh.change_dir(&workspace.root);
        workspace.prepend_tools_to_path()?;
        Ok(workspace)
    }

    /// Where tools go that are installed for this project alone.
    pub(crate) fn tools(&self) -> PathBuf {
        self.target.join("tools")
    }

    /// What the server serves.
    pub(crate) fn dist(&self) -> PathBuf {
        self.root.join("dist")
    }

    /// Finds a program on `PATH`.
    pub(crate) fn find(&self, program: &str) -> Option<PathBuf> {
        let path = self.sh.var_os("PATH")?;
        env::split_paths(&path)
            .map(|folder| {
                folder
                    .join(program)
                    .with_extension(env::consts::EXE_EXTENSION)
            })
            .find(|candidate| candidate.is_file())
    }

    /// A value of a TOML file in the root folder, by its keys.
    pub(crate) fn toml_string(&self, file: &str, keys: &[&str]) -> Result<String> {
        let document = self.toml(file)?;
        let mut value = Some(&document);
        for key in keys {
            value = value.and_then(|value| value.get(key));
        }
        let text = value.and_then(toml::Value::as_str);
        Ok(text
            .with_context(|| format!("{file} says no {}", keys.join(".")))?
            .to_owned())
    }

    /// A TOML file in the root folder.
    pub(crate) fn toml(&self, file: &str) -> Result<toml::Value> {
        let text = self.sh.read_file(self.root.join(file))?;
        let table: toml::Table = text.parse().with_context(|| format!("reading {file}"))?;
        Ok(table.into())
    }

    fn prepend_tools_to_path(&self) -> Result<()> {
        let ours = [
            self.tools().join("bin"),
            self.tools().join("node_modules").join(".bin"),
        ];
        let path = self.sh.var_os("PATH").unwrap_or_default();
        let path = env::join_paths(ours.into_iter().chain(env::split_paths(&path)))?;
        self.sh.set_var("PATH", path);
        Ok(())
    }
}

/// Announces a part of the work, so that it is found again in long output.
pub(crate) fn heading(text: &str) {
    eprintln!("\n=== {text} ===");
}

/// Becomes the command, so that Ctrl-C and SIGTERM reach it and nobody else.
///
/// Where a process can't do that, waits for the command.
pub(crate) fn become_command(command: Cmd<'_>) -> Result<()> {
    eprintln!("$ {command}");
    become_process(std::process::Command::from(command))
}

/// What cargo says of the package that it runs, which is this one, is not for the cargo that this
/// one runs: build scripts look at it (that of `ring` does), and would run again, and all that needs
/// them be compiled again, each time that somebody calls cargo with and without us in turns.
///
/// So becomes this program once more, without it; does nothing where it is gone already.
pub(crate) fn forget_own_package() -> Result<()> {
    let is_own = |name: &str| {
        ["CARGO_PKG_", "CARGO_MANIFEST_"]
            .iter()
            .any(|start| name.starts_with(start))
    };
    let own: Vec<_> = env::vars_os()
        .map(|(name, _)| name)
        .filter(|name| name.to_str().is_some_and(is_own))
        .collect();
    if own.is_empty() {
        return Ok(());
    }
    let program = env::current_exe().context("finding this program")?;
    let mut again = std::process::Command::new(program);
    again.args(env::args_os().skip(1));
    for name in own {
        again.env_remove(name);
    }
    become_process(again)?;
    std::process::exit(0)
}

fn become_process(mut command: std::process::Command) -> Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::process::CommandExt;
        let error = command.exec();
        Err(error).with_context(|| format!("starting {}", program(&command)))
    }
    #[cfg(not(unix))]
    {
        let status = command.status();
        let status = status.with_context(|| format!("starting {}", program(&command)))?;
        anyhow::ensure!(
            status.success(),
            "{} ended with {status}",
            program(&command)
        );
        Ok(())
    }
}

fn program(command: &std::process::Command) -> String {
    Path::new(command.get_program()).display().to_string()
}
