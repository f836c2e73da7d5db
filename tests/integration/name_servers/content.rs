//! Zones with a bit of everything, at random.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use crate::janitor::HEAD;
use crate::peers::name_server::Kind;
use crate::random::Random;

/// Rdata of every type, in presentation format; `#` becomes a small number, so that RRsets have several
/// and drift has others.
///
/// Obsolete types are here because old zones have them. Types that mean something at the apex or to the
/// signer are at other owners.
pub(super) const TYPES: [(&str, &str); 58] = [
    ("A", "192.0.2.#"),
    ("AAAA", "2001:db8::#"),
    ("AFSDB", "# afs.example."),
    ("APL", "1:192.0.2.0/2# !2:2001:db8::/32"),
    ("AVC", "\"app-name:# app-class:x\""),
    ("CAA", "0 issue \"ca#.example\""),
    ("CDNSKEY", "257 3 13 AAA#"),
    (
        "CDS",
        "# 13 2 0B9FA5A59EED715C26C1020C711B4F6EC42D58B0015E14337A39DAD301C5AFC3",
    ),
    ("CERT", "PKIX # 0 AAAA"),
    ("CNAME", "target#.example."),
    ("CSYNC", "# 3 A NS AAAA"),
    ("DHCID", "AAIBY2/AuCccgoJbsaxcQc9TUapptP69lOjxfNuVAA2kjEA#"),
    (
        "DLV",
        "# 13 2 0B9FA5A59EED715C26C1020C711B4F6EC42D58B0015E14337A39DAD301C5AFC3",
    ),
    ("DNAME", "target#.example."),
    ("DNSKEY", "256 3 13 AAA#"),
    ("EUI48", "00-00-5e-00-53-0#"),
    ("EUI64", "00-00-5e-ef-10-00-00-0#"),
    ("GPOS", "\"-22.#\" \"33.5\" \"10.0\""),
    ("HINFO", "\"cpu #\" \"os\""),
    (
        "HIP",
        "2 200100107B1A74DF365639CC39F1D57# AwEAAbdxyhNuSutc5EMzxTs9LBPCIkOFH8cIvM4p rvs#.example.",
    ),
    ("HTTPS", "# svc.example. alpn=h2,h3 ipv4hint=192.0.2.#"),
    (
        "IPSECKEY",
        "10 1 2 192.0.2.# AQNRU3mG7TVTO2BkR47usntb102uFJtugbo6BSGvgqt4AQ==",
    ),
    ("ISDN", "\"15086202800321#\" \"004\""),
    ("KEY", "256 3 13 AAA#"),
    ("KX", "# kx.example."),
    ("L32", "# 192.0.2.1"),
    ("L64", "# 2001:0DB8:1140:1000"),
    (
        "LOC",
        "52 22 23.000 N 4 53 32.000 E -2.00m 0.00m #0.00m 10.00m",
    ),
    ("LP", "# l64.example."),
    ("MB", "mb#.example."),
    ("MG", "mg#.example."),
    ("MINFO", "r#.example. e.example."),
    ("MR", "mr#.example."),
    ("MX", "# mail.example."),
    (
        "NAPTR",
        "# 10 \"u\" \"E2U+sip\" \"!^.*$!sip:info@example.com!\" .",
    ),
    ("NID", "# 0014:4fff:ff20:ee64"),
    ("NINFO", "\"zone status #\""),
    ("NULL", "\\# 2 0A0#"),
    ("OPENPGPKEY", "AAA#"),
    ("PTR", "host#.example."),
    ("PX", "# map822.example. mapx400.example."),
    ("RP", "admin#.example. txt.example."),
    ("RT", "# relay.example."),
    ("SINK", "\\# 4 0102030#"),
    (
        "SMIMEA",
        "3 1 1 0B9FA5A59EED715C26C1020C711B4F6EC42D58B0015E14337A39DAD301C5AFC#",
    ),
    ("SPF", "\"v=spf1 ip4:192.0.2.# -all\""),
    ("SRV", "# 0 443 host.example."),
    ("SSHFP", "# 1 123456789ABCDEF67890123456789ABCDEF67890"),
    ("SVCB", "# svc.example. port=853 ipv6hint=2001:db8::#"),
    (
        "TA",
        "# 13 2 0B9FA5A59EED715C26C1020C711B4F6EC42D58B0015E14337A39DAD301C5AFC3",
    ),
    (
        "TLSA",
        "3 1 1 0B9FA5A59EED715C26C1020C711B4F6EC42D58B0015E14337A39DAD301C5AFC#",
    ),
    ("TXT", "\"text #\" \"\" \"\\000\\255\\\"\""),
    ("URI", "# 1 \"https://www.example/#\""),
    ("WKS", "192.0.2.# 6 25 80"),
    ("X25", "\"31106170095#\""),
    ("TYPE65280", "\\# 3 0A000#"),
    ("TYPE1234", "\\# 0"),
    ("AMTRELAY", "# 0 1 192.0.2.1"),
];

