//! Adam (Kingma & Ba, "Adam: a method for stochastic optimization", ICLR 2015) with weight decay and, after each step, a
//! projection onto the monotone networks.

use super::features::{PER_SKILL, RISING};
use super::network::{HIDDEN, Network};

const FIRST_MOMENT: f32 = 0.9;
const SECOND_MOMENT: f32 = 0.999;
const TINY: f32 = 1e-8;

/// L2 penalty per answer on the shared weights, the hidden layer, and the deviations of a skill.
const DECAY: [f32; 3] = [1e-6, 1e-5, 1e-4];

/// Lists of weights that are learnt, each with its decay.
fn lists(network: &mut Network) -> [(&mut [f32], f32); 6] {
    [
        (std::slice::from_mut(&mut network.bias), 0.0),
        (&mut network.straight, DECAY[0]),
        (&mut network.inward, DECAY[1]),
        (&mut network.hidden_bias, DECAY[1]),
        (&mut network.outward, DECAY[1]),
        (network.skills.as_flattened_mut(), DECAY[2]),
    ]
}

/// The optimiser's memory.
pub(super) struct Adam {
    first: Network,
    second: Network,
    steps: i32,
}

impl Adam {
    pub(super) fn new(network: &Network) -> Self {
        let zero = Network::zero(network.skills.len());
        Self {
            first: zero.clone(),
            second: zero,
            steps: 0,
        }
    }

    /// One step down `gradient` (of the mean loss), which is cleared.
    pub(super) fn step(&mut self, network: &mut Network, gradient: &mut Network, rate: f32) {
        self.steps = self.steps.saturating_add(1);
        let unbias_first = 1.0 / (1.0 - FIRST_MOMENT.powi(self.steps));
        let unbias_second = 1.0 / (1.0 - SECOND_MOMENT.powi(self.steps));
        let moments = lists(&mut self.first)
            .into_iter()
            .zip(lists(&mut self.second));
        let weights = lists(network).into_iter().zip(lists(gradient));
        for (((weights, decay), (slopes, _)), ((first, _), (second, _))) in weights.zip(moments) {
            for (((weight, slope), first), second) in
                weights.iter_mut().zip(slopes).zip(first).zip(second)
            {
                let downhill = *slope + decay * *weight;
                *slope = 0.0;
                *first = FIRST_MOMENT * *first + (1.0 - FIRST_MOMENT) * downhill;
                *second = SECOND_MOMENT * *second + (1.0 - SECOND_MOMENT) * downhill * downhill;
                let size = (*second * unbias_second).sqrt() + TINY;
                *weight -= rate * *first * unbias_first / size;
            }
        }
        project(network);
    }
}

/// The nearest monotone network, weight by weight.
pub(super) fn project(network: &mut Network) {
    let rising = |weights: &mut [f32]| {
        for weight in weights {
            *weight = weight.max(0.0);
        }
    };
    rising(network.straight.get_mut(..RISING).unwrap_or_default());
    rising(
        network
            .inward
            .get_mut(..RISING * HIDDEN)
            .unwrap_or_default(),
    );
    rising(&mut network.outward);
    let shared = PER_SKILL.map(|input| network.straight.get(input).copied().unwrap_or(0.0));
    for skill in &mut network.skills {
        for (slope, shared) in skill.iter_mut().skip(1).zip(shared) {
            *slope = slope.max(-shared);
        }
    }
}
