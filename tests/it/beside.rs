//! A program that runs beside a test and ends with it, however the test ends, and with it whatever the program started: PHP's web server answers
//! by workers that outlive it.

use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};

pub struct Beside(pub Child);

impl Beside {
    pub fn start(command: &mut Command) -> Self {
        Self(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).process_group(0).spawn().unwrap())
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        // The group has the number of its first process, which is ours until that has been waited for.
        if matches!(self.0.try_wait(), Ok(Some(_))) {
            return;
        }
        let _ = Command::new("kill").args(["-KILL", "--", &format!("-{}", self.0.id())]).stderr(Stdio::null()).status();
        let _ = self.0.wait();
    }
}
