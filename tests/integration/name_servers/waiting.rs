//! What changes wait for, and what they do not wait for.

use std::net::TcpListener;
use std::sync::mpsc;
use std::thread;

use rustix::process::Signal;

use super::deployment::{janitor, steady};
use crate::janitor::{HEAD, WITHOUT_LIMITS};
use crate::peers::name_server::{Kind, NameServer};
use crate::peers::proxy::{Exchange, Fault, Proxy, Spot};

const APEX: &str = "example.com";

#[test]
fn a_signal_while_an_update_is_under_way_leaves_it_unknown_and_whole() {
    let request = Spot::request(Exchange::Update);
    let answer = Spot::answer(Exchange::Update, 1);
    let mut all = String::new();
    for name in ["request", "answer"] {
        let zone = format!("{HEAD}a A 192.0.2.1\n");
        let Some(server) = NameServer::of(Kind::Knot, APEX, &zone) else {
            return;
        };
        let proxy = Proxy::before(server.address());
        let (say, hear) = mpsc::channel();
        let on_its_way = move || {
            let _heard = say.send(());
            if name == "request" {
                loop {
                    thread::park();
                }
            }
        };
        proxy.once(request, Fault::first(on_its_way));
        proxy.always(answer, Fault::Drop);
        // Nothing here ends by itself in less than ten minutes.
        let janitor = janitor(&[proxy.address()], server.key())
            .settings("timeout = 600\n[core]\ngrace = 1")
            .settings(WITHOUT_LIMITS)
            .desired(APEX, "a A 192.0.2.2\nb A 192.0.2.3\n");
        let running = janitor.start(&["run"]);
        hear.recv().expect("the update is sent");
        running.signal(Signal::INT);
        let run = running.finish();
        assert_eq!((run.exit_code(), run.status().as_str()), (1, "cancelled"));
        assert_eq!(run.abandoned(), [""; 0]);
        for line in run.log_with("applied zone=") {
            all += &format!("the {name} is lost: {}\n", steady(&line));
        }
        let is_done = server.serial(APEX) == 2;
        assert_eq!(is_done, name == "answer");
        let first = if is_done { "192.0.2.2" } else { "192.0.2.1" };
        assert_eq!(
            server.lines(APEX)[0],
            format!("a.example.com. 300 A {first}")
        );
    }
    insta::assert_snapshot!(all, @r#"
    the request is lost: ERROR: changes may or may not have been applied zone=example.com. publisher=dns.update refused=0 unknown=2 reason="they were sent, and the run ended before the answer came"
    the answer is lost: ERROR: changes may or may not have been applied zone=example.com. publisher=dns.update refused=0 unknown=2 reason="they were sent, and the run ended before the answer came"
    "#);
}

#[test]
fn a_server_that_says_nothing_holds_up_no_other_zone() {
    let apexes: Vec<_> = (0..20).map(|at| format!("z{at}.test")).collect();
    let zones: Vec<_> = apexes
        .iter()
        .map(|apex| (apex.as_str(), format!("{HEAD}a A 192.0.2.1\n")))
        .collect();
    let Some(server) = NameServer::start(Kind::Knot, &zones, &Default::default()) else {
        return;
    };
    // Connections are made, and nobody ever reads from them.
    let silent = TcpListener::bind("127.0.0.1:0").expect("there is a free port");
    let silent = silent.local_addr().map(|address| (address, silent));
    let (address, _silent) = silent.expect("it has an address");
    let mut janitor = janitor(&[server.address(), address], server.key())
        .settings("timeout = 600\n[dns.update]\nsettle = 600\n[core]\ngrace = 60")
        .settings(WITHOUT_LIMITS);
    for apex in &apexes {
        janitor = janitor.desired(apex, "a A 192.0.2.2\n");
    }
    let janitor = janitor.settings("[core.plugin.'dns.update']\nlevel = 'debug'");
    let mut running = janitor.start(&["run"]);
    for apex in &apexes {
        running.wait_for(&format!(
            "answer to an update, or to a question about it zone={apex}. reply=NOERROR"
        ));
    }
    running.signal(Signal::TERM);
    let run = running.finish();
    assert_eq!((run.exit_code(), run.status().as_str()), (1, "cancelled"));
    assert_eq!(run.log_with("applied zone="), [""; 0]);
    for apex in &apexes {
        assert_eq!(server.lines(apex), [format!("a.{apex}. 300 A 192.0.2.2")]);
    }
}