/// What servers do not take, and why; all others take everything here.
pub(super) const REFUSED: [(Kind, &[&str], &str); 4] = [
    (
        Kind::PowerDns,
        &[
            "AMTRELAY",
            "AVC",
            "GPOS",
            "HIP",
            "ISDN",
            "NINFO",
            "NULL",
            "PX",
            "RT",
            "SINK",
            "TA",
            "WKS",
            "X25",
            "TYPE65280",
            "TYPE1234",
        ],
        "4.7 answers FORMERR to an UPDATE with a type that it does not know",
    ),
    (
        Kind::PowerDns,
        &["APL"],
        "4.7 keeps of an address what stands before its first octet of zero",
    ),
    (
        Kind::PowerDns,
        &["CDNSKEY", "CDS"],
        "4.7 takes them and answers queries for them, and leaves them out of transfers",
    ),
    (
        Kind::PowerDns,
        &["DNSKEY"],
        "4.7 passes over it in an UPDATE and answers NOERROR: keys come from its own commands",
    ),
];

pub(super) fn is_refused(kind: Kind, rtype: &str) -> bool {
    let mut refused = REFUSED.iter().filter(|(of, ..)| *of == kind);
    refused.any(|(_, types, _)| types.contains(&rtype))
}

/// Owners that PowerDNS 4.7 takes and transfers, and answers no query for: nobody can say that they are
/// served.
const UNANSWERED_BY_POWER_DNS: [&str; 2] = ["odd\\000\\255octets", "semi\\;colon\\\"quote\\@at\\$"];

/// Owners, relative to the apex.
const OWNERS: [&str; 16] = [
    "@",
    "www",
    "mail",
    "a.b.c",
    "b.c",
    "*.wild",
    "*",
    "_sip._tcp",
    "_dmarc",
    "0",
    "xn--bcher-kva",
    "a\\.b",
    "with\\032space",
    "odd\\000\\255octets",
    "semi\\;colon\\\"quote\\@at\\$",
    "a-label-as-long-as-labels-may-be-which-is-sixty-three-octets-00",
];

/// Types of most zones, which are most of those at random, too.
const COMMON: [&str; 8] = ["A", "AAAA", "TXT", "MX", "CNAME", "SRV", "CAA", "PTR"];

/// RRsets by owner, relative to the apex, and type: TTL and rdata in presentation format.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Content(BTreeMap<(String, String), (u32, BTreeSet<String>)>);

impl Content {
    /// A random zone that a server of this kind takes.
    pub(super) fn random(random: &mut Random, kind: Kind) -> Self {
        let mut content = Self::default();
        content.fill(random, kind, 25);
        if random.below(2) == 0 {
            content.delegate(random);
        }
        if random.below(2) == 0 {
            content.chain(random);
        }
        if random.below(8) == 0 {
            content.crowd(random);
        }
        content
    }

    /// What might be served while this is desired.
    pub(super) fn drift(&self, random: &mut Random, kind: Kind) -> Self {
        let mut actual = Self::default();
        for ((owner, rtype), (ttl, rdata)) in &self.0 {
            let rrset = match random.below(5) {
                0 => continue,
                1 => (ttl + 1, rdata.clone()),
                2 => match template(rtype) {
                    Some(template) => rrset(random, rtype, template),
                    None => (*ttl, rdata.clone()),
                },
                _ => (*ttl, rdata.clone()),
            };
            actual.0.insert((owner.clone(), rtype.clone()), rrset);
        }
        actual.fill(random, kind, 10);
        actual
    }

    /// A zone file of it, in any order.
    pub(super) fn zone_file(&self, random: &mut Random) -> String {
        let mut lines = Vec::new();
        for ((owner, rtype), (ttl, rdata)) in &self.0 {
            let lines_of = rdata
                .iter()
                .map(|rdata| format!("{owner} {ttl} IN {rtype} {rdata}\n"));
            lines.extend(lines_of);
        }
        random.shuffle(&mut lines);
        format!("{HEAD}{}", lines.concat())
    }

