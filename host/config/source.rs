//! Where a configured value stands: the file, the line, and the line's text.

use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use super::secret;
use crate::problem::is_hidden;

/// One configuration file, as it was read.
pub struct Source {
    path: PathBuf,
    text: String,
    /// The octets at which lines begin.
    lines: Vec<usize>,
    /// Spans of the values that must not be shown, ascending; `None` until the file is parsed.
    secrets: Mutex<Option<Vec<Range<usize>>>>,
}

impl Source {
    /// Keeps `text`, read from `path`; the path is shown as it is.
    #[must_use]
    pub fn new(path: PathBuf, text: String) -> Arc<Self> {
        let ends = text.match_indices('\n').map(|(newline, _)| newline + 1);
        let lines = std::iter::once(0).chain(ends).collect();
        Arc::new(Self {
            path,
            text,
            lines,
            secrets: Mutex::new(None),
        })
    }

    /// The path under which the file was opened.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The file's text.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Sets the spans of secret values, once the file is known to be TOML.
    pub(super) fn parsed(&self, mut secrets: Vec<Range<usize>>) {
        secrets.sort_by_key(|span| span.start);
        *self.secrets.lock().unwrap_or_else(PoisonError::into_inner) = Some(secrets);
    }

    /// Adds the span of a secret value.
    fn hide(&self, secret: Range<usize>) {
        let mut hidden = self.secrets.lock().unwrap_or_else(PoisonError::into_inner);
        let hidden = hidden.get_or_insert_default();
        let at = hidden.partition_point(|other| other.start < secret.start);
        if hidden.get(at) != Some(&secret) {
            hidden.insert(at, secret);
        }
    }

    /// Takes the span of a value away that is no secret after all.
    fn show(&self, shown: &Range<usize>) {
        let mut hidden = self.secrets.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(hidden) = hidden.as_mut() {
            hidden.retain(|span| span != shown);
        }
    }

    /// The number of the line around the octet `at`, from 0.
    fn line_index(&self, at: usize) -> usize {
        self.lines
            .partition_point(|start| *start <= at)
            .saturating_sub(1)
    }

    /// Returns the line around the octet `at`, cut in two there, without secrets.
    fn line(&self, at: usize) -> (String, String) {
        let index = self.line_index(at);
        let start = self.lines[index];
        let next = self.lines.get(index + 1);
        let end = next.map_or(self.text.len(), |next| next - 1);
        let secrets = self.secrets.lock().unwrap_or_else(PoisonError::into_inner);
        match secrets.as_ref() {
            Some(secrets) => {
                // A line can be as long as the file; what is shown of it is short.
                let start = self
                    .text
                    .ceil_char_boundary(at.saturating_sub(WINDOW))
                    .max(start);
                let end = self.text.floor_char_boundary(at + WINDOW).min(end);
                (
                    secret::cover(&self.text[start..at], start, secrets),
                    secret::cover(&self.text[at..end], at, secrets),
                )
            }
            // Not TOML: nothing is known of its values.
            None => secret::cover_roughly(&self.text, start..end, at),
        }
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The text holds secrets.
        f.debug_struct("Source")
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

/// The place of one key or value.
#[derive(Clone)]
pub struct Origin {
    source: Arc<Source>,
    start: usize,
    end: usize,
}

impl Origin {
    /// The place `span` of `source`, cut to its text.
    #[must_use]
    pub fn new(source: &Arc<Source>, span: Range<usize>) -> Self {
        let floor = |index: usize| {
            source
                .text
                .floor_char_boundary(index.min(source.text.len()))
        };
        let start = floor(span.start);
        Self {
            source: Arc::clone(source),
            start,
            end: floor(span.end).max(start),
        }
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.source.path
    }

    /// The line, counted from 1.
    #[must_use]
    pub fn line(&self) -> usize {
        self.source.line_index(self.start) + 1
    }

    /// The column in characters, counted from 1.
    #[must_use]
    pub fn column(&self) -> usize {
        let line = self.source.lines[self.source.line_index(self.start)];
        self.source.text[line..self.start].chars().count() + 1
    }

    /// Covers what stands here wherever a line of the file is shown.
    pub(super) fn hide(&self) {
        self.source.hide(self.start..self.end);
    }

    /// Shows what stands here again.
    pub(super) fn show(&self) {
        self.source.show(&(self.start..self.end));
    }

    /// The octet in the file at which the key or value starts.
    #[must_use]
    pub fn offset(&self) -> usize {
        self.start
    }

    /// The line around the place, without secrets and without what could not be shown.
    #[must_use]
    pub fn line_text(&self) -> String {
        let (before, after) = self.source.line(self.start);
        let (before, after) = (last(&before), first(after.trim_end()));
        before.chars().chain(after.chars()).map(visible).collect()
    }

    /// Shows the line with a caret under the place; two lines, without secrets.
    #[must_use]
    pub fn excerpt(&self) -> String {
        let (before, after) = self.source.line(self.start);
        let (before, after) = (last(&before), first(after.trim_end()));
        let number = self.line();
        let gutter = " ".repeat(number.to_string().len());
        // The line's own tabs, or the caret would not be under its place.
        let indent: String = before
            .chars()
            .map(|character| if character == '\t' { '\t' } else { ' ' })
            .collect();
        let text = &self.source.text[self.start..self.end];
        let width = text.lines().next().unwrap_or_default().chars().count();
        let carets = "^".repeat(width.min(after.chars().count()).max(1));
        let line: String = before.chars().chain(after.chars()).map(visible).collect();
        format!("  {number} | {line}\n  {gutter} | {indent}{carets}")
    }
}

/// Octets of a line that are looked at on each side of a place.
const WINDOW: usize = 16 * REACH;

/// Characters that are shown of a line on each side of a place.
const REACH: usize = 100;

/// The last characters of what stands before a place.
fn last(before: &str) -> String {
    match before.char_indices().rev().nth(REACH) {
        Some((cut, _)) => format!("…{}", before[cut..].chars().skip(1).collect::<String>()),
        None => before.to_owned(),
    }
}

/// The first characters of what stands at and after a place.
fn first(after: &str) -> String {
    match after.char_indices().nth(REACH) {
        Some((cut, _)) => format!("{}…", &after[..cut]),
        None => after.to_owned(),
    }
}

/// Replaces what would change the terminal, one character for one.
fn visible(character: char) -> char {
    if character != '\t' && is_hidden(character) {
        '\u{fffd}'
    } else {
        character
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}:{}:{}",
            self.path().display(),
            self.line(),
            self.column()
        )
    }
}

