//! A second of motion as a block of bytes: quantised, predicted from the frames before, checked.
//!
//! Positions in steps of 0.1 mm; rotations as the three smaller of the quaternion's four numbers (the largest follows
//! from the length 1: Fiedler 2015, "Snapshot compression"); times in microseconds; triggers in 255 steps, sticks in
//! 127 to each side. What a constant velocity would have given is taken off, and the rest is written as zigzag varints
//! (Protocol Buffers encoding). Each block stands alone, so that a lost one costs its own second only.

use std::time::Duration;

use super::pose::{HandMotion, MotionFrame, RawPose};
use super::steps::{FARTHEST_STEP, Presses, ROTATION_STEPS, Steps, Track, controls, presses};

/// Version of this layout. A newer one is refused, not guessed at.
const LAYOUT: u8 = 1;
/// Layout and CRC-32 of the rest.
const HEADER: usize = 5;
/// Frames in a block: two seconds of the fastest headset, whatever the clock says.
pub(super) const MOST_FRAMES: usize = 256;
/// Head, grips, aims.
const SLOTS: usize = 5;

const HAND: [u8; 2] = [1, 2];
const AIM: [u8; 2] = [4, 8];
const CONTROLS: [u8; 2] = [16, 32];
/// Which number of a quaternion is the largest has changed for somebody.
const LARGEST: u8 = 64;

/// Why bytes are no block of motion.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ChunkError {
    /// Not even a header.
    #[error("a block of motion is shorter than its header; this second of the recording is lost")]
    TooShort,
    /// Written by a later program.
    #[error(
        "a block of motion is written in layout {0}, newer than this program's; update Malloc VR"
    )]
    NewerLayout(u8),
    /// The checksum does not fit.
    #[error("a block of motion is damaged; this second of the recording is lost")]
    Damaged,
    /// The checksum fits and the content is no motion: written by a faulty program.
    #[error(
        "a block of motion holds what no head or hand does; this second of the recording is lost"
    )]
    Impossible,
}

/// What both sides know of the frames before.
#[derive(Default)]
struct Past {
    tracks: [Track; SLOTS],
    largest: [u8; SLOTS],
    presses: [Presses; 2],
    at: i64,
    step: i64,
}

/// A block being written.
#[derive(Default)]
pub(super) struct Encoder {
    past: Past,
    body: Vec<u8>,
    frames: usize,
    began: Option<Duration>,
    last: Duration,
}

impl Encoder {
    pub(super) fn frames(&self) -> usize {
        self.frames
    }

    /// Time of the first frame.
    pub(super) fn began(&self) -> Option<Duration> {
        self.began
    }

    pub(super) fn last(&self) -> Duration {
        self.last
    }

    pub(super) fn push(&mut self, frame: &MotionFrame) {
        let [left, right] = frame.hands;
        let slots: [Option<RawPose>; SLOTS] = [
            Some(frame.head),
            left.map(|hand| hand.grip),
            right.map(|hand| hand.grip),
            left.and_then(|hand| hand.aim),
            right.and_then(|hand| hand.aim),
        ];
        let steps = slots.map(|slot| slot.as_ref().map(Steps::of));
        let mut mask = 0;
        let mut pressed = self.past.presses;
        for ((hand, pressed), (has, (aims, presses_new))) in [left, right]
            .iter()
            .zip(&mut pressed)
            .zip(HAND.into_iter().zip(AIM.into_iter().zip(CONTROLS)))
        {
            let Some(hand) = hand else { continue };
            mask |= has | if hand.aim.is_some() { aims } else { 0 };
            let now = presses(&hand.controls);
            if now != *pressed {
                mask |= presses_new;
                *pressed = now;
            }
        }
        let mut largest = self.past.largest;
        for (to, steps) in largest.iter_mut().zip(&steps) {
            *to = steps.map_or(*to, |steps| steps.largest);
        }
        if largest != self.past.largest {
            mask |= LARGEST;
        }

        // Microseconds of any session fit.
        let at = i64::try_from(frame.at.as_micros()).unwrap_or(i64::MAX / 4);
        let step = at.saturating_sub(self.past.at);
        write_signed(&mut self.body, step.saturating_sub(self.past.step));
        (self.past.at, self.past.step) = (at, step);
        self.body.push(mask);
        if mask & LARGEST != 0 {
            let [a, b, c, d, e] = largest;
            self.body.push(a | b << 2 | c << 4 | d << 6);
            self.body.push(e);
        }
        self.past.largest = largest;
        for (changed, pressed) in CONTROLS.into_iter().zip(&pressed) {
            if mask & changed != 0 {
                self.body.extend_from_slice(pressed);
            }
        }
        self.past.presses = pressed;
        for (track, steps) in self.past.tracks.iter_mut().zip(steps) {
            let Some(steps) = steps else {
                *track = Track::default();
                continue;
            };
            let expected = track.expect(steps.largest);
            for (number, expected) in steps.numbers().into_iter().zip(expected) {
                write_signed(&mut self.body, i64::from(number) - expected);
            }
            track.push(steps);
        }
        self.frames += 1;
        self.began.get_or_insert(frame.at);
        self.last = frame.at;
    }

