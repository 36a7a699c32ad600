//! Who tries to tell from one session whose another one is.
//!
//! Probabilistic linear discriminant analysis (Ioffe 2006, "Probabilistic linear discriminant analysis", ECCV), the
//! standard of speaker recognition: what varies between a person's sessions is whitened, what varies between people is
//! weighed by how much it does, and every pair is scored by its likelihood ratio. Own small implementation.

/// A session as numbers, always the same ones in the same order.
pub type Features = Vec<f64>;

/// One person's sessions: those with a name, and those to be named.
pub struct Sessions {
    pub known: Vec<Features>,
    pub unknown: Vec<Features>,
}

/// How well the unknown sessions are named.
#[derive(Debug, Clone, Copy)]
pub struct Success {
    /// Probability that a session looks more like its own person than like another; 0.5 is chance.
    pub auc: f64,
    /// Half of the 95 % interval, over people.
    pub half_width: f64,
    /// Share of the sessions named right at first guess.
    pub first_guess: f64,
    /// What guessing would give.
    pub chance: f64,
    /// People over whom it was tried.
    pub people: usize,
}

impl std::fmt::Display for Success {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "AUC {:.3} ({:.3} to {:.3}), first guess {:.1} % (chance {:.1} %)",
            self.auc,
            self.auc - self.half_width,
            self.auc + self.half_width,
            100.0 * self.first_guess,
            100.0 * self.chance
        )
    }
}

/// The attack on several worlds of people, by whichever of two ways does better: with the directions in which people
/// differ found from the data, which is the better way where there is much to find, or feature by feature, which is the
/// better one where there is little.
pub fn attack(worlds: &[Vec<Sessions>]) -> Success {
    let turned = attack_by(worlds, true);
    let plain = attack_by(worlds, false);
    if turned.auc > plain.auc {
        turned
    } else {
        plain
    }
}

fn attack_by(worlds: &[Vec<Sessions>], turn: bool) -> Success {
    let mut own: Vec<f64> = Vec::new();
    let (mut right, mut tries, mut chance) = (0.0, 0.0, 0.0);
    for people in worlds {
        let model = Model::fit(people, turn);
        for (index, person) in people.iter().enumerate() {
            let mut auc = 0.0;
            for session in &person.unknown {
                let scores = model.scores(session);
                let mine = scores[index];
                let better = scores.iter().filter(|s| **s > mine).count() as f64;
                let equal =
                    scores.iter().filter(|s| s.total_cmp(&mine).is_eq()).count() as f64 - 1.0;
                auc += 1.0 - (better + equal / 2.0) / (scores.len() - 1) as f64;
                right += if better == 0.0 {
                    1.0 / (1.0 + equal)
                } else {
                    0.0
                };
                tries += 1.0;
                chance += 1.0 / scores.len() as f64;
            }
            own.push(auc / person.unknown.len() as f64);
        }
    }
    let n = own.len() as f64;
    let auc = own.iter().sum::<f64>() / n;
    let variance = own.iter().map(|x| (x - auc).powi(2)).sum::<f64>() / (n - 1.0);
    Success {
        auc,
        half_width: 1.96 * (variance / n).sqrt(),
        first_guess: right / tries,
        chance: chance / tries,
        people: own.len(),
    }
}

struct Model {
    centre: Features,
    scale: Features,
    /// Takes a standardised session to where a person's sessions vary by 1 in every direction.
    whiten: Vec<Features>,
    /// Variance between people in each direction.
    between: Features,
    /// Mean of each person's known sessions, whitened.
    people: Vec<Features>,
    sessions: f64,
}

impl Model {
    fn fit(people: &[Sessions], turn: bool) -> Self {
        let all: Vec<&Features> = people.iter().flat_map(|p| &p.known).collect();
        let width = all[0].len();
        let sessions = people[0].known.len() as f64;
        let centre: Features = (0..width).map(|j| mean(all.iter().map(|x| x[j]))).collect();
        let scale: Features = (0..width)
            .map(|j| {
                mean(all.iter().map(|x| (x[j] - centre[j]).powi(2)))
                    .sqrt()
                    .max(1e-9)
            })
            .collect();
        let mut model = Self {
            centre,
            scale,
            whiten: Vec::new(),
            between: Vec::new(),
            people: Vec::new(),
            sessions,
        };
        let standard: Vec<Vec<Features>> = people
            .iter()
            .map(|p| p.known.iter().map(|x| model.standard(x)).collect())
            .collect();
        let means: Vec<Features> = standard
            .iter()
            .map(|p| (0..width).map(|j| mean(p.iter().map(|x| x[j]))).collect())
            .collect();
        let within = covariance(
            standard
                .iter()
                .zip(&means)
                .flat_map(|(p, m)| p.iter().map(|x| minus(x, m))),
            people.len() as f64 * (sessions - 1.0),
        );
        model.whiten = if turn {
            lower_inverse(&within)
        } else {
            (0..width)
                .map(|i| {
                    let mut row = vec![0.0; width];
                    row[i] = 1.0 / within[i][i].max(1e-9).sqrt();
                    row
                })
                .collect()
        };
        let white: Vec<Features> = means.iter().map(|m| apply(&model.whiten, m)).collect();
        let mut between = covariance(white.iter().cloned(), people.len() as f64 - 1.0);
        if turn {
            let directions = eigenvectors(&mut between);
            model.whiten = directions
                .iter()
                .map(|d| {
                    (0..width)
                        .map(|j| (0..width).map(|k| d[k] * model.whiten[k][j]).sum())
                        .collect()
                })
                .collect();
        }
        // What the means of a few sessions vary by themselves is taken off.
        model.between = (0..width)
            .map(|i| (between[i][i] - 1.0 / sessions).max(0.0))
            .collect();
        model.people = means.iter().map(|m| apply(&model.whiten, m)).collect();
        model
    }

