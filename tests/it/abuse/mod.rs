//! Abuse: whatever a stranger's bytes are parsed by is given examples that were cut, repeated and mixed. Some hundred
//! of each in every test run; `make fuzz` goes on for `FUZZ_SECONDS` in each target. A failure shows the shortest input.
#![allow(clippy::print_stderr)]

mod catalog;
mod gateway;
mod items;
mod mutation;
mod names;
mod searches;
mod tokens;
mod uploads;

use std::cell::Cell;
use std::time::{Duration, Instant};

use proptest::strategy::Strategy;
use proptest::test_runner::{Config, TestRunner};

/// Far above what any input takes, here unoptimised and beside other work: what exceeds it hangs, or grows with a
/// power of its input.
const HANGS: Duration = Duration::from_secs(30);

/// Gives `check`, which panics where a promise is broken, values of `strategy`: as many as `PROPTEST_CASES` says, over
/// again until `FUZZ_SECONDS` have passed.
#[track_caller]
fn survive<S: Strategy>(target: &str, strategy: &S, check: impl Fn(S::Value)) {
    let seconds = std::env::var("FUZZ_SECONDS").ok().and_then(|text| text.parse().ok()).unwrap_or(0);
    let end = Instant::now() + Duration::from_secs(seconds);
    let (inputs, slowest) = (Cell::new(0_u64), Cell::new(Duration::ZERO));
    loop {
        let config = Config { failure_persistence: None, max_shrink_iters: 20_000, ..Config::default() };
        let result = TestRunner::new(config).run(strategy, |input| {
            let begun = Instant::now();
            check(input);
            let took = begun.elapsed();
            assert!(took < HANGS, "took {took:?}");
            inputs.set(inputs.get() + 1);
            slowest.set(slowest.get().max(took));
            Ok(())
        });
        if let Err(failure) = result {
            panic!("{target}: {failure}");
        }
        if Instant::now() >= end {
            break;
        }
    }
    if seconds > 0 {
        eprintln!("{target}: {} inputs, the slowest {:?}", inputs.get(), slowest.get());
    }
}