    /// The block. The encoder begins a new one.
    pub(super) fn finish(&mut self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.body.len() + HEADER + 2);
        bytes.extend_from_slice(&[LAYOUT, 0, 0, 0, 0]);
        write_unsigned(&mut bytes, self.frames as u64);
        bytes.append(&mut self.body);
        if let Some((header, rest)) = bytes.split_first_chunk_mut::<HEADER>() {
            let [a, b, c, d] = crc32fast::hash(rest).to_le_bytes();
            *header = [LAYOUT, a, b, c, d];
        }
        *self = Self {
            body: std::mem::take(&mut self.body),
            ..Self::default()
        };
        bytes
    }
}

/// The frames of a block.
///
/// # Errors
/// Why it is none. Never panics, whatever the bytes.
pub(super) fn decode(bytes: &[u8]) -> Result<Vec<MotionFrame>, ChunkError> {
    let (&layout, rest) = bytes.split_first().ok_or(ChunkError::TooShort)?;
    if layout > LAYOUT {
        return Err(ChunkError::NewerLayout(layout));
    }
    let (sum, mut rest) = rest.split_first_chunk().ok_or(ChunkError::TooShort)?;
    if crc32fast::hash(rest) != u32::from_le_bytes(*sum) {
        return Err(ChunkError::Damaged);
    }
    read_frames(&mut rest)
        .filter(|_| rest.is_empty())
        .ok_or(ChunkError::Impossible)
}

fn read_frames(rest: &mut &[u8]) -> Option<Vec<MotionFrame>> {
    let count = usize::try_from(read_unsigned(rest)?).ok()?;
    if count > MOST_FRAMES {
        return None;
    }
    let mut past = Past::default();
    (0..count).map(|_| read_frame(rest, &mut past)).collect()
}

fn read_frame(rest: &mut &[u8], past: &mut Past) -> Option<MotionFrame> {
    past.step = past.step.checked_add(read_signed(rest)?)?;
    past.at = past.at.checked_add(past.step)?;
    let at = Duration::from_micros(u64::try_from(past.at).ok()?);
    let mask = read_byte(rest)?;
    let aim_without_hand = (mask >> 2 & !mask) & 3 != 0;
    if mask & 128 != 0 || aim_without_hand {
        return None;
    }
    if mask & LARGEST != 0 {
        let (four, last) = (read_byte(rest)?, read_byte(rest)?);
        past.largest = [four & 3, four >> 2 & 3, four >> 4 & 3, four >> 6, last & 3];
    }
    for (changed, presses) in CONTROLS.into_iter().zip(&mut past.presses) {
        if mask & changed != 0 {
            let (read, after) = rest.split_first_chunk()?;
            *presses = *read;
            *rest = after;
        }
    }
    let mut poses = [None; SLOTS];
    let here = [
        true,
        mask & 1 != 0,
        mask & 2 != 0,
        mask & 4 != 0,
        mask & 8 != 0,
    ];
    for (((track, largest), pose), here) in past
        .tracks
        .iter_mut()
        .zip(past.largest)
        .zip(&mut poses)
        .zip(here)
    {
        if here {
            let steps = read_steps(rest, track, largest)?;
            *pose = Some(steps.pose()?);
            track.push(steps);
        } else {
            *track = Track::default();
        }
    }
    let [head, left, right, left_aim, right_aim] = poses;
    let [left_presses, right_presses] = past.presses.map(controls);
    let hand = |grip: Option<RawPose>, aim, controls| {
        grip.map(|grip| HandMotion {
            grip,
            aim,
            controls,
        })
    };
    Some(MotionFrame {
        at,
        head: head?,
        hands: [
            hand(left, left_aim, left_presses),
            hand(right, right_aim, right_presses),
        ],
    })
}

fn read_steps(rest: &mut &[u8], track: &Track, largest: u8) -> Option<Steps> {
    let mut numbers = [0; 6];
    let limits = [FARTHEST_STEP, ROTATION_STEPS];
    for (index, (to, expected)) in numbers.iter_mut().zip(track.expect(largest)).enumerate() {
        let number = i32::try_from(expected.checked_add(read_signed(rest)?)?).ok()?;
        if number.unsigned_abs() > limits[usize::from(index >= 3)].unsigned_abs() {
            return None;
        }
        *to = number;
    }
    let [a, b, c, d, e, f] = numbers;
    Some(Steps {
        position: [a, b, c],
        smaller: [d, e, f],
        largest,
    })
}

fn write_signed(bytes: &mut Vec<u8>, x: i64) {
    write_unsigned(bytes, ((x << 1) ^ (x >> 63)) as u64);
}

fn write_unsigned(bytes: &mut Vec<u8>, mut x: u64) {
    while x >= 0x80 {
        bytes.push(x as u8 | 0x80);
        x >>= 7;
    }
    bytes.push(x as u8);
}

fn read_byte(rest: &mut &[u8]) -> Option<u8> {
    let (&byte, after) = rest.split_first()?;
    *rest = after;
    Some(byte)
}

fn read_signed(rest: &mut &[u8]) -> Option<i64> {
    let x = read_unsigned(rest)?;
    Some((x >> 1) as i64 ^ -((x & 1) as i64))
}

fn read_unsigned(rest: &mut &[u8]) -> Option<u64> {
    let mut x = 0;
    for shift in (0..64).step_by(7) {
        let byte = read_byte(rest)?;
        x |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(x);
        }
    }
    None
}

#[cfg(test)]
#[path = "codec_tests.rs"]
mod tests;
