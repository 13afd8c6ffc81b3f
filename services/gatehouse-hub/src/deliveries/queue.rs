//! What one session has read of its offers and not yet sent, what is under way, and what goes next
//! where commands wait as well. Pure; the session does what it says.
//!
//! Nobody waits for a query between two persons: some are read at once, and the next one's photos are
//! fetched while the terminal works on the one before. An open-door command passes between any two;
//! removals go before all other commands, and other commands and additions take turns.
//!
//! A session that has nothing to tell has no queue at all.

use super::offer::{Fault, Offer, Photo, What};
use std::collections::VecDeque;
use std::sync::Arc;
use uuid::Uuid;

/// Offers that are read at once.
pub(crate) const AT_ONCE: usize = 16;
/// Answered offers that are remembered until sync has settled them.
const REMEMBERED: usize = 256;
/// Signs of life without any news after which a session forgets what was answered. Terminals speak
/// twice a minute; an offer that sync has not heard of is offered anew, under another id, after some
/// minutes.
const RESTS_AFTER: u8 = 10;
/// Commands up to this urgency go before every person: open the door, restart, take a picture.
pub(crate) const BEFORE_PERSONS: i16 = 14;

/// What the session does next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// It waits.
    Nothing,
    /// It asks the database.
    Ask {
        /// For a command up to this urgency.
        command_up_to: Option<i16>,
        /// For offers.
        offers: bool,
    },
    /// It sends the person whose turn it is.
    Send,
}

/// An offer that waits for its photos.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Wanting {
    /// These photos are to be fetched.
    Photos(Uuid, Vec<Photo>),
    /// There is nothing that could be sent.
    Unsendable(Offer, Fault),
}

/// The offers of one session.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    /// Offers may wait that were not read.
    unread: bool,
    /// The last read brought as many as were asked for: there may be more.
    more: bool,
    waiting: VecDeque<Offer>,
    /// Whose photos are being fetched.
    preparing: Option<Uuid>,
    /// Who can be sent at once, with the photos.
    ready: Option<(Uuid, Vec<Arc<str>>)>,
    under_way: Option<Offer>,
    /// Answered, and as far as is known not yet settled.
    answered: VecDeque<Uuid>,
    /// Whether the last that went out was a person.
    person_was_last: bool,
    /// Signs of life since anything happened.
    idle_for: u8,
}

impl Queue {
    /// Sync has offered something.
    pub(crate) const fn note_offers(&mut self) {
        self.unread = true;
    }

    /// How many rows to read, so that those that were answered hide none.
    pub(crate) fn rows_to_read(&self) -> usize {
        AT_ONCE + self.answered.len() + usize::from(self.under_way.is_some())
    }

    /// Offers are being read.
    pub(crate) const fn note_reading(&mut self) {
        self.unread = false;
    }

    /// They were read: this is what stands offered, at most `rows` of it.
    pub(crate) fn fill(&mut self, offers: Vec<Offer>, rows: usize) {
        self.more = offers.len() >= rows;
        if !self.more {
            self.answered
                .retain(|id| offers.iter().any(|offer| offer.id == *id));
        }
        let under_way = self.under_way.as_ref().map(|offer| offer.id);
        self.waiting = offers
            .into_iter()
            .filter(|offer| Some(offer.id) != under_way && !self.answered.contains(&offer.id))
            .collect();
        // Those beyond are read again later: there are more, though the read brought all.
        self.more |= self.waiting.len() > AT_ONCE;
        self.waiting.truncate(AT_ONCE);
        self.waiting.shrink_to_fit();
        // What was prepared may have changed, or somebody else goes first now. The photos are kept
        // elsewhere.
        self.ready = None;
    }

    /// Whether nothing is left that the session would have to remember.
    pub(crate) fn is_spent(&self) -> bool {
        !self.unread
            && !self.more
            && self.waiting.is_empty()
            && self.under_way.is_none()
            && self.answered.is_empty()
    }

    /// Whether nothing has happened for some signs of life: what was answered then need not be
    /// remembered, because sync has settled it or offers it anew.
    pub(crate) fn rests(&mut self) -> bool {
        let is_idle =
            !self.unread && !self.more && self.waiting.is_empty() && self.under_way.is_none();
        self.idle_for = if is_idle {
            self.idle_for.saturating_add(1)
        } else {
            0
        };
        self.idle_for > RESTS_AFTER
    }

