//! Reading a stream: time for each byte should not depend on how the bytes are cut or how long the
//! lines are. Run with `cargo bench --bench stream`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test that cannot go on has failed, and says so"
)]

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use tern::api::answer::{Answer, End};
use tern::api::sse::Decoder;

fn guard(criterion: &mut Criterion) {
    let mut line = b"data: ".to_vec();
    line.resize(4 << 20, b'x');
    line.extend_from_slice(b"\n\n");
    let small =
        b"event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0}\n\n"
            .repeat(10_000);
    let mut group = criterion.benchmark_group("sse");
    group.sample_size(20);
    for (name, bytes) in [("one 4 MiB line", &line), ("10,000 events", &small)] {
        group.throughput(Throughput::Bytes(bytes.len() as u64));
        for size in [64, 8 << 10, 1 << 20] {
            group.bench_with_input(BenchmarkId::new(name, size), &size, |bencher, &size| {
                bencher.iter(|| {
                    let mut decoder = Decoder::new();
                    let mut items = Vec::new();
                    for chunk in bytes.chunks(size) {
                        decoder.push(chunk, &mut items).ok();
                    }
                    items.len()
                });
            });
        }
    }
    group.finish();
}

fn wires(criterion: &mut Criterion) {
    let anthropic = "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\" word\"}}\n\n".repeat(10_000);
    let chat = "data: {\"id\":\"c\",\"object\":\"chat.completion.chunk\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\" word\"},\"finish_reason\":null}]}\n\n".repeat(10_000);
    let responses = "event: response.output_text.delta\ndata: {\"type\":\"response.output_text.delta\",\"item_id\":\"m\",\"delta\":\" word\"}\n\n".repeat(10_000);
    let mut group = criterion.benchmark_group("10,000 tokens");
    group.sample_size(20);
    for (name, answer, body) in [
        ("anthropic", Answer::anthropic as fn() -> Answer, anthropic),
        ("openai-chat", Answer::openai_chat, chat),
        ("openai-responses", Answer::openai_responses, responses),
    ] {
        group.throughput(Throughput::Bytes(body.len() as u64));
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                let mut answer = answer();
                let mut parts = Vec::new();
                for chunk in body.as_bytes().chunks(1400) {
                    answer.push(chunk, &mut parts);
                }
                answer.end(End::Closed, &mut parts);
                parts.len()
            });
        });
    }
    group.finish();
}

criterion_group!(benches, guard, wires);
criterion_main!(benches);
