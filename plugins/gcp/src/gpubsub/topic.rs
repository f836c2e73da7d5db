//! The topic that messages go to.

use std::fmt;

use janitor_plugin_api::Error;

/// A topic of some project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Topic {
    project: String,
    name: String,
}

impl Topic {
    /// The topic that the settings mean: `projects/PROJECT/topics/NAME` is that one, and any other text
    /// the name of a topic of `project`.
    ///
    /// # Errors
    ///
    /// [`Error::config`] naming the setting that cannot be used.
    pub(super) fn of(project: &str, topic: &str) -> Result<Self, Error> {
        let cannot = |setting: &str, fault| Error::config(format!("cannot use `{setting}`"), fault);
        if project.is_empty() {
            return Err(cannot("project", TopicFault::Empty));
        }
        // Where both are asked for, both have to be there: somebody may take the project away from the
        // topic's name again.
        if project.contains('/') {
            return Err(cannot("project", TopicFault::NoProject));
        }
        let (project, name) = match topic.strip_prefix("projects/") {
            None => (project, topic),
            Some(rest) => match rest.split('/').collect::<Vec<_>>()[..] {
                [project, "topics", name] if !project.is_empty() => (project, name),
                _ => return Err(cannot("topic", TopicFault::Form)),
            },
        };
        judge(name).map_err(|fault| cannot("topic", fault))?;
        Ok(Self {
            project: project.to_owned(),
            name: name.to_owned(),
        })
    }

    /// The path to it.
    pub(super) fn path(&self) -> [String; 5] {
        let Self { project, name } = self;
        ["v1", "projects", project, "topics", name].map(str::to_owned)
    }

    /// The path to publish at.
    pub(super) fn publishing(&self) -> [String; 5] {
        let mut path = self.path();
        path[4].push_str(":publish");
        path
    }

    /// Whether Pub/Sub says in its documentation that no topic can have this name.
    pub(super) fn is_doubtful(&self) -> bool {
        !(3..=255).contains(&self.name.len()) || self.name.starts_with("goog")
    }
}

/// As Pub/Sub names it.
impl fmt::Display for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "projects/{}/topics/{}", self.project, self.name)
    }
}

/// The rules of Google's page "Resource names" that make a text no name at all. How long a name may be,
/// and with what it may not begin, are rules for creating one; those are the server's to keep.
fn judge(name: &str) -> Result<(), TopicFault> {
    let is_letter = |octet: &u8| octet.is_ascii_alphabetic();
    if name.is_empty() {
        return Err(TopicFault::Empty);
    }
    if !name.as_bytes().first().is_some_and(is_letter) {
        return Err(TopicFault::Start);
    }
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || "-_.~+%".contains(c);
    match name.chars().find(|&c| !is_allowed(c)) {
        Some(found) => Err(TopicFault::Character(found)),
        None => Ok(()),
    }
}

/// Why a text names no topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
enum TopicFault {
    #[error("it is empty")]
    Empty,
    #[error("it is no project, as there is a `/` in it")]
    NoProject,
    #[error("it begins with `projects/`, and is not `projects/PROJECT/topics/NAME`")]
    Form,
    #[error("the name of a topic begins with a letter")]
    Start,
    #[error(
        "the name of a topic has letters of ASCII, digits, and the characters `-_.~+%` in it, and no {0:?}"
    )]
    Character(char),
}

#[cfg(test)]
mod tests {
    use std::error::Error as _;

    use super::Topic;

    fn topic(project: &str, topic: &str) -> Result<String, String> {
        match Topic::of(project, topic) {
            Ok(topic) => Ok(topic.to_string()),
            Err(error) => {
                let cause = error.source().expect("every error here has a cause");
                Err(format!("{error}: {cause}"))
            }
        }
    }

    #[test]
    fn a_name_is_completed_and_a_whole_one_of_any_project_taken_as_it_is() {
        for (given, meant) in [
            ("a-topic", "projects/mine/topics/a-topic"),
            ("projects/mine/topics/abc", "projects/mine/topics/abc"),
            ("projects/theirs/topics/t", "projects/theirs/topics/t"),
            (
                "projects/example.com:theirs/topics/abc",
                "projects/example.com:theirs/topics/abc",
            ),
            ("A1-_.~+%", "projects/mine/topics/A1-_.~+%"),
        ] {
            assert_eq!(topic("mine", given), Ok(meant.to_owned()));
        }
    }

    #[test]
    fn what_names_no_topic_is_refused_with_its_setting() {
        let texts = [
            ("", "abc"),
            ("a/b", "abc"),
            ("mine", ""),
            ("mine", "projects/theirs/topics/"),
            ("mine", "projects//topics/abc"),
            ("mine", "projects/theirs/abc"),
            ("mine", "projects/theirs/topics/abc/def"),
            ("mine", "1st"),
            ("mine", "a topic"),
            ("mine", "a/topic"),
            ("mine", "größe"),
        ]
        .map(|(project, name)| topic(project, name).expect_err("it is refused"));
        insta::assert_snapshot!(texts.join("\n"), @r"
        cannot use `project`: it is empty
        cannot use `project`: it is no project, as there is a `/` in it
        cannot use `topic`: it is empty
        cannot use `topic`: it is empty
        cannot use `topic`: it begins with `projects/`, and is not `projects/PROJECT/topics/NAME`
        cannot use `topic`: it begins with `projects/`, and is not `projects/PROJECT/topics/NAME`
        cannot use `topic`: it begins with `projects/`, and is not `projects/PROJECT/topics/NAME`
        cannot use `topic`: the name of a topic begins with a letter
        cannot use `topic`: the name of a topic has letters of ASCII, digits, and the characters `-_.~+%` in it, and no ' '
        cannot use `topic`: the name of a topic has letters of ASCII, digits, and the characters `-_.~+%` in it, and no '/'
        cannot use `topic`: the name of a topic has letters of ASCII, digits, and the characters `-_.~+%` in it, and no 'ö'
        ");
    }

    #[test]
    fn names_that_pub_sub_would_not_create_are_doubted() {
        let is_doubtful = |name: &str| Topic::of("p", name).expect("it is a name").is_doubtful();
        assert!(is_doubtful("ab"));
        assert!(!is_doubtful("abc"));
        assert!(is_doubtful("goog-abc"));
        assert!(!is_doubtful(&"a".repeat(255)));
        assert!(is_doubtful(&"a".repeat(256)));
    }
}