    /// What is to be done so that the next one can be sent; nothing while that is being done.
    pub(crate) fn wanting(&mut self) -> Option<Wanting> {
        let front = self.waiting.front()?;
        let is_ready = self.ready.as_ref().is_some_and(|(id, _)| *id == front.id);
        match &front.what {
            What::Removal => {
                if !is_ready {
                    self.ready = Some((front.id, Vec::new()));
                }
                None
            }
            What::Person(_) if is_ready || self.preparing.is_some() => None,
            What::Person(profile) => {
                self.preparing = Some(front.id);
                Some(Wanting::Photos(front.id, profile.photos.clone()))
            }
            What::Unsendable(fault) => {
                let fault = *fault;
                let offer = self.waiting.pop_front()?;
                self.note_answered(offer.id);
                Some(Wanting::Unsendable(offer, fault))
            }
        }
    }

    /// The photos are there.
    pub(crate) fn prepared(&mut self, id: Uuid, photos: Vec<Arc<str>>) {
        self.preparing = None;
        if self.waiting.front().is_some_and(|front| front.id == id) {
            self.ready = Some((id, photos));
        }
    }

    /// The photos are not to be had: the offer, where it still waits. It is not sent.
    pub(crate) fn not_prepared(&mut self, id: Uuid) -> Option<Offer> {
        self.preparing = None;
        let place = self.waiting.iter().position(|offer| offer.id == id)?;
        self.note_answered(id);
        self.waiting.remove(place)
    }

    /// What goes next. `commands`: those of this urgency or of a lesser one may wait. `is_free`:
    /// whether the terminal takes anything now.
    pub(crate) fn next(&self, commands: Option<i16>, is_free: bool) -> Step {
        let unread = self.unread || (self.more && self.waiting.is_empty());
        if !is_free {
            return if unread {
                Step::Ask {
                    command_up_to: None,
                    offers: true,
                }
            } else {
                Step::Nothing
            };
        }
        let ready = self
            .waiting
            .front()
            .filter(|front| self.ready.as_ref().is_some_and(|(id, _)| *id == front.id));
        let goes_first =
            ready.is_some_and(|front| front.what == What::Removal || !self.person_was_last);
        let urgent = commands.is_some_and(|urgency| urgency <= BEFORE_PERSONS);
        if urgent || unread {
            let most = if unread || goes_first {
                BEFORE_PERSONS
            } else {
                i16::MAX
            };
            return Step::Ask {
                command_up_to: urgent.then_some(most),
                offers: unread,
            };
        }
        match (commands, ready) {
            (_, Some(_)) if goes_first => Step::Send,
            (Some(_), _) => Step::Ask {
                command_up_to: Some(i16::MAX),
                offers: false,
            },
            (None, Some(_)) => Step::Send,
            (None, None) => Step::Nothing,
        }
    }

    /// Takes the one that goes next, with its photos; it is under way from now on.
    pub(crate) fn take(&mut self) -> Option<(&Offer, Vec<Arc<str>>)> {
        let (id, photos) = self.ready.take()?;
        let offer = self.waiting.pop_front_if(|front| front.id == id)?;
        self.person_was_last = true;
        Some((self.under_way.insert(offer), photos))
    }

    /// It could not be sent now, or the terminal has forgotten it: it waits again, first of all.
    pub(crate) fn put_back(&mut self) {
        if let Some(offer) = self.under_way.take() {
            self.waiting.push_front(offer);
        }
    }

    /// A command went out.
    pub(crate) const fn note_command(&mut self) {
        self.person_was_last = false;
    }

    /// Whether this is the ticket of the one under way.
    pub(crate) fn is_under_way(&self, ticket: u128) -> bool {
        self.under_way
            .as_ref()
            .is_some_and(|offer| offer.id.as_u128() == ticket)
    }

    /// The terminal has answered, or was given up: the offer that was under way.
    pub(crate) fn finish(&mut self) -> Option<Offer> {
        let offer = self.under_way.take()?;
        self.note_answered(offer.id);
        Some(offer)
    }

    fn note_answered(&mut self, id: Uuid) {
        if self.answered.len() >= REMEMBERED {
            self.answered.pop_front();
        }
        self.answered.push_back(id);
        self.idle_for = 0;
    }
}

