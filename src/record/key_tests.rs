use super::*;

fn text_of(byte: impl Fn(usize) -> u8) -> String {
    (0..32).map(|i| format!("{:02x}", byte(i))).collect()
}

fn same(a: &Keys, b: &Keys) -> bool {
    let check = |keys: &Keys| keys.current.as_ref().unwrap().check();
    check(a) == check(b)
}

#[test]
fn a_key_file_is_made_once_for_its_owner_only_and_read_again() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("master.key");
    let keys = Keys::from_file(&file).unwrap();
    assert!(!file.exists(), "looking makes no key");
    assert!(keys.missing().is_some());
    let (keys, _) = keys.made().unwrap();
    assert!(same(&keys, &Keys::from_file(&file).unwrap()));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(
            fs::metadata(&file).unwrap().permissions().mode() & 0o777,
            0o600
        );
        for mode in [0o640, 0o604, 0o660, 0o644] {
            fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
            let error = Keys::from_file(&file).unwrap_err().to_string();
            for part in [file.to_str().unwrap(), "chmod 600", "others"] {
                assert!(error.contains(part), "{error}");
            }
        }
    }
}

#[test]
fn two_new_keys_differ_and_none_replaces_another() {
    let folder = tempfile::tempdir().unwrap();
    let [a, b] = ["a.key", "b.key"].map(|name| {
        let keys = Keys::from_file(&folder.path().join(name)).unwrap();
        keys.made().unwrap().0
    });
    assert!(!same(&a, &b));
    assert!(make_key(&folder.path().join("a.key")).is_err());
    assert_eq!(
        fs::read_dir(folder.path()).unwrap().count(),
        2,
        "nothing else is left"
    );
}

#[test]
fn hexadecimal_and_both_kinds_of_base64_are_the_same_key() {
    let hex = Keys::from_text(&text_of(|i| (i * 8 + 3) as u8)).unwrap();
    for text in [
        "AwsTGyMrMztDS1Nba3N7g4uTm6Ors7vDy9Pb4+vz+w",
        "AwsTGyMrMztDS1Nba3N7g4uTm6Ors7vDy9Pb4-vz-w",
    ] {
        // 31 bytes: one is missing, so that a wrong length is refused too.
        assert!(Keys::from_text(text).is_err(), "{text}");
    }
    for text in [
        "AwsTGyMrMztDS1NbY2tze4OLk5ujq7O7w8vT2+Pr8/s=",
        "AwsTGyMrMztDS1NbY2tze4OLk5ujq7O7w8vT2-Pr8_s",
    ] {
        assert!(same(&hex, &Keys::from_text(text).unwrap()), "{text}");
    }
}

#[test]
fn what_is_no_key_is_refused_with_its_place_and_without_its_text() {
    for text in [
        "",
        "hunter2",
        &"0".repeat(64),
        &"g".repeat(64),
        &text_of(|i| i as u8)[..62],
    ] {
        let error = Keys::from_text(text).unwrap_err().to_string();
        assert!(error.contains(MASTER_KEY_VARIABLE), "{error}");
        assert!(text.is_empty() || !error.contains(text), "{error}");
    }
}

#[test]
fn a_passphrase_and_its_salt_give_the_same_key_again_and_another_passphrase_another() {
    let folder = tempfile::tempdir().unwrap();
    let salt = folder.path().join("master.salt");
    let phrase = "correct horse battery staple";
    let first = Keys::from_passphrase(phrase, &salt).unwrap();
    assert!(first.missing().is_some());
    let (first, _) = first.made().unwrap();
    assert!(same(&first, &Keys::from_passphrase(phrase, &salt).unwrap()));
    let other = Keys::from_passphrase("correct horse battery stapler", &salt).unwrap();
    assert!(!same(&first, &other));
    assert!(matches!(
        Keys::from_passphrase("too short", &salt),
        Err(KeyError::ShortPassphrase)
    ));
    let weak = fs::read_to_string(&salt).unwrap().replace("65536", "8");
    fs::write(&salt, weak).unwrap();
    assert!(matches!(
        Keys::from_passphrase(phrase, &salt),
        Err(KeyError::NoSalt { .. })
    ));
    assert!(!format!("{first:?}").contains("horse"));
}

#[test]
fn the_derivation_is_argon2id_of_rfc_9106() {
    // Its reference implementation, `argon2 somesalt -id -t 2 -m 16 -p 1 -l 32` over "password" gives this one.
    let mut out = [0; 32];
    let params = argon2::Params::new(65536, 2, 1, Some(32)).unwrap();
    argon2::Argon2::new(argon2::Algorithm::Argon2id, argon2::Version::V0x13, params)
        .hash_password_into(b"password", b"somesalt", &mut out)
        .unwrap();
    let hex: String = out.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(
        hex,
        "09316115d5cf24ed5a15a31a3ba326e5cf32edc24702987c02b6566f61913cf7"
    );
}
