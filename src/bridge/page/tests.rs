use std::collections::{BTreeMap, BTreeSet};

use super::*;

#[test]
fn the_page_in_one_file_loads_nothing_and_is_one_script() {
    let page = in_one_file();
    assert_eq!(page.matches("<script").count(), 1);
    assert_eq!(page.matches("</script").count(), 1);
    assert_eq!(page.matches("<style>").count(), 1);
    for part in ["src=\"", "href=\"/", "\nimport ", "\nexport ", "import("] {
        assert!(!page.contains(part), "{part}");
    }
}

#[test]
fn no_two_modules_use_a_name_for_two_things() {
    // In one file they share one scope.
    let mut names = BTreeMap::new();
    for (file, text) in MODULES {
        for line in text.lines() {
            let line = line.strip_prefix("export ").unwrap_or(line);
            let line = line.strip_prefix("async ").unwrap_or(line);
            for word in ["const ", "let ", "function ", "class "] {
                let Some(rest) = line.strip_prefix(word) else {
                    continue;
                };
                let name: String = rest
                    .chars()
                    .take_while(|it| it.is_alphanumeric() || *it == '_')
                    .collect();
                assert!(!name.is_empty(), "{file}: {line}");
                let other = names.insert(name.clone(), file);
                assert_eq!(other, None, "{name} stands in {file}, too");
            }
        }
    }
}

#[test]
fn a_module_imports_only_what_stands_before_it() {
    let mut before = BTreeSet::new();
    for (file, text) in MODULES {
        for line in text.lines().filter(|line| line.starts_with("import ")) {
            let from = line.split('"').nth(1).unwrap();
            let name = from.strip_prefix("./").unwrap();
            assert!(before.contains(name), "{file} imports {name}");
            assert!(line.ends_with(';'), "{file}: an import is one line");
        }
        before.insert(file);
    }
}

#[test]
fn nothing_from_outside_can_become_markup_or_program() {
    for (file, text) in MODULES {
        for forbidden in [
            "innerHTML",
            "outerHTML",
            "insertAdjacentHTML",
            "document.write",
            "eval(",
            "new Function",
            "setAttribute(\"on",
            "srcdoc",
            "localStorage",
        ] {
            assert!(!text.contains(forbidden), "{file}: {forbidden}");
        }
    }
    for forbidden in ["onclick", "onload", "javascript:", "style=\"", "<style"] {
        assert!(!INDEX.contains(forbidden), "{forbidden}");
    }
}

/// The palette: names and values of the custom properties in a block of the style.
fn palette(block: &str) -> BTreeMap<&str, [f64; 3]> {
    let lines = block.lines().filter_map(|line| {
        let (name, value) = line.trim().strip_prefix("--")?.split_once(": #")?;
        let value = u32::from_str_radix(value.get(..6)?, 16).ok()?;
        let channel = |shift: u32| f64::from(value >> shift & 255) / 255.0;
        Some((name, [channel(16), channel(8), channel(0)]))
    });
    lines.collect()
}

/// Relative luminance (WCAG 2.2).
fn luminance(color: [f64; 3]) -> f64 {
    let linear = |it: f64| {
        if it <= 0.04045 {
            it / 12.92
        } else {
            ((it + 0.055) / 1.055).powf(2.4)
        }
    };
    let [r, g, b] = color.map(linear);
    0.2126 * r + 0.7152 * g + 0.0722 * b
}

fn contrast(a: [f64; 3], b: [f64; 3]) -> f64 {
    let (a, b) = (luminance(a), luminance(b));
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

#[test]
fn every_text_and_every_sign_stands_out_in_dark_and_in_light() {
    // The light palette, and twice the dark one: as the system wants it, and as a chat client does.
    let blocks: Vec<_> = STYLE.split("/* palette: ").skip(1).collect();
    assert_eq!(
        blocks.len(),
        3,
        "light, dark by the system, dark by the host"
    );
    let palettes: Vec<_> = blocks
        .iter()
        .map(|block| palette(block.split("/* end */").next().unwrap()))
        .collect();
    assert_eq!(palettes[1], palettes[2]);
    for (which, palette) in palettes.iter().take(2).enumerate() {
        let of = |name: &str| {
            let color = palette.get(name);
            *color.unwrap_or_else(|| panic!("{which}: no --{name}"))
        };
        let grounds = ["ground", "surface", "raised"];
        for text in ["text", "quiet", "accent", "good", "warn", "bad"] {
            for ground in grounds {
                let found = contrast(of(text), of(ground));
                assert!(found >= 4.5, "{which}: {text} on {ground}: {found:.2}");
            }
        }
        for (text, ground) in [
            ("on-accent", "accent-fill"),
            ("on-bad", "bad-fill"),
            ("warn", "warn-soft"),
            ("bad", "bad-soft"),
            ("good", "good-soft"),
            ("accent", "accent-soft"),
            ("text", "accent-soft"),
        ] {
            let found = contrast(of(text), of(ground));
            assert!(found >= 4.5, "{which}: {text} on {ground}: {found:.2}");
        }
        // What is no text but has to be seen: edges of controls, focus, bars (WCAG 1.4.11).
        for sign in ["edge", "focus", "bar", "bar-good", "bar-warn", "bar-bad"] {
            for ground in grounds {
                let found = contrast(of(sign), of(ground));
                assert!(found >= 3.0, "{which}: {sign} on {ground}: {found:.2}");
            }
        }
    }
}

#[test]
fn the_page_may_speak_to_the_address_it_came_from_and_to_nobody_else() {
    let origins = Origins {
        scheme: "https",
        names: Vec::new().into(),
    };
    let policy = |host: &str| {
        let headers = HeaderMap::from_iter([(header::HOST, host.parse().unwrap())]);
        policy(&origins, &headers).map(|it| it.to_str().unwrap().to_owned())
    };
    let ours = policy("192.168.1.7:7878").unwrap();
    assert!(ours.contains("connect-src 'self' wss://192.168.1.7:7878;"));
    assert!(!ours.contains("unsafe"));
    assert_eq!(policy("localhost; script-src *"), None);
}
