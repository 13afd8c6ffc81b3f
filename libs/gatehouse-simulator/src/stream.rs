//! `onlineGetRegister`: one person per message, each sent again until the cloud acknowledges its
//! index (004 section 2.2.2).

use serde_json::{Map, Value};
use tokio::time::Instant;

use crate::answers::{Command, Reply};
use crate::engine::{Engine, Out};
use crate::event::Event;
use crate::person::Person;
use crate::profile::PersonAnswerName;
use crate::wire;

#[derive(Debug)]
pub(crate) struct PersonStream {
    command: Command,
    ids: Vec<String>,
    index: usize,
    /// When the person at `index` is sent, or sent again.
    pub(crate) due_at: Instant,
}

impl Engine {
    /// Starts at the first person. With nobody registered the document says nothing; the terminal
    /// then answers once, with personNum "0" and no person.
    pub(crate) fn start_people(&mut self, command: &Command, at: Instant) -> Option<Reply> {
        let ids: Vec<String> = self.shared.state().persons.keys().cloned().collect();
        if ids.is_empty() {
            let name = self.person_answer_name();
            let empty = |writer: &mut wire::Writer<'_>| {
                writer.field("personNum", "0");
            };
            return Some(self.named_reply(command, name, "100", empty));
        }
        self.people = Some(PersonStream {
            command: command.clone(),
            ids,
            index: 0,
            due_at: at,
        });
        None
    }

    fn person_answer_name(&self) -> &'static str {
        match self.shared.profile.quirks.person_answer_name {
            PersonAnswerName::Table => "onlineGetRegisterResp",
            PersonAnswerName::Sample => "onlineGetRegisterInfoResp",
        }
    }

    /// Sends the person whose turn it is, if it is time.
    pub(crate) fn send_person(&mut self, now: Instant) {
        let Some(mut people) = self.people.take_if(|people| people.due_at <= now) else {
            return;
        };
        // Those deleted meanwhile are passed over.
        let person: Option<Person> = loop {
            let Some(id) = people.ids.get(people.index) else {
                break None;
            };
            match self.shared.state().persons.get(id) {
                Some(person) => break Some(person.clone()),
                None => people.index += 1,
            }
        };
        let Some(person) = person else { return };
        let (number, index) = (people.ids.len().to_string(), people.index.to_string());
        let name = self.person_answer_name();
        let reply = self.named_reply(&people.command, name, "100", |writer| {
            writer.field("personNum", &number).field("index", &index);
            person.write(writer);
        });
        people.due_at = now + self.shared.profile.person_resend_after;
        self.people = Some(people);
        self.send_reply(reply);
    }

    /// The cloud's `onlineGetRegisterResp`.
    pub(crate) fn on_person_acknowledged(
        &mut self,
        msg_type: String,
        msg_id: String,
        body: &Map<String, Value>,
    ) {
        let index = wire::string(body, "index").unwrap_or_default();
        let is_accepted = wire::string(body, "errorCode") == Some("100");
        let Some(people) = self.people.as_mut().filter(|people| {
            is_accepted && people.command.msg_id == msg_id && people.index.to_string() == index
        }) else {
            self.shared.note(|| Event::StrayAnswer { msg_type, msg_id });
            return;
        };
        people.index += 1;
        people.due_at = Instant::now();
        if people.index >= people.ids.len() {
            self.people = None;
        }
        let index = index.to_owned();
        self.shared.note(|| Event::PersonAcknowledged { index });
        self.send_person(Instant::now());
    }

    /// `onlineGetRegisterByIndex`; an index out of range is answered 200.
    pub(crate) fn person_by_index(&self, command: &Command) -> Reply {
        let index = command
            .text("index")
            .and_then(|index| index.parse::<usize>().ok());
        let person = index.and_then(|index| {
            self.shared
                .state()
                .persons
                .values()
                .nth(index)
                .cloned()
                .map(|person| (index, person))
        });
        let name = match self.shared.profile.quirks.person_answer_name {
            PersonAnswerName::Table => "onlineGetRegisterByIndexResp",
            PersonAnswerName::Sample => "onlineGetRegisterInfoResp",
        };
        match person {
            Some((index, person)) => self.named_reply(command, name, "100", |writer| {
                writer.field("index", &index.to_string());
                person.write(writer);
            }),
            None => self.named_reply(command, name, "200", |_| {}),
        }
    }
}

impl Engine {
    /// An answer goes out.
    pub(crate) fn send_reply(&mut self, reply: Reply) {
        let Reply {
            msg_type,
            msg_id,
            error_code,
            text,
        } = reply;
        self.out.push(Out::Text(text));
        self.shared.note(|| Event::Answered {
            msg_type,
            msg_id,
            error_code,
        });
    }
}
