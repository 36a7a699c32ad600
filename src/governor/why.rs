//! Why the governor does what it does, in one line, written without allocation.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::actuators::{Level, Setting};

/// What the frame rate hangs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Bound {
    /// Nothing is near its budget.
    #[default]
    Free,
    /// Our CPU work.
    Cpu,
    /// Our GPU work.
    Gpu,
    /// Both.
    Both,
    /// Periods are missed while we take little of them: the compositor or the system is late.
    Compositor,
}

/// The reason for a decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// Too few frames were seen since the start, the last scene or refresh rate.
    #[default]
    Gathering,
    /// Nothing asks for a change.
    Steady,
    /// The forecast's tail would pass the budget.
    Forecast,
    /// Without less, a miss is certain, or happened.
    Certain,
    /// A period passed without a frame just when the runtime waited long for the GPU: not waited for certainty.
    Alarm,
    /// There is room, and a seam of the lesson where nobody sees it given back.
    RoomAtSeam,
    /// There is room, and there was none of the lesson's seams for long.
    Room,
    /// There is room, but something changed less than the dwell ago.
    Dwelling,
    /// There is room, but not for a load that was here before.
    Wall,
    /// The learner is at something fine, reads or is assessed.
    Moment,
    /// All that may go is gone, and it isn't enough.
    Floor,
    /// Periods are missed that no quality of ours would save.
    NotOurs,
    /// Nobody looks.
    Unfocused,
}

impl Cause {
    fn words(self) -> &'static str {
        match self {
            Self::Gathering => "gathering frames",
            Self::Steady => "steady",
            Self::Forecast => "less, before the forecast passes the budget",
            Self::Certain => "less, because a miss is certain",
            Self::Alarm => "less at once, because a frame was missed and the GPU waited for",
            Self::RoomAtSeam => "more, at a seam of the lesson",
            Self::Room => "more, there is room",
            Self::Dwelling => "room, but a change was just now",
            Self::Wall => "room, but not for a load that was here before",
            Self::Moment => "held for what the learner is doing",
            Self::Floor => "all is given up and it isn't enough",
            Self::NotOurs => "missed by the compositor, quality wouldn't help",
            Self::Unfocused => "nobody looks",
        }
    }
}

/// Cause, evidence, before and after.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Why {
    /// The reason.
    pub cause: Cause,
    /// What the frame rate hangs on.
    pub bound: Bound,
    /// The runtime's period, seconds; 0 before the first frame.
    pub period: f64,
    /// Tail of the forecast CPU time as a share of the period.
    pub cpu: f64,
    /// Tail of the forecast GPU time as a share of the period; `None` where nobody measures it.
    /// Where the runtime waits for the GPU, with our work before it.
    pub gpu: Option<f64>,
    /// Whether the runtime waits for the GPU, so that the renderer's work and the GPU's share one period.
    #[serde(default)]
    pub waits: bool,
    /// Setting before.
    pub from: Setting,
    /// Setting after.
    pub to: Setting,
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", Level::of(&self.to).name(), self.cause.words())?;
        let bound = match self.bound {
            Bound::Free => "",
            Bound::Cpu => "; CPU-bound",
            Bound::Gpu => "; GPU-bound",
            Bound::Both => "; CPU- and GPU-bound",
            Bound::Compositor => "; blocked by the compositor",
        };
        f.write_str(bound)?;
        write!(f, "; CPU {:.0} %", 100.0 * self.cpu)?;
        match self.gpu {
            Some(gpu) if self.waits => write!(f, ", rendering and GPU {:.0} %", 100.0 * gpu)?,
            Some(gpu) => write!(f, ", GPU {:.0} %", 100.0 * gpu)?,
            None => f.write_str(", GPU unmeasured")?,
        }
        write!(f, " of {:.1} ms", 1e3 * self.period)?;
        for (name, from, to) in [
            ("CPU", self.from.cpu, self.to.cpu),
            ("GPU", self.from.gpu, self.to.gpu),
        ] {
            if (from - to).abs() > 1e-9 {
                write!(f, "; {name} given up {from:.2} → {to:.2}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_one_line_that_says_what_and_why() {
        let why = Why {
            cause: Cause::Forecast,
            bound: Bound::Gpu,
            period: 1.0 / 72.0,
            cpu: 0.41,
            gpu: Some(0.963),
            waits: false,
            from: Setting::FULL,
            to: Setting {
                cpu: 0.0,
                gpu: 0.31,
            },
        };
        assert_eq!(
            why.to_string(),
            "balanced: less, before the forecast passes the budget; GPU-bound; CPU 41 %, GPU 96 % of 13.9 ms; GPU given \
             up 0.00 → 0.31"
        );
        let waits = Why { waits: true, ..why };
        assert!(
            waits.to_string().contains("rendering and GPU 96 %"),
            "{waits}"
        );
    }
}
