//! Rules that are sound, and those that are named.

use super::*;

#[test]
fn the_delivered_rules_are_sound_and_read_back() {
    let rules = Rules::default();
    assert_eq!(rules.validate(), Ok(()));
    let text = ron::to_string(&rules).unwrap();
    assert_eq!(ron::from_str::<Rules>(&text).unwrap(), rules);
    assert!(ron::from_str::<Rules>("(hihg: 0.9)").is_err());
}

#[test]
fn rules_that_would_fight_are_named() {
    let rules = Rules {
        low: 0.92,
        raise_to: 0.9,
        ..Rules::default()
    };
    let said = rules.validate().unwrap_err().to_string();
    assert!(
        said.contains("`low` must be less than `raise_to`"),
        "{said}"
    );
    let rules = Rules {
        raise_after: 1.0,
        ..Rules::default()
    };
    let said = rules.validate().unwrap_err().to_string();
    assert!(said.contains("`raise_after` is 1"), "{said}");
    for high in [f64::NAN, 2.0] {
        let rules = Rules {
            high,
            ..Rules::default()
        };
        assert!(rules.validate().is_err());
    }
}

#[test]
fn a_path_that_turns_back_is_named() {
    let mut rules = Rules::default();
    rules.paths.shadows = [1.0, 0.0, 0.5, 0.0, 0.0];
    let said = rules.validate().unwrap_err().to_string();
    assert!(said.contains("`shadows` turns back"), "{said}");
    let rules = Rules {
        gpu_shares: [0.3; 5],
        ..Rules::default()
    };
    let said = rules.validate().unwrap_err().to_string();
    assert!(said.contains("gpu_shares"), "{said}");
}