    fn standard(&self, x: &Features) -> Features {
        (0..x.len())
            .map(|j| (x[j] - self.centre[j]) / self.scale[j])
            .collect()
    }

    /// Log likelihood ratio of the session being each person's, against anybody's.
    fn scores(&self, x: &Features) -> Vec<f64> {
        let x = apply(&self.whiten, &self.standard(x));
        self.people
            .iter()
            .map(|person| {
                (0..x.len())
                    .map(|j| {
                        let (b, n) = (self.between[j], self.sessions);
                        let expected = n * b / (n * b + 1.0) * person[j];
                        let variance = 1.0 + b / (n * b + 1.0);
                        (x[j].powi(2) / (1.0 + b) - (x[j] - expected).powi(2) / variance) / 2.0
                    })
                    .sum()
            })
            .collect()
    }
}

fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let (sum, n) = values.fold((0.0, 0.0), |(sum, n), x| (sum + x, n + 1.0));
    sum / n
}

fn minus(a: &[f64], b: &[f64]) -> Features {
    a.iter().zip(b).map(|(a, b)| a - b).collect()
}

fn apply(matrix: &[Features], x: &[f64]) -> Features {
    matrix
        .iter()
        .map(|row| row.iter().zip(x).map(|(a, b)| a * b).sum())
        .collect()
}

fn covariance(rows: impl Iterator<Item = Features>, degrees: f64) -> Vec<Features> {
    let mut sum: Vec<Features> = Vec::new();
    for row in rows {
        sum.resize(row.len(), vec![0.0; row.len()]);
        for (i, x) in row.iter().enumerate() {
            for (j, y) in row.iter().enumerate() {
                sum[i][j] += x * y / degrees;
            }
        }
    }
    sum
}

/// Inverse of the Cholesky factor, after shrinking towards the diagonal: there are fewer sessions than a covariance of
/// so many features wants (Friedman 1989, "Regularized discriminant analysis").
fn lower_inverse(covariance: &[Features]) -> Vec<Features> {
    const SHRINK: f64 = 0.3;
    let n = covariance.len();
    let mut l = vec![vec![0.0; n]; n];
    for i in 0..n {
        for j in 0..=i {
            let shrunk = if i == j {
                covariance[i][i].max(1e-6)
            } else {
                (1.0 - SHRINK) * covariance[i][j]
            };
            let rest: f64 = shrunk - (0..j).map(|k| l[i][k] * l[j][k]).sum::<f64>();
            l[i][j] = if i == j {
                rest.max(1e-9).sqrt()
            } else {
                rest / l[j][j]
            };
        }
    }
    let mut inverse = vec![vec![0.0; n]; n];
    for i in 0..n {
        inverse[i][i] = 1.0 / l[i][i];
        let row: Vec<f64> = (0..i)
            .map(|j| -(j..i).map(|k| l[i][k] * inverse[k][j]).sum::<f64>() / l[i][i])
            .collect();
        inverse[i][..i].copy_from_slice(&row);
    }
    inverse
}

/// Eigenvectors, one a row, by cyclic Jacobi rotations; the matrix becomes diagonal.
fn eigenvectors(a: &mut [Features]) -> Vec<Features> {
    let n = a.len();
    let mut v: Vec<Features> = (0..n)
        .map(|i| (0..n).map(|j| f64::from(u8::from(i == j))).collect())
        .collect();
    for _ in 0..8 {
        for p in 0..n {
            for q in p + 1..n {
                if a[p][q].abs() < 1e-12 {
                    continue;
                }
                let theta = (a[q][q] - a[p][p]) / (2.0 * a[p][q]);
                let t = theta.signum() / (theta.abs() + (theta * theta + 1.0).sqrt());
                let (c, s) = (1.0 / (t * t + 1.0).sqrt(), t / (t * t + 1.0).sqrt());
                for row in a.iter_mut() {
                    let (x, y) = (row[p], row[q]);
                    (row[p], row[q]) = (c * x - s * y, s * x + c * y);
                }
                let (above, below) = a.split_at_mut(q);
                rotate(&mut above[p], &mut below[0], c, s);
                let (above, below) = v.split_at_mut(q);
                rotate(&mut above[p], &mut below[0], c, s);
            }
        }
    }
    v
}

fn rotate(p: &mut [f64], q: &mut [f64], c: f64, s: f64) {
    for (x, y) in p.iter_mut().zip(q) {
        (*x, *y) = (c * *x - s * *y, s * *x + c * *y);
    }
}
