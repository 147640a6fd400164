// Writes the visitor's project into the commands, and puts a button on each to copy it.
"use strict";
const input = document.getElementById("project");
const hint = document.getElementById("hint");
const places = document.querySelectorAll("mark");
const [example, advice] = [places[0].textContent, hint.textContent];

// What GitLab allows in a path, so that nothing typed here means anything else to a shell.
const isProject = (path) => /^[\w.][\w.-]*(\/[\w.][\w.-]*)+$/.test(path) && !/(^|\/)\.{1,2}(\/|$)/.test(path);

function projectOf(text) {
  let path = text.trim();
  try {
    path = decodeURIComponent(new URL(path).pathname);
  } catch {
    // No URL: a path, which may be written with slashes around it.
  }
  return path.split("/-/")[0].replace(/^\/+|\/+$/g, "").replace(/\.git$/, "");
}

function show() {
  const path = projectOf(input.value);
  const good = isProject(path);
  const bad = path !== "" && !good;
  for (const place of places) {
    place.textContent = good ? path : example;
  }
  hint.classList.toggle("bad", bad);
  input.setAttribute("aria-invalid", String(bad));
  hint.textContent = bad ? "A project’s full path has a group and a name: group/project." : advice;
}

input.addEventListener("input", show);
// Browsers bring back what was typed before a page was left.
show();

if (navigator.clipboard) {
  for (const command of document.querySelectorAll("[data-command]")) {
    const frame = document.createElement("div");
    const button = document.createElement("button");
    frame.className = "command";
    button.type = "button";
    button.textContent = "Copy";
    button.setAttribute("aria-label", `Copy: ${command.getAttribute("aria-label")}`);
    button.addEventListener("click", async () => {
      try {
        await navigator.clipboard.writeText(`${command.textContent}\n`);
        button.textContent = "Copied";
      } catch {
        button.textContent = "Not allowed";
      }
      setTimeout(() => { button.textContent = "Copy"; }, 2000);
    });
    command.replaceWith(frame);
    frame.append(button, command);
  }
}
