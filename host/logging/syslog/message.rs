//! What is said to the system log.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::super::entry::{Entry, plain, shorten};
use super::super::format::{Default, Format, PROGRAM, process};
use crate::config::{Logging, Protocol, Receiver, SyslogForm};
use crate::problem::push_escaped;

/// Octets of a message in a datagram that travels: what a receiver ought to take (RFC 5426, section
/// 3.2). A longer one may arrive in part, or not at all.
const MOST_UDP: usize = 2048;
/// Octets of any other message: what rsyslog takes unless told otherwise, which is less than 8 KiB.
const MOST: usize = 8096;

/// Octets that a field in structured data has beside its name and its value, with the words for what is
/// left out of it.
const FRAME: usize = 4 + 32;

/// The name of the structured data. We hold no enterprise number; this one belongs to nobody
/// (RFC 5612).
const SD_ID: &str = "gordon-janitor@32473";

/// Builds messages.
#[derive(Debug)]
pub(super) struct Messages {
    facility: u8,
    form: SyslogForm,
    format: Format,
    /// Whether the receiver is on this machine.
    is_local: bool,
    /// Whether `fmt` is configured, and takes the place of the bare message.
    is_formatted: bool,
    host: String,
    most: usize,
}

impl Messages {
    pub(super) fn new(logging: &Logging) -> Self {
        let is_local = matches!(logging.syslog.receiver, Receiver::Socket(_));
        let is_udp = !is_local && logging.syslog.protocol == Protocol::Udp;
        Self {
            facility: logging.syslog.facility,
            form: logging.syslog.form,
            format: Format::new(
                logging.fmt.as_ref(),
                logging.datefmt.as_ref(),
                Default::Syslog,
            ),
            is_local,
            is_formatted: logging.fmt.is_some(),
            host: super::super::host_name(),
            most: if is_udp { MOST_UDP } else { MOST },
        }
    }

    /// The message that says `entry`.
    pub(super) fn message(&self, entry: &Entry<'_>) -> String {
        let priority = u16::from(self.facility) * 8 + u16::from(entry.severity.syslog());
        let mut message = format!("<{priority}>");
        let text = match self.form {
            SyslogForm::Rfc3164 => {
                self.older_header(&mut message, entry);
                self.format.text(entry)
            }
            SyslogForm::Rfc5424 => {
                self.header(&mut message, entry);
                if self.is_formatted {
                    self.format.text(entry)
                } else {
                    entry.message.clone().into_owned()
                }
            }
        };
        self.append(&mut message, &text);
        message
    }

    /// `TIMESTAMP [HOSTNAME] TAG` (RFC 3164, section 4.1).
    ///
    /// The original sent none of it. rsyslog takes the first 16 octets on its local socket for the
    /// time, whatever they are, and on the network the second word for the host.
    fn older_header(&self, message: &mut String, entry: &Entry<'_>) {
        // On a machine without a host name, as the C library does: there it would be read as the tag.
        // On the network a time of the older kind would be one in the receiver's zone.
        let time = if self.is_local {
            let time = entry.time.to_zoned(TimeZone::UTC);
            time.strftime("%b %e %H:%M:%S").to_string()
        } else {
            let host = printable(&self.host, 255);
            format!("{} {host}", timestamp(entry.time))
        };
        message.push_str(&format!("{time} {PROGRAM}[{}]: ", process()));
    }

    /// `1 TIMESTAMP HOSTNAME APP-NAME PROCID MSGID STRUCTURED-DATA ` (RFC 5424, section 6).
    fn header(&self, message: &mut String, entry: &Entry<'_>) {
        let code = entry.fields.iter().find(|(name, _)| name == "code");
        let kind = match code {
            Some((_, code)) => plain(code),
            None => entry.target.as_ref().into(),
        };
        message.push_str(&format!(
            "1 {} {} {PROGRAM} {} {} ",
            timestamp(entry.time),
            printable(&self.host, 255),
            process(),
            printable(&kind, 32)
        ));
        let fields = entry.all_fields().collect::<Vec<_>>();
        if fields.is_empty() {
            message.push_str("- ");
            return;
        }
        message.push('[');
        message.push_str(SD_ID);
        // Half of the message at most: its text has to be readable as well.
        let most = message.len() + self.most / 2;
        let mut left_out = 0;
        for (name, value) in fields {
            let name = sd_name(name);
            let left = most.saturating_sub(message.len() + name.len() + FRAME);
            if left == 0 {
                left_out += 1;
                continue;
            }
            let mut escaped = String::with_capacity(value.len());
            for character in value.chars() {
                if matches!(character, '"' | '\\' | ']') {
                    escaped.push('\\');
                }
                push_escaped(&mut escaped, character);
            }
            shorten(&mut escaped, left);
            message.push_str(&format!(" {name}=\"{escaped}\""));
        }
        if left_out > 0 {
            message.push_str(&format!(" left_out=\"{left_out} fields\""));
        }
        message.push_str("] ");
    }

