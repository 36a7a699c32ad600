//! Logs from under an earlier edition of the delivered table.

use super::tests::{Dice, asked, play_with};
use super::*;

pub(super) fn first_edition() -> Strategies {
    Strategies::read(crate::learning::strategy::table::Table::EARLIER[0]).unwrap()
}

#[test]
fn a_log_from_under_the_first_edition_comes_out_the_same_to_the_bit() {
    let learner = LearnerId::fresh();
    let mut decided = 0;
    for seed in 0..4 {
        // Of the last, nothing may have been decided: then it is found by trying.
        let frames = if seed == 3 { 600 } else { 5000 };
        let mut dice = Dice::new(seed);
        let log = play_with(Vec::new(), learner, frames, 90, &mut dice, first_edition());
        let told = as_it_was(&asked(&[]), learner, &log, &Strategies::default()).unwrap();
        assert!(told.same, "seed {seed}: {}", told.in_words());
        decided += told.tables_then.len();
        for table in told.tables_then {
            assert_eq!(table, first_edition().table().edition());
        }
    }
    assert!(decided > 0, "no log with a decision");
}
