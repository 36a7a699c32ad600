// A panel's picture as it was painted. Where the runtime shows it as a layer of its own, `layer` is 1: the colours stay,
// for whoever looks through the learner's eyes, and an alpha of 0 lets the layer through.

#import bevy_pbr::forward_io::VertexOutput

@group(#{MATERIAL_BIND_GROUP}) @binding(0) var<uniform> layer: vec4<f32>;
@group(#{MATERIAL_BIND_GROUP}) @binding(1) var picture: texture_2d<f32>;
@group(#{MATERIAL_BIND_GROUP}) @binding(2) var picture_sampler: sampler;

@fragment
fn fragment(in: VertexOutput) -> @location(0) vec4<f32> {
    let seen = textureSample(picture, picture_sampler, in.uv);
    if seen.a < 0.5 {
        discard;
    }
    return vec4<f32>(seen.rgb, 1.0 - layer.x);
}
