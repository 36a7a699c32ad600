//! Many learners' answers, in columns, for fitting and measuring.

use std::collections::HashMap;
use std::ops::Range;

use super::Question;

/// Names behind dense indices.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Names {
    names: Vec<String>,
    index: HashMap<String, u32>,
}

impl Names {
    /// The index of a name; a new one gets the next free index.
    pub fn index_of(&mut self, name: &str) -> u32 {
        if let Some(index) = self.index.get(name) {
            return *index;
        }
        // More than u32::MAX different names do not fit into memory.
        let index = self.names.len() as u32;
        self.names.push(name.to_owned());
        self.index.insert(name.to_owned(), index);
        index
    }

    /// The index of a name that is known.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<u32> {
        self.index.get(name).copied()
    }

    /// All names, by index.
    #[must_use]
    pub fn all(&self) -> &[String] {
        &self.names
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }
}

impl FromIterator<String> for Names {
    fn from_iter<I: IntoIterator<Item = String>>(names: I) -> Self {
        let mut all = Self::default();
        for name in names {
            all.index_of(&name);
        }
        all
    }
}

/// One answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Answer {
    /// To what.
    pub question: Question,
    /// Whether it was right.
    pub correct: bool,
}

/// Answers of many learners; each learner's in the order in which they were given.
#[derive(Debug, Clone, Default)]
pub struct Answers {
    answers: Vec<Answer>,
    learners: Vec<Range<usize>>,
}

impl Answers {
    /// From one list of answers for each learner.
    pub fn of<L: IntoIterator<Item = Answer>>(learners: impl IntoIterator<Item = L>) -> Self {
        let mut all = Self::default();
        for learner in learners {
            let start = all.answers.len();
            all.answers.extend(learner);
            all.learners.push(start..all.answers.len());
        }
        all
    }

    /// Each learner's answers.
    #[must_use]
    pub fn learners(&self) -> impl ExactSizeIterator<Item = &[Answer]> + Clone {
        self.learners
            .iter()
            .map(|range| self.answers.get(range.clone()).unwrap_or_default())
    }

    /// One learner's answers; empty where there is no such learner.
    #[must_use]
    pub fn learner(&self, index: usize) -> &[Answer] {
        self.learners
            .get(index)
            .and_then(|range| self.answers.get(range.clone()))
            .unwrap_or_default()
    }

    /// Only the learners whose index `keep` accepts.
    #[must_use]
    pub fn only(&self, keep: impl Fn(usize) -> bool) -> Self {
        Self::of(
            self.learners()
                .enumerate()
                .filter(|(index, _)| keep(*index))
                .map(|(_, answers)| answers.iter().copied()),
        )
    }

    /// The same answers, items not told apart.
    #[must_use]
    pub fn without_items(&self) -> Self {
        let mut all = self.clone();
        for answer in &mut all.answers {
            answer.question.item = None;
        }
        all
    }

    /// How many learners.
    #[must_use]
    pub fn learner_count(&self) -> usize {
        self.learners.len()
    }

    /// How many answers.
    #[must_use]
    pub fn len(&self) -> usize {
        self.answers.len()
    }

    /// Whether there is no answer.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.answers.is_empty()
    }

    /// All answers, learner by learner.
    pub fn iter(&self) -> impl Iterator<Item = &Answer> {
        self.answers.iter()
    }

    /// One more than the highest index of a skill.
    #[must_use]
    pub fn skill_count(&self) -> usize {
        let skills = self
            .answers
            .iter()
            .map(|answer| answer.question.skill as usize + 1);
        skills.max().unwrap_or(0)
    }

    /// One more than the highest index of an item; 0 without items.
    #[must_use]
    pub fn item_count(&self) -> usize {
        let items = self
            .answers
            .iter()
            .filter_map(|answer| answer.question.item);
        items.max().map_or(0, |item| item as usize + 1)
    }
}
