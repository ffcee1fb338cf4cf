//! Files for `hamlet import`: any bytes are read to an end, in order of their lines.
#![no_main]

use hamlet::import::{Format, Options, read};
use libfuzzer_sys::fuzz_target;
use std::ops::ControlFlow;

fuzz_target!(|bytes: &[u8]| {
    let mut last = 0;
    let _ = read(Format::Jsonl, bytes, &Options { label: Some(hamlet::classifier::Label::Spam), ..Options::default() }, &mut |line, _| {
        assert!(line >= last);
        last = line;
        ControlFlow::Continue(())
    });
});
