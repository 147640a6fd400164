//! Extensions that authors fill.

use serde_json::json;

use super::*;

const MLM: &str = "https://stac-extensions.github.io/mlm/v1.5.2/schema.json";
const ML_MODEL: &str = "https://stac-extensions.github.io/ml-model/v1.0.0/schema.json";
const WHOLE: &str = "mlm:\n  architecture: U-Net\n  tasks: [semantic-segmentation]\n  framework: PyTorch\n  framework_version: 2.1.0\n  \
    pretrained: true\n  total_parameters: 31000000\n  accelerator: cuda\n  hyperparameters: {lr: 0.001}\n  \
    input: [{name: bands, bands: [B02, {name: B03}], input: {shape: [-1, 2, 64, 64], dim_order: [batch, bands, height, width], data_type: float32}, \
    value_scaling: [{type: z-score, mean: 1, stddev: 2}], resize_type: crop}]\n  \
    output: [{name: mask, tasks: [semantic-segmentation], result: {shape: [-1, 64, 64], dim_order: [batch, height, width], data_type: uint8}, \
    'classification:classes': [{value: 1, description: water}]}]\n";

#[test]
fn a_whole_model_is_described() {
    let item = with_front(WHOLE);
    assert_eq!(warnings(&item), Vec::<String>::new());
    assert!(extensions(&item).contains(&MLM));
    let properties = &item["properties"];
    assert_eq!(properties["mlm:name"], "Model A");
    assert_eq!(properties["mlm:architecture"], "U-Net");
    assert_eq!(properties["bands"], json!([{"name": "B02"}, {"name": "B03"}]));
    let model = &item["assets"]["w.pt"];
    assert_eq!(model["roles"], json!(["data", "mlm:model"]));
    assert_eq!(model["mlm:artifact_type"], "torch.save");
    assert!(item["assets"]["README.md"].get("mlm:artifact_type").is_none());
}

#[test]
fn a_registered_model_is_the_model() {
    let project = project(&format!("---\n{WHOLE}  artifact_type: pickle.dump\n---\n"), &["w.pt"]);
    let item = build_in(&project, &default_categories(), &[version("unet", 3)]).full;
    assert_eq!(item["assets"]["unet-v3.pkl"]["roles"], json!(["data", "mlm:model"]));
    assert_eq!(item["assets"]["unet-v3.pkl"]["mlm:artifact_type"], "pickle.dump");
    assert_eq!(item["assets"]["w.pt"]["roles"], json!(["data"]));
}

#[test]
fn half_a_model_is_left_out() {
    let broken = |from: &str, to: &str| {
        assert!(WHOLE.contains(from), "{from}");
        WHOLE.replace(from, to)
    };
    for front in [
        "mlm: {architecture: U-Net}".to_owned(),
        "mlm:architecture: U-Net".to_owned(),
        broken("  architecture: U-Net\n", ""),
        broken("architecture: U-Net", "architecture: 5"),
        broken("shape: [-1, 2, 64, 64]", "shape: [-2]"),
        broken("bands: [B02, {name: B03}]", "bands: []"),
        broken("[batch, bands,", "[batch, time,"),
        broken("data_type: uint8", "data_type: uint9"),
        broken("name: mask, ", ""),
        broken("{type: z-score, mean: 1, stddev: 2}", "{type: z-score}"),
        broken("value: 1", "value: one"),
        broken("resize_type: crop", "variables: [a]"),
    ] {
        let item = with_front(&front);
        assert!(!extensions(&item).contains(&MLM), "{front}");
        assert!(item["properties"].as_object().unwrap().keys().all(|name| !name.starts_with("mlm:")), "{front}");
        assert!(!warnings(&item).is_empty(), "{front}");
    }
    let item = build(&project(&format!("---\n{WHOLE}---\n"), &["README.md"])).full;
    assert_eq!(warnings(&item), ["`mlm` is left out: the project has no model file among its assets"]);
}

