//! What figures over classes have cost each learner, in a sealed file beside the records: whoever forgot it would start
//! anew with every question.

use std::path::Path;

use super::aggregate::{
    AggregatePolicy, AggregateRefusal, Answer, Asks, Ledger, MicroEpsilon, answer,
};
use super::key::Keys;
use super::seal::random;
use super::sealed_file::{SealedFile, SealedFileError, Sort};
use crate::protocol::ids::LearnerId;

/// Why a class's figure is not told.
#[derive(Debug, thiserror::Error)]
pub enum ClassFigureError {
    /// It may not be.
    #[error(transparent)]
    Refused(#[from] AggregateRefusal),
    /// What it costs could not be kept, and so it is not told.
    #[error("the figure is kept back, since what it cost cannot be written down: {0}")]
    NotKept(#[from] SealedFileError),
}

/// The budgets of a store's learners.
#[derive(Debug)]
pub struct ClassLedger {
    sealed: SealedFile,
    ledger: Ledger,
}

const SORT: Sort = Sort {
    what: "ledger of class figures",
    magic: b"mvledger",
    key_place: b"malloc-vr 2 class ledger key",
    text_place: b"malloc-vr 2 class ledger",
    text_key: "malloc-vr 2026-11-21 class ledger text",
};

impl ClassLedger {
    /// Opens it; where there is no file yet nothing was spent.
    ///
    /// # Errors
    /// [`SealedFileError`].
    pub fn open(file: &Path, keys: &Keys) -> Result<Self, SealedFileError> {
        let (sealed, ledger) = SealedFile::open(file, &SORT, keys)?;
        Ok(Self { sealed, ledger })
    }

    /// Answers a question about one value of each learner of a class of `class_size` (see [`answer`]), and keeps what it
    /// cost before it is told.
    ///
    /// # Errors
    /// [`ClassFigureError`]; nothing was told then.
    pub fn ask(
        &mut self,
        asks: Asks,
        values: &[(LearnerId, f64)],
        class_size: usize,
        cost: MicroEpsilon,
        policy: &AggregatePolicy,
        keys: &Keys,
    ) -> Result<Answer, ClassFigureError> {
        let mut after = self.ledger.clone();
        let mut broken = false;
        let mut bits = || {
            let drawn = random::<8>();
            broken |= drawn.is_err();
            drawn.map_or(0, u64::from_le_bytes)
        };
        let told = answer(
            asks, values, class_size, cost, policy, &mut after, &mut bits,
        )?;
        if broken {
            return Err(AggregateRefusal::NoNoise.into());
        }
        self.sealed.save(&after, keys)?;
        self.ledger = after;
        Ok(told)
    }

    /// What has been spent on this learner.
    #[must_use]
    pub fn spent(&self, learner: LearnerId) -> MicroEpsilon {
        self.ledger.spent(learner)
    }

    /// Forgets erased learners, and writes it down.
    ///
    /// # Errors
    /// [`SealedFileError`].
    pub fn forget(
        &mut self,
        erased: impl Fn(LearnerId) -> bool,
        keys: &Keys,
    ) -> Result<(), SealedFileError> {
        if self.ledger.forget_whoever(erased) {
            self.save(keys)?;
        }
        Ok(())
    }

    /// Writes it, sealed under these keys.
    ///
    /// # Errors
    /// [`SealedFileError`]; the file is then as it was.
    pub fn save(&self, keys: &Keys) -> Result<(), SealedFileError> {
        self.sealed.save(&self.ledger, keys)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::disk_for_tests::keys;

    #[test]
    fn what_was_spent_is_spent_after_a_restart_until_the_learner_is_erased() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("class.sealed");
        let keys = keys();
        let class: Vec<_> = (0..6).map(|n| (LearnerId::fresh(), f64::from(n))).collect();
        let ask = |ledger: &mut ClassLedger| {
            ledger.ask(
                Asks::Mean {
                    low: 0.0,
                    high: 10.0,
                },
                &class,
                6,
                MicroEpsilon(2_000_000),
                &AggregatePolicy::default(),
                &keys,
            )
        };
        let mut ledger = ClassLedger::open(&file, &keys).unwrap();
        let told = ask(&mut ledger).unwrap();
        assert!((0.0..=10.0).contains(&told.value) && told.learners == 6);
        let mut ledger = ClassLedger::open(&file, &keys).unwrap();
        assert!(matches!(
            ask(&mut ledger),
            Err(ClassFigureError::Refused(AggregateRefusal::Spent {
                short_of: 6,
                ..
            }))
        ));
        let (first, _) = class[0];
        ledger.forget(|learner| learner == first, &keys).unwrap();
        let ledger = ClassLedger::open(&file, &keys).unwrap();
        assert_eq!(ledger.spent(first), MicroEpsilon(0));
        assert_ne!(ledger.spent(class[1].0), MicroEpsilon(0));
        // Nobody is named in it.
        let bytes = std::fs::read(&file).unwrap();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        assert!(!text.contains(&class[1].0.to_string()));
    }

    #[test]
    fn what_cannot_be_kept_is_not_told() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("nowhere").join("class.sealed");
        let keys = keys();
        let mut ledger = ClassLedger::open(&file, &keys).unwrap();
        let class: Vec<_> = (0..6).map(|_| (LearnerId::fresh(), 1.0)).collect();
        let refused = ledger.ask(
            Asks::AtLeast { value: 0.5 },
            &class,
            6,
            MicroEpsilon(100_000),
            &AggregatePolicy::default(),
            &keys,
        );
        assert!(matches!(refused, Err(ClassFigureError::NotKept(_))));
        assert_eq!(ledger.spent(class[0].0), MicroEpsilon(0));
    }
}
