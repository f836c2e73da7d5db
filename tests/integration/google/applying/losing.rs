//! Answers that get lost, and runs that are cancelled before they come.

use std::time::{Duration, Instant};

use janitor_test_google::{Fault, Pages, Quota};
use rustix::process::Signal;
use serde_json::json;

use super::{BEFORE, CHANGES, DESIRED, MADE, changes_made, janitor, now, outcomes, world};
use crate::google::google;

#[test]
fn an_answer_that_gets_lost_is_looked_after() {
    for fault in [
        Fault::Unanswered,
        Fault::Unheard,
        Fault::Reset,
        Fault::CutHead(20),
        Fault::CutBody(30),
        Fault::TooShort,
        Fault::BrokenGzip,
        Fault::status(503, "backendError"),
        Fault::body("text/html", "<html>Please log in</html>"),
        Fault::body("application/json", "{}"),
    ] {
        let told = format!("{fault:?}");
        let google = google(world());
        google.fault(CHANGES, fault).once();
        let janitor = janitor(&google);

        let run = janitor.run();

        assert_eq!(run.exit_code(), 0, "{told}: {}", run.stderr());
        assert_eq!(
            (now(&google).as_str(), changes_made(&google)),
            (MADE, 1),
            "{told}"
        );
        assert!(
            outcomes(&janitor).contains("gcp.apply: 3 applied"),
            "{told}: {}",
            outcomes(&janitor)
        );
    }
}

#[test]
fn what_a_listing_by_name_does_not_give_is_found_among_everything() {
    let google = google(world().pages(Pages {
        record_sets: 2,
        ..Pages::default()
    }));
    google.fault(CHANGES, Fault::Unanswered).once();
    let by_name = "GET /dns/v1/projects/dns/managedZones/example-com/rrsets?*name=";
    google.fault(by_name, Fault::edited(|page| page["rrsets"] = json!([])));
    let janitor = janitor(&google);

    let run = janitor.run();

    assert_eq!(run.exit_code(), 0, "{}", run.stderr());
    assert_eq!((now(&google).as_str(), changes_made(&google)), (MADE, 1));
    assert_eq!(google.requests_like(by_name).len(), 3);
}

#[test]
fn a_large_change_whose_answer_gets_lost_is_looked_after_in_one_listing() {
    let google = google(world());
    google.fault(CHANGES, Fault::Reset).once();
    let records = |last: u32| -> String {
        (0..20)
            .map(|at| format!("h{at} A 192.0.2.{last}\n"))
            .collect()
    };
    let janitor = janitor(&google).desired("example.com", &records(7));

    let run = janitor.run();

    assert_eq!(run.exit_code(), 0, "{}", run.stderr());
    assert_eq!(changes_made(&google), 1);
    let listings = "GET /dns/v1/projects/dns/managedZones/example-com/rrsets";
    // By the reconciler, and after the change that nobody answered.
    assert_eq!(google.requests_like(listings).len(), 2);
}