#[test]
fn what_is_wrong_beside_a_whole_model_is_left_out_alone() {
    for (from, to) in [
        ("framework: PyTorch", "framework: '-x'"),
        ("framework_version: 2.1.0", "framework_version: '2'"),
        ("accelerator: cuda", "accelerator: abacus"),
        ("hyperparameters: {lr: 0.001}", "hyperparameters: {}"),
        ("total_parameters: 31000000", "total_parameters: many"),
        ("pretrained: true", "unheard: of"),
        ("tasks: [semantic-segmentation]\n", "tasks: [semantic-segmentation, chess]\n"),
    ] {
        assert!(WHOLE.contains(from));
        let item = with_front(&WHOLE.replace(from, to));
        assert!(extensions(&item).contains(&MLM), "{to}");
        assert_eq!(warnings(&item).len(), 1, "{to}");
    }
}

#[test]
fn the_older_extension_is_kept_when_whole_and_mapped() {
    let front = "ml-model: {type: ml-model, learning_approach: supervised, prediction_type: classification, architecture: ResNet}";
    let item = build_in(&project(&format!("---\n{front}\n---\n"), &[]), &default_categories(), &[version("r", 1)]).full;
    assert!(extensions(&item).contains(&ML_MODEL) && extensions(&item).contains(&MLM));
    assert_eq!(item["properties"]["mlm:tasks"], json!(["classification"]));
    assert_eq!(item["properties"]["mlm:architecture"], "ResNet");
    assert_eq!(item["properties"]["ml-model:learning_approach"], "supervised");
    assert_eq!(item["assets"]["r-v1.pkl"]["roles"], json!(["data", "ml-model:checkpoint", "mlm:model"]));
    let half = with_front("ml-model: {type: ml-model, architecture: ResNet}");
    assert!(!extensions(&half).contains(&ML_MODEL) && !extensions(&half).contains(&MLM));
    assert!(half["properties"].get("ml-model:architecture").is_none());
    assert_eq!(warnings(&half), ["`ml-model` is left out: `learning_approach` is missing or wrong"]);
}

#[test]
fn other_extensions_are_checked() {
    let item = with_front(
        "eo: {cloud_cover: 5.5, snow_cover: 101, bands: [{name: B1, common_name: red}], unheard: 1}\n\
         eo:snow_cover: 3\n\
         sci: {doi: 10.5281/zenodo.1, citation: C}\n\
         label: {properties: ~, description: d, type: vector, classes: [{name: c, classes: [a, b]}], tasks: [detection]}\n\
         processing: {level: L2, software: {gdal: '3'}, datetime: 2024-01-01, expression: {format: x}}\n\
         table: {columns: [{name: a, type: int}], row_count: 5, primary_geometry: 1}\n\
         version: {version: '2', experimental: yes please}\n\
         extensions: {own: 'https://example.test/own.json', bad: ftp, eo: 'https://example.test/x', fake: 'https://stac-extensions.github.io/mlm/v1.0.0/schema.json'}\n\
         own: {a: 1, b: [x]}\nfake: {x: 1}",
    );
    let properties = &item["properties"];
    for (name, expected) in [
        ("eo:cloud_cover", json!(5.5)),
        ("eo:bands", json!([{"name": "B1", "common_name": "red"}])),
        ("sci:doi", json!("10.5281/zenodo.1")),
        ("label:properties", Value::Null),
        ("label:type", json!("vector")),
        ("processing:level", json!("L2")),
        ("processing:datetime", json!("2024-01-01T00:00:00Z")),
        ("table:row_count", json!(5)),
        ("version", json!("2")),
        ("own:a", json!(1)),
        ("own:b", json!(["x"])),
        ("fake", json!({"x": 1})),
    ] {
        assert_eq!(properties.get(name), Some(&expected), "{name}");
    }
    assert_eq!(item["assets"]["data/a.csv"].get("eo:bands"), None, "no rule selects it");
    assert_eq!(item["assets"]["w.pt"]["eo:bands"], json!([{"name": "B1", "common_name": "red"}]));
    assert!(properties.get("processing:expression").is_none());
    let declared = extensions(&item).join(" ");
    for part in [
        "/eo/v1.1.0",
        "/label/v1.0.1",
        "/scientific/v1.0.0",
        "/processing/v1.2.0",
        "/table/v1.2.0",
        "/version/v1.2.0",
        "example.test/own.json",
    ] {
        assert!(declared.contains(part), "{part}");
    }
    assert!(!declared.contains("mlm") && !declared.contains("example.test/x"));
    assert_eq!(links(&item, "cite-as")[0]["href"], "https://doi.org/10.5281/zenodo.1");
    assert_eq!(warnings(&item).len(), 7, "{:#?}", warnings(&item));
}
