//! XML as a walk: elements open, and close with the text inside. Nothing is expanded but characters, so no entity can blow up.

use super::guard::{Guarded, MARK, Marked};
use super::{Broken, RECORD_BYTES_MAX, Reason};
use quick_xml::Reader;
use quick_xml::escape::resolve_xml_entity;
use quick_xml::events::{BytesStart, Event};
use std::io::BufRead;
use std::ops::ControlFlow;

/// Elements within elements. Exports have five; the names of open ones are held.
const DEPTH_MAX: usize = 64;

/// A step of the walk. Names come without their prefix.
pub enum Node<'a> {
    /// With its attribute `id`.
    Open { name: &'a str, id: Option<String> },
    /// With the text since the last step, or why it cannot be had.
    Close { name: &'a str, text: Result<&'a str, Reason> },
}

/// Walks through a file; `step` hears each node with its line.
pub fn walk(input: impl BufRead, step: &mut dyn FnMut(u64, Node<'_>) -> ControlFlow<()>) -> Result<(), Broken> {
    let mut reader = Reader::from_reader(Guarded::new(Marked::new(input)));
    // Exports have bare ampersands in them; they mean themselves.
    reader.config_mut().allow_dangling_amp = true;
    let (mut buffer, mut text, mut depth) = (Vec::new(), String::new(), 0_usize);
    loop {
        buffer.clear();
        reader.get_mut().restart();
        let event = reader.read_event_into(&mut buffer);
        let line = reader.get_ref().line();
        let broken = |reason| Broken { line, reason };
        let flow = match event.map_err(|error| broken(error.to_string()))? {
            Event::Start(start) => {
                text.clear();
                depth += 1;
                if depth > DEPTH_MAX {
                    return Err(broken(format!("elements lie more than {DEPTH_MAX} deep in one another")));
                }
                step(line, open(&start))
            }
            Event::Empty(start) => {
                text.clear();
                let opened = step(line, open(&start));
                if opened.is_break() { opened } else { step(line, Node::Close { name: local(start.name().into_inner()), text: Ok("") }) }
            }
            Event::End(end) => {
                depth = depth.saturating_sub(1);
                let flow = step(line, Node::Close { name: local(end.name().into_inner()), text: whole(&text) });
                text.clear();
                flow
            }
            Event::Text(piece) => push(&mut text, &piece.xml10_content()),
            Event::CData(piece) => push(&mut text, &piece.xml10_content()),
            Event::GeneralRef(name) => match name.resolve_char_ref().ok().flatten() {
                Some(character) => push(&mut text, character.encode_utf8(&mut [0; 4])),
                // What XML does not know, as `&nbsp;`, stays as it was written.
                None => match resolve_xml_entity(&name) {
                    Some(known) => push(&mut text, known),
                    None => push(&mut text, &format!("&{};", &*name)),
                },
            },
            Event::Eof => return Ok(()),
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::DocType(_) => ControlFlow::Continue(()),
        };
        if flow.is_break() {
            return Ok(());
        }
    }
}

fn open<'a>(start: &'a BytesStart<'_>) -> Node<'a> {
    let id = start.attributes().with_checks(false).flatten().find(|attribute| local(attribute.key.into_inner()) == "id");
    Node::Open { name: local(start.name().into_inner()), id: id.map(|id| id.value.into_owned()) }
}

/// The name without its prefix.
fn local(name: &str) -> &str {
    name.rsplit_once(':').map_or(name, |(_, name)| name)
}

/// More than fits is not held; [`whole`] tells.
fn push(text: &mut String, piece: &str) -> ControlFlow<()> {
    if text.len() <= RECORD_BYTES_MAX {
        text.push_str(piece);
    }
    ControlFlow::Continue(())
}

fn whole(text: &str) -> Result<&str, Reason> {
    if text.len() > RECORD_BYTES_MAX {
        Err(Reason::TooLong)
    } else if text.contains(MARK) {
        Err(Reason::NotUtf8)
    } else {
        Ok(text)
    }
}
