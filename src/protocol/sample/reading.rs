//! How figures are written and read: without a map or a list in between, for a class sends thousands of samples a second
//! and each has dozens of them.

use std::fmt;

use serde::de::{Error, MapAccess, SeqAccess, Visitor};
use serde::ser::{SerializeMap, SerializeSeq};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Field, Fields, Signal, SignalSet};

/// Where a figure comes from.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum From {
    Measured,
    Inferred,
    Absent,
}

/// A figure as it is written. One that is told apart by its tag would be read into a map first.
#[derive(Deserialize)]
struct Flat {
    from: From,
    #[serde(default)]
    value: Option<f32>,
    #[serde(default)]
    low: Option<f32>,
    #[serde(default)]
    high: Option<f32>,
}

impl<'de> Deserialize<'de> for Field {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let flat = Flat::deserialize(deserializer)?;
        let value = || flat.value.ok_or_else(|| Error::missing_field("value"));
        match flat.from {
            From::Measured => Ok(Self::Measured { value: value()? }),
            From::Inferred => Ok(Self::Inferred {
                value: value()?,
                low: flat.low.ok_or_else(|| Error::missing_field("low"))?,
                high: flat.high.ok_or_else(|| Error::missing_field("high"))?,
            }),
            From::Absent => Ok(Self::Absent),
        }
    }
}

impl Serialize for Fields {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let there = || self.iter().filter(|(_, field)| *field != Field::Absent);
        let mut map = serializer.serialize_map(Some(there().count()))?;
        for (signal, field) in there() {
            map.serialize_entry(&signal, &field)?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Figures;
        impl<'de> Visitor<'de> for Figures {
            type Value = Fields;

            fn expecting(&self, words: &mut fmt::Formatter) -> fmt::Result {
                words.write_str("figures by signal")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields, A::Error> {
                let mut fields = Fields::default();
                while let Some((signal, field)) = map.next_entry()? {
                    fields.set(signal, field);
                }
                Ok(fields)
            }
        }
        deserializer.deserialize_map(Figures)
    }
}

impl Serialize for SignalSet {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut list = serializer.serialize_seq(Some(self.len() as usize))?;
        for signal in Signal::ALL.into_iter().filter(|it| self.has(*it)) {
            list.serialize_element(&signal)?;
        }
        list.end()
    }
}

impl<'de> Deserialize<'de> for SignalSet {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Signals;
        impl<'de> Visitor<'de> for Signals {
            type Value = SignalSet;

            fn expecting(&self, words: &mut fmt::Formatter) -> fmt::Result {
                words.write_str("a list of signals")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<SignalSet, A::Error> {
                let mut bits = 0;
                while let Some(signal) = list.next_element::<Signal>()? {
                    bits |= SignalSet::of(&[signal]).0;
                }
                Ok(SignalSet(bits))
            }
        }
        deserializer.deserialize_seq(Signals)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_read_as_they_were_before_there_was_a_shorter_way() {
        // As serde reads an enum that is told apart by a tag.
        for (text, field) in [
            (
                r#"{"from":"measured","value":0.5}"#,
                Some(Field::Measured { value: 0.5 }),
            ),
            (
                r#"{"value":2,"from":"measured","later":[1]}"#,
                Some(Field::Measured { value: 2.0 }),
            ),
            (
                r#"{"from":"inferred","value":0.5,"low":0.25,"high":1.0}"#,
                Some(Field::Inferred {
                    value: 0.5,
                    low: 0.25,
                    high: 1.0,
                }),
            ),
            (r#"{"from":"absent"}"#, Some(Field::Absent)),
            (r#"{"from":"inferred","value":0.5}"#, None),
            (r#"{"from":"measured"}"#, None),
            (r#"{"from":"guessed","value":0.5}"#, None),
            (r#"{"value":0.5}"#, None),
        ] {
            assert_eq!(serde_json::from_str(text).ok(), field, "{text}");
        }
        assert!(serde_json::from_str::<Fields>(r#"{"colour":{"from":"absent"}}"#).is_err());
    }

    #[test]
    fn every_signal_and_set_of_them_comes_back_in_both_codings() {
        let mut fields = Fields::default();
        for (place, signal) in Signal::ALL.into_iter().enumerate() {
            let value = place as f32 / 7.0;
            fields.set(signal, Field::Measured { value });
        }
        fields.set(Signal::Load, Field::inferred(0.3, 0.1, 0.4));
        fields.set(Signal::Comfort, Field::Absent);
        let set = SignalSet::of(&[Signal::Attempts, Signal::Engagement]);
        let text = serde_json::to_string(&(fields, set)).unwrap();
        assert_eq!(
            serde_json::from_str::<(Fields, SignalSet)>(&text).unwrap(),
            (fields, set)
        );
        let bytes = rmp_serde::to_vec_named(&(fields, set)).unwrap();
        assert_eq!(
            rmp_serde::from_slice::<(Fields, SignalSet)>(&bytes).unwrap(),
            (fields, set)
        );
    }
}
