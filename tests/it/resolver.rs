//! A DNS resolver that obeys: what it answers stands in the last number of the address, or the first label of the domain, that it is asked
//! about; texts stand in a table. It keeps what it was asked.

use std::collections::HashMap;
use std::net::UdpSocket;
use std::sync::{Arc, Mutex};
use std::time::Duration;

pub const ZONE: &str = "bl.test.example";

pub struct Resolver {
    socket: Arc<UdpSocket>,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Resolver {
    pub fn open() -> Self {
        Self::with_texts(&[])
    }

    /// Names, each with its text.
    pub fn with_texts(texts: &[(&str, &str)]) -> Self {
        let texts: HashMap<String, String> = texts.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
        let socket = Arc::new(UdpSocket::bind("127.0.0.1:0").unwrap());
        socket.set_read_timeout(Some(Duration::from_mins(2))).unwrap();
        let (answering, asked) = (Arc::clone(&socket), Arc::new(Mutex::new(Vec::new())));
        let log = Arc::clone(&asked);
        std::thread::spawn(move || {
            let mut buffer = [0; 512];
            while let Ok((length, from)) = answering.recv_from(&mut buffer) {
                if length < 12 {
                    return;
                }
                let question = &buffer[..length];
                let name = name(question);
                let all = if is_for_texts(question) {
                    vec![texts_of(question, texts.get(&name))]
                } else {
                    answers(question, name.split('.').next().unwrap())
                };
                for answer in all {
                    answering.send_to(&answer, from).unwrap();
                }
                log.lock().unwrap().push(name);
            }
        });
        Self { socket, asked }
    }

    pub fn address(&self) -> String {
        self.socket.local_addr().unwrap().to_string()
    }

    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

impl Drop for Resolver {
    /// Anything too short to be a question ends it.
    fn drop(&mut self) {
        let _ = UdpSocket::bind("127.0.0.1:0").and_then(|socket| socket.send_to(b"end", self.socket.local_addr()?));
    }
}

fn name(question: &[u8]) -> String {
    let (mut at, mut labels) = (12, Vec::new());
    while question[at] > 0 {
        let end = at + 1 + usize::from(question[at]);
        labels.push(String::from_utf8(question[at + 1..end].to_vec()).unwrap());
        at = end;
    }
    labels.join(".")
}

/// Behind the name stands what is wanted of it.
fn end_of_question(question: &[u8]) -> usize {
    12 + name(question).len() + 2 + 4
}

fn is_for_texts(question: &[u8]) -> bool {
    question[end_of_question(question) - 4..][..2] == [0, 16]
}

/// In two pieces, as a long one must be; without a text, that there is none. No option comes back, as from an old resolver.
fn texts_of(question: &[u8], text: Option<&String>) -> Vec<u8> {
    let mut message = question[..end_of_question(question)].to_vec();
    message[2..12].copy_from_slice(&[0x81, 0x80, 0, 1, 0, u8::from(text.is_some()), 0, 0, 0, 0]);
    if let Some(text) = text {
        let (first, second) = text.as_bytes().split_at(text.len() / 2);
        let length = |bytes: &[u8]| u8::try_from(bytes.len()).unwrap();
        message.extend(b"\xc0\x0c\0\x10\0\x01\0\0\x01\x2c\0");
        message.extend([&[length(text.as_bytes()) + 2, length(first)], first, &[length(second)], second].concat());
    }
    message
}

fn answers(question: &[u8], wanted: &str) -> Vec<Vec<u8>> {
    let with = |flags: u16, addresses: &[[u8; 4]]| {
        let mut message = question.to_vec();
        message[2..4].copy_from_slice(&flags.to_be_bytes());
        message[7] = u8::try_from(addresses.len()).unwrap();
        for address in addresses {
            message.extend(b"\xc0\x0c\0\x01\0\x01\0\0\x01\x2c\0\x04");
            message.extend(address);
        }
        message
    };
    let listed = with(0x8180, &[[127, 0, 0, 2]]);
    match wanted {
        "1" | "listed" => vec![listed],
        "3" => vec![with(0x8182, &[])],
        "4" => vec![],
        "5" => vec![b"\xff\x00garbage".to_vec(), [&question[..2], &b"\x81\x80\0\x01\0\x09"[..], &[0xee; 300]].concat()],
        "6" => vec![with(0x8380, &[[127, 0, 0, 2]])],
        "7" => vec![with(0x8180, &[[127, 255, 255, 254]])],
        "8" => {
            let mut forged = listed.clone();
            forged[0] ^= 0xff;
            vec![forged, with(0x8183, &[])]
        }
        "9" => vec![with(0x8180, &[[93, 184, 216, 34]])],
        "10" => vec![with(0x8185, &[])],
        _ => vec![with(0x8183, &[])],
    }
}
