//! What an RCODE says of an UPDATE, and what follows from it.

use domain::base::iana::Rcode;

/// What to do about an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// All of it was done.
    Done,
    /// A condition did not hold, and nothing was done: somebody changed the zone since it was planned.
    Moved,
    /// Nothing was done because of something in it: parts of it may be.
    Refused,
    /// Nothing was done; the same may be a moment later.
    Later,
    /// Nothing was done, and nothing of the kind ever will be.
    Never,
}

/// The rules for RCODEs (RFC 2136, sections 2.2 and 3).
pub(super) fn verdict(rcode: Rcode) -> Verdict {
    match rcode {
        Rcode::NOERROR => Verdict::Done,
        Rcode::NXRRSET | Rcode::YXRRSET | Rcode::YXDOMAIN | Rcode::NXDOMAIN => Verdict::Moved,
        Rcode::SERVFAIL => Verdict::Later,
        Rcode::NOTIMP => Verdict::Never,
        // BIND and PowerDNS say REFUSED where Knot says NOTAUTH, for a zone and for a single name.
        _ => Verdict::Refused,
    }
}

/// The answer in words.
pub(super) fn text(rcode: Rcode) -> String {
    let words = match rcode {
        Rcode::NOERROR => "the server says that it was done",
        Rcode::NXRRSET => "what the plan replaces is not served as it was planned from",
        Rcode::YXRRSET => "something is served where the plan adds",
        Rcode::YXDOMAIN => "the name is in use, and the plan adds a CNAME to it",
        Rcode::NXDOMAIN => "the name is not in use any more",
        Rcode::REFUSED => {
            "the server does not allow it, and its log says why; BIND needs `allow-update` or \
             `update-policy` for the key, PowerDNS `TSIG-ALLOW-DNSUPDATE`"
        }
        Rcode::NOTAUTH => {
            "the server is not the zone's primary, or does not allow it; Knot needs an `acl` with \
             `action: update` for the key"
        }
        Rcode::NOTIMP => "the server takes no updates; name the zone's primary first in `servers`",
        Rcode::NOTZONE => "the server has the name in another zone",
        Rcode::FORMERR => "the server cannot read the update, or does not accept what it adds",
        Rcode::SERVFAIL => "the server failed; its log says why",
        _ => "the server's log may say why",
    };
    format!("{words} ({rcode})")
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::*;

    #[test]
    fn every_rcode_has_a_rule_and_a_text() {
        let mut table = String::new();
        for number in 0..=11 {
            let rcode = Rcode::checked_from_int(number).unwrap();
            writeln!(table, "{:?}: {}", verdict(rcode), text(rcode)).unwrap();
        }
        insta::assert_snapshot!(table, @r"
    Done: the server says that it was done (NOERROR)
    Refused: the server cannot read the update, or does not accept what it adds (FORMERR)
    Later: the server failed; its log says why (SERVFAIL)
    Moved: the name is not in use any more (NXDOMAIN)
    Never: the server takes no updates; name the zone's primary first in `servers` (NOTIMP)
    Refused: the server does not allow it, and its log says why; BIND needs `allow-update` or `update-policy` for the key, PowerDNS `TSIG-ALLOW-DNSUPDATE` (REFUSED)
    Moved: the name is in use, and the plan adds a CNAME to it (YXDOMAIN)
    Moved: something is served where the plan adds (YXRRSET)
    Moved: what the plan replaces is not served as it was planned from (NXRRSET)
    Refused: the server is not the zone's primary, or does not allow it; Knot needs an `acl` with `action: update` for the key (NOTAUTH)
    Refused: the server has the name in another zone (NOTZONE)
    Refused: the server's log may say why (11)
    ");
    }
}
