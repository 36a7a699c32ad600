//! A person with a head and two hands, who moves as people do: along smooth paths, at the speed of an arm.
//! Positions are metres in the stage (floor at y = 0, looking along -z); where the stage lies in the room after a teleport
//! is the caller's to know.

use std::io::Write;
use std::net::TcpStream;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use bevy::math::{Quat, Vec3};

use crate::packet::{Packet, Side};

/// Updates a second: more than any headset shows.
const RATE: f32 = 90.0;
/// Speed of an unhurried arm, metres per second (peak of the path is 1.9 times this).
const ARM_SPEED: f32 = 0.45;
/// Metres per second.
const WALKING_SPEED: f32 = 0.8;
/// Of what is thrown, metres per second².
pub const GRAVITY: f32 = 9.81;

/// Where a hand is.
#[derive(Debug, Clone, Copy)]
pub struct HandPose {
    pub position: Vec3,
    pub rotation: Quat,
    pub trigger: f32,
    pub squeeze: f32,
    pub stick: (f32, f32),
}

/// The person.
pub struct Person {
    stream: TcpStream,
    packet: Packet,
    pub head: Vec3,
    head_rotation: Quat,
    hands: [HandPose; 2],
    /// How many times slower than usual: for software that draws a frame or two a second.
    slower: f32,
    /// And how much slower still just now, because something went wrong.
    care: f32,
}

impl Person {
    /// Stands at the stage's origin, hands before the chest.
    ///
    /// # Errors
    /// Where the connection breaks.
    pub fn new(stream: TcpStream, packet: Packet) -> Result<Self> {
        let hand = |x| HandPose {
            position: Vec3::new(x, 1.05, -0.25),
            rotation: Quat::IDENTITY,
            trigger: 0.0,
            squeeze: 0.0,
            stick: (0.0, 0.0),
        };
        let mut person = Self {
            stream,
            packet,
            head: Vec3::new(0.0, 1.6, 0.0),
            head_rotation: Quat::IDENTITY,
            hands: [hand(-0.25), hand(0.25)],
            slower: 1.0,
            care: 1.0,
        };
        person.send([Vec3::ZERO; 2])?;
        Ok(person)
    }

    /// Does everything but throwing this many times slower, always.
    pub fn slow_down(&mut self, slower: f32) {
        self.slower = slower;
    }

    /// And for now this many times slower still.
    pub fn care(&mut self, care: f32) {
        self.care = care;
    }

    /// Takes a new connection after the runtime was started again; everything stays where it was.
    ///
    /// # Errors
    /// Where the connection breaks.
    // The OpenXR tests, which share this file, start the runtime again; the play-through does not.
    #[allow(dead_code)]
    pub fn reconnect(&mut self, stream: TcpStream, packet: Packet) -> Result<()> {
        self.stream = stream;
        self.packet = packet;
        self.send([Vec3::ZERO; 2])
    }

    pub fn hand(&self, side: Side) -> HandPose {
        self.hands[side as usize]
    }

    fn send(&mut self, velocity: [Vec3; 2]) -> Result<()> {
        self.packet
            .set_head(self.head_rotation.to_array(), self.head.to_array());
        for side in [Side::Left, Side::Right] {
            let hand = self.hands[side as usize];
            self.packet.set_hand(
                side,
                hand.rotation.to_array(),
                hand.position.to_array(),
                velocity[side as usize].to_array(),
            );
            self.packet.set_fingers(side, hand.trigger, hand.squeeze);
            self.packet.set_stick(side, hand.stick.0, hand.stick.1);
        }
        self.stream
            .write_all(self.packet.bytes())
            .context("the simulated headset is gone")
    }

    /// Does something for a while: `at` is called with 0..1, eased as people move (minimum jerk, Flash & Hogan 1985).
    fn over(&mut self, time: f32, mut at: impl FnMut(&mut Self, f32)) -> Result<()> {
        let time = time * self.slower * self.care;
        let start = Instant::now();
        let mut before = self.hands.map(|hand| hand.position);
        let mut last = start;
        loop {
            let t = (start.elapsed().as_secs_f32() / time.max(1e-3)).min(1.0);
            at(self, t * t * t * (10.0 + t * (6.0 * t - 15.0)));
            let now = Instant::now();
            let dt = now.duration_since(last).as_secs_f32().max(1e-3);
            let velocity =
                [0, 1].map(|side: usize| (self.hands[side].position - before[side]) / dt);
            before = self.hands.map(|hand| hand.position);
            last = now;
            self.send(velocity)?;
            if t >= 1.0 {
                // At rest again.
                return self.send([Vec3::ZERO; 2]);
            }
            std::thread::sleep(Duration::from_secs_f32(1.0 / RATE));
        }
    }

    /// Does nothing.
    ///
    /// # Errors
    /// Where the connection breaks.
    pub fn rest(&mut self, time: f32) -> Result<()> {
        self.over(time, |_, _| {})
    }

