//! What a lesson's scene costs to draw, held against what a Quest 3 can spare: draw calls, triangles, texture memory.
//! In: a lesson that is right otherwise. Out: [`Cost`], and what to mend. The scene is built as `play` builds it and
//! counted; models are counted from their files. Never: a measurement of time.

use std::fmt;
use std::path::Path;

use bevy::mesh::Mesh3d;
use bevy::prelude::*;
use serde_json::Value;

use crate::lesson::format::Shape;
use crate::lesson::{LessonPlugin, Loaded};
use crate::task::StillScenePlugin;
use crate::ui::layout::PIXELS_PER_METRE;

/// Draw calls for an eye that Meta's guide leaves a busy application on Quest (80 to 200), the careful end; ours.
const DRAWS: u64 = 100;
/// Triangles of a picture, of the same guide's 750 thousand to a million for simple scenes; room is left for both eyes and
/// shadows.
const TRIANGLES: u64 = 300_000;
/// Bytes of textures: what an application has beside engine, eye buffers and system.
const TEXTURES: u64 = TEXTURE_MB * MB;
const TEXTURE_MB: u64 = 256;
const MB: u64 = 1024 * 1024;
/// Hands, beams, arc, vignette: drawn with every lesson.
const ALWAYS: Cost = Cost {
    draws: 8,
    triangles: 6_000,
    textures: 0,
};
/// A texture with all its smaller copies is a third larger.
const WITH_MIPS: (u64, u64) = (4, 3);
/// Largest model file, bytes; larger ones aren't read, and refused.
const LARGEST_MODEL: u64 = 512 * 1024 * 1024;

/// What is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Cost {
    /// Draw calls for each eye.
    pub draws: u64,
    /// Triangles for each eye.
    pub triangles: u64,
    /// Bytes of textures.
    pub textures: u64,
}

/// Why a lesson is too much for the headset, or can't be counted.
#[derive(Debug, thiserror::Error)]
pub enum CostError {
    /// More draw calls than there may be.
    #[error(
        "{0} draw calls for each eye, of {DRAWS}: each object, panel and part of a model is one; join parts of models in \
         Blender (Object, Join) and leave out what only decorates"
    )]
    Draws(u64),
    /// More triangles.
    #[error(
        "{0} triangles for each eye, of {TRIANGLES}; most are in {1}: lower its detail (Blender: Decimate) or leave it out"
    )]
    Triangles(u64, String),
    /// Larger textures.
    #[error(
        "{0} MB of textures, of {TEXTURE_MB}; most are in {1}: halve the edges of its images, which takes three quarters off"
    )]
    Textures(u64, String),
    /// A model that can't be counted.
    #[error(
        "{model} can't be counted ({why}): export it again as binary glTF (.glb) with PNG images"
    )]
    Model {
        /// Its path in the lesson.
        model: String,
        /// What is wrong.
        why: String,
    },
}

impl Cost {
    fn plus(self, other: Self) -> Self {
        Self {
            draws: self.draws.saturating_add(other.draws),
            triangles: self.triangles.saturating_add(other.triangles),
            textures: self.textures.saturating_add(other.textures),
        }
    }
}

impl fmt::Display for Cost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "for each eye: {} of {DRAWS} draw calls, {} of {TRIANGLES} triangles; {:.1} of {TEXTURE_MB} MB of textures",
            self.draws,
            self.triangles,
            self.textures as f64 / MB as f64
        )
    }
}

/// What a lesson costs, and all that is too much of it.
#[must_use]
pub fn cost(loaded: &Loaded) -> (Cost, Vec<CostError>) {
    let mut errors = Vec::new();
    // Names of what has most, with how much.
    let (mut heaviest, mut largest) = (("the room".to_owned(), 0), ("the panels".to_owned(), 0));
    let mut all = built(loaded).plus(panels(loaded)).plus(ALWAYS);
    for object in &loaded.lesson.objects {
        let Shape::Gltf { path, .. } = &object.shape else {
            continue;
        };
        match model(&loaded.folder().join(path)) {
            Ok(it) => {
                if it.triangles > heaviest.1 {
                    heaviest = (format!("`{path}`"), it.triangles);
                }
                if it.textures > largest.1 {
                    largest = (format!("`{path}`"), it.textures);
                }
                all = all.plus(it);
            }
            Err(why) => errors.push(CostError::Model {
                model: format!("`{path}`"),
                why,
            }),
        }
    }
    if all.draws > DRAWS {
        errors.push(CostError::Draws(all.draws));
    }
    if all.triangles > TRIANGLES {
        errors.push(CostError::Triangles(all.triangles, heaviest.0));
    }
    if all.textures > TEXTURES {
        errors.push(CostError::Textures(all.textures.div_ceil(MB), largest.0));
    }
    (all, errors)
}

