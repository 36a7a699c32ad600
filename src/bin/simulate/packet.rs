//! The packet of Monado's remote driver (version 25.0): a plain C struct, little-endian, sent whole for every change.
//! We keep the one that the service sends and change only what moves.

/// Bytes of a packet.
pub const SIZE: usize = 376;
const HEADER: &[u8; 8] = b"mndrmt3\0";
/// `head.center`, behind the header and two views of 48 bytes.
const HEAD: usize = 8 + 2 * 48;
/// The left hand, behind the head (pose and four bytes of flags).
const LEFT: usize = HEAD + 28 + 4;
/// Bytes of a hand.
const HAND: usize = 120;

/// Offsets inside a hand.
const LINEAR_VELOCITY: usize = 28;
const TRIGGER: usize = 72;
const SQUEEZE: usize = 76;
const SQUEEZE_FORCE: usize = 80;
const THUMBSTICK: usize = 84;
const FLAGS: usize = 104;

/// Flags of a hand, one byte each, in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(usize)]
pub enum Flag {
    HandTracking = 0,
    Active = 1,
    BClick = 6,
    TriggerClick = 8,
    ThumbstickTouch = 11,
}

/// Which hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(usize)]
pub enum Side {
    Left = 0,
    Right = 1,
}

/// Why bytes are no packet.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error(
    "the remote driver speaks another version: where Monado 25.0 sends the head's orientation it sent {0:?}"
)]
pub struct OtherVersion([f32; 4]);

/// A whole state of head and hands.
#[derive(Clone, PartialEq)]
pub struct Packet([u8; SIZE]);

impl Packet {
    /// Takes over what the service sent.
    ///
    /// # Errors
    /// [`OtherVersion`].
    pub fn from_service(bytes: [u8; SIZE]) -> Result<Self, OtherVersion> {
        // The service leaves the header empty in what it sends, and wants it in what it gets.
        let mut packet = Self(bytes);
        packet.0[..8].copy_from_slice(HEADER);
        let orientation = packet.head_orientation();
        let length: f32 = orientation.iter().map(|part| part * part).sum();
        if (length - 1.0).abs() < 1e-3 {
            Ok(packet)
        } else {
            Err(OtherVersion(orientation))
        }
    }

    fn head_orientation(&self) -> [f32; 4] {
        std::array::from_fn(|index| {
            let at = HEAD + 4 * index;
            f32::from_le_bytes(std::array::from_fn(|byte| self.0[at + byte]))
        })
    }

    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// Orientation (x, y, z, w) and position (metres) of the head.
    pub fn set_head(&mut self, orientation: [f32; 4], position: [f32; 3]) {
        self.put(HEAD, &orientation);
        self.put(HEAD + 16, &position);
    }

    /// Grip pose and velocity (metres per second) of a hand; makes it active.
    pub fn set_hand(
        &mut self,
        side: Side,
        orientation: [f32; 4],
        position: [f32; 3],
        velocity: [f32; 3],
    ) {
        let at = hand(side);
        self.put(at, &orientation);
        self.put(at + 16, &position);
        self.put(at + LINEAR_VELOCITY, &velocity);
        self.set_flag(side, Flag::Active, true);
        self.set_flag(side, Flag::HandTracking, false);
    }

    /// Trigger and squeeze, 0..1.
    pub fn set_fingers(&mut self, side: Side, trigger: f32, squeeze: f32) {
        let at = hand(side);
        self.put(at + TRIGGER, &[trigger]);
        self.put(at + SQUEEZE, &[squeeze]);
        self.put(at + SQUEEZE_FORCE, &[squeeze]);
        self.set_flag(side, Flag::TriggerClick, trigger > 0.9);
    }

    /// Stick, -1..1 each, y forward.
    pub fn set_stick(&mut self, side: Side, x: f32, y: f32) {
        self.put(hand(side) + THUMBSTICK, &[x, y]);
        self.set_flag(side, Flag::ThumbstickTouch, x != 0.0 || y != 0.0);
    }

    /// The upper button, which opens the menu.
    pub fn set_upper_button(&mut self, side: Side, down: bool) {
        self.set_flag(side, Flag::BClick, down);
    }

    fn set_flag(&mut self, side: Side, flag: Flag, on: bool) {
        self.0[hand(side) + FLAGS + flag as usize] = u8::from(on);
    }

    fn put(&mut self, at: usize, values: &[f32]) {
        for (index, value) in values.iter().enumerate() {
            let at = at + 4 * index;
            self.0[at..at + 4].copy_from_slice(&value.to_le_bytes());
        }
    }
}

fn hand(side: Side) -> usize {
    LEFT + HAND * side as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    fn floats(packet: &Packet, at: usize, count: usize) -> Vec<f32> {
        packet.bytes()[at..at + 4 * count]
            .as_chunks::<4>()
            .0
            .iter()
            .map(|bytes| f32::from_le_bytes(*bytes))
            .collect()
    }

    fn packet() -> Packet {
        let mut bytes = [0; SIZE];
        bytes[HEAD + 12..HEAD + 16].copy_from_slice(&1.0_f32.to_le_bytes());
        Packet::from_service(bytes).unwrap()
    }

    #[test]
    fn the_parts_fill_the_packet_exactly() {
        assert_eq!(LEFT + 2 * HAND, SIZE);
        assert_eq!(FLAGS + 13 + 3, HAND);
    }

    #[test]
    fn what_is_set_lies_where_monado_reads_it() {
        let mut packet = packet();
        packet.set_head([0.0, 0.0, 0.0, 1.0], [1.0, 2.0, 3.0]);
        packet.set_hand(
            Side::Right,
            [0.0, 1.0, 0.0, 0.0],
            [4.0, 5.0, 6.0],
            [7.0, 8.0, 9.0],
        );
        packet.set_fingers(Side::Right, 0.95, 0.5);
        packet.set_stick(Side::Left, 0.0, 1.0);
        packet.set_upper_button(Side::Left, true);
        assert_eq!(floats(&packet, 104, 7), [0.0, 0.0, 0.0, 1.0, 1.0, 2.0, 3.0]);
        assert_eq!(
            floats(&packet, 256, 10),
            [0.0, 1.0, 0.0, 0.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0]
        );
        assert_eq!(floats(&packet, 256 + 72, 2), [0.95, 0.5]);
        assert_eq!(floats(&packet, 136 + 84, 2), [0.0, 1.0]);
        assert_eq!(packet.bytes()[136 + 104 + 6], 1, "upper button");
        assert_eq!(packet.bytes()[256 + 104 + 1], 1, "active");
        assert_eq!(packet.bytes()[256 + 104 + 8], 1, "trigger click");
    }

    #[test]
    fn another_version_is_refused() {
        assert!(Packet::from_service([1; SIZE]).is_err());
    }
}
