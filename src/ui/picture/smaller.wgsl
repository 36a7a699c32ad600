// What an eye has drawn, made smaller: each pixel is the mean of those it covers, in linear light.

struct Part {
    // Of the drawn image, pixels.
    corner: vec2<f32>,
    size: vec2<f32>,
    // Of the small one.
    small: vec2<f32>,
    unused: vec2<f32>,
}

@group(0) @binding(0) var drawn: texture_2d<f32>;
@group(0) @binding(1) var<uniform> part: Part;

// Per direction: of 16 times as many pixels a mean of every second one is as good.
const MOST: u32 = 8u;

@vertex
fn vertex(@builtin(vertex_index) index: u32) -> @builtin(position) vec4<f32> {
    // One triangle over everything.
    let x = f32(index & 1u) * 4.0 - 1.0;
    let y = f32(index >> 1u) * 4.0 - 1.0;
    return vec4<f32>(x, y, 0.0, 1.0);
}

@fragment
fn fragment(@builtin(position) at: vec4<f32>) -> @location(0) vec4<f32> {
    let scale = part.size / part.small;
    let first = floor(at.xy) * scale;
    let count = clamp(vec2<u32>(ceil(scale - vec2<f32>(0.001))), vec2<u32>(1u), vec2<u32>(MOST));
    let last = part.corner + part.size - vec2<f32>(1.0);
    var sum = vec3<f32>(0.0);
    for (var y = 0u; y < count.y; y++) {
        for (var x = 0u; x < count.x; x++) {
            let inside = (vec2<f32>(f32(x), f32(y)) + 0.5) / vec2<f32>(count) * scale;
            let place = clamp(floor(part.corner + first + inside), part.corner, last);
            sum += textureLoad(drawn, vec2<i32>(place), 0).rgb;
        }
    }
    return vec4<f32>(sum / f32(count.x * count.y), 1.0);
}
