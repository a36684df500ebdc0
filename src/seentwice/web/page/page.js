"use strict";
const at = (id) => document.getElementById(id);
const parts = { class_points: "class", tag_points: "tags", visual_similarity: "visual" };
let pictures = [];
let dropped = null;
let turn = 0;

class Refused extends Error {}

async function ask(path, options = {}) {
  const key = at("key").value;
  const headers = key ? { "X-API-Key": key } : {};
  let answer;
  try {
    answer = await fetch(path, { ...options, headers });
  } catch {
    throw new Refused("The service does not answer.");
  }
  if (answer.ok) return answer;
  if (answer.status === 401) at("keys").hidden = false;
  const told = await answer.json().catch(() => null);
  throw new Refused(told?.error?.message ?? `It failed with ${answer.status}.`);
}

function make(name, text, className) {
  const element = document.createElement(name);
  if (text !== undefined) element.textContent = text;
  if (className) element.className = className;
  return element;
}

function tell(text, isWrong = false) {
  at("state").textContent = text;
  at("state").classList.toggle("wrong", isWrong);
}

function hold(blob) {
  const address = URL.createObjectURL(blob);
  pictures.push(address);
  return address;
}

async function show(image, sha256) {
  try {
    image.src = hold(await (await ask(`photos/${sha256}/thumbnail`)).blob());
  } catch {
    image.replaceWith(make("div", undefined, "missing"));
  }
}

function describe(result, weights) {
  const figure = make("figure");
  const image = make("img");
  image.alt = `Photo ${result.photo} of listing ${result.listing}`;
  show(image, result.sha256);
  const caption = make("figcaption");
  caption.append(make("strong", `${result.rank}. ${result.listing}`));
  if (result.photo !== result.listing) caption.append(make("small", result.photo));
  const list = make("dl");
  for (const [part, name] of Object.entries(parts)) {
    const bar = make("meter", undefined, part);
    bar.max = weights[part] || 1;
    bar.value = result[part];
    bar.setAttribute("aria-label", name);
    const middle = make("dd");
    middle.append(bar);
    list.append(make("dt", name), middle, make("dd", result[part].toFixed(3)));
  }
  list.append(make("dt", "score"), make("dd"), make("dd", result.score.toFixed(3)));
  caption.append(list);
  figure.append(image, caption);
  const item = make("li");
  item.append(figure);
  return item;
}

function form(names) {
  const data = new FormData();
  for (const [name, value] of names) if (value !== "" && value !== null) data.append(name, value);
  return data;
}

async function check(photo, mine) {
  const answer = await (await ask("check", { method: "POST", body: form([["photo", photo]]) })).json();
  if (mine !== turn) return;
  at("here").replaceChildren(make("p", answer.is_here ? "It is here already:" : "It is not here yet."));
  for (const copy of answer.copies.slice(0, 10)) {
    const shown = copy.listings.length ? `, of ${copy.listings.join(", ")}` : "";
    at("here").append(make("p", `${copy.photo}${shown} (${copy.evidence.join(", ")}, ${copy.score.toFixed(3)})`));
  }
}

async function run() {
  const mine = ++turn;
  const photo = dropped;
  const id = at("id").value.trim();
  if (!photo && !id) return tell("Choose a photo, or give an id.", true);
  pictures.forEach(URL.revokeObjectURL);
  pictures = [];
  at("found").hidden = true;
  at("here").replaceChildren();
  at("asked").hidden = !photo;
  if (photo) at("preview").src = hold(photo);
  tell("Looking …");
  const filters = at("where").value.split("\n").map((line) => line.trim());
  const fields = [["k", at("k").value], ["title", at("title").value], ...filters.map((one) => ["where", one])];
  fields.push(photo ? ["photo", photo] : ["id", id]);
  try {
    const answer = await (await ask("recommend", { method: "POST", body: form(fields) })).json();
    if (mine !== turn) return;
    at("results").replaceChildren(...answer.results.map((one) => describe(one, answer.weights)));
    at("found").hidden = false;
    tell(answer.results.length === 1 ? "1 listing" : `${answer.results.length} listings`);
    if (photo) await check(photo, mine);
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    if (mine === turn) tell(error.message, true);
  }
}

function choose(file) {
  if (!file) return;
  dropped = file;
  at("id").value = "";
  run();
}

const drop = at("drop");
for (const name of ["dragover", "dragleave", "drop"]) {
  drop.addEventListener(name, (event) => {
    event.preventDefault();
    drop.classList.toggle("over", name === "dragover");
    if (name === "drop") choose(event.dataTransfer.files[0]);
  });
}
at("photo").addEventListener("change", () => choose(at("photo").files[0]));
at("id").addEventListener("input", () => { if (at("id").value) { dropped = null; at("photo").value = ""; } });
at("ask").addEventListener("submit", (event) => { event.preventDefault(); run(); });
