//! A certificate for a server, and the authority that vouches for it.

use std::path::Path;
use std::process::Command;

use super::output;

/// Makes `ca.pem` and `server.pem` with `server.key` for `ns.test` and 127.0.0.1.
///
/// None if there is no openssl, which is said loudly.
pub(super) fn make_certificates(directory: &Path) -> Option<()> {
    let key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes";
    let authority = format!(
        "req -x509 {key} -days 2 -subj /CN=authority -keyout ca.key -out ca.pem \
         -addext basicConstraints=critical,CA:TRUE"
    );
    let request = format!("req {key} -subj /CN=ns.test -keyout server.key -out server.csr");
    let signed = "x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 \
                  -out server.pem -extfile extensions";
    let extensions = "subjectAltName=DNS:ns.test,IP:127.0.0.1\nbasicConstraints=CA:FALSE\n";
    std::fs::write(directory.join("extensions"), extensions).expect("a file can be written");
    for arguments in [&authority, &request, signed] {
        let mut openssl = Command::new("openssl");
        openssl
            .args(arguments.split_whitespace())
            .current_dir(directory);
        let output = output(&mut openssl, "openssl")?;
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "openssl {arguments}: {said}");
    }
    Some(())
}