    /// Adds the text in one line, cut where a receiver would cut it.
    fn append(&self, message: &mut String, text: &str) {
        /// Octets of the words that say how much is left out.
        const WORDS: usize = 48;
        let mut line = String::with_capacity(text.len());
        text.chars()
            .for_each(|character| push_escaped(&mut line, character));
        if message.len() + line.len() > self.most {
            let room = self.most.saturating_sub(message.len() + WORDS);
            shorten(&mut line, room);
        }
        message.push_str(&line);
    }
}

fn timestamp(time: Timestamp) -> String {
    format!("{time:.6}")
}

/// What may stand in a header: printable ASCII without spaces; `-` if nothing is left.
fn printable(text: &str, most: usize) -> String {
    let kept: String = text
        .chars()
        .filter(char::is_ascii_graphic)
        .take(most)
        .collect();
    if kept.is_empty() {
        "-".to_owned()
    } else {
        kept
    }
}

/// A name in structured data: up to 32 characters, and none that would end it.
fn sd_name(name: &str) -> String {
    let kept = name.chars().map(|character| match character {
        '=' | ']' | '"' => '_',
        character if character.is_ascii_graphic() => character,
        _ => '_',
    });
    kept.take(32).collect()
}

#[cfg(test)]
mod tests {
    use super::super::super::level::Severity;
    use super::*;

    fn messages(form: SyslogForm) -> Messages {
        let mut logging = Logging::default();
        logging.syslog.form = form;
        logging.syslog.facility = 3;
        Messages {
            host: "ns1.example.net".to_owned(),
            ..Messages::new(&logging)
        }
    }

    fn entry(message: &str) -> Entry<'_> {
        Entry {
            time: "2017-11-06T20:26:40.968Z".parse().unwrap(),
            target: "gordon_janitor::report".into(),
            fields: vec![("zone".into(), "a \"b\" [c]\n".into())],
            plugin: Some("files.zones".into()),
            ..Entry::new(Severity::Warning, message)
        }
    }

    #[test]
    fn the_older_form_is_a_header_and_the_line_of_the_original() {
        let mut messages = messages(SyslogForm::Rfc3164);
        let process = process();
        let line = format!(
            "2017-11-06T20:26:40.968Z gordon-janitor ({process}): zone left out \
             zone=\"a \\\"b\\\" [c]\\n\" plugin=files.zones"
        );
        assert_eq!(
            messages.message(&entry("zone left out")),
            format!("<28>Nov  6 20:26:40 gordon-janitor[{process}]: {line}")
        );
        messages.is_local = false;
        assert_eq!(
            messages.message(&entry("zone left out")),
            format!(
                "<28>2017-11-06T20:26:40.968000Z ns1.example.net gordon-janitor[{process}]: {line}"
            )
        );
    }

    #[test]
    fn the_newer_form_has_a_header_and_structured_data() {
        let message = messages(SyslogForm::Rfc5424).message(&entry("zone\nleft out"));
        let process = process();
        assert_eq!(
            message,
            format!(
                "<28>1 2017-11-06T20:26:40.968000Z ns1.example.net gordon-janitor {process} \
                 gordon_janitor::report [gordon-janitor@32473 zone=\"a \\\"b\\\" [c\\]\\n\" \
                 plugin=\"files.zones\"] zone\\nleft out"
            )
        );
        let mut bare = entry("done");
        bare.fields = vec![("code".into(), "GJ701".into())];
        bare.plugin = None;
        let message = messages(SyslogForm::Rfc5424).message(&bare);
        assert!(
            message.contains(" GJ701 [gordon-janitor@32473 code=\"GJ701\"] done"),
            "{message}"
        );
    }

    #[test]
    fn a_message_is_never_longer_than_a_receiver_takes() {
        for form in [SyslogForm::Rfc3164, SyslogForm::Rfc5424] {
            let long = "é\u{1b}".repeat(8000);
            let mut entry = entry(&long);
            let names = (0..64).map(|number| format!("name-{number:027}"));
            entry.fields = names
                .map(|name| (name.into(), "\u{1b}x".repeat(9000).into()))
                .collect();
            for most in [MOST, MOST_UDP] {
                let mut messages = messages(form);
                messages.most = most;
                let message = messages.message(&entry);
                assert!(message.ends_with(" octets left out)"), "{message}");
                assert!(message.len() <= most, "{form:?}: {} octets", message.len());
            }
        }
    }

    #[test]
    fn fields_that_there_is_no_room_for_are_counted() {
        let mut entry = entry("m");
        entry.fields = [9000, 3, 3]
            .map(|length| ("n".into(), "v".repeat(length).into()))
            .to_vec();
        let message = messages(SyslogForm::Rfc5424).message(&entry);
        assert!(
            message.contains(" octets left out)\" left_out=\"3 fields\"] m"),
            "{message}"
        );
    }

    #[test]
    fn names_in_structured_data_cannot_end_it() {
        assert_eq!(sd_name("a=b]c\"d e"), "a_b_c_d_e");
        assert_eq!(printable("", 5), "-");
        assert_eq!(printable("a b\u{e9}c", 2), "ab");
    }
}
