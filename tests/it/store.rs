//! The daemon's store as an admin sees it with `sqlite3`: read only, beside the running daemon.

use crate::app::TestApp;
use crate::wait::until_true;
use rusqlite::types::Value;
use rusqlite::{Connection, OpenFlags};
use std::fmt::Write;

pub struct Look(Connection);

impl Look {
    pub fn into(app: &TestApp) -> Self {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(app.data().join("hamlet.db"), flags).unwrap();
        connection.execute_batch("PRAGMA query_only = ON; PRAGMA busy_timeout = 5000;").unwrap();
        Self(connection)
    }

    /// A hand in the store, for what no test could wait for: a month's comments.
    pub fn written(app: &TestApp, write: impl FnOnce(&Connection)) {
        let connection = Connection::open(app.data().join("hamlet.db")).unwrap();
        connection.execute_batch("PRAGMA busy_timeout = 5000; BEGIN IMMEDIATE").unwrap();
        write(&connection);
        connection.execute_batch("COMMIT").unwrap();
    }

    /// Turns the clock of what is written back, so to say. Only while no daemon runs.
    pub fn change(app: &TestApp, sql: &str) {
        Connection::open(app.data().join("hamlet.db")).unwrap().execute_batch(sql).unwrap();
    }

    pub fn count(&self, sql: &str) -> i64 {
        self.0.query_row(sql, [], |row| row.get(0)).unwrap()
    }

    pub fn one<T: rusqlite::types::FromSql>(&self, sql: &str) -> T {
        self.0.query_row(sql, [], |row| row.get(0)).unwrap()
    }

    pub fn rows<T: rusqlite::types::FromSql>(&self, sql: &str) -> Vec<T> {
        let mut statement = self.0.prepare(sql).unwrap();
        let rows = statement.query_map([], |row| row.get(0)).unwrap();
        rows.map(Result::unwrap).collect()
    }

    /// Every row of every table.
    pub fn dump(&self) -> String {
        let mut dump = String::new();
        for table in self.rows::<String>("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name") {
            let mut statement = self.0.prepare(&format!("SELECT * FROM {table} ORDER BY 1, 2")).unwrap();
            let columns = statement.column_count();
            let mut rows = statement.query([]).unwrap();
            while let Some(row) = rows.next().unwrap() {
                let values: Vec<Value> = (0..columns).map(|column| row.get(column).unwrap()).collect();
                writeln!(dump, "{table} {values:?}").unwrap();
            }
        }
        dump
    }

    /// Waits until everything that had to leave has left.
    pub async fn outbox_drained(&self) {
        until_true("the outbox drains", || self.count("SELECT count(*) FROM parcels WHERE dead = 0") == 0).await;
    }
}
