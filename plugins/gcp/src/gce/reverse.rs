//! Names of addresses: zones below `in-addr.arpa.` (RFC 1035, section 3.5) and `ip6.arpa.` (RFC 3596,
//! section 2.5).

use std::net::IpAddr;

use janitor_plugin_api::dns::NameRef;

const IN_ADDR_ARPA: &[u8] = b"\x07in-addr\x04arpa\0";
const IP6_ARPA: &[u8] = b"\x03ip6\x04arpa\0";

/// Whether the zone can hold names of addresses.
pub(crate) fn is_reverse(zone: NameRef<'_>) -> bool {
    let labels: Vec<&[u8]> = zone.labels().collect();
    match labels.as_slice() {
        [octets @ .., b"in-addr", b"arpa"] => {
            octets.len() <= 4 && octets.iter().all(|label| is_octet(label))
        }
        [nibbles @ .., b"ip6", b"arpa"] => {
            let is_nibble = |label: &&[u8]| label.len() == 1 && label[0].is_ascii_hexdigit();
            nibbles.len() <= 32 && nibbles.iter().all(is_nibble)
        }
        _ => false,
    }
}

/// A number up to 255, as it is written in names: without leading zeros.
fn is_octet(label: &[u8]) -> bool {
    let text = std::str::from_utf8(label).ok();
    let number = text.and_then(|text| text.parse::<u8>().ok());
    number.is_some_and(|number| number.to_string().as_bytes() == label)
}

/// Writes the name of an address, in wire form, in the place of what `out` has.
pub(crate) fn write_name(address: IpAddr, out: &mut Vec<u8>) {
    out.clear();
    match address {
        IpAddr::V4(address) => {
            for octet in address.octets().into_iter().rev() {
                let digits = octet.to_string();
                out.push(if octet > 99 {
                    3
                } else if octet > 9 {
                    2
                } else {
                    1
                });
                out.extend_from_slice(digits.as_bytes());
            }
            out.extend_from_slice(IN_ADDR_ARPA);
        }
        IpAddr::V6(address) => {
            let digit = |nibble: u8| b"0123456789abcdef"[usize::from(nibble & 0xf)];
            for octet in address.octets().into_iter().rev() {
                out.extend_from_slice(&[1, digit(octet), 1, digit(octet >> 4)]);
            }
            out.extend_from_slice(IP6_ARPA);
        }
    }
}

#[cfg(test)]
mod tests {
    use janitor_plugin_api::dns::Name;

    use super::*;

    fn name(address: &str) -> String {
        let mut octets = Vec::new();
        write_name(address.parse().unwrap(), &mut octets);
        Name::from_wire(&octets).unwrap().to_string()
    }

    #[test]
    fn an_address_is_named_by_its_parts_the_last_one_first() {
        assert_eq!(name("192.0.2.130"), "130.2.0.192.in-addr.arpa.");
        assert_eq!(name("10.99.9.0"), "0.9.99.10.in-addr.arpa.");
        // The example of RFC 3596, section 2.5.
        assert_eq!(
            name("4321:0:1:2:3:4:567:89ab"),
            "b.a.9.8.7.6.5.0.4.0.0.0.3.0.0.0.2.0.0.0.1.0.0.0.0.0.0.0.1.2.3.4.ip6.arpa."
        );
    }

    #[test]
    fn only_what_names_of_addresses_can_be_below_is_a_reverse_zone() {
        let is = |text: &str| is_reverse(text.parse::<Name>().unwrap().as_ref());
        for zone in [
            "in-addr.arpa",
            "10.IN-ADDR.arpa.",
            "2.0.192.in-addr.arpa",
            "130.2.0.192.in-addr.arpa",
            "ip6.arpa",
            "8.B.D.0.1.0.0.2.ip6.arpa",
        ] {
            assert!(is(zone), "{zone}");
        }
        for zone in [
            ".",
            "arpa",
            "example.com",
            "10.example.arpa",
            "256.in-addr.arpa",
            "010.in-addr.arpa",
            "+1.in-addr.arpa",
            "x.in-addr.arpa",
            "0/25.2.0.192.in-addr.arpa",
            "0-127.2.0.192.in-addr.arpa",
            "1.130.2.0.192.in-addr.arpa",
            "g.ip6.arpa",
            "10.ip6.arpa",
            "in-addr.arpa.example",
        ] {
            assert!(!is(zone), "{zone}");
        }
        let deepest = "0.".repeat(32) + "ip6.arpa";
        assert!(is(&deepest) && !is(&format!("0.{deepest}")));
    }
}
