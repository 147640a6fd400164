//! What each function asks of AWS, read from its sources, against the rights that `template.yaml` gives it.
//!
//! From every function of a package calls are followed into `shared` down to the SDK's operations. A method is found
//! by the name of what it is called on: `store.get_run(..)` is one of `Store`, `caller.require(..)` one of `Caller`.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use crate::house::{files, read};
use crate::template::{FOLDERS, pascal_case, statements};

/// The SDK's operations, and the rights that they need.
const OPERATIONS: [(&str, &str); 18] = [
    ("get_item", "dynamodb:GetItem"),
    ("put_item", "dynamodb:PutItem"),
    ("update_item", "dynamodb:UpdateItem"),
    ("delete_item", "dynamodb:DeleteItem"),
    ("query", "dynamodb:Query"),
    ("batch_get_item", "dynamodb:BatchGetItem"),
    ("put_object", "s3:PutObject"),
    ("create_multipart_upload", "s3:PutObject"),
    ("upload_part", "s3:PutObject"),
    ("complete_multipart_upload", "s3:PutObject"),
    ("get_object", "s3:GetObject"),
    ("head_object", "s3:GetObject"),
    ("abort_multipart_upload", "s3:AbortMultipartUpload"),
    ("list_objects_v2", "s3:ListBucket"),
    ("list_parts", "s3:ListMultipartUploadParts"),
    ("list_multipart_uploads", "s3:ListBucketMultipartUploads"),
    ("delete_object", "s3:DeleteObject"),
    ("delete_objects", "s3:DeleteObject"),
];

/// What a transaction consists of needs the rights of its parts.
const TRANSACTED: [(&str, &str); 4] = [
    ("Put", "dynamodb:PutItem"),
    ("Update", "dynamodb:UpdateItem"),
    ("Delete", "dynamodb:DeleteItem"),
    ("ConditionCheck", "dynamodb:ConditionCheckItem"),
];

/// Who makes a key, and the part of the bucket that it lies in.
const KEYS: [(&str, &str); 7] = [
    ("of_artifact", "artifacts"),
    ("of_model_file", "artifacts"),
    ("of_blob", "blobs"),
    ("of_archive", "blobs"),
    ("of_text", "texts"),
    ("of_stored_text", "texts"),
    ("of_catalog", "catalog"),
];

/// A function of the sources.
struct Function {
    package: String,
    file: String,
    /// The type that it is a method of.
    owner: Option<String>,
    name: String,
    tokens: Vec<String>,
    /// Has it to do with anything that leads to AWS?
    leads: bool,
}

/// Types whose methods lead to AWS, and words for values of them.
const LEADING: [&str; 9] =
    ["Store", "Objects", "Context", "Caller", "Auth", "Shared", "AppState", "ObjectKey", "Snapshot"];
const WORDS: [&str; 6] = ["store", "objects", "context", "caller", "auth", "state"];

fn is_name(token: &str) -> bool {
    token.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
}

fn is_type(token: &str) -> bool {
    token.starts_with(|first: char| first.is_ascii_uppercase())
}

/// Names, `::` and single characters of a source; tests, comments, texts and characters are left out.
fn tokens(source: &str) -> Vec<String> {
    let source = source.split("#[cfg(test)]").next().unwrap_or_default();
    let characters: Vec<char> = source.chars().collect();
    let mut tokens: Vec<String> = Vec::new();
    let mut at = 0;
    let skip_to = |from: usize, end: &str| {
        let end: Vec<char> = end.chars().collect();
        (from..characters.len())
            .find(|at| characters[*at..].starts_with(&end))
            .map_or(characters.len(), |at| at + end.len())
    };
    while at < characters.len() {
        let rest = &characters[at..];
        if rest.starts_with(&['/', '/']) {
            at = skip_to(at, "\n");
        } else if rest.starts_with(&['r', '#', '"']) {
            at = skip_to(at + 3, "\"#");
        } else if rest[0] == '"' {
            at += 1;
            while at < characters.len() && characters[at] != '"' {
                at += if characters[at] == '\\' { 2 } else { 1 };
            }
            at += 1;
        } else if rest[0] == '\'' && rest.get(1) == Some(&'\\') {
            at = skip_to(at + 3, "'");
        } else if rest[0] == '\'' && rest.get(2) == Some(&'\'') {
            at += 3;
        } else if rest[0].is_alphanumeric() || rest[0] == '_' {
            let length = rest.iter().take_while(|letter| letter.is_alphanumeric() || **letter == '_').count();
            tokens.push(rest[..length].iter().collect());
            at += length;
        } else if rest.starts_with(&[':', ':']) {
            tokens.push("::".to_owned());
            at += 2;
        } else {
            if !rest[0].is_whitespace() {
                tokens.push(rest[0].to_string());
            }
            at += 1;
        }
    }
    tokens
}

