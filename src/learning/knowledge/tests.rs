//! Worked examples and properties of the skill graph and of the steps through it.

use proptest::prelude::*;

use super::pathway::{PathParams, Standing, Step, Verdict};
use super::*;
use crate::learning::estimate::Estimate;

fn skill(id: &str, prerequisites: &[&str], difficulty: f64) -> SkillNode {
    SkillNode {
        id: SkillId::new(id),
        prerequisites: prerequisites.iter().map(|&id| SkillId::new(id)).collect(),
        difficulty,
    }
}

fn standing(mastery_low: f64, ability: f64) -> Option<Standing> {
    Some(Standing {
        mastery_low,
        ability: Estimate {
            mean: ability,
            variance: 0.5,
        },
    })
}

/// grasp ← place ← stack, grasp ← turn ← stack
fn workbench() -> KnowledgeGraph {
    KnowledgeGraph::new(&[
        skill("stack", &["place", "turn"], 0.0),
        skill("place", &["grasp"], 0.0),
        skill("turn", &["grasp"], 0.0),
        skill("grasp", &[], 0.0),
    ])
    .unwrap()
}

fn steps(graph: &KnowledgeGraph, by_name: &[(&str, Option<Standing>)]) -> Vec<Step> {
    let mut standings = vec![None; graph.order().count()];
    for (name, standing) in by_name {
        standings[graph.number(&SkillId::new(*name)).unwrap()] = *standing;
    }
    let mut steps = Vec::new();
    graph.next_steps(&standings, &PathParams::default(), &mut steps);
    steps
}

fn find<'a>(graph: &KnowledgeGraph, steps: &'a [Step], name: &str) -> &'a Step {
    let number = graph.number(&SkillId::new(name)).unwrap();
    steps.iter().find(|step| step.skill == number).unwrap()
}

#[test]
fn prerequisites_come_first() {
    let order: Vec<String> = workbench().order().map(ToString::to_string).collect();
    assert_eq!(order.first().unwrap(), "grasp");
    assert_eq!(order.last().unwrap(), "stack");
}

#[test]
fn a_circle_is_named_in_order() {
    let error = KnowledgeGraph::new(&[
        skill("free", &[], 0.0),
        skill("a", &["b", "free"], 0.0),
        skill("b", &["c"], 0.0),
        skill("c", &["a"], 0.0),
    ])
    .unwrap_err();
    assert_eq!(
        error.to_string(),
        "skills need each other in a circle: `a` needs `b` needs `c` needs `a`; drop one of these prerequisites"
    );
}

#[test]
fn a_skill_that_needs_itself_is_a_circle() {
    let error = KnowledgeGraph::new(&[skill("a", &["a"], 0.0)]).unwrap_err();
    assert_eq!(error, GraphError::Cycle(vec![SkillId::new("a")]));
}

#[test]
fn an_unknown_prerequisite_and_a_name_given_twice_are_errors() {
    let unknown = KnowledgeGraph::new(&[skill("a", &["b"], 0.0)]).unwrap_err();
    assert!(unknown.to_string().contains("`a` needs `b`"));
    let twice = KnowledgeGraph::new(&[skill("a", &[], 0.0), skill("a", &[], 0.0)]).unwrap_err();
    assert_eq!(twice, GraphError::Twice(SkillId::new("a")));
}

#[test]
fn a_step_is_ready_only_if_every_prerequisite_is() {
    let graph = workbench();
    let steps = steps(
        &graph,
        &[
            ("grasp", standing(0.96, 2.0)),
            ("place", standing(0.9, 1.0)),
            ("turn", standing(0.4, 1.0)),
        ],
    );
    let stack = find(&graph, &steps, "stack");
    assert_eq!(stack.verdict, Verdict::Blocked);
    assert!((stack.readiness - 0.4).abs() < 1e-12);
    assert_eq!(stack.weakest, graph.number(&SkillId::new("turn")));
    assert_eq!(
        graph.explain(stack, &PathParams::default()),
        "`stack` waits for `turn`: mastery is at least 0.40, 0.70 is needed"
    );
}

