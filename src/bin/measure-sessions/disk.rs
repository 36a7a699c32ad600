//! What keeping records costs: appending with fsync under the load of a class, and what privacy takes of each event.

use std::error::Error;
use std::hint::black_box;
use std::path::Path;
use std::time::{Duration, Instant};

use malloc_vr::protocol::event::Event;
use malloc_vr::record::pii::Screen;
use malloc_vr::record::{Keys, Recorder, Rehearsal, Store};
use serde_json::Value;

use super::{ROUNDS, figure, quantiles};

/// Events whose way to the disk is timed, and how far apart they come: a class of 64 that acts once a second.
const APPENDED: usize = 2_000;
const APART: Duration = Duration::from_micros(15_625);
/// Nothing should take longer.
const PATIENCE: Duration = Duration::from_secs(10);

/// `append_p50_us` and `append_p99_us`: from handing an event to the record thread to its acknowledgement after fsync,
/// while others come in and share its commit.
pub(super) fn appended(log: &[Event], folder: &Path) -> Result<[Value; 2], Box<dyn Error>> {
    let file = folder.join("appended.redb");
    let recorder = Recorder::start(Store::open(&file, &Keys::beside(&file)?)?)?;
    let mut handed: Vec<Instant> = Vec::with_capacity(APPENDED);
    let mut took = Vec::with_capacity(APPENDED);
    let start = Instant::now();
    let mut coming = log.iter().take(APPENDED);
    while took.len() < APPENDED {
        let due = start + APART * u32::try_from(handed.len())?;
        if Instant::now() >= due
            && let Some(event) = coming.next()
        {
            handed.push(Instant::now());
            recorder
                .append(event.clone())
                .map_err(|_| "the record thread's queue is full")?;
        }
        for acknowledged in recorder.acknowledgements() {
            let now = Instant::now();
            let until = usize::try_from(acknowledged.seq)?;
            for at in handed.iter().take(until).skip(took.len()) {
                took.push(now.duration_since(*at).as_secs_f64() * 1e6);
            }
        }
        if start.elapsed() > PATIENCE + APART * u32::try_from(APPENDED)? {
            return Err("the disk does not keep up; see `malloc-vr doctor`".into());
        }
        std::thread::sleep(Duration::from_micros(200));
    }
    Ok([quantiles(took.clone(), 50), quantiles(took, 99)])
}

/// `pii_us_per_text`: looking for names, numbers and addresses in what somebody says.
pub(super) fn looked_through() -> Value {
    const TIMES: usize = 200;
    let screen = Screen::with_names(["Ada Lovelace", "Mark Li", "Seán O'Casey"]);
    let text = "Put the red cube into the round hole, then tell me what you saw there.";
    let round = || {
        let start = Instant::now();
        for _ in 0..TIMES {
            black_box(screen.find(black_box(text)));
        }
        start.elapsed().as_secs_f64() * 1e6 / TIMES as f64
    };
    figure((0..ROUNDS).map(|_| round()).collect(), ROUNDS * TIMES)
}

/// `privacy_us_per_event`: screening words, sealing and opening again; without the encoding, which a plain store has, too.
pub(super) fn privacy(log: &[Event]) -> Result<Value, Box<dyn Error>> {
    let rehearsal = Rehearsal::new()?;
    let mut events = log.to_vec();
    let texts = log.iter().map(serde_json::to_vec);
    let texts = texts.collect::<Result<Vec<_>, _>>()?;
    let mut rounds = Vec::with_capacity(ROUNDS);
    for _ in 0..ROUNDS {
        let start = Instant::now();
        for (event, text) in events.iter_mut().zip(&texts) {
            rehearsal.screen(black_box(event));
            let row = rehearsal.seal(event.seq, black_box(text))?;
            black_box(rehearsal.open(event.seq, &row)).ok_or("a row did not open again")?;
        }
        rounds.push(start.elapsed().as_secs_f64() * 1e6 / log.len() as f64);
    }
    Ok(figure(rounds, ROUNDS * log.len()))
}
