use super::{AddressFault, Clear, checked, shown};

#[test]
fn secrets_leave_the_machine_by_tls_alone() {
    for address in [
        "https://oauth2.googleapis.com/token",
        "http://127.0.0.1:8080/token",
        "http://127.8.9.1/",
        "http://[::1]:8080/token",
        "http://[::ffff:127.0.0.1]/",
        "http://localhost:5000/token",
        "http://oidc.localhost/",
    ] {
        assert!(checked(address, Clear::Machine).is_ok(), "{address}");
        assert!(checked(address, Clear::Link).is_ok(), "{address}");
    }
    for address in [
        "http://169.254.169.254/metadata/identity/oauth2/token?api-version=2018-02-01",
        "http://[fe80::1]/",
    ] {
        assert!(checked(address, Clear::Link).is_ok(), "{address}");
        let fault = checked(address, Clear::Machine);
        assert_eq!(fault.unwrap_err(), AddressFault::Clear, "{address}");
    }
    for address in [
        "http://oauth2.googleapis.com/token",
        "http://192.0.2.1/",
        "http://[2001:db8::1]/",
        "http://localhost.example.com/",
        "http://127.0.0.1.example.com/",
        "http://169.254.169.254.example.com/",
    ] {
        let fault = checked(address, Clear::Link);
        assert_eq!(fault.unwrap_err(), AddressFault::Clear, "{address}");
    }
}

#[test]
fn what_is_no_address_of_a_server_is_refused() {
    for text in [
        "",
        "token",
        "/token",
        "file:///etc/passwd",
        "data:,x",
        "ftp://127.0.0.1/",
        "https://",
    ] {
        assert_eq!(
            checked(text, Clear::Link).unwrap_err(),
            AddressFault::None,
            "{text}"
        );
    }
    for text in [
        "https://user@example.com/",
        "https://:password@example.com/",
        "http://u:p@127.0.0.1/",
    ] {
        assert_eq!(
            checked(text, Clear::Link).unwrap_err(),
            AddressFault::User,
            "{text}"
        );
    }
}

#[test]
fn what_follows_the_path_is_not_shown() {
    let url = checked("https://example.com/token?code=hidden#hidden", Clear::Link).unwrap();

    assert_eq!(shown(&url), "https://example.com/token");
}