impl fmt::Debug for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin(text: &str, part: &str) -> Origin {
        let source = Source::new(PathBuf::from("x.toml"), text.to_owned());
        source.parsed(Vec::new());
        let start = text.find(part).unwrap();
        Origin::new(&source, start..start + part.len())
    }

    #[test]
    fn lines_and_columns_count_characters_from_one() {
        let place = origin("a = 1\nб = \"é\" # ü\n", "\"é\"");
        assert_eq!(place.to_string(), "x.toml:2:5");
        assert_eq!(place.excerpt(), "  2 | б = \"é\" # ü\n    |     ^^^");
    }

    #[test]
    fn tabs_before_the_place_stay_tabs_under_it() {
        assert_eq!(
            origin("\ta = 1", "1").excerpt(),
            "  1 | \ta = 1\n    | \t    ^"
        );
    }

    #[test]
    fn the_caret_stays_under_its_place_behind_a_covered_secret() {
        let text = "p = { password = 'hunter2', port = 'x' }";
        let source = Source::new(PathBuf::from("x.toml"), text.to_owned());
        let secret = 17..26;
        source.parsed(Vec::from([secret.clone()]));
        let shown = Origin::new(&source, 35..38).excerpt();
        assert_eq!(
            shown,
            "  1 | p = { password = \"***\", port = 'x' }\n    |                                ^^^"
        );
        let shown = Origin::new(&source, secret).excerpt();
        assert_eq!(
            shown,
            "  1 | p = { password = \"***\", port = 'x' }\n    |                  ^^^^^^^^^"
        );
    }

    #[test]
    fn of_a_long_line_only_the_part_around_the_place_is_shown() {
        let text = format!("{} HERE {}", "a".repeat(5000), "b".repeat(5000));
        let shown = origin(&text, "HERE").excerpt();
        let expected = format!(
            "  1 | …{} HERE {}…\n    | {}^^^^",
            "a".repeat(99),
            "b".repeat(95),
            " ".repeat(101)
        );
        assert_eq!(shown, expected);
    }

    #[test]
    fn a_place_over_several_lines_is_marked_on_the_first() {
        assert_eq!(
            origin("a = [\n 1]\n", "[\n 1]").excerpt(),
            "  1 | a = [\n    |     ^"
        );
    }

    #[test]
    fn the_end_of_the_file_is_a_place() {
        let source = Source::new(PathBuf::from("x.toml"), "a =".to_owned());
        let place = Origin::new(&source, 3..3);
        assert_eq!(place.to_string(), "x.toml:1:4");
        assert_eq!(place.excerpt(), "  1 | a =\n    |    ^");
    }

    #[test]
    fn a_place_inside_a_character_is_moved_to_its_start() {
        let source = Source::new(PathBuf::from("x.toml"), "é".to_owned());
        assert_eq!(Origin::new(&source, 1..9).to_string(), "x.toml:1:1");
    }
}
