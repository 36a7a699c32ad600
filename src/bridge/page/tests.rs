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

/// The palette: names, and their values by day and by night.
fn palette() -> BTreeMap<&'static str, [[f64; 3]; 2]> {
    let read = |value: &str| {
        let value = u32::from_str_radix(value.trim().strip_prefix('#')?.get(..6)?, 16).ok()?;
        let channel = |shift: u32| f64::from(value >> shift & 255) / 255.0;
        Some([channel(16), channel(8), channel(0)])
    };
    let lines = PALETTE.lines().filter_map(|line| {
        let (name, value) = line
            .trim()
            .strip_prefix("--")?
            .split_once(": light-dark(")?;
        let (day, night) = value.split_once(',')?;
        Some((name, [read(day)?, read(night)?]))
    });
    lines.collect()
}

#[test]
fn colours_spacing_letters_and_corners_stand_in_one_place() {
    for line in STYLE.lines().filter(|line| !line.starts_with("/*")) {
        assert!(
            !line.contains('#') || line.contains("#main") || line.contains("#code"),
            "{line}"
        );
        for function in ["rgb(", "rgba(", "hsl(", "light-dark("] {
            assert!(
                !line.contains(function),
                "a colour beside palette.css: {line}"
            );
        }
        for part in line.split([';', '{']) {
            let Some((name, value)) = part.trim().split_once(": ") else {
                continue;
            };
            let spaced = ["padding", "margin", "gap", "font-size"];
            if spaced.iter().any(|it| name.starts_with(it)) {
                // What is larger than the largest step is the place of one thing, no rhythm.
                let free = value
                    .split([' ', '(', ')'])
                    .filter_map(|it| it.strip_suffix("rem"));
                let small = free
                    .filter_map(|it| it.parse::<f64>().ok())
                    .any(|it| it < 2.6);
                assert!(!small, "spacing beside palette.css: {part}");
            }
        }
    }
    // And what is used is there.
    for used in STYLE.split("var(").skip(1) {
        let name = used.split([')', ',']).next().unwrap();
        let defined = PALETTE.contains(&format!("{name}:"));
        assert!(defined, "{name} is not in palette.css");
    }
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
    let palette = palette();
    for (at, which) in ["by day", "by night"].into_iter().enumerate() {
        let of = |name: &str| {
            let colors = palette.get(name);
            colors.unwrap_or_else(|| panic!("{which}: no --{name}"))[at]
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