#[test]
fn a_prerequisite_never_assessed_blocks() {
    let graph = workbench();
    let steps = steps(&graph, &[("place", standing(0.9, 1.0))]);
    let stack = find(&graph, &steps, "stack");
    assert_eq!(stack.verdict, Verdict::Blocked);
    assert_eq!(stack.weakest, graph.number(&SkillId::new("turn")));
    // What needs nothing is open, though nothing is known of it.
    let grasp = find(&graph, &steps, "grasp");
    assert_eq!((grasp.verdict, grasp.expected), (Verdict::InZone, None));
}

#[test]
fn the_zone_is_a_band_of_expected_success() {
    let graph = workbench();
    let at = |ability| {
        let steps = steps(&graph, &[("grasp", standing(0.5, ability))]);
        find(&graph, &steps, "grasp").verdict
    };
    // σ(0.3) = 0.574, σ(0.5) = 0.622, σ(1.7) = 0.846, σ(1.8) = 0.858.
    assert_eq!(at(0.3), Verdict::TooHard);
    assert_eq!(at(0.5), Verdict::InZone);
    assert_eq!(at(1.7), Verdict::InZone);
    assert_eq!(at(1.8), Verdict::TooEasy);
}

#[test]
fn all_open_pathways_are_offered_in_order() {
    let graph = KnowledgeGraph::new(&[
        skill("alone", &[], 0.0),
        skill("root", &[], 0.0),
        skill("leaf", &["root"], 0.0),
        skill("hard", &[], 3.0),
    ])
    .unwrap();
    let steps = steps(
        &graph,
        &[
            ("alone", standing(0.2, 1.0)),
            ("root", standing(0.2, 1.0)),
            ("hard", standing(0.2, 1.0)),
        ],
    );
    let offered: Vec<&str> = steps
        .iter()
        .filter(|step| step.verdict.is_admissible())
        .map(|step| graph.name(step.skill).unwrap().as_str())
        .collect();
    // `leaf` waits for `root`, so `root` is worth more than `alone`.
    assert_eq!(offered, ["root", "alone", "hard"]);
    assert_eq!(find(&graph, &steps, "leaf").verdict, Verdict::Blocked);
}

#[test]
fn the_way_to_a_goal_leaves_out_what_is_mastered() {
    let graph = workbench();
    let mut standings = vec![None; 4];
    standings[graph.number(&SkillId::new("grasp")).unwrap()] = standing(0.97, 2.0);
    let goal = graph.number(&SkillId::new("stack")).unwrap();
    let way = graph.way_to(goal, &standings, &PathParams::default());
    let names: Vec<&str> = way
        .iter()
        .map(|&skill| graph.name(skill).unwrap().as_str())
        .collect();
    assert_eq!(names.len(), 3);
    assert!(!names.contains(&"grasp"));
    assert_eq!(names.last(), Some(&"stack"));
    assert!(
        graph
            .way_to(99, &standings, &PathParams::default())
            .is_empty()
    );
}

#[test]
fn the_longest_chain_is_ordered_and_counted() {
    let names: Vec<String> = (0..MAX_SKILLS).map(|i| format!("s{i}")).collect();
    let mut skills: Vec<SkillNode> = names.iter().map(|name| skill(name, &[], 0.0)).collect();
    for i in 1..skills.len() {
        skills[i].prerequisites = vec![SkillId::new(names[i - 1].as_str())];
    }
    skills.reverse();
    let graph = KnowledgeGraph::new(&skills).unwrap();
    let steps = steps(&graph, &[]);
    assert_eq!(steps[0].unlocks, 1023);
    assert_eq!(steps[0].skill, 0);
    skills.push(skill("one more", &[], 0.0));
    let error = KnowledgeGraph::new(&skills).unwrap_err();
    assert_eq!(error, GraphError::TooMany(1025));
}

