//! Inputs from inputs: flips, cuts, copies, splices and known words. Without instrumentation on stable Rust, what an
//! input is worth is judged by its answer: one of a kind not seen before is kept and mutated further.

use std::collections::HashSet;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::Path;

use anyhow::{Context, Result, ensure};

/// Longest input.
const LONGEST: usize = 96 * 1024;
/// Inputs kept.
const MOST: usize = 2000;

/// Pieces that readers treat specially.
const WORDS: &[&[u8]] = &[
    b"\r\n\r\n",
    b"\r\n",
    b"\0",
    b"{",
    b"}",
    b"[",
    b"]",
    b"\"",
    b"\\u0000",
    b"\\ud800",
    b":",
    b",",
    b"(",
    b")",
    b"null",
    b"true",
    b"-1",
    b"1e999",
    b"9223372036854775808",
    b"0.1e-400",
    b"NaN",
    b"inf",
    b"\xff\xfe",
    b"\xc3\x28",
    b"\"command\"",
    b"\"learner\"",
    b"\"body\"",
    b"\"do\"",
    b"\"give_hint\"",
    b"\"method\"",
    b"\"tools/call\"",
    b"\"params\"",
    b"\"jsonrpc\"",
    b"\"id\"",
    b"\"code\"",
    b"\"role\"",
    b"Content-Length: ",
    b"Transfer-Encoding: chunked",
    b"Upgrade: websocket",
    b"Host: ",
    b"Some(",
    b"/*",
    b"//",
    b"r#\"",
    b"\xf4\x8f\xbf\xbf",
    b"\x81\xfe\xff\xff",
    b"\x88\x80\0\0\0\0",
    b"\x89\xfd",
    b"\x16\x03\x01",
];

/// Inputs, and the chances that are drawn.
pub(crate) struct Corpus {
    inputs: Vec<Vec<u8>>,
    seen: HashSet<u64>,
    state: u64,
}

impl Corpus {
    /// Every file in the folder.
    pub(crate) fn read(folder: &Path, seed: u64) -> Result<Self> {
        let mut files: Vec<_> = fs::read_dir(folder)
            .with_context(|| format!("there are no inputs in {}", folder.display()))?
            .collect::<Result<_, _>>()?;
        files.sort_by_key(fs::DirEntry::file_name);
        let inputs: Vec<Vec<u8>> = files
            .iter()
            .map(|file| fs::read(file.path()))
            .collect::<Result<_, _>>()?;
        ensure!(
            !inputs.is_empty(),
            "there are no inputs in {}",
            folder.display()
        );
        Ok(Self {
            inputs,
            seen: HashSet::new(),
            state: seed | 1,
        })
    }

    pub(crate) fn inputs(&self) -> &[Vec<u8>] {
        &self.inputs
    }

    /// Kinds of answers so far.
    pub(crate) fn kinds(&self) -> usize {
        self.seen.len()
    }

    /// Keeps an input whose answer is of a new kind. Numbers, ids and quoted words make no kind.
    pub(crate) fn learn(&mut self, input: &[u8], answer: &str) {
        let mut hasher = DefaultHasher::new();
        let mut quoted = false;
        for byte in answer.bytes().take(2000) {
            quoted ^= byte == b'`';
            if !quoted && !byte.is_ascii_digit() && !(b'a'..=b'f').contains(&byte) {
                byte.hash(&mut hasher);
            }
        }
        if self.seen.insert(hasher.finish()) && input.len() <= LONGEST {
            if self.inputs.len() >= MOST {
                let at = self.below(self.inputs.len());
                self.inputs.swap_remove(at);
            }
            self.inputs.push(input.to_vec());
        }
    }

    /// The next input.
    pub(crate) fn next(&mut self) -> Vec<u8> {
        let mut input = self.any();
        for _ in 0..=self.below(6) {
            self.mutate(&mut input);
        }
        input.truncate(LONGEST);
        input
    }

    fn any(&mut self) -> Vec<u8> {
        let at = self.below(self.inputs.len());
        self.inputs.get(at).cloned().unwrap_or_default()
    }

    fn mutate(&mut self, input: &mut Vec<u8>) {
        let at = self.below(input.len() + 1);
        match self.below(9) {
            0 => {
                if let Some(byte) = input.get_mut(at) {
                    *byte ^= 1 << (self.draw() % 8);
                }
            }
            1 => {
                let with = self.draw().to_le_bytes();
                if let Some(byte) = input.get_mut(at) {
                    *byte = with[0];
                }
            }
            2 => input.truncate(at),
            3 => {
                let end = (at + self.below(32)).min(input.len());
                input.drain(at..end);
            }
            4 => {
                // A piece once more, or very often: depth and length.
                let end = (at + 1 + self.below(16)).min(input.len());
                let piece = input.get(at..end).unwrap_or_default().to_vec();
                let times = [1, 2, 16, 500][self.below(4)];
                let copies = piece.repeat(times);
                input.splice(at..at, copies);
            }
            5 | 6 => {
                let word = WORDS[self.below(WORDS.len())];
                input.splice(at..at, word.iter().copied());
            }
            7 => {
                let other = self.any();
                let from = self.below(other.len() + 1);
                input.truncate(at);
                input.extend(other.get(from..).unwrap_or_default());
            }
            _ => {
                // A number becomes another one.
                let digit = input.iter().skip(at).position(u8::is_ascii_digit);
                if let Some(offset) = digit {
                    let with =
                        [&b"0"[..], b"-1", b"65536", b"4294967296", b"1e308", b"00"][self.below(6)];
                    input.splice(at + offset..=at + offset, with.iter().copied());
                }
            }
        }
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.draw() % end.max(1) as u64).unwrap_or(0)
    }

    /// splitmix64 (Steele, Lea & Flood 2014).
    fn draw(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}
