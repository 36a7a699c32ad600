//! Whether rows that leave without names could still be told apart: k-anonymity and l-diversity of a table.
//! Checks before a research export, not a protection by themselves: both say nothing about what an attacker knows
//! besides (Machanavajjhala et al. 2007 show it for k, Li et al. 2007 for l). Where figures are enough, [`super::aggregate`]
//! is the better way.

use std::collections::{BTreeMap, BTreeSet};

/// Size of the smallest group of rows alike in what others may know of a person (Sweeney 2002); 0 for no rows.
pub fn k_anonymity<Known: Ord>(known: impl IntoIterator<Item = Known>) -> usize {
    let mut groups = BTreeMap::<Known, usize>::new();
    for key in known {
        *groups.entry(key).or_default() += 1;
    }
    groups.into_values().min().unwrap_or(0)
}

/// Fewest different sensitive values in a group of rows alike in what others may know: distinct l-diversity
/// (Machanavajjhala et al. 2007, §4); 0 for no rows.
pub fn l_diversity<Known: Ord, Sensitive: Ord>(
    rows: impl IntoIterator<Item = (Known, Sensitive)>,
) -> usize {
    let mut groups = BTreeMap::<Known, BTreeSet<Sensitive>>::new();
    for (key, value) in rows {
        groups.entry(key).or_default().insert(value);
    }
    groups
        .into_values()
        .map(|values| values.len())
        .min()
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn one_row_that_stands_alone_is_one_anonymous() {
        // Two of each kind, and then one alone.
        let two = [
            ("black", 1965, "0214"),
            ("black", 1965, "0214"),
            ("white", 1964, "0213"),
            ("white", 1964, "0213"),
        ];
        assert_eq!(k_anonymity(two), 2);
        assert_eq!(
            k_anonymity(two.into_iter().chain([("white", 1967, "0213")])),
            1
        );
        assert_eq!(k_anonymity(Vec::<u8>::new()), 0);
    }

    #[test]
    fn a_group_of_one_opinion_is_not_diverse() {
        assert_eq!(l_diversity([("a", 1), ("a", 2), ("b", 3), ("b", 3)]), 1);
        assert_eq!(l_diversity([("a", 1), ("a", 2), ("b", 3), ("b", 4)]), 2);
    }

    proptest! {
        #[test]
        fn a_coarser_view_never_tells_more_apart(rows in prop::collection::vec((0_u8..4, 0_u8..4, 0_u8..3), 1..40)) {
            let fine = k_anonymity(rows.iter().map(|(a, b, _)| (a, b)));
            let coarse = k_anonymity(rows.iter().map(|(a, ..)| a));
            prop_assert!(coarse >= fine);
            let diverse = l_diversity(rows.iter().map(|(a, b, s)| ((a, b), s)));
            prop_assert!(diverse <= fine);
        }
    }
}