#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests"
)]
mod tests {
    use super::*;
    use crate::deliveries::offer::Profile;
    use gatehouse_domain::person::{Admittance, Gender};

    const ANY: Step = ask(Some(i16::MAX), false);

    const fn ask(command_up_to: Option<i16>, offers: bool) -> Step {
        Step::Ask {
            command_up_to,
            offers,
        }
    }

    fn id(number: u128) -> Uuid {
        Uuid::from_u128(number)
    }

    fn offer(number: u128, what: What) -> Offer {
        Offer {
            id: id(number),
            number: number.to_string(),
            what,
        }
    }

    fn removal(number: u128) -> Offer {
        offer(number, What::Removal)
    }

    fn addition(number: u128) -> Offer {
        let profile = Profile {
            is_known: false,
            content: Vec::new(),
            admittance: Admittance::Always,
            name: "a".into(),
            gender: Gender::Male,
            birthday_on: None,
            phone: None,
            valid_from: None,
            valid_to: None,
            welcome_text: None,
            display_text: None,
            card: None,
            photos: vec![Photo {
                number: "100000".into(),
                sha256: [1; 32],
            }],
            week: None,
        };
        offer(number, What::Person(Box::new(profile)))
    }

    fn filled(offers: Vec<Offer>) -> Queue {
        let mut queue = Queue::default();
        let rows = queue.rows_to_read();
        queue.fill(offers, rows);
        queue
    }

    /// Fetches photos and sends; the number that went out.
    fn send(queue: &mut Queue) -> Option<String> {
        if let Some(Wanting::Photos(id, _)) = queue.wanting() {
            queue.prepared(id, vec!["x".into()]);
        }
        queue.take().map(|(offer, _)| offer.number.clone())
    }

    #[test]
    fn who_has_nothing_to_tell_asks_for_commands_alone() {
        let queue = Queue::default();
        assert!(queue.is_spent());
        assert_eq!(queue.next(None, true), Step::Nothing);
        assert_eq!(queue.next(Some(0), true), ANY);
        assert_eq!(queue.next(Some(0), false), Step::Nothing);
    }

    #[test]
    fn offers_are_read_while_the_terminal_works_and_after_urgent_commands() {
        let mut queue = Queue::default();
        queue.note_offers();
        assert_eq!(queue.next(None, false), ask(None, true));
        assert_eq!(queue.next(None, true), ask(None, true));
        assert_eq!(queue.next(Some(0), true), ask(Some(BEFORE_PERSONS), true));
        assert_eq!(queue.next(Some(15), true), ask(None, true));
        queue.note_reading();
        assert!(queue.is_spent());
    }

    #[test]
    fn removals_go_before_other_commands_and_behind_urgent_ones() {
        let mut queue = filled(vec![removal(1), removal(2)]);
        assert_eq!(queue.wanting(), None, "nothing is to be fetched");
        assert_eq!(queue.next(Some(0), true), ask(Some(BEFORE_PERSONS), false));
        assert_eq!(queue.next(Some(15), true), Step::Send);
        assert_eq!(send(&mut queue).as_deref(), Some("1"));
        assert_eq!(queue.finish().unwrap().number, "1");
        queue.wanting();
        assert_eq!(queue.next(Some(15), true), Step::Send, "also the second");
    }

    #[test]
    fn additions_and_other_commands_take_turns() {
        let mut queue = filled(vec![addition(1), addition(2)]);
        assert_eq!(queue.next(Some(15), true), ANY, "photos are being fetched");
        assert_eq!(send(&mut queue).as_deref(), Some("1"));
        queue.finish();
        let Some(Wanting::Photos(next, _)) = queue.wanting() else {
            panic!("nothing to fetch")
        };
        queue.prepared(next, Vec::new());
        assert_eq!(queue.next(Some(15), true), ANY);
        queue.note_command();
        assert_eq!(queue.next(Some(15), true), Step::Send);
        assert_eq!(queue.next(Some(0), true), ask(Some(BEFORE_PERSONS), false));
        assert_eq!(queue.next(None, true), Step::Send);
    }