/// Where the brackets that open at `at` close.
fn closing(tokens: &[String], at: usize, open: &str, close: &str) -> usize {
    let mut depth = 0_usize;
    for (place, token) in tokens.iter().enumerate().skip(at) {
        if token == open {
            depth += 1;
        } else if token == close {
            depth -= 1;
            if depth == 0 {
                return place;
            }
        }
    }
    tokens.len()
}

/// Where the brackets that close at `at` open.
fn opening(tokens: &[String], at: usize, open: &str, close: &str) -> usize {
    let mut depth = 0_usize;
    for place in (0..=at).rev() {
        if tokens[place] == close {
            depth += 1;
        } else if tokens[place] == open {
            depth -= 1;
            if depth == 0 {
                return place;
            }
        }
    }
    0
}

fn functions(package: &str, file: &str) -> Vec<Function> {
    let tokens = tokens(&read(file));
    let find = |from: usize, wanted: &[&str]| (from..tokens.len()).find(|at| wanted.contains(&tokens[*at].as_str()));
    let mut impls = Vec::new();
    for at in (0..tokens.len())
        .filter(|at| tokens[*at] == "impl" && (*at == 0 || ["}", ";", "]"].contains(&tokens[*at - 1].as_str())))
    {
        let Some(begin) = find(at, &["{"]) else { continue };
        let until = find(at, &["where"]).unwrap_or(begin).min(begin);
        let head = &tokens[at + 1..until];
        let head = head.iter().position(|token| token == "for").map_or(head, |place| &head[place + 1..]);
        // Behind the parameters of `impl<'a>`: the first name of a type.
        if let Some(owner) = head.iter().find(|token| is_type(token) && token.len() > 1) {
            impls.push((begin, closing(&tokens, begin, "{", "}"), owner.clone()));
        }
    }
    let mut found = Vec::new();
    for at in (0..tokens.len().saturating_sub(1)).filter(|at| tokens[*at] == "fn" && is_name(&tokens[*at + 1])) {
        let Some(begin) = find(at, &["{"]) else { continue };
        let own = tokens[at..=closing(&tokens, begin, "{", "}").min(tokens.len() - 1)].to_vec();
        let owner =
            impls.iter().find(|(begin, end, _)| (*begin..*end).contains(&at)).map(|(_, _, owner)| owner.clone());
        let leads = own.iter().any(|token| WORDS.contains(&token.as_str()) || LEADING.contains(&token.as_str()))
            || owner.as_ref().is_some_and(|owner| LEADING.contains(&owner.as_str()));
        let name = tokens[at + 1].clone();
        found.push(Function { package: package.to_owned(), file: file.to_owned(), owner, name, tokens: own, leads });
    }
    found
}

/// A name that is used: on what, or below what path; or a type that an argument has.
enum Use {
    Method(String, String),
    Path(Option<String>, String),
    Argument(String),
}

fn uses(tokens: &[String]) -> Vec<Use> {
    let mut uses = Vec::new();
    for (at, token) in tokens.iter().enumerate().filter(|(_, token)| is_name(token)) {
        let before = |back: usize| at.checked_sub(back).map(|place| tokens[place].as_str()).unwrap_or_default();
        if is_type(token) {
            uses.push(Use::Argument(token.clone()));
        } else if before(1) == "." {
            let next = tokens.get(at + 1).map(String::as_str);
            if next != Some("(") && next != Some("::") {
                // A field.
                continue;
            }
            let mut on = at - 2;
            on -= usize::from(tokens[on] == "?");
            let on = match tokens[on].as_str() {
                ")" => opening(tokens, on, "(", ")").saturating_sub(1),
                "}" => opening(tokens, on, "{", "}").saturating_sub(1),
                _ => on,
            };
            uses.push(Use::Method(tokens[on].clone(), token.clone()));
        } else {
            let below = if before(1) == "::" { Some(before(2).to_owned()) } else { None };
            uses.push(Use::Path(below, token.clone()));
        }
    }
    uses
}

/// `run_rows` is a `RunRows`, `context` a `Context`, `state.objects` and `text_objects()` are `Objects`.
fn is_called_like(value: &str, owner: &str) -> bool {
    let (value, owner) = (value.replace('_', "").to_lowercase(), owner.to_lowercase());
    value.len() > 2 && (owner.contains(&value) || value.contains(&owner))
}

