//! Completions for shells and manual pages, from the declaration of the command line.

use std::fs;
use std::io;
use std::path::Path;

use clap_complete::Shell;
use clap_mangen::Man;

use crate::args;
use crate::error::Error;

/// The name that the program is installed under.
const PROGRAM: &str = "gordon-janitor";
/// The section of manuals for commands of administrators.
const SECTION: &str = "8";

/// Returns a script that makes `shell` complete commands, options and their values.
#[must_use]
pub fn completions(shell: Shell) -> String {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut args::declared(), PROGRAM, &mut script);
    String::from_utf8_lossy(&script).into_owned()
}

/// Returns the manual page of the program, `gordon-janitor(8)`.
///
/// # Errors
///
/// When the page cannot be put together.
pub fn page() -> Result<String, Error> {
    rendered(&documented()).map_err(|e| Error::failed("cannot make the manual page", e))
}

/// Writes the manual pages of the program and of each of its commands into `directory`, and
/// returns what was written, a path per line.
///
/// # Errors
///
/// When a page cannot be written.
pub fn write_pages(directory: &Path) -> Result<String, Error> {
    let write = || -> io::Result<String> {
        fs::create_dir_all(directory)?;
        let mut written = String::new();
        for (name, page) in pages()? {
            let path = directory.join(name);
            fs::write(&path, page)?;
            written.push_str(&format!("{}\n", path.display()));
        }
        Ok(written)
    };
    write().map_err(|e| {
        let what = format!("cannot write manual pages into `{}`", directory.display());
        Error::failed(what, e)
    })
}

/// Every page with the name of its file: `gordon-janitor-plugins-list.8`.
fn pages() -> io::Result<Vec<(String, String)>> {
    let mut pages = Vec::new();
    let mut waiting = vec![documented()];
    while let Some(command) = waiting.pop() {
        waiting.extend(command.get_subcommands().cloned());
        if command.is_hide_set() {
            continue;
        }
        let name = command.get_display_name().unwrap_or(PROGRAM).to_owned();
        pages.push((format!("{name}.{SECTION}"), rendered(&command.name(name))?));
    }
    pages.sort();
    Ok(pages)
}

/// The command line as the pages show it.
fn documented() -> clap::Command {
    // The pages are the help.
    let mut declared = args::declared().disable_help_subcommand(true);
    // Global options reach the commands, and commands learn their full names.
    declared.build();
    declared
}

fn rendered(command: &clap::Command) -> io::Result<String> {
    let mut page = Vec::new();
    Man::new(command.clone())
        .section(SECTION)
        .manual("System administration")
        .render(&mut page)?;
    Ok(String::from_utf8_lossy(&page).into_owned())
}

#[cfg(test)]
mod tests {
    use clap::ValueEnum as _;

    use super::*;

    #[test]
    fn every_shell_completes_every_command() {
        for shell in Shell::value_variants() {
            let script = completions(*shell);
            for command in args::declared().get_subcommands() {
                assert!(
                    script.contains(command.get_name()),
                    "{shell}: {}",
                    command.get_name()
                );
            }
        }
    }

    #[test]
    fn every_command_has_a_page_that_names_it_and_its_options() {
        let directory = tempfile::tempdir().unwrap();
        let written = write_pages(directory.path()).unwrap();
        let names: Vec<_> = written
            .lines()
            .map(|path| path.rsplit('/').next().unwrap())
            .collect();
        assert!(names.contains(&"gordon-janitor.8"), "{names:?}");
        assert!(
            names.contains(&"gordon-janitor-plugins-list.8"),
            "{names:?}"
        );
        let plan = fs::read_to_string(directory.path().join("gordon-janitor-plan.8")).unwrap();
        for word in [
            "gordon\\-janitor\\-plan",
            "\\-\\-exit\\-code",
            "\\-\\-config\\-root",
        ] {
            assert!(plan.contains(word), "{word}: {plan}");
        }
        assert!(page().unwrap().contains(".TH gordon-janitor 8"));
    }

    #[test]
    fn a_directory_that_cannot_be_made_is_named() {
        let error = write_pages(Path::new("/dev/null/pages")).unwrap_err();
        assert_eq!(
            error.to_string(),
            "cannot write manual pages into `/dev/null/pages`"
        );
    }
}
