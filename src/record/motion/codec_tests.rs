//! Tests of the blocks of motion.

use std::f32::consts::PI;

use proptest::prelude::*;

use super::super::pose::{Controls, FARTHEST};
use super::*;

/// Half a step of position, and what f32 loses at [`FARTHEST`].
const POSITION_ERROR: f32 = 0.05e-3 + 2e-6;
const ROTATION_ERROR: f32 = 2e-4;

fn encode(frames: &[MotionFrame]) -> Vec<u8> {
    let mut encoder = Encoder::default();
    for frame in frames {
        encoder.push(frame);
    }
    encoder.finish()
}

fn angle_between(a: [f32; 4], b: [f32; 4]) -> f32 {
    // From the difference, because the cosine of a small angle is 1 in f32.
    let apart = |sign: f32| {
        a.iter()
            .zip(&b)
            .map(|(x, y)| (x - sign * y).powi(2))
            .sum::<f32>()
            .sqrt()
    };
    4.0 * (apart(1.0).min(apart(-1.0)) / 2.0).asin()
}

fn close(a: &RawPose, b: &RawPose) -> Result<(), TestCaseError> {
    for (x, y) in a.position.iter().zip(&b.position) {
        prop_assert!((x - y).abs() <= POSITION_ERROR, "{x} came back as {y}");
    }
    let angle = angle_between(a.rotation, b.rotation);
    prop_assert!(angle <= ROTATION_ERROR, "turned by {angle} rad");
    Ok(())
}

fn pose() -> impl Strategy<Value = RawPose> {
    let number = -1.0_f32..=1.0;
    (
        prop::array::uniform3(-FARTHEST..=FARTHEST),
        prop::array::uniform4(number),
    )
        .prop_filter_map("a rotation", |(p, r)| RawPose::new(p, r).ok())
}

fn hand() -> impl Strategy<Value = HandMotion> {
    (
        pose(),
        prop::option::of(pose()),
        (0.0_f32..=1.0, 0.0_f32..=1.0, -1.0_f32..=1.0, -1.0_f32..=1.0),
        any::<bool>(),
    )
        .prop_map(|(grip, aim, (trigger, squeeze, x, y), menu)| {
            let controls = Controls {
                trigger,
                squeeze,
                stick: [x, y],
                menu,
            };
            HandMotion::new(grip, aim, controls)
        })
}

fn frames() -> impl Strategy<Value = Vec<MotionFrame>> {
    let frame = (
        0_u64..50_000,
        pose(),
        prop::option::of(hand()),
        prop::option::of(hand()),
    );
    (0_u64..100_000_000_000, prop::collection::vec(frame, 0..40)).prop_map(|(start, frames)| {
        let mut at = start;
        frames
            .into_iter()
            .map(|(step, head, left, right)| {
                at += step;
                MotionFrame::new(Duration::from_micros(at), head, left, right)
            })
            .collect()
    })
}

proptest! {
    #[test]
    fn what_is_written_comes_back_within_half_a_step(frames in frames()) {
        let read = decode(&encode(&frames)).unwrap();
        prop_assert_eq!(read.len(), frames.len());
        for (a, b) in frames.iter().zip(&read) {
            prop_assert_eq!(a.at, b.at);
            close(&a.head, &b.head)?;
            for (a, b) in a.hands.iter().zip(&b.hands) {
                prop_assert_eq!(a.is_some(), b.is_some());
                let (Some(a), Some(b)) = (a, b) else { continue };
                close(&a.grip, &b.grip)?;
                prop_assert_eq!(a.aim.is_some(), b.aim.is_some());
                if let (Some(a), Some(b)) = (&a.aim, &b.aim) {
                    close(a, b)?;
                }
                let (a, b) = (a.controls, b.controls);
                prop_assert!((a.trigger - b.trigger).abs() <= 0.51 / 255.0);
                prop_assert!((a.squeeze - b.squeeze).abs() <= 0.51 / 255.0);
                prop_assert!((a.stick[0] - b.stick[0]).abs() <= 0.51 / 127.0);
                prop_assert!((a.stick[1] - b.stick[1]).abs() <= 0.51 / 127.0);
                prop_assert_eq!(a.menu, b.menu);
            }
        }
    }

    #[test]
    fn a_flipped_bit_is_found(frames in frames(), bit in any::<prop::sample::Index>()) {
        let mut bytes = encode(&frames);
        let bit = bit.index(bytes.len() * 8);
        bytes[bit / 8] ^= 1 << (bit % 8);
        // The layout byte is not under the checksum: a lower version reads alike.
        prop_assert!(decode(&bytes).is_err() || bit < 8, "bit {}", bit);
    }

    #[test]
    fn a_torn_block_is_found(frames in frames(), cut in any::<prop::sample::Index>()) {
        let bytes = encode(&frames);
        prop_assert!(decode(&bytes[..cut.index(bytes.len())]).is_err());
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = decode(&bytes);
    }

    /// The checksum fits, so that what lies behind it is reached.
    #[test]
    fn no_content_makes_it_panic(
        frames in frames(), hits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..20),
    ) {
        let mut bytes = encode(&frames);
        for (at, with) in hits {
            let at = HEADER + at.index(bytes.len() - HEADER);
            bytes[at] = with;
        }
        let sum = crc32fast::hash(&bytes[HEADER..]).to_le_bytes();
        bytes[1..HEADER].copy_from_slice(&sum);
        if let Ok(frames) = decode(&bytes) {
            for frame in frames {
                prop_assert!(frame.head.position.iter().all(|x| x.abs() <= FARTHEST));
                let length: f32 = frame.head.rotation.iter().map(|x| x * x).sum();
                prop_assert!((length - 1.0).abs() < 1e-3);
            }
        }
    }
}

