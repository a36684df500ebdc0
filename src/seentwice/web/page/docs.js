"use strict";
function make(name, text) {
  const element = document.createElement(name);
  element.textContent = text;
  return element;
}

function describe(schema, all) {
  const found = schema.$ref ? all[schema.$ref.split("/").pop()] : schema;
  const required = new Set(found.required ?? []);
  return Object.entries(found.properties ?? {}).map(([name, value]) => {
    const kind = value.format === "binary" || value.items?.format === "binary" ? "file" : value.type ?? "";
    const what = value.description ?? value.title ?? "";
    return `${name}${required.has(name) ? " (required)" : ""}: ${[kind, what].filter(Boolean).join("; ")}`;
  });
}

async function show() {
  const told = await (await fetch("openapi.json")).json();
  const all = told.components.schemas;
  document.getElementById("about").textContent = told.info.description.replaceAll("`", "").replaceAll("\n", " ");
  const place = document.getElementById("operations");
  for (const [path, operations] of Object.entries(told.paths)) {
    for (const [method, operation] of Object.entries(operations)) {
      place.append(make("h3", `${method.toUpperCase()} ${path}`), make("p", operation.summary));
      if (operation.description) place.append(make("p", operation.description));
      for (const [kind, body] of Object.entries(operation.requestBody?.content ?? {})) {
        place.append(make("pre", [kind, ...describe(body.schema, all).map((line) => `  ${line}`)].join("\n")));
      }
      const answers = Object.entries(operation.responses).map(([status, one]) => `${status}  ${one.description}`);
      place.append(make("pre", answers.join("\n")));
    }
  }
}

show();
