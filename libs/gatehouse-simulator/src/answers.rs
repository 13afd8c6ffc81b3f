//! What a terminal does with each command of the cloud, and what it answers.

use std::sync::Arc;
use std::time::Duration;

use chrono::Utc;
use serde_json::{Map, Value};
use tokio::time::{Instant, sleep};

use crate::engine::{Engine, Order, UpgradeStep};
use crate::event::{DoorCause, Event};
use crate::firmware;
use crate::parameters;
use crate::person;
use crate::profile::{Answer, Camera, Upgrade};
use crate::wire::{self, Writer};

/// A command as it came.
#[derive(Debug, Clone)]
pub(crate) struct Command {
    pub(crate) msg_type: String,
    pub(crate) msg_id: String,
    /// Always an object.
    pub(crate) body: Arc<Value>,
}

impl Command {
    /// A field of the type that the document gives: string.
    pub(crate) fn text(&self, key: &str) -> Option<&str> {
        self.body.get(key).and_then(Value::as_str)
    }

    fn object(&self) -> Option<&Map<String, Value>> {
        self.body.as_object()
    }
}

/// An answer, ready to be sent.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    pub(crate) msg_type: String,
    pub(crate) msg_id: String,
    pub(crate) error_code: String,
    pub(crate) text: String,
}

impl Engine {
    pub(crate) fn on_command(&mut self, command: Command) {
        let Command {
            msg_type,
            msg_id,
            body,
        } = command.clone();
        self.shared.note(|| Event::Command {
            msg_type,
            msg_id,
            body,
            at: Utc::now(),
        });
        let answer = {
            let state = self.shared.state();
            let about = person::first_id(&command.body);
            about
                .and_then(|id| state.person_answers.get(&id))
                .unwrap_or_else(|| state.respond.answer_to(&command.msg_type))
                .clone()
        };
        let (delay, copies) = match answer {
            Answer::Never => return,
            Answer::Code(error_code) => {
                let reply = self.reply(&command, &error_code);
                return self.send_reply(reply);
            }
            Answer::Normally => (Duration::ZERO, 1),
            Answer::Unanswered => (Duration::ZERO, 0),
            Answer::After(delay) => (delay, 1),
            Answer::Twice => (Duration::ZERO, 2),
        };
        let due_at = Instant::now() + delay;
        let Some(reply) = self.perform(&command, due_at) else {
            return self.send_person(Instant::now());
        };
        if command.msg_type == "onlineReboot" && reply.error_code == "100" {
            self.reboot_at = Some(due_at + self.shared.profile.reboot_after);
        }
        for _ in 0..copies {
            if delay.is_zero() {
                self.send_reply(reply.clone());
            } else {
                self.delayed.push((due_at, reply.clone()));
            }
        }
    }

    /// Does it. `None` when the answers come as a stream of people.
    fn perform(&mut self, command: &Command, due_at: Instant) -> Option<Reply> {
        if !self.is_well_addressed(command) {
            return Some(self.reply(command, "200"));
        }
        Some(match command.msg_type.as_str() {
            "onlineOpen" => match command.text("msg") {
                Some(message) => {
                    self.shared.open_door(message, DoorCause::Command);
                    self.reply(command, "100")
                }
                None => self.reply(command, "200"),
            },
            "onlineUpdate" => self.upgrade(command),
            // The restart itself follows the answer.
            "onlineReboot" => self.reply(command, "100"),
            "onlineSetDevInfo" => self.set_parameters(command),
            "onlineGetDevInfo" => self.parameters(command),
            "registerPersonInfo" => self.register_person(command),
            "onlineGetRegister" => return self.start_people(command, due_at),
            "onlineStopGetRegister" => {
                self.people = None;
                self.reply(command, "100")
            }
            "onlineGetRegisterCount" => self.count_people(command),
            "onlineGetRegisterByIndex" => self.person_by_index(command),
            "onlineGetPhoto" => self.photo(command),
            "onlineDeleteSnapRecord" => {
                // Records that wait for their upload are kept; the document does not say.
                self.shared.note(|| Event::RecordsCleared);
                self.reply(command, "100")
            }
            _ => self.reply(command, "203"),
        })
    }