#[test]
fn a_block_of_a_later_layout_is_refused() {
    let mut bytes = encode(&[]);
    bytes[0] = LAYOUT + 1;
    assert_eq!(
        decode(&bytes).map(|_| ()),
        Err(ChunkError::NewerLayout(LAYOUT + 1))
    );
}

#[test]
fn a_number_with_no_end_is_no_number() {
    let mut bytes = vec![LAYOUT, 0, 0, 0, 0];
    bytes.extend([0xff; 40]);
    let sum = crc32fast::hash(&bytes[HEADER..]).to_le_bytes();
    bytes[1..HEADER].copy_from_slice(&sum);
    assert_eq!(decode(&bytes).map(|_| ()), Err(ChunkError::Impossible));
}

/// A minute at 72 Hz: head and both hands swing by half a metre twice a second and turn by a radian, tracked with a
/// noise of ±0.3 mm and ±0.5 mrad; the frame interval jitters by ±0.2 ms.
fn a_minute() -> Vec<MotionFrame> {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut noise = || {
        // xorshift64 (Marsaglia 2003), as ±1.
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 40) as f32 / (1_u64 << 23) as f32 - 1.0
    };
    (0..72 * 60)
        .map(|i| {
            let at = i as f32 / 72.0;
            let mut pose = |phase: f32, reach: f32| {
                let swing = (2.0 * PI * at * 2.0 * reach + phase).sin();
                let mut n = || 0.3e-3 * noise();
                let position = [
                    0.25 * reach * swing + n(),
                    1.4 + 0.1 * swing + n(),
                    -0.3 + n(),
                ];
                let half = (0.5 * swing + 0.5e-3 * noise()) / 2.0;
                RawPose::new(position, [0.1, half.sin(), 0.05, half.cos()]).unwrap()
            };
            let (head, left, right) = (pose(0.0, 0.2), pose(1.0, 1.0), pose(2.0, 1.0));
            let hand = |grip: RawPose| HandMotion::new(grip, None, Controls::default());
            let jitter = (200.0 * noise()) as i64;
            let at = (i64::from(i) * 13_889 + jitter).max(0) as u64;
            MotionFrame::new(
                Duration::from_micros(at),
                head,
                Some(hand(left)),
                Some(hand(right)),
            )
        })
        .collect()
}

#[test]
fn a_minute_of_motion_is_a_tenth_of_a_megabyte() {
    let bytes: usize = a_minute()
        .chunks(72)
        .map(|second| encode(second).len())
        .sum();
    // As it comes from the runtime: three poses of seven f32 and a time of 8 bytes.
    let plain = 72 * 60 * (3 * 7 * 4 + 8);
    println!(
        "motion_kb_per_minute {} (plain {})",
        bytes / 1000,
        plain / 1000
    );
    assert!(bytes < 120_000, "{bytes}");
    assert!(bytes * 3 < plain, "{bytes} of {plain}");
}
