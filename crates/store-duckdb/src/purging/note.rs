//! The notes of purges: `DIR/purges/ID.json`, each written beside its place and renamed, so that it is whole or not
//! there. A user stands in none of them: the sessions are, until they are gone.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use threadline_model::{PurgeId, SessionId, Timestamp};
use threadline_store::PurgeCounts;

use super::{Begun, Target};

const FOLDER: &str = "purges";

/// The number of the form below.
const FORM: u64 = 1;

fn path(directory: &Path, id: PurgeId) -> PathBuf {
    directory.join(FOLDER).join(format!("{id}.json"))
}

/// Writes a note durably.
pub(crate) fn write(directory: &Path, id: PurgeId, begun: &Begun) -> io::Result<()> {
    let folder = directory.join(FOLDER);
    crate::opening::make_private(&folder)?;
    let (place, staged) = (path(directory, id), folder.join(format!("{id}{}", crate::opening::STAGED)));
    let mut file = File::create(&staged)?;
    file.write_all(text(begun).as_bytes())?;
    file.sync_all()?;
    fs::rename(&staged, place)?;
    File::open(&folder)?.sync_all()?;
    File::open(directory)?.sync_all()
}

/// Reads a note; `None` when there is none.
pub(crate) fn read(directory: &Path, id: PurgeId) -> io::Result<Option<Begun>> {
    match fs::read_to_string(path(directory, id)) {
        Ok(text) => parse(&text).map(Some).ok_or_else(|| io::Error::new(ErrorKind::InvalidData, "not a purge's note")),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Removes a note of a purge that was finished.
pub(crate) fn forget(directory: &Path, id: PurgeId) -> io::Result<()> {
    if read(directory, id)?.is_some_and(|begun| begun.finished) {
        fs::remove_file(path(directory, id))?;
    }
    Ok(())
}

/// Until when rows are meant by any purge: the store's stamps go on from there, also when the rows are gone.
pub(crate) fn latest(directory: &Path) -> Timestamp {
    let notes = fs::read_dir(directory.join(FOLDER)).into_iter().flatten().flatten();
    let until = |entry: fs::DirEntry| Some(parse(&fs::read_to_string(entry.path()).ok()?)?.until);
    notes.filter_map(until).max().unwrap_or(Timestamp::from_micros(0))
}

fn text(begun: &Begun) -> String {
    let (sessions, parameter) = match &begun.target {
        Target::Sessions(sessions) => (sessions.iter().map(SessionId::to_string).collect(), None),
        Target::Parameter(name) => (Vec::new(), Some(name)),
    };
    let counts = begun.counts;
    json!({
        "form": FORM,
        "until": begun.until.micros(),
        "sessions": sessions,
        "parameter": parameter,
        "counts": [counts.sessions, counts.shared_sessions, counts.deleted, counts.changed, counts.days],
        "finished": begun.finished,
    })
    .to_string()
}

fn parse(text: &str) -> Option<Begun> {
    let note: Value = serde_json::from_str(text).ok()?;
    if note.get("form")?.as_u64()? != FORM {
        return None;
    }
    let session = |value: &Value| value.as_str()?.parse().ok();
    let target = match note.get("parameter")?.as_str() {
        Some(name) => Target::Parameter(name.to_owned()),
        None => Target::Sessions(note.get("sessions")?.as_array()?.iter().map(session).collect::<Option<_>>()?),
    };
    let count = |place: usize| note.get("counts")?.get(place)?.as_u64();
    let counts = PurgeCounts {
        sessions: count(0)?,
        shared_sessions: count(1)?,
        deleted: count(2)?,
        changed: count(3)?,
        days: count(4)?,
    };
    let until = Timestamp::from_micros(note.get("until")?.as_i64()?);
    Some(Begun { target, until, counts, finished: note.get("finished")?.as_bool()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_read_what_they_write_and_stay_until_they_are_finished() {
        let directory = tempfile::tempdir().unwrap();
        let id: PurgeId = "017f22e2-79b0-7cc3-98c4-dc0c0c07398f".parse().unwrap();
        let counts = PurgeCounts { sessions: 1, shared_sessions: 2, deleted: 3, changed: 4, days: 5 };
        let sessions = Target::Sessions(vec![SessionId::from_bytes([7; 16])]);
        for target in [sessions, Target::Parameter("to\"ken".to_owned())] {
            let begun = Begun { target, until: Timestamp::from_micros(9), counts, finished: false };
            write(directory.path(), id, &begun).unwrap();
            forget(directory.path(), id).unwrap();
            assert_eq!(read(directory.path(), id).unwrap(), Some(begun));
        }
        assert_eq!(latest(directory.path()), Timestamp::from_micros(9));
        let done = Begun { finished: true, ..read(directory.path(), id).unwrap().unwrap() };
        write(directory.path(), id, &done).unwrap();
        forget(directory.path(), id).unwrap();
        assert_eq!(read(directory.path(), id).unwrap(), None);
        forget(directory.path(), id).unwrap();
        fs::write(path(directory.path(), id), "{}").unwrap();
        assert!(read(directory.path(), id).is_err(), "what cannot be read is not taken for nothing");
    }
}
