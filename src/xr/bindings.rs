//! What the hands can do, and on which controller it is what: a table, suggested to the runtime as it stands.

/// An action of the one action set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Act {
    /// Where the hand holds.
    Grip,
    /// Where the hand points.
    Aim,
    /// Select: trigger, pinch.
    Trigger,
    /// Grasp: squeeze, fist.
    Squeeze,
    /// Thumbstick.
    Stick,
    /// The application's menu.
    Menu,
    /// Vibration.
    Haptic,
}

/// Which hands have it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum On {
    Both,
    Left,
}

/// One controller model, or the bare hand.
#[derive(Debug)]
pub(super) struct Profile {
    /// Interaction profile path.
    pub path: &'static str,
    /// Whether the runtime knows it.
    pub offered: fn(&openxr::ExtensionSet) -> bool,
    /// Action, hands, component path below `/user/hand/...`.
    pub bindings: &'static [(Act, On, &'static str)],
}

/// The hands' user paths, left then right.
pub(super) const HANDS: [&str; 2] = ["/user/hand/left", "/user/hand/right"];

/// The bare hand's profile.
pub(super) const BARE_HAND: &str = "/interaction_profiles/ext/hand_interaction_ext";

const TOUCH: &[(Act, On, &str)] = &[
    (Act::Grip, On::Both, "input/grip/pose"),
    (Act::Aim, On::Both, "input/aim/pose"),
    (Act::Trigger, On::Both, "input/trigger/value"),
    (Act::Squeeze, On::Both, "input/squeeze/value"),
    (Act::Stick, On::Both, "input/thumbstick"),
    // The right one belongs to the system.
    (Act::Menu, On::Left, "input/menu/click"),
    (Act::Haptic, On::Both, "output/haptic"),
];

/// All that we know.
pub(super) const PROFILES: &[Profile] = &[
    Profile {
        path: "/interaction_profiles/oculus/touch_controller",
        offered: |_| true,
        bindings: TOUCH,
    },
    Profile {
        path: "/interaction_profiles/meta/touch_controller_plus",
        offered: |extensions| extensions.meta_touch_controller_plus,
        bindings: TOUCH,
    },
    Profile {
        path: "/interaction_profiles/valve/index_controller",
        offered: |_| true,
        bindings: &[
            (Act::Grip, On::Both, "input/grip/pose"),
            (Act::Aim, On::Both, "input/aim/pose"),
            (Act::Trigger, On::Both, "input/trigger/value"),
            (Act::Squeeze, On::Both, "input/squeeze/value"),
            (Act::Stick, On::Both, "input/thumbstick"),
            // It has no menu button but the system's.
            (Act::Menu, On::Both, "input/b/click"),
            (Act::Haptic, On::Both, "output/haptic"),
        ],
    },
    Profile {
        path: "/interaction_profiles/khr/simple_controller",
        offered: |_| true,
        bindings: &[
            (Act::Grip, On::Both, "input/grip/pose"),
            (Act::Aim, On::Both, "input/aim/pose"),
            // One button does both: what is near is grasped, what is far is selected.
            (Act::Trigger, On::Both, "input/select/click"),
            (Act::Squeeze, On::Both, "input/select/click"),
            (Act::Menu, On::Both, "input/menu/click"),
            (Act::Haptic, On::Both, "output/haptic"),
        ],
    },
    Profile {
        path: BARE_HAND,
        offered: |extensions| extensions.ext_hand_interaction,
        bindings: &[
            (Act::Grip, On::Both, "input/grip/pose"),
            (Act::Aim, On::Both, "input/aim/pose"),
            (Act::Trigger, On::Both, "input/pinch_ext/value"),
            (Act::Squeeze, On::Both, "input/grasp_ext/value"),
        ],
    },
];

impl Profile {
    /// Action and whole path of each binding, written out for both hands.
    pub fn paths(&self) -> impl Iterator<Item = (Act, String)> {
        self.bindings.iter().flat_map(|(act, on, component)| {
            let hands = match on {
                On::Both => &HANDS[..],
                On::Left => &HANDS[..1],
            };
            hands
                .iter()
                .map(move |hand| (*act, format!("{hand}/{component}")))
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    /// OpenXR 1.0, section 6.2: lower case letters, digits, `-`, `_`, `.`, no empty parts.
    fn well_formed(path: &str) -> bool {
        path.strip_prefix('/').is_some_and(|rest| {
            rest.split('/').all(|part| {
                !part.is_empty()
                    && part.bytes().all(|b| {
                        b.is_ascii_lowercase() || b.is_ascii_digit() || b"-_.".contains(&b)
                    })
            })
        })
    }

    #[test]
    fn every_path_is_well_formed() {
        for profile in PROFILES {
            assert!(well_formed(profile.path), "{}", profile.path);
            assert!(profile.path.starts_with("/interaction_profiles/"));
            for (_, path) in profile.paths() {
                assert!(well_formed(&path), "{path}");
            }
        }
    }

    #[test]
    fn every_profile_has_poses_select_and_grasp_on_both_hands() {
        for profile in PROFILES {
            for hand in HANDS {
                for act in [Act::Grip, Act::Aim, Act::Trigger, Act::Squeeze] {
                    assert!(
                        profile
                            .paths()
                            .any(|(bound, path)| bound == act && path.starts_with(hand)),
                        "{} lacks {act:?} on {hand}",
                        profile.path
                    );
                }
            }
        }
    }

    #[test]
    fn sources_and_outputs_are_not_mixed_up() {
        for profile in PROFILES {
            for (act, path) in profile.paths() {
                assert_eq!(path.contains("/output/"), act == Act::Haptic, "{path}");
                let pose = matches!(act, Act::Grip | Act::Aim);
                assert_eq!(path.ends_with("/pose"), pose, "{path}");
            }
        }
    }

    #[test]
    fn no_profile_and_no_binding_comes_twice() {
        let mut profiles = HashSet::new();
        for profile in PROFILES {
            assert!(profiles.insert(profile.path));
            let mut bindings = HashSet::new();
            assert!(profile.paths().all(|binding| bindings.insert(binding)));
        }
    }

    #[test]
    fn a_runtime_without_extensions_is_offered_the_three_core_profiles() {
        let bare = openxr::ExtensionSet::default();
        let offered = PROFILES.iter().filter(|it| (it.offered)(&bare)).count();
        assert_eq!(offered, 3);
    }
}
