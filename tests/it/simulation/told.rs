//! What those outside know: what was sent under which key, what was acknowledged, and the last word that people got on each comment. The daemon must
//! never stand otherwise than they were told. What was not answered is in doubt until the next start shows whether it was taken.

use hamlet::comment::Submission;
use hamlet::decision::Ruling;
use hamlet::flow::desk;
use hamlet::flow::edit::Edited;
use hamlet::flow::intake::Refusal;
use hamlet::flow::review::Done;
use hamlet::id::{CommentId, ModeratorId, SiteId};
use hamlet::store::{Batch, Idempotency, Reader, Record};
use std::collections::{BTreeMap, BTreeSet};

/// A submission, which its blog sends again until it is answered, and sometimes after.
#[derive(Clone)]
pub struct Sent {
    pub site: SiteId,
    pub submission: Submission,
    pub idempotency: Idempotency,
    /// The blog does not wait for the verdict.
    pub is_queued: bool,
    pub acknowledged: Option<CommentId>,
    /// Somebody had it forgotten.
    pub is_forgotten: bool,
}

/// The last word on a comment: what people ruled, whether that was on another text, and the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    pub ruling: Option<Ruling>,
    pub edited: bool,
    pub body: String,
}

impl Word {
    fn of(record: &Record) -> Self {
        let ruling = record.ruled.as_ref().map(|ruled| ruled.ruling);
        Self { ruling, edited: record.edited, body: record.comment.body.clone() }
    }

    /// Retention may have taken the text out.
    pub fn is_of(&self, record: &Record) -> bool {
        let found = Self::of(record);
        found == *self || (found.body.is_empty() && found == Self { body: String::new(), ..self.clone() })
    }

    pub fn after_ruling(&self, ruling: Ruling) -> Self {
        Self { ruling: Some(ruling), edited: false, ..self.clone() }
    }

    pub fn after_edit(&self, body: &str) -> Self {
        Self { ruling: self.ruling, edited: self.ruling.is_some(), body: body.to_owned() }
    }
}

pub struct Known {
    pub site: SiteId,
    pub word: Word,
    pub edits: usize,
    /// The desk's rulings that one undo would take back.
    pub batch: Option<Batch>,
}

/// What a ruling at the desk changed: the word before it, and how often the comment had been edited.
type Before = (CommentId, Word, usize);

/// Rulings given together at the desk.
#[derive(Clone)]
pub struct Given {
    pub batch: Batch,
    pub moderator: ModeratorId,
    before: Vec<Before>,
}

/// Words that stand if a request was taken that nobody answered.
pub type Doubt = Vec<(CommentId, Word)>;

#[derive(Default)]
pub struct Told {
    pub sent: Vec<Sent>,
    pub known: BTreeMap<CommentId, Known>,
    pub given: Vec<Given>,
    pub doubts: Vec<Doubt>,
    pub forgotten: BTreeSet<CommentId>,
    /// An undo brought back what people had been asked, so that they may be asked again.
    pub reopened: BTreeSet<CommentId>,
}

impl Told {
    pub fn word(&self, id: CommentId) -> &Word {
        &self.known[&id].word
    }

    fn put(&mut self, id: CommentId, word: Word) {
        let known = self.known.get_mut(&id).unwrap();
        known.edits += usize::from(known.word.body != word.body);
        known.word = word;
    }

    /// The answer to a submission.
    pub fn submitted(&mut self, index: usize, answer: Result<Box<Record>, Refusal>) {
        let record = answer.unwrap_or_else(|refusal| panic!("submission {index} was refused: {refusal}"));
        let id = record.comment.id;
        let before = self.sent[index].acknowledged.replace(id);
        assert!(before.is_none_or(|before| before == id), "submission {index} was acknowledged as {before:?} and as {id}");
    }

    /// The answer to other words under a key that was used.
    pub fn refused(index: usize, answer: &Result<Box<Record>, Refusal>) {
        assert!(matches!(answer, Err(Refusal::Conflict)), "other words under the key of submission {index} were taken: {answer:?}");
    }

