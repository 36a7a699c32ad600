//! What compression of messages would save, and cost.

use std::error::Error;
use std::hint::black_box;
use std::io::Write;
use std::time::Instant;

use flate2::Compression;
use flate2::write::DeflateEncoder;
use malloc_vr::protocol::ids::{LearnerId, SessionId};
use malloc_vr::protocol::wire::FromClient;

use super::{Figures, load, put};

const ROUNDS: usize = 2000;

/// Bytes of a sample as text, as MessagePack and deflated, and the time of each.
pub fn tell(figures: &mut Figures) -> Result<(), Box<dyn Error + Send + Sync>> {
    let parcel = load::sample(LearnerId::fresh(), SessionId::fresh(), 1);
    let message = FromClient::Parcel(Box::new(parcel));
    let text = serde_json::to_vec(&message)?;
    let packed = rmp_serde::to_vec_named(&message)?;
    let deflated = deflate(&packed)?;
    for (name, bytes) in [
        ("sample_bytes_json", text.len()),
        ("sample_bytes_msgpack", packed.len()),
        ("sample_bytes_msgpack_deflated", deflated.len()),
    ] {
        put(figures, name.to_owned(), bytes as f64, 1);
    }
    let begun = Instant::now();
    for _ in 0..ROUNDS {
        black_box(rmp_serde::to_vec_named(black_box(&message))?);
    }
    let writing = begun.elapsed();
    let begun = Instant::now();
    for _ in 0..ROUNDS {
        black_box(deflate(black_box(&packed))?);
    }
    let deflating = begun.elapsed();
    let each = |time: std::time::Duration| time.as_secs_f64() * 1e6 / ROUNDS as f64;
    put(figures, "sample_write_us".to_owned(), each(writing), ROUNDS);
    put(
        figures,
        "sample_deflate_us".to_owned(),
        each(deflating),
        ROUNDS,
    );
    Ok(())
}

fn deflate(bytes: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes)?;
    encoder.finish()
}