struct Sources {
    functions: Vec<Function>,
    by_name: BTreeMap<String, Vec<usize>>,
}

impl Sources {
    fn read() -> Self {
        let mut functions: Vec<Function> =
            files("shared/src", ".rs").iter().flat_map(|file| self::functions("shared", file)).collect();
        for folder in FOLDERS {
            let own = files(&format!("functions/{folder}/src"), ".rs");
            let own = own.iter().filter(|file| !file.contains("/tests"));
            functions.extend(own.flat_map(|file| self::functions(folder, file)));
        }
        let mut by_name: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (index, function) in functions.iter().enumerate() {
            by_name.entry(function.name.clone()).or_default().push(index);
        }
        Self { functions, by_name }
    }

    /// May `from`, using a name so, mean `to`?
    fn is_meant(&self, from: &Function, by: &Use, to: &Function) -> bool {
        if !to.leads {
            return false;
        }
        match by {
            Use::Method(on, _) => to.owner.as_ref().is_some_and(|owner| match on.as_str() {
                "self" => from.owner.as_ref() == Some(owner),
                // `Auth` is a handle of `auth::Shared`.
                "0" => owner == "Shared" && from.file.starts_with("shared/src/auth/"),
                on => is_called_like(on, owner),
            }),
            Use::Path(below, name) => match (&to.owner, below.as_deref()) {
                (Some(owner), Some("Self")) => from.owner.as_ref() == Some(owner),
                (Some(owner), Some(below)) => owner == below,
                (Some(_), None) => false,
                (None, Some(below)) => {
                    let place = below.replace('_', "-");
                    to.file.ends_with(&format!("/{below}.rs"))
                        || to.file.contains(&format!("/{below}/"))
                        || to.package == place
                }
                (None, None) => to.file == from.file || imports(&from.file, name),
            },
            // What an argument of a handler is made by.
            Use::Argument(kind) => to.owner.as_ref() == Some(kind) && to.name.starts_with("from_request"),
        }
    }

    /// Every function that a package may reach.
    fn reached(&self, folder: &str) -> HashSet<usize> {
        let manifest = read(&format!("functions/{folder}/Cargo.toml"));
        let packages: Vec<&str> = FOLDERS
            .into_iter()
            .filter(|other| *other == folder || manifest.contains(&format!("\n{other}.workspace")))
            .collect();
        let visible =
            |function: &Function| function.package == "shared" || packages.contains(&function.package.as_str());
        let own = |function: &Function| function.package != "shared" && visible(function);
        let mut open: Vec<usize> = (0..self.functions.len()).filter(|index| own(&self.functions[*index])).collect();
        let mut reached: HashSet<usize> = open.iter().copied().collect();
        while let Some(index) = open.pop() {
            let from = &self.functions[index];
            for by in uses(&from.tokens) {
                let candidates = match &by {
                    Use::Method(_, name) | Use::Path(_, name) => self.by_name.get(name).cloned().unwrap_or_default(),
                    Use::Argument(_) => ["from_request", "from_request_parts"]
                        .iter()
                        .flat_map(|name| self.by_name.get(*name).cloned().unwrap_or_default())
                        .collect(),
                };
                for to in candidates {
                    let function = &self.functions[to];
                    if visible(function) && self.is_meant(from, &by, function) && reached.insert(to) {
                        open.push(to);
                    }
                }
            }
        }
        reached
    }
}

/// Does a file have a `use` of this name?
fn imports(file: &str, name: &str) -> bool {
    let source = read(file);
    let statements = source.split("\nuse ").skip(1).map(|rest| rest.split(';').next().unwrap_or_default());
    let mut words =
        statements.flat_map(|statement| statement.split(|letter: char| !letter.is_alphanumeric() && letter != '_'));
    words.any(|word| word == name)
}