    /// The API's answer to a ruling, and whether it was one: who says the same again says nothing.
    pub fn ruled(&mut self, id: CommentId, ruling: Ruling, answer: Option<(Record, bool)>) {
        let word = self.word(id).after_ruling(ruling);
        let (record, is_taken) = answer.unwrap_or_else(|| panic!("{id} is unknown to the API"));
        assert!(word.is_of(&record) && record.status == ruling.status(), "ruled {ruling:?}, and the API answered {record:?}");
        if is_taken {
            self.rule(id, word, None);
        }
    }

    /// The page behind a link.
    pub fn ruled_by_link(&mut self, id: CommentId, ruling: Ruling, done: &Done) {
        if matches!(done, Done::Ruled { .. }) {
            let word = self.word(id).after_ruling(ruling);
            self.rule(id, word, None);
        }
    }

    /// The desk's answer.
    pub fn ruled_at_desk(&mut self, moderator: ModeratorId, ruling: Ruling, done: &desk::Done) {
        let mut before = Vec::new();
        for record in &done.taken {
            let id = record.comment.id;
            before.push((id, self.word(id).clone(), self.known[&id].edits));
            let word = self.word(id).after_ruling(ruling);
            self.rule(id, word, Some(done.batch));
        }
        self.given.push(Given { batch: done.batch, moderator, before });
    }

    fn rule(&mut self, id: CommentId, word: Word, batch: Option<Batch>) {
        let known = self.known.get_mut(&id).unwrap();
        (known.word, known.batch) = (word, batch);
    }

    /// What stands once this is undone. A ruling that comes back is on the text that it was on, whatever the comment says by now.
    pub fn undone(&self, given: &Given) -> Doubt {
        let stands = given.before.iter().filter(|(id, ..)| self.known.get(id).is_some_and(|known| known.batch == Some(given.batch)));
        let word = |(id, before, edits): &Before| {
            let known = &self.known[id];
            let edited = before.ruling.is_some() && (before.edited || known.edits > *edits);
            (*id, Word { ruling: before.ruling, edited, body: known.word.body.clone() })
        };
        stands.map(word).collect()
    }

    /// The desk's answer to an undo.
    pub fn took_back(&mut self, given: &Given, records: &[Record]) {
        let undone = self.undone(given);
        assert_eq!(undone.len(), records.len(), "the desk took back {records:?}");
        for ((id, word), record) in undone.into_iter().zip(records) {
            assert!(word.is_of(record), "{id} was taken back to {record:?}, not to {word:?}");
            self.reopened.extend(record.objected_at.map(|_| id));
            self.rule(id, word, None);
        }
    }

    pub fn edited(&mut self, id: CommentId, body: &str, answer: Result<Edited, Refusal>) {
        match answer.unwrap_or_else(|refusal| panic!("an edit of {id} was refused: {refusal}")) {
            Edited::Done(record) => {
                let word = self.word(id).after_edit(body);
                assert!(word.is_of(&record), "{id} was edited to {record:?}, not to {word:?}");
                self.put(id, word);
            }
            Edited::Busy => {}
            Edited::Unknown => panic!("{id} is unknown to who edits it"),
        }
    }

    /// After a start: each unanswered request was taken or it was not. What nobody was told of nobody takes back.
    pub fn find_out(&mut self, reader: &Reader) {
        for (id, word) in std::mem::take(&mut self.doubts).into_iter().flatten() {
            self.given.retain(|given| given.before.iter().all(|(of, ..)| *of != id));
            let known = &self.known[&id];
            let record = reader.comment(&known.site, id).unwrap().unwrap_or_else(|| panic!("{id} is gone"));
            if word.is_of(&record) {
                self.put(id, word);
            } else {
                assert!(known.word.is_of(&record), "{id} stands as {record:?}, neither as {word:?} nor as {:?}", known.word);
            }
        }
    }

    pub fn forget(&mut self, id: CommentId) {
        self.known.remove(&id);
        self.sent.iter_mut().filter(|sent| sent.acknowledged == Some(id)).for_each(|sent| sent.is_forgotten = true);
        self.forgotten.insert(id);
    }
}
