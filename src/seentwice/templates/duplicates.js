// Each group is an empty article until it comes near the view: a page of 10,000 groups opens at
// once. Texts of the data are only ever set as text, never as HTML.
(() => {
  const find = (id) => document.getElementById(id);
  const tools = find("tools");
  const header = document.querySelector("header");
  header.append(find("left-out"));
  if (!tools) return;
  tools.hidden = false;

  const DOUBTFUL = 0.9; // a score below it is coloured
  const UNREADABLE = -1;
  const FACTS = { number: (item) => item.number, score: (item) => item.score, spareBytes: (item) => -item.spareBytes };
  const fold = (text) => text.normalize("NFC").toLowerCase();
  const count = (number, noun) => `${number.toLocaleString("en")} ${noun}${number === 1 ? "" : "s"}`;
  // Cut, not rounded: what is not sure must not read as 1.
  const cut = (value) => (value === 1 ? "1" : (Math.floor(value * 1000 + 1e-6) / 1000).toFixed(3));

  function make(tag, text = "", name = "") {
    const element = document.createElement(tag);
    element.textContent = text;
    if (name) element.className = name;
    return element;
  }

  function readItem(script) {
    const item = JSON.parse(script.textContent);
    item.kind = script.className;
    item.script = script.nextElementSibling; // its thumbnails, parsed when they are to be seen
    const texts = item.photos.flatMap((photo) => [photo.name, photo.product ?? "", photo.seller ?? ""]);
    item.text = fold(texts.join("\n"));
    item.title = `${item.kind === "group" ? "Group" : "Link"} ${item.number.toLocaleString("en")}`;
    item.article = make("article", "", item.size === 2 ? "two" : "");
    item.article.tabIndex = -1;
    item.article.setAttribute("aria-label", item.title);
    item.article.item = item;
    return item;
  }

  function drawPicture(photo, thumbnails, keep) {
    const link = make("a");
    link.href = photo.href;
    link.target = "_blank";
    link.rel = "noreferrer";
    link.title = photo.name;
    if (photo.thumbnail >= 0) {
      const image = make("img");
      image.alt = photo.name;
      image.decoding = "async";
      image.src = `data:image/jpeg;base64,${thumbnails[photo.thumbnail]}`;
      link.append(image);
    } else {
      link.append(make("div", photo.thumbnail === UNREADABLE ? "could not be read again" : "no room for its picture", "missing"));
    }
    if (keep) link.append(make("span", "keep", "badge"));
    return link;
  }

  function drawReason(reason) {
    const list = make("ul");
    list.append(make("li", `score ${cut(reason.score)}`, reason.score < DOUBTFUL ? "score doubt" : "score"));
    for (const evidence of reason.evidence) list.append(make("li", evidence));
    if (reason.bits !== null) list.append(make("li", `${reason.bits} of 64 bits`));
    if (reason.similarity !== null) list.append(make("li", `similarity ${cut(reason.similarity)}`));
    if (reason.edit) list.append(make("li", reason.edit, "edit"));
    return list;
  }

  function drawPhoto(photo, thumbnails, keep) {
    const caption = make("figcaption");
    const base = photo.name.lastIndexOf("/") + 1;
    if (base) caption.append(make("p", photo.name.slice(0, base), "folder"));
    caption.append(make("p", photo.name.slice(base), "name"));
    caption.title = photo.name;
    if (photo.px) {
      const facts = make("p", "", "facts");
      for (const fact of [photo.px, photo.bytes, photo.date?.slice(0, 10)]) {
        if (fact) facts.append(facts.firstChild ? " · " : "", make("span", fact));
      }
      if (photo.date) facts.title = `modified ${photo.date.replace("T", " ").replace("Z", " UTC")}`;
      caption.append(facts);
    }
    if (photo.product) caption.append(make("p", `product ${photo.product}`));
    if (photo.seller) caption.append(make("p", `seller ${photo.seller}`));
    if (photo.reason) {
      caption.append(drawReason(photo.reason));
      if (photo.reason.other) caption.append(make("p", `as compared with ${photo.reason.other}`, "other"));
    }
    const figure = make("figure");
    figure.append(drawPicture(photo, thumbnails, keep), caption);
    const place = make("li", "", keep ? "keep" : "");
    place.append(figure);
    return place;
  }

  function fill(item) {
    if (!item.script) return;
    const thumbnails = JSON.parse(item.script.textContent);
    item.script = null;
    const heading = make("h3", item.title);
    const facts = item.kind === "group" ? [count(item.size, "photo")] : [];
    if (item.spare) facts.push(`${item.spare} to save`);
    if (item.products) facts.push(count(item.products, "product"));
    if (item.sellers > 1) facts.push(count(item.sellers, "seller"));
    heading.append(" ", make("small", facts.join(" · ")));
    const photos = make("ul", "", "photos");
    photos.append(...item.photos.map((photo, place) => drawPhoto(photo, thumbnails, Boolean(item.spare) && place === 0)));
    item.article.append(heading, photos);
    const more = item.size - item.photos.length;
    if (more > 0) item.article.append(make("p", `and ${count(more, "more photo")}, listed in groups.csv`, "more"));
  }

  const items = [...document.querySelectorAll("script.group, script.link")].map(readItem);
  const near = new IntersectionObserver((entries) => {
    for (const entry of entries) {
      if (!entry.isIntersecting) continue;
      fill(entry.target.item);
      near.unobserve(entry.target);
    }
  }, { rootMargin: "1500px 0px" });
  let shown = items;
  let current = null;

  function place() {
    for (const kind of ["group", "link"]) {
      const articles = document.createDocumentFragment();
      for (const item of items) if (item.kind === kind) articles.append(item.article);
      document.querySelector(`#${kind}s > div`)?.append(articles);
    }
  }

  function select(item) {
    current?.article.removeAttribute("aria-current");
    current = item;
    if (!item) return;
    fill(item);
    item.article.setAttribute("aria-current", "true");
    item.article.focus({ preventScroll: true });
    item.article.scrollIntoView({ block: "start" });
  }

  function step(by) {
    const at = shown.indexOf(current);
    const next = at === -1 ? (by > 0 ? firstInView() : -1) : at + by;
    if (shown[next]) select(shown[next]);
  }

  function firstInView() {
    const top = tools.getBoundingClientRect().bottom;
    return Math.max(0, shown.findIndex((item) => item.article.getBoundingClientRect().bottom > Math.max(top, 0) + 8));
  }

  const boxes = [...tools.querySelectorAll("#kinds input")];

  function filter() {
    const words = fold(find("search").value.trim());
    const kinds = new Set(boxes.filter((box) => box.checked).map((box) => box.value));
    const least = find("from").value === "" ? 0 : Number(find("from").value);
    const most = find("to").value === "" ? 1 : Number(find("to").value);
    const sellers = find("sellers")?.value ?? "";
    const fits = (item) =>
      item.kinds.some((kind) => kinds.has(kind)) && item.score >= least && item.score <= most &&
      (!sellers || (sellers === "one" ? item.sellers === 1 : item.sellers > 1)) &&
      (!words || item.text.includes(words));
    for (const item of items) item.article.hidden = !fits(item);
    shown = items.filter((item) => !item.article.hidden);
    if (current?.article.hidden) select(null);
    const groups = shown.filter((item) => item.kind === "group");
    const all = items.filter((item) => item.kind === "group").length;
    const photos = groups.reduce((sum, item) => sum + item.size, 0);
    const links = shown.length - groups.length;
    find("shown").textContent = `${groups.length.toLocaleString("en")} of ${count(all, "group")}, ${count(photos, "photo")}` + (all < items.length ? `; ${links.toLocaleString("en")} of ${count(items.length - all, "link")}` : "");
    find("none").hidden = shown.length > 0;
  }

  function order() {
    const fact = FACTS[find("order").value];
    items.sort((a, b) => (a.kind > b.kind) - (a.kind < b.kind) || fact(a) - fact(b) || a.number - b.number);
    place();
    filter();
  }

  const toggleKeys = () => (find("keys").open ? find("keys").close() : find("keys").showModal());
  const KEYS = {
    j: () => step(1), ArrowRight: () => step(1), k: () => step(-1), ArrowLeft: () => step(-1),
    "/": () => { find("search").focus(); find("search").select(); }, "?": toggleKeys,
  };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    if (event.key === "Escape" && event.target === find("search")) event.target.blur();
    if (event.target.matches?.("input[type=search], input[type=number], select")) return;
    if (find("keys").open && event.key !== "?") return;
    const act = KEYS[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  });
  document.addEventListener("click", (event) => {
    const article = event.target.closest?.("article");
    if (!article) return;
    current?.article.removeAttribute("aria-current");
    current = article.item;
    article.setAttribute("aria-current", "true");
  });
  tools.addEventListener("submit", (event) => event.preventDefault());
  tools.addEventListener("input", (event) => (event.target.id === "order" ? order() : filter()));
  find("help").addEventListener("click", toggleKeys);
  find("reset").addEventListener("click", () => { tools.reset(); order(); });
  addEventListener("beforeprint", () => shown.forEach(fill));

  for (const box of boxes) {
    const number = items.filter((item) => item.kinds.includes(box.value)).length;
    box.nextElementSibling.textContent = number.toLocaleString("en");
    box.parentElement.hidden = number === 0;
  }
  order();
  const measure = () => document.documentElement.style.setProperty("--tools", `${tools.offsetHeight + 8}px`);
  measure();
  addEventListener("resize", measure);
  for (const item of items) near.observe(item.article);
})();