/// The scene, built as it is played.
fn built(loaded: &Loaded) -> Cost {
    let mut app = App::new();
    app.add_plugins(MinimalPlugins)
        .init_resource::<Assets<Mesh>>()
        .init_resource::<Assets<StandardMaterial>>()
        .add_plugins((
            LessonPlugin {
                lesson: loaded.clone(),
            },
            StillScenePlugin,
        ));
    app.update();
    app.update();
    let mut drawn = app.world_mut().query::<&Mesh3d>();
    let meshes = app.world().resource::<Assets<Mesh>>();
    drawn
        .iter(app.world())
        .fold(Cost::default(), |all, Mesh3d(mesh)| {
            let corners = meshes.get(mesh).map_or(0, |mesh| {
                mesh.indices()
                    .map_or_else(|| mesh.count_vertices(), |indices| indices.len())
            });
            all.plus(Cost {
                draws: 1,
                triangles: corners as u64 / 3,
                textures: 0,
            })
        })
}

/// How often a panel's picture is kept: painted once, and as a layer three times, with two array layers each (see
/// "Panels as layers" in `docs/governor.md`).
const COPIES: u64 = 7;

/// Each panel is a picture of its own.
fn panels(loaded: &Loaded) -> Cost {
    let pixels = |metres: f32| (metres * PIXELS_PER_METRE).clamp(16.0, 2048.0) as u64;
    loaded
        .lesson
        .panels
        .iter()
        .fold(Cost::default(), |all, panel| {
            let [x, y] = panel.size;
            all.plus(Cost {
                draws: 1,
                triangles: 2,
                // Four bytes a pixel.
                textures: pixels(x) * pixels(y) * 4 * COPIES,
            })
        })
}

/// What a glTF file holds.
fn model(file: &Path) -> Result<Cost, String> {
    let about = std::fs::metadata(file).map_err(|error| error.to_string())?;
    if !about.is_file() || about.len() > LARGEST_MODEL {
        return Err("it is no file, or larger than 512 MB".to_owned());
    }
    let bytes = std::fs::read(file).map_err(|error| error.to_string())?;
    let (text, chunk) = parts(&bytes)?;
    let gltf: Value = serde_json::from_slice(text).map_err(|error| error.to_string())?;
    let list = |name: &str| gltf[name].as_array().map_or(&[] as &[Value], Vec::as_slice);
    let mut cost = Cost::default();
    for node in list("nodes") {
        let mesh = node["mesh"].as_u64().and_then(|at| {
            let at = usize::try_from(at).ok()?;
            list("meshes").get(at)
        });
        let primitives = mesh.and_then(|mesh| mesh["primitives"].as_array());
        for primitive in primitives.into_iter().flatten() {
            let accessor = (primitive["indices"].as_u64())
                .or_else(|| primitive["attributes"]["POSITION"].as_u64())
                .and_then(|at| list("accessors").get(usize::try_from(at).ok()?));
            let corners = accessor.and_then(|it| it["count"].as_u64());
            let corners = corners.ok_or("a mesh has no positions")?;
            cost = cost.plus(Cost {
                draws: 1,
                triangles: corners / 3,
                textures: 0,
            });
        }
    }
    for image in list("images") {
        let (width, height) = picture(&gltf, image, chunk, file)?;
        let (with, without) = WITH_MIPS;
        cost.textures += width * height * 4 * with / without;
    }
    Ok(cost)
}

/// The JSON of a glTF file, and the binary chunk where there is one.
fn parts(bytes: &[u8]) -> Result<(&[u8], &[u8]), String> {
    if !bytes.starts_with(b"glTF") {
        return Ok((bytes, &[]));
    }
    let chunk = |from: usize| -> Option<(&[u8], usize)> {
        let length = bytes.get(from..from + 4)?.try_into().ok()?;
        let length = usize::try_from(u32::from_le_bytes(length)).ok()?;
        let end = (from + 8).checked_add(length)?;
        Some((bytes.get(from + 8..end)?, end))
    };
    let (text, end) = chunk(12).ok_or("its first part is cut off")?;
    Ok((text, chunk(end).map_or(&[], |(binary, _)| binary)))
}