    /// Puts an RRset in; says whether a zone may have it there.
    pub(super) fn insert(&mut self, owner: &str, rtype: &str, ttl: u32, rdata: &[String]) -> bool {
        // Nothing else stands beside a CNAME, and nothing below a DNAME.
        let is_alone = |rtype: &str| matches!(rtype, "CNAME" | "DNAME");
        let conflicts = self.0.keys().any(|(at, other)| {
            let is_below = |lower: &str, upper: &str| {
                upper == "@"
                    || lower
                        .strip_suffix(upper)
                        .is_some_and(|rest| rest.ends_with('.'))
            };
            at == owner && (is_alone(rtype) || is_alone(other)) && rtype != other
                || other == "DNAME" && is_below(owner, at)
                || rtype == "DNAME" && is_below(at, owner)
        });
        // What a DNAME at a wildcard means is open (RFC 4592, section 4.4).
        let is_open = rtype == "DNAME" && owner.starts_with('*');
        if conflicts || is_open || (owner == "@" && is_alone(rtype)) {
            return false;
        }
        let rdata = rdata.iter().cloned().collect();
        let key = (owner.to_owned(), rtype.to_owned());
        self.0.insert(key, (ttl, rdata));
        true
    }

    fn fill(&mut self, random: &mut Random, kind: Kind, most: u64) {
        for _ in 0..random.below(most) {
            let owner = random.one_of(&OWNERS);
            let rtype = match random.below(3) {
                0 => random.one_of(&TYPES).0,
                _ => random.one_of(&COMMON),
            };
            // Those mean something else at the apex.
            let is_signers = matches!(rtype, "CDS" | "CDNSKEY" | "DNSKEY" | "CSYNC");
            let (Some(template), false) = (template(rtype), is_refused(kind, rtype)) else {
                continue;
            };
            let is_answered = kind != Kind::PowerDns || !UNANSWERED_BY_POWER_DNS.contains(&owner);
            if is_answered && !(owner == "@" && is_signers) {
                let (ttl, rdata) = rrset(random, rtype, template);
                let rdata = rdata.into_iter().collect::<Vec<_>>();
                self.insert(owner, rtype, ttl, &rdata);
            }
        }
    }

    /// A delegation with glue, signed or not.
    fn delegate(&mut self, random: &mut Random) {
        let servers = ["ns1.cut".to_owned(), "ns.example.net.".to_owned()];
        self.insert("cut", "NS", 3600, &servers);
        self.insert("ns1.cut", "A", 3600, &[number("192.0.2.#", random)]);
        if random.below(2) == 0 {
            let digest = "# 13 2 0B9FA5A59EED715C26C1020C711B4F6EC42D58B0015E14337A39DAD301C5AFC3";
            self.insert("cut", "DS", 300, &[number(digest, random)]);
        }
    }

    /// CNAMEs that lead to each other.
    fn chain(&mut self, random: &mut Random) {
        let length = 2 + random.below(6);
        for link in 0..length {
            let (owner, target) = (format!("chain-{link}"), format!("chain-{}", link + 1));
            self.insert(&owner, "CNAME", 60, &[target]);
        }
    }

    /// An RRset of many, and a text of many strings.
    fn crowd(&mut self, random: &mut Random) {
        let many = 50 + random.below(200);
        let addresses = (0..many).map(|n| format!("2001:db8::{n:x}"));
        self.insert("crowd", "AAAA", 300, &addresses.collect::<Vec<_>>());
        let mut text = String::new();
        for part in 0..1 + random.below(15) {
            let letter = char::from(b'a' + u8::try_from(part % 26).expect("a letter"));
            let part = letter.to_string().repeat(255);
            write!(text, "\"{part}\" ").expect("a text grows");
        }
        self.insert("crowd", "TXT", 300, &[text]);
    }
}

fn template(rtype: &str) -> Option<&'static str> {
    let found = TYPES.iter().find(|(name, _)| *name == rtype);
    found.map(|(_, template)| *template)
}

fn rrset(random: &mut Random, rtype: &str, template: &str) -> (u32, BTreeSet<String>) {
    let ttl = random.one_of(&[0, 60, 300, 3600, 86400]);
    let most = match rtype {
        "CNAME" | "DNAME" => 1,
        _ => 1 + random.below(4),
    };
    let rdata = (0..most).map(|_| number(template, random));
    (ttl, rdata.collect())
}

fn number(template: &str, random: &mut Random) -> String {
    numbered(template, &(1 + random.below(7)).to_string())
}

/// Rdata of a template with this number in it.
pub(super) fn numbered(template: &str, number: &str) -> String {
    match template.strip_prefix("\\#") {
        // The sign of RFC 3597, section 5, is not ours.
        Some(octets) => format!("\\#{}", octets.replace('#', number)),
        None => template.replace('#', number),
    }
}
