//! The one writer: a thread that owns the writing connection and commits what waits together, with one fsync. Of several pieces of work each
//! runs in a savepoint of its own, so one that fails takes nobody down; nobody hears of success before the commit.

use super::StoreError;
use rusqlite::Connection;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use tokio::sync::oneshot;

/// Pieces of work that may wait for the writer; beyond this the store is busy.
const WAITING_MAX: usize = 4096;

/// Pieces of work in one transaction: bounds how long the first of them waits for the last.
const TOGETHER_MAX: usize = 256;

type Answer = Box<dyn FnOnce(Result<(), StoreError>) + Send>;
/// Gets the connection inside a transaction, or why there is none; answers later, and says whether it was done.
type Work = Box<dyn FnOnce(Result<&Connection, StoreError>, Company) -> (Answer, bool) + Send>;

/// Who else is in the transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Company {
    /// What fails takes the transaction with it. Without a savepoint no page need be copied before it is changed: a third of a write's time.
    Alone,
    Others,
}

#[derive(Debug)]
pub struct Writer {
    work: Option<SyncSender<Work>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

/// A write on its way: the value comes once it is on disk.
#[derive(Debug)]
pub struct Pending<T>(oneshot::Receiver<Result<T, StoreError>>);

impl<T> Pending<T> {
    /// # Errors
    /// What the work or the commit met; [`StoreError::Busy`] when the writer took no more.
    pub async fn done(self) -> Result<T, StoreError> {
        self.0.await.unwrap_or(Err(StoreError::Stopped))
    }

    /// The same for threads outside the runtime.
    ///
    /// # Errors
    /// As [`Pending::done`].
    pub fn wait(self) -> Result<T, StoreError> {
        self.0.blocking_recv().unwrap_or(Err(StoreError::Stopped))
    }
}

impl Writer {
    /// `undone` hears of every piece of work that was rolled back.
    pub fn start(connection: Connection, undone: impl Fn(&Connection) + Send + 'static) -> Result<Self, StoreError> {
        let (sender, receiver) = sync_channel(WAITING_MAX);
        let thread = std::thread::Builder::new()
            .name("hamlet-writer".into())
            .spawn(move || write_until_dropped(&connection, &receiver, &undone))
            .map_err(StoreError::Thread)?;
        Ok(Self { work: Some(sender), thread: Some(thread) })
    }

    /// Runs `work` in the next transaction.
    pub fn submit<T: Send + 'static>(&self, work: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static) -> Pending<T> {
        let (sender, receiver) = oneshot::channel();
        let work: Work = Box::new(move |connection, company| {
            let result = connection.and_then(|connection| match company {
                Company::Alone => work(connection),
                Company::Others => in_savepoint(connection, work),
            });
            let done = result.is_ok();
            let answer: Answer = Box::new(move |committed| {
                // Who asked may have gone; what was written stays.
                let _ = sender.send(result.and_then(|value| committed.map(|()| value)));
            });
            (answer, done)
        });
        match self.work.as_ref().map(|queue| queue.try_send(work)) {
            Some(Ok(())) => Pending(receiver),
            Some(Err(TrySendError::Full(_))) => refused(StoreError::Busy),
            Some(Err(TrySendError::Disconnected(_))) | None => refused(StoreError::Stopped),
        }
    }
}

fn refused<T>(error: StoreError) -> Pending<T> {
    let (sender, receiver) = oneshot::channel();
    let _ = sender.send(Err(error));
    Pending(receiver)
}

impl Drop for Writer {
    /// Everything submitted is written before the store closes. The writer's own thread may be the last to hold a store, by a piece of work
    /// whose sender has gone; it cannot wait for itself, and goes on until nothing is left.
    fn drop(&mut self) {
        drop(self.work.take());
        if let Some(thread) = self.thread.take().filter(|thread| thread.thread().id() != std::thread::current().id()) {
            let _ = thread.join();
        }
    }
}

fn write_until_dropped(connection: &Connection, queue: &Receiver<Work>, undone: &impl Fn(&Connection)) {
    while let Ok(first) = queue.recv() {
        let together = std::iter::once(first).chain(queue.try_iter()).take(TOGETHER_MAX).collect();
        if !commit(connection, together) {
            undone(connection);
        }
    }
}

