//! Campaigns: comments of one site that are near-copies of one text, or that share a link or a contact, found as they come in. Pure and in
//! memory; the judge loop owns it, and it is made anew from the traces in the store at every start (see `flow::memory`). It finds and
//! counts; what a campaign means for a verdict is `rules`' matter.
//!
//! ## How texts meet
//!
//! A campaign of texts is known by its first member's sketch. A new text joins the campaign whose sketch is most like its own, if that is
//! [`LIKENESS_MIN`] or more, else it founds one. So a campaign does not wander: every member is like the first, and a chain of small changes
//! leads nowhere. Campaigns of texts and of marks never merge: who copies an honest text and adds a link must not drag the text along.
//!
//! Of 20,000 comments of YouTube 752 join a campaign of which they are no exact copy. 53 pairs of these at a likeness below .65 were looked at:
//! 52 are rewrites of one text ("Geez I just viewed a new ..." and "Omg I recently watched a brand new ..."), one is a song title twice. The
//! largest campaigns there: one text by one author 191 times, 119 comments by about a hundred authors with one link, a reward for signing up 46
//! times, and ten rewritten advertisements with one link each. Labelled sets, comments in a campaign of two and more, spam against ham: YouTube
//! 17 and 1.3 %, SMS 66 and 7.4 %, Telegram 30 and 3.8 %; of blogs' ham 9.9 % and of forums' 1.5 %. In one of six and more by their text are at most .4 % of any ham.
//!
//! ## Bounds
//!
//! The window holds so many comments and so many days of them, whichever is less; with its last member a campaign is forgotten. Every
//! comment costs a fixed number of places, whatever is in it. With a million comments (`cargo bench --bench campaign`) a look-up takes 4 us,
//! with the comment taken in 6 us, and memory is 280 MB; making the trace of a comment of 90 bytes takes 3 us.

mod group;
mod near;

use crate::classifier::Label;
use crate::classifier::hashing::Hashing;
use crate::clock::Timestamp;
use crate::comment::{Alike, Campaign, Rulings, Shared};
use crate::trace::{MARKS_MAX, Mark, Sketch, Trace};
use group::Group;
use near::Near;
use std::cmp::Reverse;
use std::collections::{HashMap, VecDeque};
use std::time::Duration;

/// The share of equal rows from which two texts are near-copies.
pub const LIKENESS_MIN: f64 = 0.5;

/// How much is remembered of one site.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    pub comments_max: usize,
    pub age_max: Duration,
}

/// One site's campaigns.
#[derive(Debug)]
pub struct Campaigns {
    bounds: Bounds,
    hashing: Hashing,
    /// Oldest first.
    window: VecDeque<Entry>,
    bodies: HashMap<u64, Body>,
    texts: Vec<Text>,
    /// Places in `texts` that nobody has.
    free: Vec<u32>,
    near: Near,
    marks: HashMap<Mark, Group>,
}

/// What it takes to forget a comment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Entry {
    at: Timestamp,
    body: u64,
    marks: [Option<Mark>; MARKS_MAX],
    is_published: bool,
}

/// One text, word for word.
#[derive(Debug, Clone, Copy)]
struct Body {
    size: u32,
    rulings: Rulings,
    /// Its campaign; none for a short text.
    text: Option<u32>,
}

#[derive(Debug)]
struct Text {
    sketch: Sketch,
    group: Group,
}

impl Campaigns {
    pub fn new(bounds: Bounds, hashing: Hashing) -> Self {
        let near = Near::of(0, hashing.clone());
        let (window, bodies, marks) = (VecDeque::new(), HashMap::new(), HashMap::new());
        Self { bounds, hashing, window, bodies, texts: Vec::new(), free: Vec::new(), near, marks }
    }

    /// From now on so much is remembered; what is beyond goes with the next comment.
    pub fn bound(&mut self, bounds: Bounds) {
        self.bounds = bounds;
    }

