//! Answers of many learners from a CSV file, gzipped or not.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::io::Read;
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;

use crate::learning::tracer::Question;
use crate::learning::tracer::answers::{Answer, Answers, Names};

/// Mistakes that are listed; of more only the number is told.
const LISTED: usize = 10;

/// What was read.
#[derive(Debug, Default)]
pub(super) struct Table {
    /// Answers by learner, each learner's in order.
    pub answers: Answers,
    /// Skills behind the indices.
    pub skills: Names,
    /// Items behind the indices.
    pub items: Names,
}

/// Why a file cannot be used.
#[derive(Debug, thiserror::Error)]
pub(super) enum TableError {
    #[error("cannot read {}: {cause}", file.display())]
    Unreadable {
        file: PathBuf,
        cause: std::io::Error,
    },
    #[error(
        "{}:1: there is no column `{column}`; the first line must name at least learner,skill,correct (and may name item,time)",
        file.display()
    )]
    NoColumn { file: PathBuf, column: &'static str },
    #[error("{list}")]
    BadLines { list: String },
    #[error("{} holds no answer", file.display())]
    Empty { file: PathBuf },
}

/// Reads `file`; indices of skills and items go on behind those of `skills` and `items`.
///
/// Columns by name: learner, skill, correct (0 or 1), and if wanted item and time (any number; a learner's answers are then
/// put in its order, else they stay in the file's). Others are passed over. A name that ends in `.gz` is unpacked.
///
/// # Errors
/// [`TableError`] with every line that cannot be used, by number.
pub(super) fn read(file: &Path, skills: Names, items: Names) -> Result<Table, TableError> {
    let unreadable = |cause| TableError::Unreadable {
        file: file.to_owned(),
        cause,
    };
    let opened = std::fs::File::open(file).map_err(unreadable)?;
    let packed = file
        .extension()
        .is_some_and(|ending| ending.eq_ignore_ascii_case("gz"));
    let bytes: Box<dyn Read> = if packed {
        Box::new(MultiGzDecoder::new(std::io::BufReader::new(opened)))
    } else {
        Box::new(opened)
    };
    parse(file, bytes, skills, items)
}

fn parse(file: &Path, bytes: impl Read, skills: Names, items: Names) -> Result<Table, TableError> {
    let mut reader = csv::ReaderBuilder::new()
        .trim(csv::Trim::All)
        .from_reader(bytes);
    let columns = Columns::of(file, &mut reader)?;
    let mut table = Table {
        answers: Answers::default(),
        skills,
        items,
    };
    let mut learners = HashMap::new();
    let mut lists: Vec<Vec<(f64, Answer)>> = Vec::new();
    let mut mistakes = Mistakes::new(file);
    let mut record = csv::StringRecord::new();
    loop {
        match reader.read_record(&mut record) {
            Ok(false) => break,
            Ok(true) => {}
            Err(error) => {
                if let csv::ErrorKind::Io(_) = error.kind() {
                    return Err(match error.into_kind() {
                        csv::ErrorKind::Io(cause) => TableError::Unreadable {
                            file: file.to_owned(),
                            cause,
                        },
                        other => TableError::BadLines {
                            list: format!("{}: {other:?}", file.display()),
                        },
                    });
                }
                let line = error.position().map_or(0, csv::Position::line);
                mistakes.add(line, &in_words(&error));
                continue;
            }
        }
        let line = record.position().map_or(0, csv::Position::line);
        match columns.answer(&record, &mut table) {
            Ok((learner, time, answer)) => {
                let next = lists.len();
                let index = *learners.entry(learner.to_owned()).or_insert(next);
                if index == next {
                    lists.push(Vec::new());
                }
                if let Some(list) = lists.get_mut(index) {
                    list.push((time, answer));
                }
            }
            Err(mistake) => mistakes.add(line, &mistake),
        }
    }
    mistakes.none()?;
    if lists.is_empty() {
        return Err(TableError::Empty {
            file: file.to_owned(),
        });
    }
    for list in &mut lists {
        list.sort_by(|a, b| a.0.total_cmp(&b.0));
    }
    table.answers = Answers::of(
        lists
            .into_iter()
            .map(|list| list.into_iter().map(|(_, answer)| answer)),
    );
    Ok(table)
}

fn in_words(error: &csv::Error) -> String {
    match error.kind() {
        csv::ErrorKind::UnequalLengths {
            expected_len, len, ..
        } => format!("has {len} values where the first line names {expected_len} columns"),
        csv::ErrorKind::Utf8 { .. } => "is not UTF-8 text".to_owned(),
        _ => error.to_string(),
    }
}

struct Columns {
    learner: usize,
    skill: usize,
    correct: usize,
    item: Option<usize>,
    time: Option<usize>,
}

impl Columns {
    fn of(file: &Path, reader: &mut csv::Reader<impl Read>) -> Result<Self, TableError> {
        let names = reader
            .headers()
            .map_err(|error| match error.into_kind() {
                csv::ErrorKind::Io(cause) => TableError::Unreadable {
                    file: file.to_owned(),
                    cause,
                },
                _ => TableError::BadLines {
                    list: format!("{}:1: is not UTF-8 text", file.display()),
                },
            })?
            .clone();
        let find = |wanted: &str| {
            names.iter().position(|name| {
                name.trim_start_matches('\u{feff}')
                    .eq_ignore_ascii_case(wanted)
            })
        };
        let need = |column| {
            find(column).ok_or_else(|| TableError::NoColumn {
                file: file.to_owned(),
                column,
            })
        };
        Ok(Self {
            learner: need("learner")?,
            skill: need("skill")?,
            correct: need("correct")?,
            item: find("item"),
            time: find("time"),
        })
    }

