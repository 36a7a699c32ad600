//! The skill graph: what comes before what. Which skills a learner could take next is in [`pathway`].
//!
//! In: a lesson's skills with prerequisites and difficulty. Out: an order to learn them in, or the error in the lesson.
//! Never: a circle.

pub mod pathway;

use std::collections::HashMap;
use std::fmt;

use petgraph::Direction::{Incoming, Outgoing};
use petgraph::algo::kosaraju_scc;
use petgraph::graph::{DiGraph, NodeIndex};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::estimate::{MAX_LOGIT, bounded};
use super::skill::SkillId;

/// Most skills in one graph; a lesson has dozens.
pub const MAX_SKILLS: usize = 1024;

/// One bit for each skill.
type SkillSet = [u64; MAX_SKILLS / 64];

/// A skill as a lesson declares it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SkillNode {
    /// Its name.
    pub id: SkillId,
    /// Skills that have to be known before; all of them.
    #[serde(default)]
    pub prerequisites: Vec<SkillId>,
    /// How hard its tasks are, in logit: at ability equal to it, every second attempt succeeds.
    #[serde(default)]
    pub difficulty: f64,
}

/// Why skills are no graph to learn along.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GraphError {
    /// More than [`MAX_SKILLS`].
    #[error("{0} skills are too many; at most {MAX_SKILLS} can stand in one graph")]
    TooMany(usize),
    /// The same name twice.
    #[error("skill `{0}` is declared twice; give one of them another name")]
    Twice(SkillId),
    /// A prerequisite nobody declares.
    #[error(
        "skill `{skill}` needs `{prerequisite}`, which is not a skill here; declare it or drop it"
    )]
    Unknown {
        /// Who needs it.
        skill: SkillId,
        /// What is missing.
        prerequisite: SkillId,
    },
    /// Skills that each need the next, and the last the first.
    #[error("skills need each other in a circle: {}; drop one of these prerequisites", Circle(.0))]
    Cycle(Vec<SkillId>),
}

struct Circle<'a>(&'a [SkillId]);

impl fmt::Display for Circle<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for skill in self.0 {
            write!(f, "`{skill}` needs ")?;
        }
        match self.0.first() {
            Some(first) => write!(f, "`{first}`"),
            None => Ok(()),
        }
    }
}

/// A lesson's skills in an order in which they can be learnt.
#[derive(Debug, Clone)]
pub struct KnowledgeGraph {
    /// Nodes are added in learnable order, so that a node's index is its place in it. An edge leads from a
    /// prerequisite to what needs it.
    graph: DiGraph<(SkillId, f64), ()>,
    /// For each skill, all that need it, directly or through others: what mastering it brings nearer.
    needed_by: Vec<SkillSet>,
}

impl KnowledgeGraph {
    /// Orders `skills`, prerequisites first.
    ///
    /// # Errors
    /// [`GraphError`] if there are too many, a name comes twice, a prerequisite is unknown, or skills need each other in
    /// a circle.
    pub fn new(skills: &[SkillNode]) -> Result<Self, GraphError> {
        if skills.len() > MAX_SKILLS {
            return Err(GraphError::TooMany(skills.len()));
        }
        let mut declared = DiGraph::<usize, ()>::new();
        let mut node_of = HashMap::new();
        for (i, skill) in skills.iter().enumerate() {
            if node_of.insert(&skill.id, declared.add_node(i)).is_some() {
                return Err(GraphError::Twice(skill.id.clone()));
            }
        }
        let mut edges = Vec::new();
        for skill in skills {
            for prerequisite in &skill.prerequisites {
                let (Some(&before), Some(&after)) =
                    (node_of.get(prerequisite), node_of.get(&skill.id))
                else {
                    return Err(GraphError::Unknown {
                        skill: skill.id.clone(),
                        prerequisite: prerequisite.clone(),
                    });
                };
                declared.update_edge(before, after, ());
                edges.push((before, after));
            }
        }
        // Strongly connected components come last first; one with an inner edge is a circle. Unlike `toposort`, they
        // give all of it, so that the error can name it.
        let mut components = kosaraju_scc(&declared);
        components.reverse();
        if let Some(circle) = components.iter().find_map(|nodes| circle(&declared, nodes)) {
            let name = |node| {
                let skill = declared.node_weight(node).and_then(|&i| skills.get(i));
                skill.map(|skill| skill.id.clone())
            };
            return Err(GraphError::Cycle(
                circle.into_iter().filter_map(name).collect(),
            ));
        }
        let mut graph = DiGraph::with_capacity(skills.len(), edges.len());
        let mut place = HashMap::new();
        for node in components.into_iter().flatten() {
            if let Some(skill) = declared.node_weight(node).and_then(|&i| skills.get(i)) {
                let difficulty = bounded(skill.difficulty, -MAX_LOGIT, MAX_LOGIT, 0.0);
                place.insert(node, graph.add_node((skill.id.clone(), difficulty)));
            }
        }
        for (before, after) in edges {
            if let (Some(&before), Some(&after)) = (place.get(&before), place.get(&after)) {
                graph.update_edge(before, after, ());
            }
        }
        let needed_by = graph
            .node_indices()
            .map(|node| reachable(&graph, node))
            .collect();
        Ok(Self { graph, needed_by })
    }

    /// The skills, each after all its prerequisites. A skill's place here is its number elsewhere.
    pub fn order(&self) -> impl Iterator<Item = &SkillId> {
        self.graph.node_weights().map(|(id, _)| id)
    }

    /// The number of a skill.
    #[must_use]
    pub fn number(&self, skill: &SkillId) -> Option<usize> {
        self.order().position(|id| id == skill)
    }

    /// The name of a skill.
    #[must_use]
    pub fn name(&self, skill: usize) -> Option<&SkillId> {
        self.graph
            .node_weight(NodeIndex::new(skill))
            .map(|(id, _)| id)
    }
}

/// A circle inside a strongly connected component, each skill followed by one that it needs; nothing if it is one
/// skill that doesn't need itself.
fn circle(graph: &DiGraph<usize, ()>, component: &[NodeIndex]) -> Option<Vec<NodeIndex>> {
    let &start = component.iter().min()?;
    if component.len() == 1 && !graph.contains_edge(start, start) {
        return None;
    }
    // Inside a component every skill needs another of it, so walking on has to come back to one that was passed.
    let mut walk = vec![start];
    let mut at = start;
    while let Some(next) = graph
        .neighbors_directed(at, Incoming)
        .filter(|next| component.contains(next))
        .min()
    {
        if let Some(first) = walk.iter().position(|&passed| passed == next) {
            return Some(walk.split_off(first));
        }
        walk.push(next);
        at = next;
    }
    Some(walk)
}

/// All skills that need `node`, directly or through others, without itself.
fn reachable(graph: &DiGraph<(SkillId, f64), ()>, node: NodeIndex) -> SkillSet {
    let mut found: SkillSet = [0; MAX_SKILLS / 64];
    let mut open = vec![node];
    while let Some(at) = open.pop() {
        for next in graph.neighbors_directed(at, Outgoing) {
            if !contains(&found, next.index()) {
                insert(&mut found, next.index());
                open.push(next);
            }
        }
    }
    found
}

fn contains(set: &SkillSet, skill: usize) -> bool {
    set.get(skill / 64)
        .is_some_and(|word| word >> (skill % 64) & 1 == 1)
}

fn insert(set: &mut SkillSet, skill: usize) {
    if let Some(word) = set.get_mut(skill / 64) {
        *word |= 1 << (skill % 64);
    }
}

#[cfg(test)]
mod tests;
