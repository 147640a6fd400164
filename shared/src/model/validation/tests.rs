//! The rules and the stock server's words for them.

use proptest::prelude::*;

use super::*;

fn refusal(result: Result<()>) -> String {
    match result {
        Err(Error::Invalid(message)) => message,
        other => panic!("not refused: {other:?}"),
    }
}

#[test]
fn keys_are_their_own_normal_form() {
    for good in ["a", "a/b", "val loss", "a.b", "a:b-c", "größe", "a/..b", "a/...", " ", "x".repeat(250).as_str()] {
        assert_eq!(metric("", good, 1.0, 0), Ok(()), "{good}");
    }
    for (bad, shown, normal) in [
        ("a//b", "a//b", "a/b"),
        ("/a", "/a", "/a"),
        ("//a", "//a", "//a"),
        ("///a", "///a", "/a"),
        ("a/", "a/", "a"),
        ("./a", "./a", "a"),
        ("a/../b", "a/../b", "b"),
        ("..", "..", ".."),
        ("../a", "../a", "../a"),
        ("/..", "/..", "/"),
        (".", ".", "."),
        ("", "", "."),
        ("..a", "..a", "..a"),
        ("é/", "\\u00e9/", "é"),
    ] {
        let expected = format!(
            "Invalid value \"{shown}\" for parameter 'params[2].key' supplied: Names may be treated as files in \
             certain cases, and must not resolve to other names when treated as such. This name would resolve to \
             '{normal}'"
        );
        assert_eq!(refusal(param("params[2]", bad, String::new()).map(drop)), expected);
    }
    for bad in ["a*b", "a\n", "a\"b", "a;b", "a\\b", "😀"] {
        let message = refusal(tag("", bad, String::new()).map(drop));
        assert!(message.contains("for parameter 'key' supplied: Names may only contain alphanumerics"), "{message}");
    }
    let message = refusal(metric("metrics[0]", "😀", 1.0, 0));
    assert!(message.starts_with("Invalid value \"\\ud83d\\ude00\" for parameter 'metrics[0].name'"), "{message}");
}

#[test]
fn long_keys_are_refused_and_long_values_cut() {
    let long = "x".repeat(251);
    assert_eq!(refusal(metric("", &long, 1.0, 0)), "'Metric name' exceeds the maximum length of 250 characters");
    assert_eq!(
        refusal(param("params[0]", &long, String::new()).map(drop)),
        "'Param key' exceeds the maximum length of 250 characters"
    );
    assert_eq!(
        refusal(tag("tags[1]", &long, String::new()).map(drop)),
        "'tags[1].key' exceeds the maximum length of 250 characters"
    );
    assert_eq!(param("", "a", "é".repeat(6_001)), Ok("é".repeat(6_000)));
    assert_eq!(param("", "a", "é".repeat(6_000)), Ok("é".repeat(6_000)));
    assert_eq!(tag("", "a", "y".repeat(9_000)), Ok("y".repeat(8_000)));
    assert_eq!(experiment_tag("a", &"é".repeat(20_000)), Ok(()));
    assert_eq!(
        refusal(experiment_tag("a", &"é".repeat(20_001))),
        "'value' exceeds the maximum length of 20000 characters"
    );
}

#[test]
fn timestamps_are_not_negative() {
    assert_eq!(
        refusal(metric("metrics[1]", "k", 1.0, -1)),
        "Invalid value -1 for parameter 'metrics[1].timestamp' supplied: metric 'k' (value=1.0). \
         Timestamp must be a nonnegative long (64-bit integer) "
    );
}

#[test]
fn artifact_locations() {
    for good in [
        "s3://bucket/a",
        "s3://bucket/a;b",
        "S3://bucket",
        "mlflow-artifacts:/3",
        "mlflow-artifacts:///3",
        "relative/path",
        "file:///x",
        "C:\\data",
        "s3://b/a?versioning=1",
    ] {
        assert_eq!(artifact_location(good), Ok(()), "{good}");
    }
    for bad in [
        "s3://a/b#f",
        "/tmp/x;y",
        "http://a/b",
        "HTTP://a",
        "ftp:///b",
        "abfss://c@a.dfs.core.windows.net/x",
        "mlflow-artifacts://host/b",
        "runs:/x",
        "s3://a/b?x=..",
        "s3://a/b?x=%252e%252e",
        "s3://a/b?x=%2E.",
        format!("s3://{}", "a".repeat(2_048)).as_str(),
    ] {
        assert!(artifact_location(bad).is_err(), "{bad}");
    }
}

