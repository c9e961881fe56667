"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const $ = id => document.getElementById(id);
  const grid = $("grid"), viewer = $("viewer"), tools = $("tools");
  const choice = $("model-choice"); // only where there are several models
  const number = new Intl.NumberFormat("en");
  const cards = [...grid.children].map((element, index) => ({
    element, index, picture: data.pictures[index],
    references: [...element.querySelectorAll(".references li")].map(li => li.textContent),
  }));
  let order = cards; // those that are shown, as they are shown

  const el = (tag, className, text) => {
    const e = document.createElement(tag);
    if (className) e.className = className;
    if (text !== undefined) e.textContent = text;
    return e;
  };
  const model = () => choice ? +choice.value : 0;
  const answerOf = card => card.picture.answers[model()];
  const scoreOf = card => answerOf(card)?.s[+$("metric").value] ?? -1;
  const spreadOf = card => {
    const scores = card.picture.answers.filter(answer => answer).map(answer => answer.s[+$("metric").value]);
    return Math.max(...scores) - Math.min(...scores);
  };
  const collator = new Intl.Collator("en", { numeric: true });

  // A generator of numbers from 0 to 1 (mulberry32), so that a seed gives the same order everywhere.
  const random = seed => () => {
    seed = (seed + 0x6D2B79F5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };

  const shuffled = list => {
    const next = random(Math.trunc(+$("seed").value) || 0);
    list = [...list];
    for (let i = list.length - 1; i > 0; i--) {
      const j = Math.floor(next() * (i + 1));
      [list[i], list[j]] = [list[j], list[i]];
    }
    return list;
  };

  const sorted = () => {
    switch ($("order").value) {
      case "best": return [...cards].sort((a, b) => scoreOf(b) - scoreOf(a) || a.index - b.index);
      case "worst": return [...cards].sort((a, b) => scoreOf(a) - scoreOf(b) || a.index - b.index);
      case "median": {
        const scores = cards.map(scoreOf).sort((a, b) => a - b), middle = scores[scores.length >> 1];
        const off = card => Math.abs(scoreOf(card) - middle);
        return [...cards].sort((a, b) => off(a) - off(b) || a.index - b.index);
      }
      case "apart": return [...cards].sort((a, b) => spreadOf(b) - spreadOf(a) || a.index - b.index);
      case "name": return [...cards].sort((a, b) => collator.compare(a.picture.name, b.picture.name));
    }
    return shuffled(cards);
  };

  const wordsOf = text => text.toLowerCase().split(/[\s.,;:!?"()]+/);
  const fits = card => {
    const answer = answerOf(card), name = card.picture.name.toLowerCase();
    const query = $("words").value.trim().toLowerCase();
    const said = answer ? [...answer.w, ...wordsOf(answer.c)] : [];
    const has = (words, q) => /^".*"$/.test(q) ? words.includes(q.slice(1, -1)) : words.some(w => w.startsWith(q));
    const found = () => {
      if ($("where").value === "said") return query.split(/\s+/).every(q => has(said, q));
      const written = card.references.flatMap(wordsOf);
      return query.split(/\s+/).every(q => has(written, q) && !has(said, q));
    };
    if (query && !name.startsWith(query) && !found()) return false;
    const low = $("low").valueAsNumber, high = $("high").valueAsNumber, score = scoreOf(card);
    return !(score < low) && !(score > high); // an empty field is NaN
  };

  const marks = (p, scores) => {
    p.replaceChildren();
    data.metrics.forEach((metric, i) => {
      const span = el("span", i === +$("metric").value ? "sorted" : "", metric + " ");
      span.append(el("b", "", scores[i] < 0 ? "–" : scores[i].toFixed(1)));
      p.append(span, " ");
    });
  };

  // fill puts the chosen model's caption into a card.
  const fill = card => {
    const answer = answerOf(card), caption = answer ? answer.c : "not captioned";
    card.element.querySelector(".caption").textContent = caption;
    const img = card.element.querySelector("img");
    if (img) img.alt = caption;
    marks(card.element.querySelector(".marks"), answer ? answer.s : data.metrics.map(() => -1));
  };

  const arrange = () => {
    $("seed-label").hidden = $("order").value !== "shuffled";
    grid.classList.toggle("bare", !$("references").checked);
    const all = sorted();
    order = [];
    for (const card of all) {
      card.element.hidden = !fits(card);
      if (!card.element.hidden) order.push(card);
    }
    grid.append(...all.map(card => card.element));
    $("found").textContent = order.length === cards.length
      ? `${number.format(cards.length)} pictures`
      : `${number.format(order.length)} of ${number.format(cards.length)} pictures`;
    $("none").hidden = order.length > 0;
  };

  // veil darkens what a word did not look at, and what the network did not see.
  const veil = (answer, at, word) => {
    const size = at.rows * at.columns;
    const bytes = Uint8Array.from(atob(answer.a).slice(word * size, (word + 1) * size), c => c.charCodeAt(0));
    const box = el("div", "veil"), canvas = el("canvas");
    canvas.width = at.columns;
    canvas.height = at.rows;
    const context = canvas.getContext("2d"), pixels = context.createImageData(at.columns, at.rows);
    bytes.forEach((b, i) => { pixels.data[4 * i + 3] = Math.round(0.82 * (255 - b)); });
    context.putImageData(pixels, 0, 0);
    const [x, y, w, h] = (answer.b || [0, 0, 1, 1]).map(v => 100 * v + "%");
    Object.assign(canvas.style, { left: x, top: y, width: w, height: h });
    box.append(canvas);
    return box;
  };

  // cover lays a box over the picture inside an image element that is as large or larger.
  const cover = (box, img) => {
    const scale = Math.min(img.clientWidth / img.naturalWidth, img.clientHeight / img.naturalHeight);
    const width = scale * img.naturalWidth, height = scale * img.naturalHeight;
    Object.assign(box.style, {
      left: img.offsetLeft + (img.clientWidth - width) / 2 + "px", top: img.offsetTop + (img.clientHeight - height) / 2 + "px",
      width: width + "px", height: height + "px",
    });
  };

  let current = null; // the card in the viewer

  const lookAt = (answer, m, word, button) => {
    $("frame").querySelector(".veil")?.remove();
    viewer.querySelectorAll(".word[aria-pressed=true]").forEach(b => b.setAttribute("aria-pressed", "false"));
    const img = $("frame").querySelector("img");
    if (!button || !img) return;
    button.setAttribute("aria-pressed", "true");
    const box = veil(answer, data.models[m], word);
    $("frame").append(box);
    img.decode().then(() => cover(box, img), () => box.remove());
  };

  const words = (answer, m) => {
    const list = el("ul", "said " + data.models[m].class);
    answer.w.forEach((word, i) => {
      const chance = Math.round(100 * answer.p[i]);
      const button = el("button", "word", word);
      button.type = "button";
      button.style.setProperty("--p", chance + "%");
      button.title = `“${word}” had a probability of ${chance} %`;
      button.append(el("small", "", chance + " %"));
      if (answer.a) {
        button.setAttribute("aria-pressed", "false");
        const show = () => lookAt(answer, m, i, button);
        button.addEventListener("pointerenter", show);
        button.addEventListener("focus", show);
        button.addEventListener("click", show);
      }
      const li = el("li");
      li.append(button);
      list.append(li);
    });
    if (answer.a) list.addEventListener("pointerleave", () => lookAt());
    return list;
  };

  const answerBlock = (answer, m) => {
    const block = el("div", "answer");
    if (data.models.length > 1) {
      const h = el("h4", "", data.models[m].name);
      h.prepend(el("span", "key " + data.models[m].class));
      block.append(h);
    }
    const caption = el("p", "caption", answer ? answer.c : "not captioned");
    caption.dir = "auto";
    block.append(caption);
    if (!answer) return block;
    block.append(words(answer, m));
    const p = el("p", "marks");
    marks(p, answer.s);
    block.append(p);
    return block;
  };

  const view = card => {
    current = card;
    $("viewer-name").textContent = card.picture.name;
    const img = card.element.querySelector("img");
    $("frame").replaceChildren(img ? Object.assign(el("img"), { src: img.src, alt: img.alt }) : el("div", "blank", "no picture"));
    $("answers").replaceChildren(...card.picture.answers.map(answerBlock));
    $("hint").hidden = !img || !card.picture.answers.some(answer => answer?.a);
    $("viewer-references").replaceChildren(...card.references.map(r => Object.assign(el("li", "", r), { dir: "auto" })));
    const at = order.indexOf(card);
    $("previous").disabled = at <= 0;
    $("next").disabled = at < 0 || at === order.length - 1;
    if (!viewer.open) viewer.showModal();
    viewer.scrollTop = 0;
  };

  const step = by => {
    const card = order[order.indexOf(current) + by];
    if (card) view(card);
  };

  grid.addEventListener("click", event => {
    const li = event.target.closest(".open")?.closest(".card");
    if (li) view(cards.find(card => card.element === li));
  });
  $("previous").addEventListener("click", () => step(-1));
  $("next").addEventListener("click", () => step(1));
  $("close").addEventListener("click", () => viewer.close());
  viewer.addEventListener("click", event => { if (event.target === viewer) viewer.close(); });
  viewer.addEventListener("keydown", event => {
    if (event.key === "ArrowLeft") step(-1);
    if (event.key === "ArrowRight") step(1);
  });
  viewer.addEventListener("close", () => current?.element.querySelector(".open").focus());
  addEventListener("resize", () => lookAt());

  let waiting = 0;
  tools.addEventListener("input", event => {
    if (event.target === choice || event.target.id === "metric") cards.forEach(fill);
    clearTimeout(waiting);
    waiting = setTimeout(arrange, event.target.type === "search" ? 150 : 0);
  });
  tools.addEventListener("submit", event => event.preventDefault());
  tools.addEventListener("reset", () => setTimeout(() => { cards.forEach(fill); arrange(); }));

  // A word of a table leads to the pictures that it is about.
  document.addEventListener("click", event => {
    const a = event.target.closest("a[data-find]");
    if (!a) return;
    tools.reset();
    if (choice) choice.value = a.dataset.model;
    setTimeout(() => { // after what reset does
      $("words").value = `"${a.textContent}"`;
      $("where").value = a.dataset.find;
      if (choice) choice.value = a.dataset.model;
      $("order").value = "worst";
      cards.forEach(fill);
      arrange();
      $("words").focus();
    });
  });

  // sortable puts a button into each heading of the last row.
  const sortable = table => {
    const headings = [...table.tHead.rows[table.tHead.rows.length - 1].cells];
    const value = (row, column) => {
      const text = row.cells[column].textContent.replace(/[,%\s]/g, "");
      return column === 0 ? text : text === "–" ? -Infinity : +text;
    };
    headings.forEach((th, column) => {
      const button = el("button", "", th.textContent);
      button.type = "button";
      button.addEventListener("click", () => {
        const down = th.getAttribute("aria-sort") ? th.getAttribute("aria-sort") === "ascending" : column > 0;
        headings.forEach(other => other.removeAttribute("aria-sort"));
        th.setAttribute("aria-sort", down ? "descending" : "ascending");
        const rows = [...table.tBodies[0].rows].map(row => [value(row, column), row]);
        rows.sort(([a], [b]) => (column === 0 ? collator.compare(a, b) : a === b ? 0 : a < b ? -1 : 1) * (down ? -1 : 1));
        table.tBodies[0].append(...rows.map(([, row]) => row));
      });
      th.replaceChildren(button);
    });
  };
  document.querySelectorAll(".sortable").forEach(sortable);

  $("seed").defaultValue = data.seed;
  tools.hidden = false;
  cards.forEach(fill);
  arrange();
})();