/// Runs what waits in one transaction and answers all; whether everything was done and kept.
fn commit(connection: &Connection, together: Vec<Work>) -> bool {
    let company = if together.len() == 1 { Company::Alone } else { Company::Others };
    if let Err(error) = connection.execute_batch("BEGIN IMMEDIATE") {
        tracing::error!(error = %error, "store.begin_failed");
        let error = StoreError::from(error);
        together.into_iter().for_each(|work| work(Err(error.again()), company).0(Ok(())));
        return false;
    }
    let mut all_kept = true;
    let mut answers: Vec<Answer> = Vec::new();
    for work in together {
        // A full disk may roll the whole transaction back inside a statement; what came after would then commit by itself.
        let open = if connection.is_autocommit() { Err(StoreError::Busy) } else { Ok(connection) };
        let (answer, kept) = work(open, company);
        answers.push(answer);
        all_kept &= kept;
    }
    let end = if company == Company::Alone && !all_kept { "ROLLBACK" } else { "COMMIT" };
    let committed =
        if connection.is_autocommit() { Err(StoreError::Busy) } else { connection.execute_batch(end).map_err(StoreError::from) };
    if let Err(error) = &committed {
        tracing::error!(error = %error, "store.commit_failed");
        // A failed commit may leave the transaction open; whatever it was, it must not leak into the next.
        let _ = connection.execute_batch("ROLLBACK");
    }
    for answer in answers {
        answer(committed.as_ref().copied().map_err(StoreError::again));
    }
    all_kept && committed.is_ok()
}

fn in_savepoint<T>(connection: &Connection, work: impl FnOnce(&Connection) -> Result<T, StoreError>) -> Result<T, StoreError> {
    connection.execute_batch("SAVEPOINT work")?;
    let result = work(connection);
    connection.execute_batch(if result.is_ok() { "RELEASE work" } else { "ROLLBACK TO work; RELEASE work" })?;
    result
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    fn writer() -> (Writer, Arc<AtomicUsize>) {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch("CREATE TABLE things (thing INTEGER)").unwrap();
        let undone = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&undone);
        let count = move |_: &Connection| {
            counted.fetch_add(1, Ordering::SeqCst);
        };
        (Writer::start(connection, count).unwrap(), undone)
    }

    /// Puts a thing in, and then fails where the thing is negative.
    fn put(writer: &Writer, thing: i64) -> Pending<()> {
        writer.submit(move |connection| {
            connection.execute("INSERT INTO things VALUES (?1)", [thing])?;
            if thing < 0 { Err(StoreError::Row("it is negative".to_owned())) } else { Ok(()) }
        })
    }

    fn things(writer: &Writer) -> Vec<i64> {
        let read = |connection: &Connection| -> Result<Vec<i64>, StoreError> {
            let mut statement = connection.prepare("SELECT thing FROM things ORDER BY thing")?;
            let things = statement.query_map([], |row| row.get(0))?;
            Ok(things.collect::<Result<_, _>>()?)
        };
        writer.submit(read).wait().unwrap()
    }

    #[test]
    fn what_fails_alone_leaves_nothing_and_the_next_is_done() {
        let (writer, undone) = writer();
        assert!(matches!(put(&writer, -1).wait(), Err(StoreError::Row(_))));
        put(&writer, 1).wait().unwrap();
        assert_eq!((things(&writer), undone.load(Ordering::SeqCst)), (vec![1], 1));
    }

    #[test]
    fn a_piece_of_work_may_be_the_last_to_hold_the_writer() {
        let (writer, _) = writer();
        let writer = Arc::new(writer);
        let (go, gate) = sync_channel::<()>(0);
        let held = Arc::clone(&writer);
        let first = writer.submit(move |connection| {
            gate.recv().map_err(|_| StoreError::Stopped)?;
            drop(held);
            Ok(connection.query_row("SELECT count(*) FROM things", [], |row| row.get::<_, i64>(0))?)
        });
        let second = put(&writer, 1);
        drop(writer);
        go.send(()).unwrap();
        assert_eq!(first.wait().unwrap(), 0);
        second.wait().unwrap();
    }

    #[test]
    fn what_fails_in_company_takes_nobody_down() {
        let (writer, undone) = writer();
        let (go, gate) = sync_channel::<()>(0);
        let first = writer.submit(move |_| gate.recv().map_err(|_| StoreError::Stopped));
        let together: Vec<Pending<()>> = [1, -2, 3].map(|thing| put(&writer, thing)).into();
        go.send(()).unwrap();
        first.wait().unwrap();
        let kept: Vec<bool> = together.into_iter().map(|pending| pending.wait().is_ok()).collect();
        assert_eq!((kept, things(&writer), undone.load(Ordering::SeqCst)), (vec![true, false, true], vec![1, 3], 1));
    }
}
