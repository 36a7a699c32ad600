//! Where a lesson's own glTF models come from: beside a lesson file from its folder, on a headset too; of a bundled lesson
//! from the program's assets, which on a headset lie inside the package.

use std::path::PathBuf;

use bevy::asset::AssetPath;
use bevy::asset::io::AssetSourceBuilder;
use bevy::asset::io::file::FileAssetReader;
use bevy::gltf::GltfAssetLabel;
use bevy::prelude::*;

use crate::lesson::Loaded;

/// Name of the source that reads the lesson's folder. On a headset the engine's own reads nothing but the package.
const SOURCE: &str = "lesson";

/// Lets the engine read what lies beside this lesson's file, and below, and nothing else. To be called before the
/// engine's plugins are added. A bundled lesson has no file, and needs nothing.
pub fn offer_models(app: &mut App, lesson: &Loaded) {
    if lesson.path.is_none() {
        return;
    }
    let folder = absolute(lesson.folder());
    let reader = move || Box::new(FileAssetReader::new(&folder)) as _;
    app.register_asset_source(SOURCE, AssetSourceBuilder::new(reader));
}

/// A lesson's own model. The checker has seen to it that it is there.
pub(super) fn model(assets: &AssetServer, lesson: &Loaded, path: &str) -> WorldAssetRoot {
    let file = if lesson.path.is_some() {
        AssetPath::from_path_buf(PathBuf::from(path)).with_source(SOURCE)
    } else if cfg!(target_os = "android") {
        // What lies inside a package has no path of the file system.
        AssetPath::from_path_buf(lesson.folder().join(path))
    } else {
        AssetPath::from_path_buf(absolute(lesson.folder().join(path)))
    };
    let scene = GltfAssetLabel::Scene(0).from_asset(file);
    WorldAssetRoot(assets.load_builder().override_unapproved().load(scene))
}

fn absolute(path: PathBuf) -> PathBuf {
    std::path::absolute(&path).unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::time::{Duration, Instant};

    use bevy::asset::LoadState;
    use bevy::gltf::GltfPlugin;
    use bevy::image::ImagePlugin;
    use bevy::mesh::MeshPlugin;
    use bevy::world_serialization::WorldSerializationPlugin;

    use super::*;
    use crate::lesson::load_file;

    /// One triangle, its corners in a file beside it.
    const MODEL: &str = r#"{"asset": {"version": "2.0"}, "scene": 0, "scenes": [{"nodes": [0]}], "nodes": [{"mesh": 0}],
        "meshes": [{"primitives": [{"attributes": {"POSITION": 0}}]}], "buffers": [{"uri": "corners.bin", "byteLength": 36}],
        "bufferViews": [{"buffer": 0, "byteLength": 36}],
        "accessors": [{"bufferView": 0, "componentType": 5126, "count": 3, "type": "VEC3", "min": [0, 0, 0], "max": [0, 0, 0]}]}"#;

    /// What becomes of a model beside a lesson file, as the engine loads it.
    fn loaded(folder: &std::path::Path, path: &str) -> LoadState {
        let file = folder.join("knots.ron");
        fs::write(&file, include_str!("../../assets/lessons/first-steps.ron")).unwrap();
        let lesson = load_file(&file).unwrap();
        let mut app = App::new();
        offer_models(&mut app, &lesson);
        app.add_plugins((
            MinimalPlugins,
            AssetPlugin::default(),
            ImagePlugin::default(),
            MeshPlugin,
            WorldSerializationPlugin,
            GltfPlugin::default(),
        ))
        .init_asset::<StandardMaterial>();
        app.finish();
        app.cleanup();
        let scene = model(app.world().resource(), &lesson, path);
        let begun = Instant::now();
        loop {
            app.update();
            let assets = app.world().resource::<AssetServer>();
            match assets.load_state(&scene.0) {
                LoadState::NotLoaded | LoadState::Loading => {}
                over => return over,
            }
            assert!(begun.elapsed() < Duration::from_secs(60), "it never ends");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    #[test]
    fn a_model_beside_a_lesson_file_is_loaded_with_what_lies_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let models = folder.path().join("my models");
        fs::create_dir(&models).unwrap();
        fs::write(models.join("knot.gltf"), MODEL).unwrap();
        fs::write(models.join("corners.bin"), [0; 36]).unwrap();
        let state = loaded(folder.path(), "my models/knot.gltf");
        assert!(matches!(state, LoadState::Loaded), "{state:?}");
        let state = loaded(folder.path(), "my models/not.gltf");
        assert!(matches!(state, LoadState::Failed(_)), "{state:?}");
    }
}