#[test]
fn a_server_that_never_answers_a_change_leaves_its_fate_unknown() {
    let google = google(world());
    google.fault(CHANGES, Fault::Reset);
    let janitor = janitor(&google);

    let run = janitor.run();

    assert_eq!(run.exit_code(), 1, "{}", run.stderr());
    assert_eq!((now(&google).as_str(), changes_made(&google)), (BEFORE, 0));
    assert_eq!(google.requests_like(CHANGES).len(), 3);
    let told = outcomes(&janitor)
        .replace(&google.host(), "HOST")
        .replace("127.0.0.1", "HOST");
    insta::assert_snapshot!(told, @r"
    example.com.
      1 addition, 1 update, 1 deletion (5 RRsets desired, 5 served, serial 1)
      gcp.apply: 3 unknown
        because it was sent, and there is no answer (the exchange with `HOST` broke off: connection closed before message completed); what is served is still as before
      + new.example.com. 300 IN A 192.0.2.3
      - www.example.com. 300 IN A 192.0.2.1
      + www.example.com. 300 IN A 192.0.2.2
      - old.example.com. 300 IN A 192.0.2.9
    ");
}

#[test]
fn a_lost_answer_that_cannot_be_looked_after_is_unknown() {
    let google = google(world());
    google.fault(CHANGES, Fault::Unanswered).once();
    google
        .fault(
            "GET /dns/v1/projects/dns/managedZones/example-com/rrsets",
            Fault::status(403, "forbidden"),
        )
        .after(1);
    let janitor = janitor(&google);

    let run = janitor.run();

    assert_eq!(run.exit_code(), 1, "{}", run.stderr());
    // It was made, and nobody says that it was not.
    assert_eq!((now(&google).as_str(), changes_made(&google)), (MADE, 1));
    assert!(
        outcomes(&janitor).contains("gcp.apply: 3 unknown"),
        "{}",
        outcomes(&janitor)
    );
}

#[test]
fn a_run_that_is_cancelled_tells_of_every_change_what_became_of_it() {
    let quota = Quota {
        additions: 1,
        ..Quota::default()
    };
    let google = google(world().quota("dns", quota));
    // The first change is made, the second one is under way when the run ends, the third one is not sent.
    google.fault(CHANGES, Fault::SilenceAfter).nth(2);
    let janitor = janitor(&google)
        .desired("example.com", &format!("{DESIRED}\nzoo A 192.0.2.4"))
        .settings("[core]\ngrace = 1\n");
    let running = janitor.start(&["run"]);
    let limit = Instant::now() + Duration::from_secs(60);
    while google.requests_like(CHANGES).len() < 2 {
        assert!(Instant::now() < limit, "no second change is sent");
        std::thread::yield_now();
    }
    running.signal(Signal::INT);
    let run = running.finish();

    assert_eq!(run.exit_code(), 1, "{}", run.stderr());
    insta::assert_snapshot!(outcomes(&janitor), @r"
    example.com.
      2 additions, 1 update, 1 deletion (6 RRsets desired, 5 served, serial 1)
      gcp.apply: 1 accepted, 2 refused, 1 unknown
        because it was sent, and the run ended before the answer came
        because the run ended before it was sent
      + new.example.com. 300 IN A 192.0.2.3
          accepted
      - www.example.com. 300 IN A 192.0.2.1
      + www.example.com. 300 IN A 192.0.2.2
          unknown
      + zoo.example.com. 300 IN A 192.0.2.4
          refused
      - old.example.com. 300 IN A 192.0.2.9
          refused
    ");
    assert_eq!(changes_made(&google), 2);
}

#[test]
fn an_answer_that_comes_after_the_run_was_cancelled_counts_and_nothing_is_sent_after_it() {
    let quota = Quota {
        additions: 1,
        ..Quota::default()
    };
    let google = google(world().quota("dns", quota));
    google
        .fault(CHANGES, Fault::Late(Duration::from_secs(2)))
        .nth(1);
    let janitor = janitor(&google);
    let running = janitor.start(&["run"]);
    let limit = Instant::now() + Duration::from_secs(60);
    while google.requests_like(CHANGES).is_empty() {
        assert!(Instant::now() < limit, "no change is sent");
        std::thread::yield_now();
    }
    running.signal(Signal::INT);
    let run = running.finish();

    assert_eq!(run.exit_code(), 1, "{}", run.stderr());
    insta::assert_snapshot!(outcomes(&janitor), @r"
    example.com.
      1 addition, 1 update, 1 deletion (5 RRsets desired, 5 served, serial 1)
      gcp.apply: 1 accepted, 2 refused
        because the run ended before it was sent
      + new.example.com. 300 IN A 192.0.2.3
          accepted
      - www.example.com. 300 IN A 192.0.2.1
      + www.example.com. 300 IN A 192.0.2.2
          refused
      - old.example.com. 300 IN A 192.0.2.9
          refused
    ");
    assert_eq!(google.requests_like(CHANGES).len(), 1);
}