    /// The learner, time and answer of one line.
    fn answer<'a>(
        &self,
        record: &'a csv::StringRecord,
        table: &mut Table,
    ) -> Result<(&'a str, f64, Answer), String> {
        let value = |index: usize, name: &str| match record.get(index).unwrap_or_default() {
            "" => Err(format!("`{name}` is empty")),
            value => Ok(value),
        };
        let learner = value(self.learner, "learner")?;
        let skill = value(self.skill, "skill")?;
        let correct = match value(self.correct, "correct")? {
            "1" => true,
            "0" => false,
            other => return Err(format!("`correct` is `{other}`; it must be 0 or 1")),
        };
        let time = match self.time {
            None => 0.0,
            Some(index) => {
                let text = value(index, "time")?;
                let time = text.parse::<f64>().ok().filter(|time| time.is_finite());
                time.ok_or_else(|| format!("`time` is `{text}`; it must be a number"))?
            }
        };
        // An item may be unknown for some answers.
        let item = self
            .item
            .and_then(|index| record.get(index))
            .filter(|item| !item.is_empty());
        let question = Question {
            skill: table.skills.index_of(skill),
            item: item.map(|item| table.items.index_of(item)),
        };
        Ok((learner, time, Answer { question, correct }))
    }
}

/// Lines that cannot be used.
struct Mistakes<'a> {
    file: &'a Path,
    list: String,
    count: usize,
}

impl<'a> Mistakes<'a> {
    fn new(file: &'a Path) -> Self {
        Self {
            file,
            list: String::new(),
            count: 0,
        }
    }

    fn add(&mut self, line: u64, what: &str) {
        self.count += 1;
        if self.count <= LISTED {
            let _ = writeln!(self.list, "{}:{line}: {what}", self.file.display());
        }
    }

    fn none(mut self) -> Result<(), TableError> {
        if self.count == 0 {
            return Ok(());
        }
        if self.count > LISTED {
            let _ = writeln!(self.list, "and {} more lines", self.count - LISTED);
        }
        Err(TableError::BadLines {
            list: self.list.trim_end().to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use proptest::prelude::*;

    use super::*;

    fn table(text: &str) -> Result<Table, String> {
        parse(
            Path::new("a.csv"),
            text.as_bytes(),
            Names::default(),
            Names::default(),
        )
        .map_err(|error| error.to_string())
    }

    #[test]
    fn learners_come_together_and_keep_their_order() {
        let table =
            table("item,correct,learner,skill\nq1,1,ann,x\nq2,0,bob,x\n,1,ann,y\n").unwrap();
        let sizes: Vec<_> = table.answers.learners().map(<[_]>::len).collect();
        assert_eq!(sizes, [2, 1]);
        let ann = table.answers.learner(0);
        assert_eq!(ann[0].question.item, Some(0));
        assert_eq!((ann[1].question.skill, ann[1].question.item), (1, None));
        assert!(ann[0].correct && !table.answers.learner(1)[0].correct);
    }

    #[test]
    fn a_column_of_times_puts_answers_in_order() {
        let table = table("learner,skill,correct,time\na,x,1,20\na,y,0,3.5\n").unwrap();
        assert!(!table.answers.learner(0)[0].correct);
    }

    #[test]
    fn every_bad_line_is_named() {
        let error = table("learner,skill,correct\na,x,1\na,x,yes\n,x,1\na,x\n").unwrap_err();
        assert_eq!(
            error,
            "a.csv:3: `correct` is `yes`; it must be 0 or 1\na.csv:4: `learner` is empty\n\
             a.csv:5: has 2 values where the first line names 3 columns"
        );
        let many = format!("learner,skill,correct\n{}", "a,x,2\n".repeat(30));
        assert!(table(&many).unwrap_err().ends_with("and 20 more lines"));
    }

    #[test]
    fn a_missing_column_and_an_empty_file_are_named() {
        assert!(
            table("learner,correct\n")
                .unwrap_err()
                .contains("no column `skill`")
        );
        assert!(
            table("learner,skill,correct\n")
                .unwrap_err()
                .contains("holds no answer")
        );
    }

    #[test]
    fn a_packed_file_is_unpacked_and_a_cut_one_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.csv.gz");
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packed.write_all(b"learner,skill,correct\na,x,1\n").unwrap();
        let packed = packed.finish().unwrap();
        std::fs::write(&file, &packed).unwrap();
        assert_eq!(
            read(&file, Names::default(), Names::default())
                .unwrap()
                .answers
                .len(),
            1
        );
        std::fs::write(&file, &packed[..packed.len() - 9]).unwrap();
        let error = read(&file, Names::default(), Names::default()).unwrap_err();
        assert!(error.to_string().starts_with("cannot read"), "{error}");
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = parse(Path::new("a.csv"), &bytes[..], Names::default(), Names::default());
        }

        #[test]
        fn no_lines_make_it_panic(lines in "(learner|skill|correct|item|time|,|\n|1|0|\"| ){0,60}") {
            let _ = parse(Path::new("a.csv"), lines.as_bytes(), Names::default(), Names::default());
        }
    }
}
