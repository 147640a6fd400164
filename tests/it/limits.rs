//! The bounds that `docs/LIMITS.md` names are those of the code.

use crate::house::read;

#[test]
fn named_bounds_are_those_of_the_code() {
    let mut compared = 0;
    for row in read("docs/LIMITS.md").lines().filter(|line| line.starts_with('|')) {
        let place = row.trim_end_matches([' ', '|']).rsplit('|').next().unwrap_or_default();
        let mut code = None;
        for span in place.split('`').skip(1).step_by(2) {
            let Some((name, value)) = span.split_once(" = ") else {
                code = Some((span, read(span)));
                continue;
            };
            let (file, code) = code.as_ref().unwrap_or_else(|| panic!("no file is named before `{span}`"));
            let line = code.lines().find(|line| line.contains(&format!("const {name}: ")));
            let line = line.unwrap_or_else(|| panic!("{file} has no {name}"));
            assert!(line.ends_with(&format!(" = {value};")), "docs/LIMITS.md: {span}; {file}: {line}");
            compared += 1;
        }
    }
    assert!(compared > 30, "only {compared} bounds found: this test looks for the wrong thing");
}
