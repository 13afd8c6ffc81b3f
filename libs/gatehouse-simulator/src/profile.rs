//! What a simulated terminal is like: who it is, how it behaves and how it misbehaves.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;

use crate::parameters::Parameters;
use crate::person::Person;
use crate::photo;

/// How `register` is signed (004 section 2.1.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SignStyle {
    /// MD5 of deviceNo + registerTime + rand + deviceNo, upper case.
    #[default]
    Correct,
    /// The right digest in lower case.
    LowerCase,
    /// A well-formed digest of something else.
    Wrong,
    /// No `sign` field.
    Missing,
}

/// How a terminal answers one kind of command.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Answer {
    /// Does it and answers as the document says.
    #[default]
    Normally,
    /// Does not do it and answers with this `errorCode`; `msg` is the document's text for it.
    Code(String),
    /// Does not do it and never answers.
    Never,
    /// Does it and never answers.
    Unanswered,
    /// Does it at once and answers after this time.
    After(Duration),
    /// Does it once and sends the same answer twice.
    Twice,
}

/// How a terminal answers commands, by `msgType`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Respond {
    otherwise: Answer,
    by_type: BTreeMap<String, Answer>,
}

impl Respond {
    /// As the document says.
    pub fn normally() -> Self {
        Self::default()
    }

    /// This code to everything.
    pub fn with_code(error_code: &str) -> Self {
        Self::always(Answer::Code(error_code.to_owned()))
    }

    /// Deaf to commands.
    pub fn never() -> Self {
        Self::always(Answer::Never)
    }

    /// Every answer after this time.
    pub fn slowly(after: Duration) -> Self {
        Self::always(Answer::After(after))
    }

    /// The same for every command.
    pub fn always(answer: Answer) -> Self {
        Self {
            otherwise: answer,
            by_type: BTreeMap::new(),
        }
    }

    /// Another way for commands of one `msgType`, for example `onlineOpen`.
    #[must_use]
    pub fn to(mut self, msg_type: &str, answer: Answer) -> Self {
        self.by_type.insert(msg_type.to_owned(), answer);
        self
    }

    pub(crate) fn answer_to(&self, msg_type: &str) -> &Answer {
        self.by_type.get(msg_type).unwrap_or(&self.otherwise)
    }
}

/// Deliberate misbehaviour.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Faults {
    /// Connects and never registers; [`crate::Terminal::connect`] then returns after the handshake.
    pub never_register: bool,
    /// Sends no keep-alive after registering.
    pub never_keep_alive: bool,
    /// Uses this token instead of the one it was given.
    pub wrong_token: Option<String>,
    /// Uses this `deviceNo` in every message after `register`.
    pub other_device_no: Option<String>,
    /// Ignores this parameter of `onlineSetDevInfo` and answers 100 all the same.
    pub silently_ignored_parameter: Option<String>,
    /// Counts its records from 1001 again after every connect, as after a factory reset.
    pub restart_message_ids: bool,
    /// Overlooks the first answers to each record, so that it comes again.
    pub answers_overlooked: u32,
    /// Sends JSON in binary frames.
    pub binary_frames: bool,
    /// Cuts every message into frames of this many bytes.
    pub fragment_bytes: Option<usize>,
    /// Answers 400 to `onlineSetDevInfo` when a field that the document marks "Y" is absent.
    pub wants_full_parameter_set: bool,
}

/// Name of the message that carries one person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PersonAnswerName {
    /// As the tables say: `onlineGetRegisterResp`, `onlineGetRegisterByIndexResp`.
    #[default]
    Table,
    /// As the samples say: `onlineGetRegisterInfoResp` for both.
    Sample,
}

/// The document's own contradictions, each as a way of writing that some terminal has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Quirks {
    /// `"msgType "` and `"errorCode "` (2.2.1, sample 5).
    pub keys_with_trailing_space: bool,
    /// A comma before the last brace (2.2.2, 2.2.4, 2.3.3).
    pub trailing_comma: bool,
    /// Records end in a `data` key without the comma before it (later firmware).
    pub no_comma_before_data: bool,
    /// `RegisterPhotoID2` and `RegisterPhoto3` (tables of 2.2.1, 2.2.2).
    pub capital_photo_keys: bool,
    /// `onlineGetDevInfoResp` without `msgType` (sample of 2.1.7).
    pub parameters_without_msg_type: bool,
    /// `faceRFIDCardEnable` twice, first an old string, then the true value as a number (sample of
    /// 2.1.7).
    pub duplicate_parameter: bool,
    /// Which name carries a person.
    pub person_answer_name: PersonAnswerName,
    /// `" onlineGetRegisterCountResp"` (sample of 2.2.4).
    pub count_answer_leading_space: bool,
    /// The token with a space behind it (tables from 2.2.2 on).
    pub token_with_trailing_space: bool,
}

