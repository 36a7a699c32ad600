//! A command line in a file, for a device that has no keyboard: `play.args` beside the application's other files.

/// The words of a file: separated by spaces or new lines; double quotes keep spaces together; `#` at the beginning of a
/// word begins a comment.
///
/// # Errors
/// Names the line where a quote is not closed.
pub(super) fn words(text: &str) -> Result<Vec<String>, String> {
    let mut words = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let mut word: Option<String> = None;
        let mut quoted = false;
        for character in line.chars() {
            match character {
                '"' => {
                    quoted = !quoted;
                    word.get_or_insert_default();
                }
                '#' if !quoted && word.is_none() => break,
                space if space.is_whitespace() && !quoted => words.extend(word.take()),
                other => word.get_or_insert_default().push(other),
            }
        }
        if quoted {
            return Err(format!("line {}: a quote is not closed", index + 1));
        }
        words.extend(word);
    }
    Ok(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_as_a_shell_would() {
        let text = "play knots.ron   # the lesson\n--listen 0.0.0.0:7878\n\n# nothing\n--token \"two words\" \"\"\n";
        assert_eq!(
            words(text).unwrap(),
            [
                "play",
                "knots.ron",
                "--listen",
                "0.0.0.0:7878",
                "--token",
                "two words",
                ""
            ]
        );
        assert!(words("").unwrap().is_empty());
    }

    #[test]
    fn a_quote_that_is_not_closed_is_told_with_its_line() {
        assert!(
            words("play\n--token \"half")
                .unwrap_err()
                .contains("line 2")
        );
    }

    #[test]
    fn a_sign_within_a_word_is_no_comment() {
        assert_eq!(words("a#b \"# c\"").unwrap(), ["a#b", "# c"]);
    }
}