    #[test]
    fn whoever_stands_behind_a_full_read_has_a_turn() {
        let mut queue = filled((1..=16).map(addition).collect());
        for _ in 0..16 {
            send(&mut queue).unwrap();
            queue.finish();
        }
        assert_eq!(queue.next(None, true), ask(None, true));
        queue.note_reading();
        // Sync has settled all of them: fewer rows than could be read, and more than are taken at once.
        let rows = queue.rows_to_read();
        queue.fill((17..=34).map(addition).collect(), rows);
        for _ in 0..16 {
            send(&mut queue).unwrap();
            queue.finish();
        }
        assert_eq!(queue.next(None, true), ask(None, true), "two are left");
    }

    #[test]
    fn one_is_prepared_while_another_is_under_way() {
        let mut queue = filled(vec![addition(1), addition(2), addition(3)]);
        assert_eq!(send(&mut queue).as_deref(), Some("1"));
        assert!(matches!(queue.wanting(), Some(Wanting::Photos(two, _)) if two == id(2)));
        assert_eq!(queue.wanting(), None, "once");
        queue.prepared(id(2), Vec::new());
        assert_eq!(queue.wanting(), None, "one ahead, not more");
        assert_eq!(queue.next(None, false), Step::Nothing);
        assert!(queue.is_under_way(1) && !queue.is_under_way(2));
        queue.finish();
        assert_eq!(queue.next(None, true), Step::Send);
    }

    #[test]
    fn a_removal_that_is_offered_later_goes_first() {
        let mut queue = filled(vec![addition(1), addition(2)]);
        let Some(Wanting::Photos(..)) = queue.wanting() else {
            panic!("nothing to fetch")
        };
        queue.fill(vec![removal(3), addition(1), addition(2)], 100);
        assert_eq!(
            send(&mut queue).as_deref(),
            Some("3"),
            "it waits for no photo"
        );
        queue.finish();
        queue.prepared(id(1), vec!["x".into()]);
        assert_eq!(
            queue.next(None, true),
            Step::Send,
            "what was fetched meanwhile serves"
        );
        assert_eq!(send(&mut queue).as_deref(), Some("1"));
    }

    #[test]
    fn what_was_answered_is_not_sent_again_until_sync_has_settled_it() {
        let mut queue = filled(vec![removal(1), removal(2)]);
        send(&mut queue);
        queue.finish();
        send(&mut queue);
        queue.fill(vec![removal(1), removal(2)], 100);
        assert_eq!(send(&mut queue), None, "one is answered, one under way");
        queue.finish();
        assert!(!queue.is_spent());
        queue.fill(vec![removal(2)], 100);
        assert_eq!(queue.rows_to_read(), AT_ONCE + 1, "one is settled");
        queue.fill(Vec::new(), 100);
        assert!(queue.is_spent());
    }

    #[test]
    fn more_than_is_read_at_once_is_read_when_these_are_sent() {
        let mut queue = Queue::default();
        let rows = queue.rows_to_read();
        queue.fill((1..=20).map(removal).take(rows).collect(), rows);
        for _ in 0..AT_ONCE {
            assert_eq!(queue.next(None, false), Step::Nothing);
            assert!(send(&mut queue).is_some());
            assert_eq!(
                queue.next(None, false) == ask(None, true),
                queue.waiting.is_empty()
            );
            queue.finish();
        }
        assert_eq!(queue.rows_to_read(), 2 * AT_ONCE);
    }

    #[test]
    fn what_cannot_be_sent_makes_way() {
        let mut queue = filled(vec![
            offer(1, What::Unsendable(Fault::NO_PHOTO)),
            addition(2),
            removal(3),
        ]);
        assert!(
            matches!(queue.wanting(), Some(Wanting::Unsendable(one, Fault::NO_PHOTO)) if one.id == id(1))
        );
        assert!(matches!(queue.wanting(), Some(Wanting::Photos(two, _)) if two == id(2)));
        assert_eq!(queue.not_prepared(id(2)).unwrap().id, id(2));
        assert_eq!(queue.not_prepared(id(2)), None);
        assert_eq!(send(&mut queue).as_deref(), Some("3"));
    }

    #[test]
    fn what_the_terminal_forgot_goes_again() {
        let mut queue = filled(vec![removal(1), removal(2)]);
        send(&mut queue);
        queue.put_back();
        assert_eq!(send(&mut queue).as_deref(), Some("1"));
    }
}
