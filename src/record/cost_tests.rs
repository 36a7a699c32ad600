//! What sealing costs: figures, not assertions. `cargo test --release --lib record::cost_tests -- --ignored --nocapture`

use std::time::{Duration, Instant};

use super::codec;
use super::disk_for_tests::{keys, log};
use super::seal::Secret;
use super::sealed::event_place;
use super::store::Store;

fn percentile(times: &mut [Duration], percent: usize) -> f64 {
    times.sort_unstable();
    times[(times.len() - 1) * percent / 100].as_secs_f64() * 1e6
}

/// Time this thread has had a processor, in microseconds: other work on the machine does not count.
fn worked() -> f64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    text.split(' ').next().unwrap().parse::<f64>().unwrap() / 1e3
}

#[test]
#[ignore = "figures for people"]
fn what_sealing_and_appending_cost() {
    const EVENTS: u64 = 2000;
    let log = log(EVENTS);
    let sealer = Secret::fresh().unwrap().sealer();
    let texts: Vec<_> = log.iter().map(|it| codec::encode(it).unwrap()).collect();
    let began = worked();
    for (text, seq) in texts.iter().zip(1..) {
        let place = event_place(1, seq);
        let row = sealer.seal(&place, text).unwrap();
        assert!(sealer.open(&place, &row).is_some());
    }
    let both = (worked() - began) / log.len() as f64;
    println!("seal and open: {both:.2} us per event");
    let began = worked();
    let rows: Vec<_> = log
        .iter()
        .map(|event| {
            let text = codec::encode(event).unwrap();
            sealer.seal(&event_place(1, event.seq), &text).unwrap()
        })
        .collect();
    let sealed = (worked() - began) / log.len() as f64;
    let began = worked();
    for (row, event) in rows.iter().zip(&log) {
        let text = sealer.open(&event_place(1, event.seq), row).unwrap();
        codec::decode(&text).unwrap();
    }
    let opened = (worked() - began) / log.len() as f64;
    let bytes = rows.iter().map(Vec::len).sum::<usize>() / rows.len();
    println!(
        "encode and seal {sealed:.2} us, open and decode {opened:.2} us per event of {bytes} bytes"
    );

    let folder = tempfile::tempdir_in(".").unwrap();
    let store = Store::open(&folder.path().join("r.redb"), &keys()).unwrap();
    for batch in [1, 64] {
        let log = super::disk_for_tests::log(if batch == 1 { 300 } else { 19_200 });
        let began = worked();
        let mut times: Vec<_> = log
            .chunks(batch)
            .map(|events| {
                let began = Instant::now();
                store.append(events).unwrap();
                began.elapsed()
            })
            .collect();
        let (middle, late) = (percentile(&mut times, 50), percentile(&mut times, 99));
        let each = (worked() - began) / log.len() as f64;
        println!(
            "append of {batch}: p50 {middle:.0} us, p99 {late:.0} us; {each:.1} us of processor per event"
        );
        let began = worked();
        let events = store.events(log[0].learner).unwrap();
        let took = (worked() - began) / 1e3;
        println!("reading {} events: {took:.1} ms of processor", events.len());
    }
    let began = worked();
    let check = store.check().unwrap();
    let took = (worked() - began) / 1e3;
    println!(
        "checking {} events: {took:.1} ms of processor",
        check.events
    );
}
