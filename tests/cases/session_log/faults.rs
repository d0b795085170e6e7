//! A scripted session on a disk that fails at its k-th call, for every k; a sample of them unless
//! `TERN_TEST_FULL` is set.

use rustix::io::Errno;
use tern::session::disk::{Disk, Fault, Plan};
use tern::session::log::Log;
use tern::session::read::Damage;

use crate::support::logs::{Dice, Session, body, full, ids, now, user};

/// Prompts, one with a paste, answers, calls, and the syncs of a turn. Returns the records in
/// order, and those that were acknowledged when the log was last asked.
fn script(log: &mut Log) -> (Vec<String>, usize) {
    let mut all = vec![log.head().unwrap().0.clone()];
    let mut problems = 0;
    for n in 1..13 {
        let body = if n == 5 { user(&"paste ".repeat(1000)) } else { body(n) };
        let appended = log.append(body, now());
        problems += usize::from(appended.problem.is_some());
        all.push(appended.id.0);
        if n % 4 == 1 {
            problems += usize::from(log.sync().is_err());
        }
    }
    (all, problems)
}

#[test]
fn no_failing_call_loses_a_record_or_goes_untold() {
    let quiet = Plan { op: None, from: u64::MAX, count: 0, fault: Fault::Short(0) };
    let disk = Disk::faulty(quiet);
    let session = Session::new();
    let (_, problems) = script(&mut session.create(disk.clone()));
    assert_eq!(problems, 0);
    let calls = disk.calls();
    assert!(calls > 30, "{calls}");

    let errors = [Errno::IO, Errno::NOSPC, Errno::MFILE, Errno::ACCESS, Errno::INTR];
    let faults = errors.map(|error| Fault::Error(error.raw_os_error()));
    let faults =
        faults.into_iter().chain([0, 1, 30].map(Fault::Short)).chain([7, 60].map(Fault::Torn));
    let mut dice = Dice(5);
    for fault in faults {
        for count in [1, 2, 5] {
            for from in 0..calls + 2 {
                if full() || dice.roll(12) == 0 {
                    check(Plan { op: None, from, count, fault });
                }
            }
        }
    }
}

/// After the fault has passed, everything is in the file, once and in order, or the log says
/// that it is not.
fn check(plan: Plan) {
    let session = Session::new();
    let mut log = session.create(Disk::faulty(plan));
    let (all, problems) = script(&mut log);
    // What an acknowledged record is worth: it can be read while others are still held.
    let written = all.len() - log.unwritten();
    if written > 0 {
        assert_eq!(ids(&session.load().0), all[..written], "{plan:?}");
    } else {
        assert!(problems > 0, "{plan:?}");
    }
    // Enough calls for any fault to pass, as long as it is not told again.
    let end = (0..6).map(|_| log.append(user("end"), now())).collect::<Vec<_>>();
    assert_eq!(log.unwritten(), 0, "{plan:?}");
    let wanted: Vec<String> = all.into_iter().chain(end.into_iter().map(|a| a.id.0)).collect();
    let (loaded, damage) = session.load();
    assert_eq!(ids(&loaded), wanted, "{plan:?}");
    let torn = matches!(plan.fault, Fault::Torn(_));
    assert!(torn || damage == Damage::default(), "{plan:?}: {damage}");
    assert!(damage.bad <= plan.count, "{plan:?}: {damage}");
}
