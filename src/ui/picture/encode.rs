//! Pixels to a PNG of bounded size, on a thread of its own.

use std::thread;

use bevy::prelude::*;
use crossbeam_channel::{Receiver, Sender, bounded};
use png::{BitDepth, ColorType, Compression, Filter};

use crate::protocol::picture::MOST_BYTES;
use crate::session::picture::Picture;

/// Rows begin at multiples of this many bytes in what comes back from the graphics card.
const ALIGNED: usize = 256;

/// As they came back: red, green, blue, alpha, a byte each, sRGB; rows aligned to 256 bytes.
pub(super) struct Pixels {
    pub(super) data: Vec<u8>,
    pub(super) size: UVec2,
}

/// The thread. Ends when this is dropped.
pub(super) struct Encoder {
    pixels: Sender<Pixels>,
    pictures: Receiver<Result<Picture, String>>,
}

impl Encoder {
    /// Starts it. `None`: the system has no thread for us, which is logged.
    pub(super) fn start() -> Option<Self> {
        let (to_encode, pixels) = bounded::<Pixels>(1);
        let (done, pictures) = bounded(1);
        let thread = thread::Builder::new().name("picture".to_owned());
        let started = thread.spawn(move || {
            for pixels in pixels {
                if done.send(encode(&pixels)).is_err() {
                    return;
                }
            }
        });
        match started {
            Ok(_) => Some(Self {
                pixels: to_encode,
                pictures,
            }),
            Err(error) => {
                error!("pictures cannot be compressed: {error}");
                None
            }
        }
    }

    /// Hands over pixels; false: others are still being worked on.
    pub(super) fn give(&self, pixels: Pixels) -> bool {
        self.pixels.try_send(pixels).is_ok()
    }

    /// What has become of them, once.
    pub(super) fn finished(&self) -> Option<Result<Picture, String>> {
        self.pictures.try_recv().ok()
    }
}

/// As it is if that is small enough; else without the two lowest bits of each colour, which no eye misses and which are
/// most of the noise; else smaller until it fits.
fn encode(pixels: &Pixels) -> Result<Picture, String> {
    let (mut width, mut height) = (pixels.size.x as usize, pixels.size.y as usize);
    let mut rgb = without_padding(&pixels.data, width, height)
        .ok_or("fewer pixels came back than were drawn")?;
    let mut plainer = false;
    loop {
        let png = compress(&rgb, width, height).map_err(|error| error.to_string())?;
        if png.len() <= MOST_BYTES {
            return Ok(Picture {
                png: png.into(),
                width: width as u32,
                height: height as u32,
            });
        }
        if !plainer {
            plainer = true;
            rgb.iter_mut().for_each(|value| *value &= !3);
        } else if width.max(height) > 1 {
            (rgb, width, height) = halved(&rgb, width, height);
        } else {
            return Err("it cannot be made small enough".to_owned());
        }
    }
}

/// Red, green and blue, row after row.
fn without_padding(data: &[u8], width: usize, height: usize) -> Option<Vec<u8>> {
    let row = (width * 4).next_multiple_of(ALIGNED);
    let mut rgb = Vec::with_capacity(width * height * 3);
    for y in 0..height {
        let pixels = data.get(y * row..y * row + width * 4)?;
        for pixel in pixels.chunks_exact(4) {
            rgb.extend_from_slice(pixel.get(..3)?);
        }
    }
    Some(rgb)
}

/// Half as wide and high; odd edges lose their last pixel.
fn halved(rgb: &[u8], width: usize, height: usize) -> (Vec<u8>, usize, usize) {
    let (w, h) = ((width / 2).max(1), (height / 2).max(1));
    let mut small = Vec::with_capacity(w * h * 3);
    let value = |x: usize, y: usize, colour: usize| {
        let at = (y.min(height - 1) * width + x.min(width - 1)) * 3 + colour;
        u16::from(rgb.get(at).copied().unwrap_or_default())
    };
    for y in 0..h {
        for x in 0..w {
            for colour in 0..3 {
                let sum: u16 = [(0, 0), (1, 0), (0, 1), (1, 1)]
                    .map(|(dx, dy)| value(2 * x + dx, 2 * y + dy, colour))
                    .iter()
                    .sum();
                small.push((sum / 4) as u8);
            }
        }
    }
    (small, w, h)
}

