//! `plugins rollback`: the library before takes the place of the present one, and the reverse.

use std::fs;
use std::io;

use super::step::{Step, reached};
use super::{Room, build, fault, loadable, message, previous, sync};
use crate::discovery::{Discovered, Entry, PluginDirectory};
use crate::error::Error;
use crate::preflight::{Digest, Preflight, Trust, Verdict};
use crate::problem::{Code, Problem, Problems};

/// Exchanges the library that holds the plugin `key` with the one that had its name before; returns what was done.
///
/// # Errors
///
/// When there is none, it could not be loaded, or it is not the one that was kept.
pub fn rollback(directory: PluginDirectory, key: &str) -> Result<String, Error> {
    let path = directory.path().to_owned();
    let cannot =
        |error: io::Error| fault::unwritten(format!("cannot roll back `{key}`"), &path, error);
    let preflight = Preflight::new(Trust::of_process());
    let room = Room::enter(directory, &preflight).map_err(cannot)??;
    let name = library_of(&room, &preflight, key)?;
    let before = previous::path(room.path(), &name);
    let Ok(digest) = Digest::at(&before) else {
        let why = format!("of {name}, no earlier version was kept");
        return Err(Error::failed(format!("cannot roll back `{key}`"), why)
            .hint("plugins install keeps what it replaces; install the version you want"));
    };
    let present = room.present(&name);
    if present
        .as_ref()
        .is_some_and(|present| present.digest == digest)
    {
        let why = format!("the version of {name} that was kept is the one that is there");
        return Err(Error::failed(format!("cannot roll back `{key}`"), why)
            .hint("an installation was interrupted; repeat it, or install the version you want"));
    }
    let recorded = room.discovery.installed().get(&name);
    let judged = preflight.judge(&before, None);
    let manifest = loadable(&judged.verdict, &before)?;
    room.check_keys(&name, &manifest)?;
    let current = match recorded.map(|entry| entry.of(digest)) {
        Some(None) => return Err(Problems::from(foreign(&room, &name, digest)).into()),
        Some(Some(known)) => known.clone(),
        None => build(digest, &manifest),
    };
    let entry = Entry {
        current,
        // One that is not what was installed is kept, but not trusted.
        previous: present.as_ref().and_then(|present| present.build.clone()),
    };
    let mut installed = room.discovery.installed().clone();
    installed.set(&name, entry.clone());
    installed.write(room.path()).map_err(cannot)?;
    reached(Step::Recorded);
    previous::exchange(room.path(), &name).map_err(cannot)?;
    reached(Step::Renamed);
    sync(room.path()).map_err(cannot)?;
    Ok(message::rolled_back(
        room.path(),
        &name,
        &entry,
        &manifest,
        present.as_ref(),
    ))
}

fn foreign(room: &Room, name: &str, found: Digest) -> Problem {
    let summary = format!(
        "the version of {name} that was kept is not the one that was installed: sha256 {}… found",
        found.short()
    );
    Problem::error(Code::Changed, summary)
        .place(previous::path(room.path(), name).display())
        .help("install the version you want: gordon-janitor plugins install FILE")
}

/// The name of the library that holds `key`, or held it.
fn library_of(room: &Room, preflight: &Preflight, key: &str) -> Result<String, Error> {
    if let Some((file, ..)) = room.discovery.find(key).map_err(Problems::from)? {
        return Ok(file.name());
    }
    // In one that is refused now, or that only the version before has.
    let files = room.discovery.files().iter();
    let refused = files.filter(|file| {
        let plugins = file
            .manifest()
            .into_iter()
            .flat_map(|manifest| &manifest.plugins);
        plugins.into_iter().any(|plugin| plugin.key == key)
    });
    let mut names = refused.map(Discovered::name).collect::<Vec<_>>();
    let kept = fs::read_dir(room.path()).into_iter().flatten().flatten();
    for entry in kept {
        let kept = entry.file_name();
        let Some(name) = kept.to_str().and_then(previous::kept_name) else {
            continue;
        };
        if let Verdict::Plugin(manifest) = preflight.judge_content(&entry.path()).verdict
            && manifest.plugins.iter().any(|plugin| plugin.key == key)
        {
            names.push(name.to_owned());
        }
    }
    names.sort();
    names.dedup();
    match names.as_slice() {
        [name] => Ok(name.clone()),
        [] => {
            let path = room.path().display();
            let problem = Problem::error(
                Code::NotInstalled,
                format!("Plugin \"{key}\" not installed"),
            )
            .found(format!("no library in {path} holds it, or held it before"))
            .help("gordon-janitor plugins list");
            Err(Problems::from(problem).into())
        }
        several => {
            let problem = Problem::error(
                Code::DuplicateKey,
                format!("\"{key}\" is in several libraries: {}", several.join(", ")),
            )
            .place(room.path().display())
            .help("move all but one away");
            Err(Problems::from(problem).into())
        }
    }
}