/// Width and height of an image, from its header.
fn picture(gltf: &Value, image: &Value, chunk: &[u8], file: &Path) -> Result<(u64, u64), String> {
    let name = image["name"].as_str().unwrap_or("without a name");
    let outside;
    let header: &[u8] = if let Some(uri) = image["uri"].as_str() {
        let beside = file.parent().unwrap_or(Path::new(".")).join(uri);
        outside = std::fs::read(&beside).map_err(|error| format!("image `{uri}`: {error}"))?;
        &outside
    } else {
        let view = image["bufferView"]
            .as_u64()
            .and_then(|at| gltf["bufferViews"].get(usize::try_from(at).ok()?))
            .ok_or_else(|| format!("image {name} lies nowhere"))?;
        let from = usize::try_from(view["byteOffset"].as_u64().unwrap_or(0)).unwrap_or(usize::MAX);
        chunk
            .get(from..)
            .ok_or_else(|| format!("image {name} is cut off"))?
    };
    let number = |at: usize| -> Option<u64> {
        let bytes = header.get(at..at + 4)?.try_into().ok()?;
        Some(u64::from(u32::from_be_bytes(bytes)))
    };
    // PNG: signature, length and name of the header, then width and height.
    let size = header
        .starts_with(b"\x89PNG\r\n\x1a\n")
        .then(|| number(16).zip(number(20)))
        .flatten();
    size.ok_or_else(|| format!("image {name} is no PNG"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lesson;

    #[test]
    fn every_bundled_lesson_is_within_what_a_headset_can_spare() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/lessons");
        let mut lessons = 0;
        for file in std::fs::read_dir(folder).unwrap() {
            let path = file.unwrap().path();
            if path.extension().is_some_and(|end| end == "ron") {
                let (cost, errors) = cost(&lesson::load(path.to_str().unwrap()).unwrap());
                assert!(errors.is_empty(), "{}: {errors:?}", path.display());
                assert!(cost.draws > 20 && cost.triangles > 1_000 && cost.textures > 1_000_000);
                lessons += 1;
            }
        }
        assert!(lessons > 0);
    }

    /// A binary glTF with so many nodes of one mesh, triangles in each, and an image of this size.
    fn glb(nodes: usize, triangles: u64, image: u32) -> Vec<u8> {
        let mut png = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR".to_vec();
        png.extend(image.to_be_bytes());
        png.extend(image.to_be_bytes());
        let json = serde_json::json!({
            "nodes": vec![serde_json::json!({"mesh": 0}); nodes],
            "meshes": [{"primitives": [{"indices": 0, "attributes": {"POSITION": 0}}]}],
            "accessors": [{"count": triangles * 3}],
            "images": [{"bufferView": 0, "mimeType": "image/png"}],
            "bufferViews": [{"buffer": 0, "byteOffset": 0, "byteLength": png.len()}],
        })
        .to_string();
        let mut bytes = b"glTF\x02\0\0\0\0\0\0\0".to_vec();
        for (name, part) in [(b"JSON", json.as_bytes()), (b"BIN\0", &png)] {
            bytes.extend(u32::try_from(part.len()).unwrap().to_le_bytes());
            bytes.extend(name);
            bytes.extend(part);
        }
        bytes
    }

    fn with_model(model: &[u8]) -> (Cost, Vec<CostError>) {
        let mut loaded = lesson::load("first-steps").unwrap();
        let folder = tempfile::tempdir().unwrap();
        loaded.path = Some(folder.path().join("lesson.ron"));
        std::fs::write(folder.path().join("lamp.glb"), model).unwrap();
        std::sync::Arc::make_mut(&mut loaded.lesson).objects[0].shape = Shape::Gltf {
            path: "lamp.glb".to_owned(),
            bounds: [0.1; 3],
        };
        cost(&loaded)
    }

    #[test]
    fn a_model_that_is_too_much_is_named_with_what_to_mend() {
        let (small, errors) = with_model(&glb(1, 100, 256));
        assert!(errors.is_empty(), "{errors:?}");
        let said = |model: &[u8]| {
            let errors = with_model(model).1;
            errors
                .iter()
                .map(|it| format!("{it}\n"))
                .collect::<String>()
        };
        assert!(said(&glb(200, 1, 16)).contains("join parts"));
        let triangles = said(&glb(1, 400_000, 16));
        assert!(triangles.contains("`lamp.glb`") && triangles.contains("Decimate"));
        let textures = said(&glb(1, 1, 16_384));
        assert!(textures.contains("of 256") && textures.contains("`lamp.glb`"));
        let (more, _) = with_model(&glb(3, 100, 256));
        assert_eq!(more.draws, small.draws + 2);
        assert_eq!(more.triangles, small.triangles + 200);
    }

    #[test]
    fn broken_models_are_errors_and_never_panic() {
        let whole = glb(1, 1, 16);
        for end in 0..whole.len() {
            let (_, errors) = with_model_bytes(&whole[..end]);
            // A cut in the unused end of the image changes nothing.
            assert!(errors || end > whole.len() - 2, "cut at {end}");
        }
    }

    /// As [`model`] sees it, without building the scene each time.
    fn with_model_bytes(bytes: &[u8]) -> (Option<Cost>, bool) {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("m.glb");
        std::fs::write(&file, bytes).unwrap();
        let counted = model(&file).ok();
        (counted, counted.is_none())
    }
}