fn compress(rgb: &[u8], width: usize, height: usize) -> Result<Vec<u8>, png::EncodingError> {
    let mut file = Vec::with_capacity(rgb.len() / 4);
    let mut encoder = png::Encoder::new(&mut file, width as u32, height as u32);
    encoder.set_color(ColorType::Rgb);
    encoder.set_depth(BitDepth::Eight);
    encoder.set_compression(Compression::Balanced);
    encoder.set_filter(Filter::Adaptive);
    encoder.write_header()?.write_image_data(rgb)?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pixels(width: usize, height: usize, of: impl Fn(usize, usize) -> [u8; 3]) -> Pixels {
        let row = (width * 4).next_multiple_of(ALIGNED);
        let mut data = vec![0; row * height];
        for y in 0..height {
            for x in 0..width {
                let [r, g, b] = of(x, y);
                data[y * row + x * 4..y * row + x * 4 + 4].copy_from_slice(&[r, g, b, 255]);
            }
        }
        Pixels {
            data,
            size: UVec2::new(width as u32, height as u32),
        }
    }

    fn decoded(picture: &Picture) -> (u32, u32, Vec<u8>) {
        let mut reader = png::Decoder::new(std::io::Cursor::new(&picture.png[..]))
            .read_info()
            .unwrap();
        let mut data = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut data).unwrap();
        (info.width, info.height, data)
    }

    #[test]
    fn what_was_drawn_comes_out_whole() {
        let of = |x: usize, y: usize| [x as u8, y as u8, (x ^ y) as u8];
        let picture = encode(&pixels(70, 30, of)).unwrap();
        let (width, height, data) = decoded(&picture);
        assert_eq!((width, height), (70, 30));
        assert_eq!((picture.width, picture.height), (70, 30));
        for y in 0..30 {
            for x in 0..70 {
                let at = (y * 70 + x) * 3;
                assert_eq!(data[at..at + 3], of(x, y));
            }
        }
    }

    #[test]
    fn the_worst_picture_is_small_enough_too() {
        let noise = |x: usize, y: usize| {
            let mut n = (y * 640 + x) as u64 + 1;
            for _ in 0..3 {
                n = (n ^ (n >> 31)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
            }
            [(n >> 40) as u8, (n >> 48) as u8, (n >> 56) as u8]
        };
        let picture = encode(&pixels(640, 640, noise)).unwrap();
        assert!(picture.png.len() <= MOST_BYTES, "{}", picture.png.len());
        assert!(picture.width < 640);
        assert_eq!(decoded(&picture).0, picture.width);
    }

    #[test]
    fn too_few_pixels_are_no_picture() {
        let mut short = pixels(64, 64, |_, _| [1, 2, 3]);
        short.data.truncate(1000);
        assert!(encode(&short).is_err());
    }

    #[test]
    fn the_thread_encodes_one_after_the_other_and_refuses_a_third() {
        let encoder = Encoder::start().unwrap();
        assert!(encoder.give(pixels(8, 8, |_, _| [9, 9, 9])));
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
        let picture = loop {
            if let Some(picture) = encoder.finished() {
                break picture.unwrap();
            }
            assert!(std::time::Instant::now() < deadline);
            thread::yield_now();
        };
        assert_eq!(decoded(&picture).2[..3], [9, 9, 9]);
        // One done, one in hand, one waiting; the next finds no room sooner or later.
        assert!(!(0..10).all(|_| encoder.give(pixels(8, 8, |_, _| [0, 0, 0]))));
    }
}
