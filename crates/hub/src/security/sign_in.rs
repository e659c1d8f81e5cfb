//! People signing in and out.

use threadline_model::{MICROS_PER_DAY, Timestamp};

use super::secret::{self, NO_PREFIX, Secret};
use super::{Caller, ClientAddress, password};
use crate::database::people::Person;
use crate::database::{audit, people, sign_ins};
use crate::hub::Inner;
use crate::problem::{FieldProblem, Problem};

/// A sign-in that is not used for this long has ended: a working day.
pub(crate) const IDLE_MICROS: i64 = MICROS_PER_DAY / 2;
/// A sign-in ends after this time whatever happens: a week.
pub(crate) const ABSOLUTE_MICROS: i64 = 7 * MICROS_PER_DAY;
/// The use of a sign-in or token is noted at most this often.
pub(crate) const TOUCH_MICROS: i64 = 60_000_000;

/// Who has this name and password. Takes the same time whether the name or the password is wrong.
pub(crate) async fn verify(hub: &Inner, address: ClientAddress, name: &str, password: &str) -> Result<Person, Problem> {
    if password.chars().count() > *password::LENGTHS.end() {
        return Err(Problem::field("password", "may have at most 256 characters"));
    }
    let now = hub.now();
    hub.throttle.attempt(Some(name), address.0, now).map_err(Problem::throttled)?;
    let (person, hash) = people::find(&hub.database, name).await?.unzip();
    let known_name = person.as_ref().map(|person| person.name.clone());
    let verified = hub.passwords.verify(password.to_owned(), hash).await?;
    match person.filter(|_| verified) {
        Some(person) => {
            hub.throttle.succeeded(name, address.0);
            people::note_sign_in(&hub.database, person.id, now).await?;
            let entry = audit::Entry::of_nobody("sign_in.succeeded").about(&person.name).at_address(address);
            audit::append(&hub.database, entry, now).await?;
            Ok(person)
        }
        None => {
            let entry = audit::Entry::of_nobody("sign_in.failed").at_address(address);
            let entry = match &known_name {
                Some(name) => entry.about(name),
                None => entry.saying("unknown name"),
            };
            audit::append(&hub.database, entry, now).await?;
            Err(Problem::unauthenticated("Name or password is wrong."))
        }
    }
}

/// Opens a sign-in; the secret is for the cookie.
pub(crate) async fn open(hub: &Inner, person: i64) -> Result<Secret, Problem> {
    let secret = Secret::generate(NO_PREFIX)?;
    let now = hub.now();
    let expires_at = Timestamp::from_micros(now.micros() + ABSOLUTE_MICROS);
    sign_ins::open(&hub.database, &secret.hash(), person, now, expires_at).await?;
    Ok(secret)
}

/// Ends a sign-in.
pub(crate) async fn close(hub: &Inner, secret: &str) -> Result<(), Problem> {
    if let Some(name) = sign_ins::close(&hub.database, &secret::hash(secret)).await? {
        audit::append(&hub.database, audit::Entry::of_nobody("sign_out").about(&name), hub.now()).await?;
    }
    Ok(())
}

/// Changes the password of whoever asks. `secret` is their own sign-in, which goes on.
pub(crate) async fn change_password(
    hub: &Inner,
    caller: &Caller,
    address: ClientAddress,
    secret: Option<&str>,
    current: &str,
    new: &str,
) -> Result<(), Problem> {
    let Some(person) = caller.person else {
        return Err(Problem::conflict("API tokens have no password."));
    };
    password::judge(new, &caller.name).map_err(|reason| Problem::field("new", reason))?;
    hub.throttle.attempt(Some(&caller.name), address.0, hub.now()).map_err(Problem::throttled)?;
    let stored = people::find(&hub.database, &caller.name).await?.map(|(_, hash)| hash);
    if !hub.passwords.verify(current.to_owned(), stored).await? {
        return Err(Problem::fields(vec![FieldProblem::new("current", "is not your password")]));
    }
    hub.throttle.succeeded(&caller.name, address.0);
    let hash = hub.passwords.hash(new.to_owned()).await?;
    people::set_password(&hub.database, person, &hash, secret.map(secret::hash)).await?;
    audit::append(&hub.database, audit::Entry::by(caller, "password.changed").about(&caller.name), hub.now()).await?;
    Ok(())
}