    /// What is known of comments like this one.
    pub fn alike(&self, trace: &Trace) -> Alike {
        let same_text = self.bodies.get(&trace.body).filter(|_| trace.is_telling).map_or_else(Rulings::default, |body| body.rulings);
        let worst = |campaign: &Campaign| (campaign.rulings.is_last_spam, campaign.rulings.spam, campaign.size);
        Alike { same_text, text: self.text_campaign(trace), mark: self.mark_campaigns(trace).max_by_key(worst) }
    }

    /// Every campaign that a comment of this trace belongs to.
    pub fn of(&self, trace: &Trace) -> impl Iterator<Item = Campaign> {
        self.text_campaign(trace).into_iter().chain(self.mark_campaigns(trace))
    }

    fn text_campaign(&self, trace: &Trace) -> Option<Campaign> {
        self.text_of(trace).and_then(|text| self.group(text)).map(|group| group.told(Shared::Text))
    }

    fn mark_campaigns(&self, trace: &Trace) -> impl Iterator<Item = Campaign> {
        trace.marks.into_iter().flatten().filter_map(|mark| self.marks.get(&mark).map(|group| group.told(mark.shared())))
    }

    /// The comment came, and the machine published it or did not. What grew too old or too much is forgotten.
    pub fn admit(&mut self, trace: &Trace, is_published: bool, now: Timestamp) {
        let known = self.text_of(trace);
        let text = match (known, trace.sketch) {
            (None, Some(sketch)) => Some(self.found(trace.body, sketch, now)),
            (known, _) => known,
        };
        let body = self.bodies.entry(trace.body).or_insert(Body { size: 0, rulings: Rulings::default(), text });
        body.size += 1;
        if let Some(group) = text.and_then(|text| self.texts.get_mut(place(text))) {
            group.group.admit(trace, is_published, now);
        }
        for mark in trace.marks() {
            self.marks.entry(mark).or_insert_with(|| Group::founded(mark.bits(), now)).admit(trace, is_published, now);
        }
        self.window.push_back(Entry { at: now, body: trace.body, marks: trace.marks, is_published });
        while self
            .window
            .front()
            .is_some_and(|first| self.window.len() > self.bounds.comments_max || now.since(first.at) > self.bounds.age_max)
        {
            self.window.pop_front().iter().for_each(|entry| self.forget(entry));
        }
    }

    /// A comment that was admitted lately was none after all.
    pub fn retract(&mut self, trace: &Trace) {
        let place = self.window.iter().rposition(|entry| entry.body == trace.body && entry.marks == trace.marks);
        if let Some(entry) = place.and_then(|place| self.window.remove(place)) {
            self.forget(&entry);
        }
    }

    /// A person ruled on a comment of this trace, which people called `before` until then.
    pub fn rule(&mut self, trace: &Trace, before: Option<Label>, now: Option<Label>) {
        if let Some(text) = self.text_of(trace).and_then(|text| self.texts.get_mut(place(text))) {
            text.group.rulings.change(before, now);
        }
        if let Some(body) = self.bodies.get_mut(&trace.body) {
            body.rulings.change(before, now);
        }
        for mark in trace.marks() {
            if let Some(group) = self.marks.get_mut(&mark) {
                group.rulings.change(before, now);
            }
        }
    }

    /// Comments in the window.
    pub fn comments(&self) -> usize {
        self.window.len()
    }

    /// Campaigns of two and more, the largest first, each with how many pages it was on.
    pub fn largest(&self, count: usize) -> Vec<(Campaign, u32)> {
        let texts = self.texts.iter().map(|text| (text.group.told(Shared::Text), text.group.pages.count()));
        let marks = self.marks.iter().map(|(mark, group)| (group.told(mark.shared()), group.pages.count()));
        let mut all: Vec<_> = texts.chain(marks).filter(|(campaign, _)| campaign.size > 1).collect();
        all.sort_by_key(|(campaign, _)| (Reverse(campaign.size), campaign.id));
        all.truncate(count);
        all
    }

