//! Motion is biometric. Here it is recorded, under consent, and here it is reduced to what may leave instead.
//!
//! In: head and hands of every frame. Out: blocks of bytes for the store, only with a [`ConsentToken`] in hand
//! ([`MotionLog::append`]); and, without one, outcomes and noised words about stretches of attempts ([`derived`],
//! [`words`]) and noised body attributes ([`private`]). Never: a pose in any other form.
//!
//! Why: 55,541 people were told apart at 94 % from 100 s of head and hand motion (Nair et al. 2023, "Unique
//! identification of 50,000+ virtual reality users from head & hand motion data", USENIX Security), 511 at 95 % while
//! they only watched a film (Miller et al. 2020, Scientific Reports 10:17404). Gait patterns are named as personal
//! information of children in 16 CFR 312.2 as amended in 2025, to be complied with since 22 April 2026.
//!
//! # By construction
//! A pose is made of numbers and gives none back without a token:
//! ```
//! use malloc_vr::record::motion::{ConsentToken, RawPose};
//! let pose = RawPose::new([0.0, 1.6, 0.0], [0.0, 0.0, 0.0, 1.0]).unwrap();
//! assert_eq!(format!("{pose:?}"), "RawPose(withheld)");
//! let _ = |token: &ConsentToken| pose.reveal(token);
//! ```
//! It cannot be serialised, read back, shown, hashed or looked into:
//! ```compile_fail,E0277
//! use malloc_vr::record::motion::RawPose;
//! let pose = RawPose::new([0.0, 1.6, 0.0], [0.0, 0.0, 0.0, 1.0]).unwrap();
//! let text = serde_json::to_string(&pose);
//! ```
//! ```compile_fail,E0277
//! use malloc_vr::record::motion::MotionFrame;
//! let frame: MotionFrame = serde_json::from_str("{}").unwrap();
//! ```
//! ```compile_fail,E0599
//! use malloc_vr::record::motion::RawPose;
//! let pose = RawPose::new([0.0, 1.6, 0.0], [0.0, 0.0, 0.0, 1.0]).unwrap();
//! let text = pose.to_string();
//! ```
//! ```compile_fail,E0277
//! use malloc_vr::record::motion::RawPose;
//! fn hash<T: std::hash::Hash>(_: T) {}
//! hash(RawPose::new([0.0, 1.6, 0.0], [0.0, 0.0, 0.0, 1.0]).unwrap());
//! ```
//! ```compile_fail,E0616
//! use malloc_vr::record::motion::RawPose;
//! let pose = RawPose::new([0.0, 1.6, 0.0], [0.0, 0.0, 0.0, 1.0]).unwrap();
//! let place = pose.position;
//! ```
//! Nothing is recorded without a token:
//! ```
//! use malloc_vr::record::motion::{ConsentToken, MotionFrame, MotionLog};
//! let _ = |log: &mut MotionLog, token: &ConsentToken, frame: &MotionFrame| log.append(token, 0, frame);
//! ```
//! ```compile_fail,E0061
//! use malloc_vr::record::motion::{MotionFrame, MotionLog};
//! let _ = |log: &mut MotionLog, frame: &MotionFrame| log.append(0, frame);
//! ```
//! And a token comes from a recorded consent, from nowhere else:
//! ```
//! use malloc_vr::record::motion::{ConsentToken, Grant};
//! let _ = |grant: &Grant| ConsentToken::from_grant(grant, 0, std::time::Duration::ZERO);
//! ```
//! ```compile_fail,E0451
//! use malloc_vr::record::motion::{ConsentToken, Grant};
//! let _ = |token: ConsentToken| ConsentToken { keep: std::time::Duration::MAX, ..token };
//! ```
//! ```compile_fail,E0624
//! use malloc_vr::record::motion::Grant;
//! use malloc_vr::protocol::ids::LearnerId;
//! let grant = Grant::recorded(LearnerId::fresh(), 0, u64::MAX, std::time::Duration::MAX);
//! ```
//! ```compile_fail,E0277
//! use malloc_vr::record::motion::ConsentToken;
//! let token: ConsentToken = serde_json::from_str("{}").unwrap();
//! ```
//! ```compile_fail,E0277
//! use malloc_vr::record::motion::ConsentToken;
//! fn copy<T: Clone>(_: T) {}
//! let _ = |token: ConsentToken| copy(token);
//! ```

mod codec;
pub mod derived;
mod granted;
mod log;
mod own;
mod pose;
pub mod private;
mod steps;
mod token;
pub mod words;

pub use codec::ChunkError;
pub use granted::granted;
pub use log::{MotionChunk, MotionError, MotionHealth, MotionLog, decode};
pub use pose::{Controls, FARTHEST, HandMotion, MotionFrame, PoseError, RawPose};
pub use token::{ConsentError, ConsentToken, Grant};