#[test]
fn batches() {
    assert_eq!(batch_sizes(800, 100, 100), Ok(()));
    assert_eq!(
        refusal(batch_sizes(0, 0, 101)),
        "A batch logging request can contain at most 100 tags. Got 101 tags. Please split up tags across multiple \
         requests and try again."
    );
    assert!(batch_sizes(801, 100, 100).is_err());
    assert!(batch_sizes(1_001, 0, 0).is_err());
    assert_eq!(distinct_param_keys(["a", "b"]), Ok(()));
    assert!(
        refusal(distinct_param_keys(["a", "b", "a"]))
            .starts_with("Duplicate parameter keys have been submitted: ['a'].")
    );
}

#[test]
fn ids_names_and_counts() {
    assert_eq!(run_id("0123456789abcdef"), Ok(()));
    for bad in ["", "-a", "a/b", "**", "a\n", "x".repeat(257).as_str()] {
        assert!(run_id(bad).is_err(), "{bad}");
    }
    assert_eq!(refusal(run_id("**")), "Invalid value \"**\" for parameter 'run_id' supplied.");
    assert_eq!(
        refusal(logged_model_name("a'b")),
        "Invalid model name (\"a'b\") provided. Model name must be a non-empty string and cannot contain the \
         following characters: ('/', ':', '.', '%', '\"', \"'\")"
    );
    assert_eq!(logged_model_name("größe 2"), Ok(()));
    assert_eq!((max_results(1), max_results(50_000)), (Ok(1), Ok(50_000)));
    for bad in [0, -1, 50_001, i64::MAX] {
        assert!(max_results(bad).is_err() && runs_max_results(bad).is_err());
    }
    assert_eq!(interval_points(2_500), Ok(2_500));
    assert!(interval_points(0).is_err() && interval_points(2_501).is_err());
    assert!(experiment_name("").is_err() && experiment_name(&"x".repeat(501)).is_err());
    assert_eq!(experiment_name(&"é".repeat(500)), Ok(()));
    assert_eq!(custom_views(vec!["mlflow.customView.view.v1.a"; 50]), Ok(()));
    assert!(custom_views(vec!["mlflow.customView.view.v1.a"; 51]).is_err());
}

#[test]
fn data_sets() {
    let good = Dataset { name: "n".into(), digest: "d".repeat(36), ..Dataset::default() };
    assert_eq!(dataset(&good), Ok(()));
    assert!(dataset(&Dataset { name: "n".repeat(501), ..good.clone() }).is_err());
    assert!(dataset(&Dataset { digest: "d".repeat(37), ..good.clone() }).is_err());
    assert!(dataset(&Dataset { source: "s".repeat(65_536), ..good.clone() }).is_err());
    assert!(dataset(&Dataset { schema: Some("s".repeat(1_048_576)), ..good }).is_err());
    assert!(input_tag("k", &"v".repeat(500)).is_ok() && input_tag("k", &"v".repeat(501)).is_err());
    assert!(input_tag(&"k".repeat(256), "v").is_err());
}

proptest! {
    #[test]
    fn accepted_keys_are_safe_paths(key in "[a./ :_é-]{0,12}") {
        if name("key", &key).is_ok() {
            prop_assert!(!key.starts_with('/') && !key.ends_with('/') && !key.is_empty());
            prop_assert!(key.split('/').all(|part| !matches!(part, "" | "." | "..")));
        }
    }

    #[test]
    fn any_text_is_survived(text in ".{0,40}") {
        let _ = (metric("", &text, 1.0, 0), artifact_location(&text), run_id(&text), logged_model_name(&text));
        let cut = cut(text.clone(), 7);
        prop_assert_eq!(cut, text.chars().take(7).collect::<String>());
    }
}