    /// Whether `msgID` and `deviceNo` are as the tables say: an id of at most 64 characters, and
    /// this terminal's number where the table has one (and where it has none, if it is sent).
    fn is_well_addressed(&self, command: &Command) -> bool {
        let device_no = command.text("deviceNo");
        let wants_device_no = matches!(
            command.msg_type.as_str(),
            "onlineOpen" | "registerPersonInfo"
        );
        let is_ours = match device_no {
            Some(device_no) => {
                device_no == self.shared.profile.sn || device_no == self.shared.device_no()
            }
            None => !wants_device_no,
        };
        if !is_ours {
            let device_no = device_no.unwrap_or_default().to_owned();
            let msg_id = command.msg_id.clone();
            self.shared
                .note(|| Event::Misaddressed { msg_id, device_no });
        }
        is_ours && (1..=64).contains(&command.msg_id.len())
    }

    fn reply(&self, command: &Command, error_code: &str) -> Reply {
        let name = format!("{}Resp", command.msg_type);
        self.named_reply(command, &name, error_code, |_| {})
    }

    /// An answer with the fields that all answers have, and more.
    pub(crate) fn named_reply(
        &self,
        command: &Command,
        name: &str,
        error_code: &str,
        more: impl FnOnce(&mut Writer<'_>),
    ) -> Reply {
        let quirks = self.shared.profile.quirks;
        let mut writer = Writer::new(&self.shared.profile, 256);
        match name {
            "onlineGetDevInfoResp" if quirks.parameters_without_msg_type => {}
            "onlineGetRegisterCountResp" if quirks.count_answer_leading_space => {
                writer.field("msgType", " onlineGetRegisterCountResp");
            }
            name => {
                writer.field("msgType", name);
            }
        }
        writer
            .field("msgID", &command.msg_id)
            .field("deviceNo", self.shared.device_no())
            .field("token", &self.token)
            .field("errorCode", error_code)
            .field("msg", wire::code_text(error_code));
        more(&mut writer);
        Reply {
            msg_type: name.to_owned(),
            msg_id: command.msg_id.clone(),
            error_code: error_code.to_owned(),
            text: writer.finish(),
        }
    }

    /// Section 2.1.6.
    fn set_parameters(&self, command: &Command) -> Reply {
        let faults = &self.shared.profile.faults;
        let Some(body) = command.object() else {
            return self.reply(command, "400");
        };
        if faults.wants_full_parameter_set && !parameters::is_full_set(body) {
            return self.reply(command, "400");
        }
        let mut state = self.shared.state();
        let Some(changes) = parameters::changes(&state.parameters, body) else {
            drop(state);
            return self.reply(command, "400");
        };
        for (name, value) in changes {
            if faults.silently_ignored_parameter.as_ref() != Some(&name) {
                state.parameters.insert(name, value);
            }
        }
        drop(state);
        self.reply(command, "100")
    }

    /// Section 2.1.7.
    fn parameters(&self, command: &Command) -> Reply {
        let set = self.shared.state().parameters.clone();
        let quirks = self.shared.profile.quirks;
        self.named_reply(command, "onlineGetDevInfoResp", "100", |writer| {
            for (name, value) in set.iter() {
                match name.as_str() {
                    "deviceNumber" if value.is_empty() => {
                        writer.field(name, &self.shared.profile.sn);
                    }
                    "faceRFIDCardEnable" if quirks.duplicate_parameter => {
                        let number = value.parse::<i64>().unwrap_or_default();
                        writer.field(name, "1").value(name, &Value::from(number));
                    }
                    _ => {
                        writer.field(name, value);
                    }
                }
            }
        })
    }

    /// Section 2.2.1.
    fn register_person(&self, command: &Command) -> Reply {
        let Some(body) = command.object() else {
            return self.reply(command, "300");
        };
        let done = {
            let mut state = self.shared.state();
            let rules = person::Rules {
                profile: &self.shared.profile,
                capacity: state.person_capacity,
            };
            person::register(&mut state.persons, rules, body)
        };
        match done {
            Ok(()) => self.reply(command, "100"),
            Err(error_code) => self.reply(command, &error_code),
        }
    }

    /// Section 2.2.4.
    fn count_people(&self, command: &Command) -> Reply {
        let number = self.shared.state().persons.len().to_string();
        self.named_reply(command, "onlineGetRegisterCountResp", "100", |writer| {
            writer.field("personNum", &number);
        })
    }

    /// Section 2.3.2.
    fn photo(&self, command: &Command) -> Reply {
        let camera = self.shared.state().camera.clone();
        let face_wanted = match command.text("photoType") {
            Some("0") => true,
            Some("1") => false,
            _ => return self.reply(command, "200"),
        };
        match camera {
            Camera::TimesOut => self.reply(command, "600"),
            Camera::NoFace if face_wanted => self.reply(command, "601"),
            Camera::NoFace => self.named_reply(command, "onlineGetPhotoResp", "100", |writer| {
                writer.base64("photo", &crate::photo::jpeg(0, 0));
            }),
            Camera::Shows(jpeg) => {
                self.named_reply(command, "onlineGetPhotoResp", "100", |writer| {
                    writer.base64("photo", &jpeg);
                })
            }
        }
    }

    /// Section 2.1.4: progress 500 and 501 (as section 3.2 numbers them), then 100 or a failure.
    fn upgrade(&mut self, command: &Command) -> Reply {
        let url = command
            .text("updateUrl")
            .filter(|url| !url.is_empty() && url.len() <= 256);
        let length = command
            .text("updateKey")
            .and_then(|key| key.parse::<u64>().ok());
        let is_known = matches!(command.text("updateType"), Some("0" | "1" | "3"));
        let (Some(url), Some(length), true) = (url, length, is_known) else {
            return self.reply(command, "200");
        };
        let how = self.shared.profile.upgrade.clone();
        if self.is_upgrading || how.fails_with.as_deref() == Some("507") {
            return self.reply(command, "507");
        }
        self.is_upgrading = true;
        let (command_here, url, orders) =
            (command.clone(), url.to_owned(), self.own_orders.clone());
        tokio::spawn(async move {
            let tell = |error_code: &str, ended| {
                let (command, error_code) = (command_here.clone(), error_code.to_owned());
                if let Some(orders) = orders.upgrade() {
                    let step = UpgradeStep {
                        command,
                        error_code,
                        ended,
                    };
                    let _ = orders.send(Order::UpgradeStep(Box::new(step)));
                }
            };
            match install(&how, &url, length, || tell("501", None)).await {
                Ok(bytes) => tell("100", Some(bytes)),
                Err(error_code) => tell(&error_code, Some(0)),
            }
        });
        self.reply(command, "500")
    }

    pub(crate) fn on_upgrade_step(&mut self, step: UpgradeStep) {
        let UpgradeStep {
            command,
            error_code,
            ended,
        } = step;
        if let Some(bytes) = ended {
            self.is_upgrading = false;
            if error_code == "100" {
                let url = command.text("updateUrl").unwrap_or_default().to_owned();
                self.shared.note(|| Event::Upgraded { url, bytes });
            }
        }
        let reply = self.reply(&command, &error_code);
        self.send_reply(reply);
    }
}

async fn install(
    how: &Upgrade,
    url: &str,
    length: u64,
    on_upgrading: impl FnOnce(),
) -> Result<u64, String> {
    sleep(how.step).await;
    let fails_at = |codes: &[&str]| match &how.fails_with {
        Some(error_code) if codes.contains(&error_code.as_str()) => Err(error_code.clone()),
        _ => Ok(()),
    };
    fails_at(&["502"])?;
    let bytes = if how.download {
        firmware::download(url, length).await?
    } else {
        0
    };
    fails_at(&["503", "504", "505"])?;
    on_upgrading();
    sleep(how.step).await;
    match &how.fails_with {
        Some(error_code) => Err(error_code.clone()),
        None => Ok(bytes),
    }
}