    /// The campaign that a text belongs to: that of the very same text, else of the one most like it.
    fn text_of(&self, trace: &Trace) -> Option<u32> {
        if let Some(body) = self.bodies.get(&trace.body) {
            return body.text;
        }
        let sketch = trace.sketch.as_ref()?;
        let mut best = None;
        for candidate in self.near.candidates(sketch) {
            let likeness =
                self.texts.get(place(candidate)).filter(|text| text.group.size > 0).map_or(0.0, |text| text.sketch.likeness(sketch));
            if likeness >= best.map_or(LIKENESS_MIN, |(best, _)| best) {
                best = Some((likeness, candidate));
            }
        }
        best.map(|(_, text)| text)
    }

    fn group(&self, text: u32) -> Option<&Group> {
        self.texts.get(place(text)).map(|text| &text.group)
    }

    /// A text that is like none before.
    fn found(&mut self, body: u64, sketch: Sketch, now: Timestamp) -> u32 {
        let text = Text { sketch, group: Group::founded(body, now) };
        let number = match self.free.pop() {
            Some(number) => number,
            None => u32::try_from(self.texts.len()).unwrap_or(u32::MAX),
        };
        match self.texts.get_mut(place(number)) {
            Some(free) => *free = text,
            None => self.texts.push(text),
        }
        if self.texts.len() > self.near.texts_max() {
            self.near = Near::of(self.texts.len(), self.hashing.clone());
            (0..).zip(&self.texts).for_each(|(number, text)| self.near.insert(&text.sketch, number));
        } else {
            self.near.insert(&sketch, number);
        }
        number
    }

    fn forget(&mut self, entry: &Entry) {
        if let Some(body) = self.bodies.get_mut(&entry.body) {
            body.size -= 1;
            if let Some((number, text)) = body.text.and_then(|number| Some((number, self.texts.get_mut(place(number))?))) {
                text.group.leave(entry.is_published);
                if text.group.size == 0 {
                    self.free.push(number);
                }
            }
            if body.size == 0 {
                self.bodies.remove(&entry.body);
            }
        }
        for mark in entry.marks.iter().flatten() {
            if let Some(group) = self.marks.get_mut(mark) {
                group.leave(entry.is_published);
                if group.size == 0 {
                    self.marks.remove(mark);
                }
            }
        }
    }
}