/// What `onlineGetPhoto` finds (section 2.3.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Camera {
    /// This JPEG.
    Shows(Bytes),
    /// 601 to photoType 0; an empty scene to photoType 1.
    NoFace,
    /// 600.
    TimesOut,
}

/// How `onlineUpdate` goes (section 2.1.4).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upgrade {
    /// Downloads `updateUrl` over plain HTTP and compares its length with `updateKey`: 502, 503.
    pub download: bool,
    /// Ends with this code, 502 to 507, instead of 100.
    pub fails_with: Option<String>,
    /// Time between the progress messages.
    pub step: Duration,
}

impl Default for Upgrade {
    fn default() -> Self {
        Self {
            download: true,
            fails_with: None,
            step: Duration::from_millis(50),
        }
    }
}

/// One simulated terminal.
#[derive(Debug, Clone)]
pub struct TerminalProfile {
    /// Serial number, sent as `deviceNo`.
    pub sn: String,
    /// Full ws:// or wss:// URL with the token in its path.
    pub url: String,
    /// Zone of the terminal's wall clock, minutes east of UTC.
    pub utc_offset_minutes: i32,
    /// How far its clock is ahead before it has registered, milliseconds.
    pub clock_skew_ms: i64,
    /// Sets its clock by `registerTime`, as the document says; otherwise the skew stays.
    pub sync_clock: bool,
    /// Signature of `register`.
    pub sign: SignStyle,
    /// Time between keep-alives.
    pub keep_alive_every: Duration,
    /// Three NUL bytes behind every message.
    pub nul_padding: bool,
    /// A byte order mark before every message.
    pub bom: bool,
    /// Longitude and latitude, sent with keep-alives.
    pub position: Option<(String, String)>,
    /// `softwareVersion`.
    pub software_version: String,
    /// Ways of writing.
    pub quirks: Quirks,
    /// Ways of misbehaving.
    pub faults: Faults,
    /// Ways of answering commands.
    pub respond: Respond,
    /// Device parameters at start.
    pub parameters: Parameters,
    /// Registered people at start.
    pub persons: Vec<Person>,
    /// How many people it holds; 302 beyond.
    pub person_capacity: usize,
    /// `errorCode` for people with these ids, for example 301.
    pub person_errors: BTreeMap<String, String>,
    /// Keeps the photos of registered people; a benchmark need not.
    pub keep_person_photos: bool,
    /// Sends a person of `onlineGetRegister` again after this time without acknowledgement.
    pub person_resend_after: Duration,
    /// What the camera sees.
    pub camera: Camera,
    /// How upgrades go.
    pub upgrade: Upgrade,
    /// Sends a record again after this time without an answer.
    pub resend_after: Duration,
    /// Keeps sending a record that was answered with another code than 100, as real ones do.
    pub resend_refused: bool,
    /// How many records may wait for their answer at the same time; later ones queue.
    pub records_in_flight: usize,
    /// Time-out for connect, handshake and registration together.
    pub connect_timeout: Duration,
    /// Shortest and longest back-off of a reconnecting terminal; jittered, doubling.
    pub reconnect: (Duration, Duration),
    /// From the answer to `onlineReboot` to the cut.
    pub reboot_after: Duration,
    /// From the cut to the next connect.
    pub boot_time: Duration,
    /// How many events are kept; 0 keeps none.
    pub event_limit: usize,
    /// Seed of what is random in it.
    pub seed: u64,
}

impl TerminalProfile {
    /// A well-behaved terminal at UTC+8 with the document's parameters and nobody registered.
    pub fn new(url: &str, sn: &str) -> Self {
        Self {
            sn: sn.to_owned(),
            url: url.to_owned(),
            utc_offset_minutes: 480,
            clock_skew_ms: 0,
            sync_clock: true,
            sign: SignStyle::Correct,
            keep_alive_every: Duration::from_secs(30),
            nul_padding: false,
            bom: false,
            position: None,
            software_version: "2.1.9 2020-02-13".to_owned(),
            quirks: Quirks::default(),
            faults: Faults::default(),
            respond: Respond::normally(),
            parameters: Parameters::default(),
            persons: Vec::new(),
            person_capacity: 20_000,
            person_errors: BTreeMap::new(),
            keep_person_photos: true,
            person_resend_after: Duration::from_secs(5),
            camera: Camera::Shows(default_view()),
            upgrade: Upgrade::default(),
            resend_after: Duration::from_secs(5),
            resend_refused: true,
            records_in_flight: 8,
            connect_timeout: Duration::from_secs(15),
            reconnect: (Duration::from_secs(1), Duration::from_secs(30)),
            reboot_after: Duration::from_millis(200),
            boot_time: Duration::from_secs(2),
            event_limit: 10_000,
            seed: 1,
        }
    }
}

/// One picture shared by all terminals of the process.
fn default_view() -> Bytes {
    static VIEW: std::sync::LazyLock<Bytes> =
        std::sync::LazyLock::new(|| Bytes::from(photo::jpeg(8, 0)));
    VIEW.clone()
}
