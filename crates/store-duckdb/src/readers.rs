//! Questions run on connections of their own, on blocking threads, so many at a time and each for so long at most. A
//! question that nobody waits for any more is stopped.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use duckdb::{Connection, InterruptHandle};
use threadline_model::behind_traffic;
use threadline_store::StoreError;
use tokio::sync::Semaphore;

use crate::writer::failed;

/// The pool.
#[derive(Debug)]
pub(crate) struct Readers {
    connections: Arc<Mutex<Connections>>,
    turns: Arc<Semaphore>,
    timeout: Duration,
}

#[derive(Debug)]
struct Connections {
    /// Where further ones are cloned from; `None` once closed.
    first: Option<Connection>,
    idle: Vec<Connection>,
}

impl Readers {
    pub(crate) fn new(first: Connection, count: usize, timeout: Duration) -> Self {
        let connections = Connections { first: Some(first), idle: Vec::new() };
        Self { connections: Arc::new(Mutex::new(connections)), turns: Arc::new(Semaphore::new(count.max(1))), timeout }
    }

    /// Runs a question. `operation` says in an error what failed.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        operation: &'static str,
        question: impl FnOnce(&Connection) -> Result<T, duckdb::Error> + Send + 'static,
    ) -> Result<T, StoreError> {
        let turn = Arc::clone(&self.turns).acquire_owned().await.map_err(|_| StoreError::Closed)?;
        let connection = self.take()?.map_err(failed(operation))?;
        let stop = Arc::new(Stop(Mutex::new(Some(connection.interrupt_handle()))));
        // Dropped when the answer is there, when it took too long, and when whoever asked has gone.
        let _stop_when_left = StopWhenLeft(Arc::clone(&stop));
        let connections = Arc::clone(&self.connections);
        let work = tokio::task::spawn_blocking(move || {
            behind_traffic();
            let running = Running(stop);
            let answer = question(&connection);
            // From here on the connection may serve somebody else, whom nobody may stop in our name.
            drop(running);
            lock(&connections).idle.push(connection);
            // Only now: whoever asked may have gone long before the engine let go.
            drop(turn);
            answer
        });
        match tokio::time::timeout(self.timeout, work).await {
            Ok(Ok(answer)) => answer.map_err(failed(operation)),
            Ok(Err(panic)) => Err(failed(operation)(panic)),
            Err(_) => Err(StoreError::TooSlow { operation }),
        }
    }

    /// Lets go of every connection that is not in use; those in use follow when they are done.
    pub(crate) fn close(&self) {
        self.turns.close();
        let mut connections = lock(&self.connections);
        connections.first = None;
        connections.idle.clear();
    }

    /// A connection outside of the pool, for upkeep.
    pub(crate) fn another(&self) -> Result<Result<Connection, duckdb::Error>, StoreError> {
        lock(&self.connections).first.as_ref().map(Connection::try_clone).ok_or(StoreError::Closed)
    }

    fn take(&self) -> Result<Result<Connection, duckdb::Error>, StoreError> {
        let mut connections = lock(&self.connections);
        if let Some(connection) = connections.idle.pop() {
            return Ok(Ok(connection));
        }
        connections.first.as_ref().map(Connection::try_clone).ok_or(StoreError::Closed)
    }
}

// A panic elsewhere leaves a list of connections, each as good as before.
fn lock(connections: &Mutex<Connections>) -> MutexGuard<'_, Connections> {
    connections.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Stops a running question, unless it has ended.
struct Stop(Mutex<Option<Arc<InterruptHandle>>>);

/// How often a question that nobody waits for is told to stop. Once is not enough: the engine forgets what it was
/// told between two statements, and most questions are several.
const REPEATED: Duration = Duration::from_millis(20);

impl Stop {
    /// Whether the question is still running; it has then been told. The lock is held while interrupting, so that
    /// the question cannot end, and its connection serve another, in between.
    fn interrupt(&self) -> bool {
        let handle = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        handle.as_ref().inspect(|handle| handle.interrupt()).is_some()
    }
}

/// Disarms when the question is over, by a panic too: nothing is left then that could be stopped.
struct Running(Arc<Stop>);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner).take();
    }
}

struct StopWhenLeft(Arc<Stop>);

impl Drop for StopWhenLeft {
    fn drop(&mut self) {
        if !self.0.interrupt() {
            return;
        }
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            let stop = Arc::clone(&self.0);
            runtime.spawn(async move {
                while stop.interrupt() {
                    tokio::time::sleep(REPEATED).await;
                }
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_question_that_panics_leaves_nothing_to_be_stopped() {
        let first = Connection::open_in_memory().unwrap();
        let stop = Arc::new(Stop(Mutex::new(Some(first.interrupt_handle()))));
        assert!(stop.interrupt(), "armed");
        let running = Running(Arc::clone(&stop));
        let question = move || {
            let _running = running;
            panic!("a defect");
        };
        assert!(tokio::task::spawn_blocking(question).await.is_err());
        assert!(!stop.interrupt());

        let readers = Readers::new(first, 1, Duration::from_secs(60));
        let asked: Result<(), _> = readers.run("panic", |_| panic!("a defect")).await;
        assert!(asked.is_err());
        let answer = readers.run("ask", |connection| connection.query_row("SELECT 7", [], |row| row.get::<_, u8>(0)));
        assert_eq!(answer.await.unwrap(), 7, "the turn was given back");
    }
}