/// Skills 0..n, each needing some of those before it.
fn acyclic() -> impl Strategy<Value = Vec<SkillNode>> {
    prop::collection::vec(
        (
            prop::collection::vec(any::<prop::sample::Index>(), 0..4),
            -3.0..3.0,
        ),
        1..20,
    )
    .prop_map(|drawn| {
        drawn
            .into_iter()
            .enumerate()
            .map(|(i, (before, difficulty))| SkillNode {
                id: SkillId::new(format!("s{i}")),
                prerequisites: before
                    .iter()
                    .filter(|_| i > 0)
                    .map(|index| SkillId::new(format!("s{}", index.index(i.max(1)))))
                    .collect(),
                difficulty,
            })
            .collect()
    })
}

proptest! {
    #[test]
    fn any_acyclic_lesson_is_ordered_with_prerequisites_first(skills in acyclic(), turned in any::<bool>()) {
        let mut skills = skills;
        if turned {
            skills.reverse();
        }
        let graph = KnowledgeGraph::new(&skills).unwrap();
        prop_assert_eq!(graph.order().count(), skills.len());
        for skill in &skills {
            for prerequisite in &skill.prerequisites {
                prop_assert!(graph.number(prerequisite) < graph.number(&skill.id));
            }
        }
    }

    #[test]
    fn any_circle_is_found_and_is_one(skills in acyclic(), from in any::<prop::sample::Index>(), to in any::<prop::sample::Index>()) {
        let mut skills = skills;
        let (a, b) = (from.index(skills.len()), to.index(skills.len()));
        let (early, late) = (a.min(b), a.max(b));
        let late_id = skills[late].id.clone();
        let early_id = skills[early].id.clone();
        skills[early].prerequisites.push(late_id);
        if early != late {
            skills[late].prerequisites.push(early_id);
        }
        let Err(GraphError::Cycle(circle)) = KnowledgeGraph::new(&skills) else {
            return Err(TestCaseError::fail("no circle found"));
        };
        for (i, skill) in circle.iter().enumerate() {
            let needs = &circle[(i + 1) % circle.len()];
            let node = skills.iter().find(|node| node.id == *skill).unwrap();
            prop_assert!(node.prerequisites.contains(needs), "{skill} doesn't need {needs}");
        }
    }

    #[test]
    fn more_mastery_never_closes_a_step(
        skills in acyclic(), lows in prop::collection::vec(0.0..0.94, 20), which in any::<prop::sample::Index>(),
    ) {
        let graph = KnowledgeGraph::new(&skills).unwrap();
        let mut standings: Vec<_> = lows.iter().take(skills.len()).map(|&low| standing(low, 1.0)).collect();
        let (mut before, mut after) = (Vec::new(), Vec::new());
        graph.next_steps(&standings, &PathParams::default(), &mut before);
        let raised = which.index(skills.len());
        standings[raised] = standing(0.94, 1.0);
        graph.next_steps(&standings, &PathParams::default(), &mut after);
        let admissible = |steps: &[Step], skill| {
            steps.iter().any(|step| step.skill == skill && step.verdict.is_admissible())
        };
        for skill in 0..skills.len() {
            prop_assert!(!admissible(&before, skill) || admissible(&after, skill));
        }
    }

    #[test]
    fn any_standing_gives_finite_steps(
        skills in acyclic(), low in prop::num::f64::ANY, mean in prop::num::f64::ANY, gate in prop::num::f64::ANY, mastered in prop::num::f64::ANY,
        band_low in prop::num::f64::ANY, band_high in prop::num::f64::ANY, assessed in 0..25usize,
    ) {
        let graph = KnowledgeGraph::new(&skills).unwrap();
        let p = PathParams { gate, mastered, band_low, band_high };
        let mut steps = Vec::new();
        graph.next_steps(&vec![standing(low, mean); assessed], &p, &mut steps);
        prop_assert_eq!(steps.len(), skills.len());
        for step in &steps {
            prop_assert!((0.0..=1.0).contains(&step.readiness));
            prop_assert!(step.expected.is_none_or(|expected| expected > 0.0 && expected < 1.0));
            prop_assert!(!graph.explain(step, &p).is_empty());
        }
    }
}
