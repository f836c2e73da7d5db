//! "Did you mean": the known name that a mistyped one is closest to.

/// Returns the name that `wrong` was most likely meant to be, if any is close.
///
/// Close means equal but for letter case, or at most one edit for every three
/// characters, a swap of neighbours counting as one.
pub(crate) fn nearest<'a>(wrong: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let lower = wrong.to_lowercase();
    // Not worth the time: nobody mistypes a name of this length into another.
    if lower.len() > 200 {
        return None;
    }
    // An edit cannot do more than change the length by one: most names need not be compared.
    let is_possible = |name: &&str| {
        let (one, other) = (name.chars().count(), lower.chars().count());
        one.abs_diff(other) <= (one.max(other) / 3).max(1)
    };
    known
        .filter(is_possible)
        .map(|name| {
            (
                strsim::damerau_levenshtein(&lower, &name.to_lowercase()),
                name,
            )
        })
        .filter(|(edits, name)| {
            *edits <= (name.chars().count().max(lower.chars().count()) / 3).max(1)
        })
        .filter(|(edits, name)| *edits < name.chars().count())
        .min()
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn the_closest_name_is_suggested() {
        let known = ["files.zones", "files.served", "files.changes"];
        for (wrong, meant) in [
            ("files.zone", Some("files.zones")),
            ("Files.Zones", Some("files.zones")),
            ("files.sevred", Some("files.served")),
            ("gcp.gce", None),
            ("", None),
        ] {
            assert_eq!(nearest(wrong, known.into_iter()), meant, "{wrong}");
        }
    }

    #[test]
    fn a_name_with_no_letter_in_common_is_not_close() {
        assert_eq!(nearest("x", ["y"].into_iter()), None);
    }
}
