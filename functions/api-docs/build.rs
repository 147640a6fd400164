//! Takes the files of Swagger UI that its page needs out of the archive in which they are published.

use std::error::Error;
use std::io::Cursor;
use std::path::Path;

const FILES: [&str; 3] = ["swagger-ui.css", "swagger-ui-bundle.js", "favicon-32x32.png"];

fn main() -> Result<(), Box<dyn Error>> {
    let mut archive = zip::ZipArchive::new(Cursor::new(utoipa_swagger_ui_vendored::SWAGGER_UI_VENDORED))?;
    let folder = std::env::var("OUT_DIR")?;
    for file in FILES {
        let end = format!("/dist/{file}");
        let name = archive.file_names().find(|name| name.ends_with(&end) && !name.contains("/flavors/"));
        let name = name.ok_or_else(|| format!("Swagger UI has no {file}"))?.to_owned();
        std::io::copy(&mut archive.by_name(&name)?, &mut std::fs::File::create(Path::new(&folder).join(file))?)?;
    }
    Ok(())
}