    /// Turns the head to a point.
    ///
    /// # Errors
    /// Where the connection breaks.
    pub fn look_at(&mut self, point: Vec3) -> Result<()> {
        let from = self.head_rotation;
        let to = facing(point - self.head);
        self.over(0.7, |person, t| person.head_rotation = from.slerp(to, t))
    }

    /// Moves a hand to a point, keeping its rotation.
    ///
    /// # Errors
    /// Where the connection breaks.
    pub fn reach(&mut self, side: Side, to: Vec3) -> Result<()> {
        let from = self.hand(side).position;
        let time = (from.distance(to) / ARM_SPEED).max(0.3);
        self.over(time, |person, t| {
            person.hands[side as usize].position = from.lerp(to, t);
        })
    }

    /// Walks; one hand is carried along, the other hangs where it is.
    ///
    /// # Errors
    /// Where the connection breaks.
    pub fn walk(&mut self, side: Side, way: Vec3) -> Result<()> {
        let head = self.head;
        let hand = self.hand(side).position;
        self.over(way.length() / WALKING_SPEED, |person, t| {
            person.head = head + way * t;
            person.hands[side as usize].position = hand + way * t;
        })
    }

    /// Turns a hand so that it points at something.
    ///
    /// # Errors
    /// Where the connection breaks.
    pub fn point_at(&mut self, side: Side, point: Vec3) -> Result<()> {
        let from = self.hand(side).rotation;
        let to = facing(point - self.hand(side).position);
        self.turn(side, from, to)
    }

    /// Turns a hand to a rotation.
    ///
    /// # Errors
    /// Where the connection breaks.
    pub fn turn_to(&mut self, side: Side, to: Quat) -> Result<()> {
        let from = self.hand(side).rotation;
        self.turn(side, from, to)
    }

    fn turn(&mut self, side: Side, from: Quat, to: Quat) -> Result<()> {
        self.over(0.4, |person, t| {
            person.hands[side as usize].rotation = from.slerp(to, t);
        })
    }

    /// Closes (1) or opens (0) the hand.
    ///
    /// # Errors
    /// Where the connection breaks.
    pub fn squeeze(&mut self, side: Side, to: f32) -> Result<()> {
        let from = self.hand(side).squeeze;
        self.over(0.25, |person, t| {
            person.hands[side as usize].squeeze = from + (to - from) * t;
        })
    }

    /// Pulls the trigger and lets it go.
    ///
    /// # Errors
    /// Where the connection breaks.
    pub fn pull_trigger(&mut self, side: Side) -> Result<()> {
        self.over(0.3, |person, t| person.hands[side as usize].trigger = t)?;
        self.over(0.3, |person, t| {
            person.hands[side as usize].trigger = 1.0 - t;
        })
    }

    /// Presses the left hand's menu button and lets it go.
    ///
    /// # Errors
    /// Where the connection breaks.
    // The play-through opens the menu for a picture; the OpenXR tests, which share this file, do not.
    #[allow(dead_code)]
    pub fn press_menu(&mut self) -> Result<()> {
        self.packet.set_upper_button(Side::Left, true);
        self.rest(0.3)?;
        self.packet.set_upper_button(Side::Left, false);
        self.rest(0.3)
    }

    /// Holds the stick.
    ///
    /// # Errors
    /// Where the connection breaks.
    pub fn stick(&mut self, side: Side, x: f32, y: f32) -> Result<()> {
        self.hands[side as usize].stick = (x, y);
        self.send([Vec3::ZERO; 2])
    }

    /// Swings the hand through `through` with this velocity and opens it there. From then on the hand goes the way that
    /// the ball goes, so that a slow frame, which sees the hand open late, lets the ball go from the right place with the
    /// right speed all the same, up to `follow` seconds later.
    ///
    /// # Errors
    /// Where the connection breaks.
    pub fn throw(&mut self, side: Side, through: Vec3, velocity: Vec3, follow: f32) -> Result<()> {
        const SWING: f32 = 0.22;
        let fall = Vec3::NEG_Y * GRAVITY;
        self.reach(side, through - velocity * SWING * 0.5)?;
        let start = Instant::now();
        let from = self.hand(side).position;
        loop {
            let t = start.elapsed().as_secs_f32();
            let (way, speed) = if t < SWING {
                // Gathers speed evenly.
                (velocity * (t * t / (2.0 * SWING)), velocity * (t / SWING))
            } else {
                let free = t - SWING;
                let way = velocity * (SWING / 2.0 + free) + fall * (0.5 * free * free);
                (way, velocity + fall * free)
            };
            let hand = &mut self.hands[side as usize];
            hand.position = from + way;
            if t >= SWING {
                hand.squeeze = 0.0;
            }
            let mut both = [Vec3::ZERO; 2];
            both[side as usize] = speed;
            self.send(both)?;
            if t > SWING + follow {
                break;
            }
            std::thread::sleep(Duration::from_secs_f32(1.0 / RATE));
        }
        self.reach(side, through)
    }
}

/// The rotation that looks (or points) along a direction, upright.
pub fn facing(direction: Vec3) -> Quat {
    bevy::transform::components::Transform::default()
        .looking_to(direction, Vec3::Y)
        .rotation
}
