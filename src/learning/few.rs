//! A short list of fixed capacity: reasons and decisions are given out many times a second without allocating.
//!
//! In JSON it is a plain array. What doesn't fit is dropped; the capacities are chosen so that everything fits.

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// At most `N` values, in the order they were added.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Few<T, const N: usize>([Option<T>; N]);

impl<T: Copy, const N: usize> Default for Few<T, N> {
    fn default() -> Self {
        Self([None; N])
    }
}

impl<T, const N: usize> Few<T, N> {
    /// Adds a value; `false` if there was no room.
    pub fn push(&mut self, value: T) -> bool {
        match self.0.iter_mut().find(|slot| slot.is_none()) {
            Some(slot) => {
                *slot = Some(value);
                true
            }
            None => false,
        }
    }

    /// The values, in order.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.0.iter().map_while(Option::as_ref)
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.iter().count()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.iter().next().is_none()
    }
}

impl<T: Serialize, const N: usize> Serialize for Few<T, N> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

impl<'de, T: Copy + Deserialize<'de>, const N: usize> Deserialize<'de> for Few<T, N> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut few = Self::default();
        for value in Vec::deserialize(deserializer)? {
            if !few.push(value) {
                return Err(serde::de::Error::custom(format!("more than {N} entries")));
            }
        }
        Ok(few)
    }
}

impl<T: JsonSchema, const N: usize> JsonSchema for Few<T, N> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        Vec::<T>::schema_name()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        Vec::<T>::json_schema(generator)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_keeps_the_order_and_says_when_it_is_full() {
        let mut few = Few::<u8, 2>::default();
        assert!(few.is_empty());
        assert!(few.push(3) && few.push(1));
        assert!(!few.push(2));
        assert_eq!(few.iter().copied().collect::<Vec<_>>(), [3, 1]);
        assert_eq!(few.len(), 2);
    }

    #[test]
    fn in_json_it_is_a_plain_array() {
        let mut few = Few::<u8, 3>::default();
        few.push(7);
        assert_eq!(serde_json::to_string(&few).unwrap(), "[7]");
        assert_eq!(serde_json::from_str::<Few<u8, 3>>("[7]").unwrap(), few);
        assert!(serde_json::from_str::<Few<u8, 3>>("[1,2,3,4]").is_err());
    }
}
