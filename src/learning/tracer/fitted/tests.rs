//! Files of fitted tracers: written, read, refused.

use super::super::testing::rasch;
use super::*;

const KINDS: [Kind; 5] = [Kind::Bkt, Kind::Pfa, Kind::Elo, Kind::BestLr, Kind::Best];

fn names(what: &str, n: u32) -> Names {
    (0..n).map(|at| format!("{what} {at}")).collect()
}

/// Names of the simulated skills and items.
fn simulated() -> (Names, Names) {
    (names("skill", 4), names("item", 12))
}

fn fitted(kind: Kind) -> Fitted {
    let (skills, items) = simulated();
    let provenance = Provenance {
        data: "simulated".to_owned(),
        fitted_by: "a test".to_owned(),
        ..Provenance::default()
    };
    fit(
        kind,
        &rasch(20, 1),
        (&skills, &items),
        provenance,
        &|_, _| (),
    )
}

#[test]
fn every_model_comes_back_from_its_file_as_it_was() {
    let test = rasch(10, 2);
    for kind in KINDS {
        let written = fitted(kind);
        assert_eq!(written.kind(), kind);
        assert_eq!(
            (written.provenance.learners, written.provenance.answers),
            (20, 600)
        );
        let json = serde_json::to_string(&written).unwrap();
        let read: Fitted = serde_json::from_str(&json).unwrap();
        assert_eq!(read, written, "{kind:?}");
        let read = read.validated().unwrap();
        let bits = |fitted: &Fitted| -> Vec<_> {
            let pairs = fitted.one_step_ahead(&test, Counted::All);
            pairs.iter().map(|pair| pair.0.to_bits()).collect()
        };
        assert_eq!(bits(&read), bits(&written), "{kind:?}");
    }
}

#[test]
fn scoring_leaves_the_tracer_as_it_was() {
    let test = rasch(10, 2);
    for kind in KINDS {
        let fitted = fitted(kind);
        let score = fitted.score(&test, Counted::All).unwrap();
        assert_eq!(score.n, 300);
        assert_eq!(fitted.score(&test, Counted::All), Some(score), "{kind:?}");
        assert_eq!(fitted.score(&Answers::default(), Counted::All), None);
    }
}

#[test]
fn new_names_come_after_the_files_own() {
    let (mut skills, mut items) = fitted(Kind::Elo).names();
    assert_eq!(skills.get("skill 2"), Some(2));
    assert_eq!((skills.index_of("new"), items.index_of("new")), (4, 12));
    // A model that does not tell items apart does not carry their names.
    assert!(fitted(Kind::Pfa).items.is_empty());
}

#[test]
fn a_file_of_another_format_is_refused() {
    let other = Fitted {
        format: 2,
        ..fitted(Kind::Pfa)
    };
    assert_eq!(other.validated(), Err(FittedError::Format { found: 2 }));
}

#[test]
fn missing_and_repeated_names_are_refused() {
    let mut short = fitted(Kind::Elo);
    short.items.truncate(5);
    let unnamed = FittedError::Unnamed {
        what: "items",
        named: 5,
        found: 12,
    };
    assert_eq!(short.validated(), Err(unnamed));
    let mut twice = fitted(Kind::Bkt);
    twice.skills[3] = "skill 0".to_owned();
    let name = "skill 0".to_owned();
    assert_eq!(
        twice.validated(),
        Err(FittedError::Twice {
            what: "skills",
            name
        })
    );
}

#[test]
fn numbers_out_of_range_are_refused_with_the_models_name() {
    let Model::Bkt(mut model) = fitted(Kind::Bkt).model else {
        panic!("another model");
    };
    model.pooled.slip = 0.9;
    let damaged = Fitted {
        model: Model::Bkt(model),
        ..fitted(Kind::Bkt)
    };
    let error = damaged.validated().unwrap_err().to_string();
    assert!(
        error.contains("Bayesian knowledge tracing: `slip` is 0.9"),
        "{error}"
    );
    // The file, damaged on the disk: an outward weight turns negative.
    let json = serde_json::to_string(&fitted(Kind::Best)).unwrap();
    let damaged = json.replacen("\"outward\":[", "\"outward\":[-1.0,", 1);
    let damaged: Fitted = serde_json::from_str(&damaged).unwrap();
    let error = damaged.validated().unwrap_err().to_string();
    assert!(
        error.contains("monotone tracer: it has 49 `outward` weights"),
        "{error}"
    );
}