/// The rights that a function's code needs; of S3's also the parts of the bucket that it names.
fn needed(sources: &Sources, reached: &HashSet<usize>) -> BTreeSet<String> {
    let mut needed = BTreeSet::new();
    for function in reached.iter().map(|index| &sources.functions[*index]) {
        for (at, token) in function.tokens.iter().enumerate() {
            let before = |back: usize| at.checked_sub(back).map(|place| function.tokens[place].as_str());
            if before(1) == Some(".") && before(2) == Some("client") {
                let right = OPERATIONS.iter().find(|(operation, _)| operation == token);
                needed.extend(right.map(|(_, right)| (*right).to_owned()));
            }
            if token == "index_name" {
                needed.insert("index".to_owned());
            }
            if token == "builder" && before(1) == Some("::") && function.file.starts_with("shared/src/store/") {
                let right = TRANSACTED.iter().find(|(part, _)| Some(*part) == before(2));
                needed.extend(right.map(|(_, right)| (*right).to_owned()));
            }
        }
        if function.owner.as_deref() == Some("ObjectKey") {
            let part = KEYS.iter().find(|(maker, _)| *maker == function.name);
            needed.extend(part.map(|(_, part)| (*part).to_owned()));
        }
    }
    // S3 answers 404 for a missing object, and not 403, only to who may list; texts are never missing.
    if needed.contains("s3:GetObject") && ["artifacts", "blobs", "catalog"].iter().any(|part| needed.contains(*part)) {
        needed.insert("s3:ListBucket".to_owned());
    }
    needed
}

/// What `template.yaml` grants, in the same words.
fn granted(folder: &str) -> BTreeSet<String> {
    let mut granted = BTreeSet::new();
    for (action, resource) in statements(&pascal_case(folder)) {
        let ours = action.starts_with("dynamodb:") || action.starts_with("s3:");
        if !ours || resource.contains("/stream/") {
            continue;
        }
        if resource.contains("/index/") {
            granted.insert("index".to_owned());
        }
        for part in ["artifacts", "blobs", "catalog", "texts"] {
            if resource.ends_with(&format!("/{part}/*")) {
                granted.insert(part.to_owned());
            }
        }
        granted.insert(action);
    }
    granted
}

#[test]
fn functions_may_do_what_their_code_does_and_nothing_else() {
    let sources = Sources::read();
    let mut reached_by_any: HashSet<usize> = HashSet::new();
    for folder in FOLDERS {
        let reached = sources.reached(folder);
        // A function that is open to anyone never asks who calls.
        let open = read(&format!("functions/{folder}/src/main.rs")).contains("run_open(");
        let needed = if open { BTreeSet::new() } else { needed(&sources, &reached) };
        assert_eq!(granted(folder), needed, "{folder}: granted by template.yaml, needed by the code");
        reached_by_any.extend(reached);
    }
    // If calls could no longer be followed, much would seem to be called by nobody.
    let unused: Vec<&str> = (0..sources.functions.len())
        .filter(|index| !reached_by_any.contains(index))
        .map(|index| &sources.functions[index])
        .filter(|function| ["Store", "Objects"].contains(&function.owner.as_deref().unwrap_or_default()))
        .map(|function| function.name.as_str())
        .collect();
    let mut unused: Vec<&str> = unused.into_iter().filter(|name| !["new", "cache"].contains(name)).collect();
    unused.sort_unstable();
    let of_the_local_hub = ["clock", "create_bucket", "create_table", "usage", "wait_until_active", "with_objects"];
    assert_eq!(unused, of_the_local_hub, "methods that no function reaches");
}

/// Which right goes with which resource, to be looked at when it changes: the sources tell only which of both there are.
#[test]
fn each_right_is_for_its_resource() {
    let mut lines: Vec<String> = Vec::new();
    for folder in FOLDERS {
        let rights = statements(&pascal_case(folder)).into_iter();
        lines.extend(rights.map(|(action, resource)| format!("{folder}: {action} on {resource}")));
    }
    lines.sort();
    insta::assert_snapshot!(lines.join("\n"));
}

#[test]
fn every_operation_of_the_sdks_is_known() {
    let setup = ["describe_table", "create_table", "update_time_to_live", "head_bucket", "create_bucket"];
    let others = ["config", "clone", "transact_write_items", "describe_time_to_live"];
    for folder in ["shared/src/store", "shared/src/objects"] {
        for function in files(folder, ".rs").iter().flat_map(|file| functions("shared", file)) {
            for window in function.tokens.windows(4).filter(|window| window[0] == "client" && window[1] == ".") {
                let name = window[2].as_str();
                let known = OPERATIONS.iter().any(|(operation, _)| *operation == name);
                let allowed = known || setup.contains(&name) || others.contains(&name);
                assert!(allowed, "{}: which right does `{name}` need?", function.file);
            }
        }
    }
    let keys = functions("shared", "shared/src/objects/key.rs").into_iter().map(|function| function.name);
    let makers: BTreeSet<String> = keys.filter(|name| name.starts_with("of_")).collect();
    assert_eq!(makers, KEYS.iter().map(|(maker, _)| (*maker).to_owned()).collect());
}