fn place(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::comment::{Comment, Limits, Submission};
    use crate::dice::Dice;
    use crate::id::{CommentId, SiteId};
    use crate::text::Reading;
    use Label::{Ham, Spam};
    use proptest::prelude::*;

    const SPAM: &str = "Hello friends, I made 5000 dollars last week from home with this simple system, see http://money.example/a now";
    const COPY: &str =
        "Hello dear friends, I made 7300 dollars last week from home with this simple system, see http://other.example/b now";
    const HONEST: &str = "The second kettle in the picture is the one my grandmother had, and it never leaked in forty years of use";

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_ms(seconds * 1000)
    }

    fn trace_of(body: &str, who: u32) -> Trace {
        let submission = Submission {
            body: Some(body.into()),
            email: Some(format!("p{who}@mail.example")),
            ip: Some(format!("192.0.{}.{}", who / 250, 1 + who % 250)),
            ..Submission::default()
        };
        let (now, limits) = (at(0), Limits { body_bytes_max: 1 << 20, field_bytes_max: 1000, excerpt_bytes_max: 1000 });
        let comment = Comment::parse(submission, CommentId::new(now, &Dice::seeded(1)), SiteId::new("s"), now, limits).unwrap();
        Trace::of(&comment, &Reading::of(&comment.body), &Hashing::of(5))
    }

    fn campaigns(comments_max: usize) -> Campaigns {
        Campaigns::new(Bounds { comments_max, age_max: Duration::from_hours(24) }, Hashing::of(9))
    }

    /// How large the campaign of near-copies of `asked` is once `texts` came.
    fn check(texts: &[&str], asked: &str, size: Option<u32>) {
        let mut campaigns = campaigns(100);
        texts.iter().zip(0..).for_each(|(text, who)| campaigns.admit(&trace_of(text, who), false, at(0)));
        assert_eq!(campaigns.alike(&trace_of(asked, 99)).text.map(|text| text.size), size, "{asked}");
    }

    #[test]
    fn near_copies_meet_whatever_small_thing_was_changed() {
        check(&[SPAM], SPAM, Some(1));
        check(&[SPAM], COPY, Some(1));
        check(&[SPAM], &SPAM.to_uppercase().replace(' ', "  "), Some(1));
        check(&[SPAM], &SPAM.replace("dollars", "d\u{200b}ollars").replace('o', "о"), Some(1));
        check(&[SPAM, COPY, HONEST], HONEST, Some(1));
        check(&[SPAM, COPY], HONEST, None);
        check(&["加我微信，带你一起赚钱，每天轻松收入三百元"], "加我微信，带您一起赚钱，每天轻松收入五百元", Some(1));
        check(&["加我微信，带你一起赚钱，每天轻松收入三百元"], "这篇文章写得很好，我昨天试了一下，味道不错", None);
    }

    #[test]
    fn a_smaller_bound_holds_from_the_next_comment_on() {
        let mut campaigns = campaigns(100);
        (0..10).for_each(|who| campaigns.admit(&trace_of(SPAM, who), false, at(0)));
        campaigns.bound(Bounds { comments_max: 3, ..campaigns.bounds });
        campaigns.admit(&trace_of(SPAM, 10), false, at(0));
        assert_eq!((campaigns.comments(), campaigns.alike(&trace_of(SPAM, 11)).text.map(|text| text.size)), (3, Some(3)));
    }

    #[test]
    fn a_phrase_has_no_campaign_and_no_ruling() {
        check(&["Thanks!"], "Thanks!", None);
        check(&["nice one, thank you so much"], "nice one, thank you so much", None);
        let mut campaigns = campaigns(100);
        for (text, spam) in [("Thanks, I like it", 0), ("Buy cheap followers from us", 1)] {
            campaigns.admit(&trace_of(text, 1), false, at(0));
            campaigns.rule(&trace_of(text, 1), None, Some(Spam));
            assert_eq!(campaigns.alike(&trace_of(text, 2)).same_text.spam, spam, "{text}");
        }
    }

    #[test]
    fn rewritten_texts_with_one_link_or_contact_meet_there() {
        for mark in ["http://rare.example/x", "+49 30 901820 77", "deals@rare.example"] {
            let mut campaigns = campaigns(100);
            campaigns.admit(&trace_of(&format!("Nobody believed that I could earn so much, ask {mark}"), 1), false, at(0));
            campaigns.admit(&trace_of(&format!("{mark} changed how my whole family thinks about money"), 2), false, at(0));
            let alike = campaigns.alike(&trace_of(&format!("My sister told me of {mark} and now she drives a new car, true story"), 3));
            assert_eq!((alike.text, alike.mark.map(|mark| (mark.size, mark.sources))), (None, Some((2, 2))), "{mark}");
        }
    }

    #[test]
    fn a_ruling_acts_at_once_on_all_that_is_alike_and_is_taken_back_as_fast() {
        let mut campaigns = campaigns(100);
        for (text, who) in [(SPAM, 1), (COPY, 2), (HONEST, 3)] {
            campaigns.admit(&trace_of(text, who), false, at(0));
        }
        let rulings = |campaigns: &Campaigns, text| {
            let alike = campaigns.alike(&trace_of(text, 9));
            (alike.same_text.is_last_spam, alike.text.is_some_and(|text| text.rulings.is_last_spam))
        };
        campaigns.rule(&trace_of(SPAM, 1), None, Some(Spam));
        assert_eq!([SPAM, COPY, HONEST].map(|text| rulings(&campaigns, text)), [(true, true), (false, true), (false, false)]);
        assert!(campaigns.alike(&trace_of("see http://money.example", 9)).mark.unwrap().rulings.is_last_spam);
        campaigns.rule(&trace_of(SPAM, 1), Some(Spam), Some(Ham));
        assert_eq!([SPAM, COPY, HONEST].map(|text| rulings(&campaigns, text)), [(false, false); 3]);
    }

    #[test]
    fn old_comments_leave_and_take_their_campaigns_along() {
        let mut campaigns = campaigns(100);
        campaigns.admit(&trace_of(SPAM, 1), true, at(0));
        campaigns.admit(&trace_of(COPY, 2), false, at(80_000));
        let alike = |campaigns: &Campaigns| campaigns.alike(&trace_of(SPAM, 3)).text.map(|text| (text.size, text.published));
        assert_eq!(alike(&campaigns), Some((2, 1)));
        campaigns.admit(&trace_of(HONEST, 3), false, at(90_000));
        assert_eq!(alike(&campaigns), Some((1, 0)));
        campaigns.admit(&trace_of(HONEST, 3), false, at(180_000));
        assert_eq!((alike(&campaigns), campaigns.comments()), (None, 1));
    }

    #[test]
    fn the_table_grows_and_still_finds_nearly_everything() {
        let mut campaigns = campaigns(1_000_000);
        let hashing = Hashing::of(4);
        let word = |n: u64, k: u64| format!("w{:x} ", hashing.pair(n, k, 0) % 2000);
        let text = |n: u64| (0..14).map(|k| word(n, k)).collect::<String>();
        (0..20_000).for_each(|n| campaigns.admit(&trace_of(&text(n), 1), false, at(0)));
        let found = (0..20_000).filter(|n| campaigns.alike(&trace_of(&(text(*n) + "and more"), 2)).text.is_some()).count();
        assert!(found > 19_900, "{found}");
    }

    proptest! {
        #[test]
        fn whatever_comes_the_bounds_hold_and_sizes_add_up(
            comments in proptest::collection::vec((0..6_usize, 0..5_u32, any::<bool>(), 0..40_000_i64, 0..8_u8), 1..120), comments_max in 1..20_usize,
        ) {
            let texts = [SPAM, COPY, HONEST, "Thanks!", "call +49 30 901820 77", "see http://money.example/z"];
            let (mut campaigns, mut now, mut admitted) = (campaigns(comments_max), 0, 0);
            for (text, who, is_published, wait, turn) in comments {
                now += wait;
                let trace = trace_of(texts[text], who);
                campaigns.admit(&trace, is_published, at(now));
                admitted += 1;
                match turn {
                    0 => campaigns.retract(&trace),
                    1 => campaigns.rule(&trace, None, Some(Spam)),
                    2 => campaigns.rule(&trace, Some(Spam), None),
                    _ => {}
                }
                let kept = campaigns.window.len();
                prop_assert!(kept <= comments_max && kept <= admitted);
                prop_assert_eq!(campaigns.bodies.values().map(|body| usize::try_from(body.size).unwrap()).sum::<usize>(), kept);
                let sketched = campaigns.window.iter().filter(|entry| campaigns.bodies[&entry.body].text.is_some()).count();
                prop_assert_eq!(campaigns.texts.iter().map(|text| usize::try_from(text.group.size).unwrap()).sum::<usize>(), sketched);
                let marked: usize = campaigns.window.iter().map(|entry| entry.marks.iter().flatten().count()).sum();
                prop_assert_eq!(campaigns.marks.values().map(|group| usize::try_from(group.size).unwrap()).sum::<usize>(), marked);
                let published = campaigns.window.iter().filter(|entry| entry.is_published && campaigns.bodies[&entry.body].text.is_some()).count();
                prop_assert_eq!(campaigns.texts.iter().map(|text| usize::try_from(text.group.published).unwrap()).sum::<usize>(), published);
            }
        }

        #[test]
        fn copies_meet_in_any_order(order in Just([SPAM, COPY, HONEST, SPAM, HONEST]).prop_shuffle()) {
            let mut campaigns = campaigns(100);
            order.iter().zip(0..).for_each(|(text, who)| campaigns.admit(&trace_of(text, who), false, at(0)));
            let sizes = [SPAM, COPY, HONEST].map(|text| campaigns.alike(&trace_of(text, 9)).text.unwrap().size);
            prop_assert_eq!(sizes, [3, 3, 2]);
        }
    }
}
